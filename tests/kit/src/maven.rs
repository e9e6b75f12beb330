//! Java libraries, by their Maven coordinates.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::cache;

/// A library as `group:artifact:version`, and what of its dependencies is left out: `group:artifact:version!group:artifact!...`.
pub type Coordinate<'a> = &'a str;

/// Artifacts that old poms name and no repository has any more, or that bring a second logging binding.
const NEVER: &[(&str, &str)] =
    &[("com.sun.jmx", "*"), ("com.sun.jdmk", "*"), ("javax.jms", "*"), ("ch.qos.logback", "*")];

/// The folder that holds the jars of `libraries` and of all that they need at run time. `name` is for people.
#[must_use]
pub fn libraries(name: &str, libraries: &[Coordinate<'_>]) -> PathBuf {
    cache::once(&format!("libs-{name}"), &libraries, |folder| {
        let pom = folder.join("pom.xml");
        fs::write(&pom, pom_of(name, libraries)).expect("cannot write the pom");
        maven(&[
            "-f",
            pom.to_str().expect("a UTF-8 path"),
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            &format!("-DoutputDirectory={}", folder.display()),
        ]);
    })
}

/// A class path of every jar in the folder that [`libraries`] gave.
#[must_use]
pub fn class_path(libraries: &std::path::Path) -> String {
    format!("{}/*", libraries.display())
}

fn maven(arguments: &[&str]) {
    // A registry that does not answer now and then is no failure of the project: three tries.
    let mut said = String::new();
    // Several Mavens that download into one empty repository of the user's spoil each other's files.
    let _lock = cache::lock("maven");
    for _ in 0..3 {
        let output = Command::new("mvn")
            .args(["-q", "-B"])
            .args(arguments)
            .output()
            .unwrap_or_else(|e| panic!("mvn does not start ({e}): `make test` installs it"));
        if output.status.success() {
            return;
        }
        said =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    panic!("mvn {} failed three times:\n{said}", arguments.join(" "));
}

fn pom_of(name: &str, libraries: &[Coordinate<'_>]) -> String {
    let mut dependencies = String::new();
    for library in libraries {
        let mut words = library.split('!');
        let parts: Vec<&str> = words.next().unwrap_or_default().split(':').collect();
        let [group, artifact, version] = parts[..] else { panic!("not group:artifact:version: {library}") };
        let mut exclusions = String::new();
        let own =
            words.map(|word| word.split_once(':').unwrap_or_else(|| panic!("not group:artifact: {word}")));
        for (group, artifact) in NEVER.iter().copied().chain(own) {
            let _ = write!(
                exclusions,
                "<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>"
            );
        }
        let _ = write!(
            dependencies,
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>\
             <exclusions>{exclusions}</exclusions></dependency>"
        );
    }
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>dev.vltava.tests</groupId><artifactId>{name}</artifactId><version>1</version><packaging>pom</packaging>\
         <dependencies>{dependencies}</dependencies></project>"
    )
}
