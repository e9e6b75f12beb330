//! Python programs of the tests, in virtual environments with the libraries they need.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cache;

/// The folder of a virtual environment that holds `libraries`, each as `name==version`.
#[must_use]
pub fn environment(name: &str, libraries: &[&str]) -> PathBuf {
    cache::once(&format!("python-{name}"), &libraries, |folder| {
        check("python3 -m venv", &run(Command::new("python3").args(["-m", "venv"]).arg(folder)));
        // A registry that does not answer now and then is no failure of the project: pip tries again by itself.
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "5"];
        check("pip install", &run(Command::new(folder.join("bin/python")).args(install).args(libraries)));
    })
}

/// `python PROGRAM` in an environment that [`environment`] made.
#[must_use]
pub fn program(environment: &Path, program: &Path) -> Command {
    let mut command = Command::new(environment.join("bin/python"));
    command.env("PYTHONIOENCODING", "utf-8").arg(program);
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|e| panic!("python3 does not start ({e}): `make test` installs it"))
}

fn check(what: &str, output: &Output) {
    assert!(output.status.success(), "{what} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}
