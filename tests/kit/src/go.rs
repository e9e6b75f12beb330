//! Go programs of the tests: one module, built once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;

/// Builds every program of the Go module in `module`; the folder of executables, each named as its package's folder.
#[must_use]
pub fn build(name: &str, module: &Path) -> PathBuf {
    let mut files = Vec::new();
    collect(module, &mut files);
    files.sort();
    let texts: Vec<String> =
        files.iter().map(|f| fs::read_to_string(f).expect("a readable source")).collect();
    cache::once(&format!("go-{name}"), &texts, |folder| {
        let output = Command::new("go")
            .args(["build", "-trimpath", "-o"])
            .arg(folder)
            .arg("./...")
            .current_dir(module)
            .env("CGO_ENABLED", "0")
            .output()
            .unwrap_or_else(|e| panic!("go does not start ({e}): `make test` installs it"));
        assert!(output.status.success(), "go build {name}:\n{}", String::from_utf8_lossy(&output.stderr));
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
