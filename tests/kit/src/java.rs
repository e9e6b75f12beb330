//! Java programs of the tests: compiled once, started on JDK 17.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;

/// Packages that Scala 2.11 and libraries of its time open by reflection, which JDK 17 must be told to allow.
const OPEN: &[&str] = &[
    "java.lang",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "sun.nio.ch",
];

/// Compiles every `.java` file below `sources` against `class_path`; the folder of classes.
#[must_use]
pub fn compile(name: &str, sources: &Path, class_path: &str) -> PathBuf {
    compile_together(name, &[sources.to_owned()], class_path)
}

/// [`compile`] for a program whose sources lie in several folders (or single files): what is common, and what differs from version
/// to version.
#[must_use]
pub fn compile_together(name: &str, folders: &[PathBuf], class_path: &str) -> PathBuf {
    let mut files = Vec::new();
    for folder in folders {
        let before = files.len();
        collect(folder, &mut files);
        assert!(files.len() > before, "no Java source below {}", folder.display());
    }
    files.sort();
    let texts: Vec<String> =
        files.iter().map(|f| fs::read_to_string(f).expect("a readable source")).collect();
    cache::once(&format!("classes-{name}"), &(texts, class_path), |folder| {
        let output = Command::new("javac")
            .args(["-nowarn", "-Xlint:none", "-XDsuppressNotes", "-proc:none", "-encoding", "UTF-8", "-d"])
            .arg(folder)
            .args(["-cp", class_path])
            .args(&files)
            .output()
            .unwrap_or_else(|e| panic!("javac does not start ({e}): `make test` installs it"));
        assert!(output.status.success(), "javac {name}:\n{}", String::from_utf8_lossy(&output.stderr));
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    if folder.is_file() {
        files.push(folder.to_owned());
        return;
    }
    for entry in fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "java") {
            files.push(path);
        }
    }
}

/// `java -cp CLASS_PATH MAIN`, small and quick to start: client JIT, serial collector, 512 MB at most.
#[must_use]
pub fn program(class_path: &str, main: &str) -> Command {
    let mut command = bare(class_path);
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512M"]).arg(main);
    command
}

/// `java -cp CLASS_PATH` with what every Java program of the tests needs; flags and the main class follow.
#[must_use]
pub fn bare(class_path: &str) -> Command {
    let mut command = Command::new("java");
    for package in OPEN {
        command.arg(format!("--add-opens=java.base/{package}=ALL-UNNAMED"));
    }
    command.args(["-Dfile.encoding=UTF-8", "-cp", class_path]);
    command
}
