//! Other people's clients against the server: the official Java client of every release line from 3.4 to 3.9, and kazoo.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use support::apache;
use support::child::{self, Process};

/// Runs the program of `tests/clients/JavaClient.java` with one release's jars, and kills and starts the server again in its middle.
fn java_client(version: &str) {
    let jars = apache::class_path(version);
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/JavaClient.java");
    let compiled = Command::new("javac")
        .args(["-nowarn", "-cp", &jars, "-d"])
        .arg(dir.path())
        .arg(source)
        .output()
        .expect("javac runs");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));

    let (server, address) = child::server(dir.path(), 0, "maxSessionTimeout=60000");
    let class_path = format!("{}:{jars}", dir.path().display());
    let client = Command::new("java")
        .args([
            "-Xmx128m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            &class_path,
            "JavaClient",
            &address.to_string(),
        ])
        .stdout(Stdio::piped())
        .stderr(fs::File::create(dir.path().join("client.err")).unwrap())
        .spawn()
        .expect("java runs");
    let mut client = Process(client);
    let mut lines = BufReader::new(client.0.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("READY") {
        assert!(
            lines.read_line(&mut said).unwrap() > 0,
            "{said}{}",
            fs::read_to_string(dir.path().join("client.err")).unwrap()
        );
    }
    server.kill();
    let (_server, _) = child::server(dir.path(), address.port(), "maxSessionTimeout=60000");
    lines.read_to_string(&mut said).unwrap();
    assert!(said.ends_with("OK\n"), "{said}{}", fs::read_to_string(dir.path().join("client.err")).unwrap());
}

macro_rules! java_clients {
    ($($name:ident $version:literal)*) => {$(
        #[test]
        fn $name() {
            java_client($version);
        }
    )*};
}

// Later 3.4 releases cannot resolve an address on JDK 14 and newer, whose InetSocketAddress prints in another way (ZOOKEEPER-3779).
java_clients! {
    the_java_client_3_4_works_across_a_kill "3.4.10"
    the_java_client_3_5_works_across_a_kill "3.5.10"
    the_java_client_3_6_works_across_a_kill "3.6.4"
    the_java_client_3_7_works_across_a_kill "3.7.2"
    the_java_client_3_8_works_across_a_kill "3.8.4"
    the_java_client_3_9_works_across_a_kill "3.9.3"
}

#[test]
fn kazoo_works() {
    let python = apache::cached("kazoo-2.10.0", |dir| {
        let run = |program: &Path, args: &[&str]| {
            let output = Command::new(program).args(args).current_dir(dir).output().expect("python3 runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        run(Path::new("python3"), &["-m", "venv", "venv"]);
        run(&dir.join("venv/bin/pip"), &["install", "-q", "kazoo==2.10.0"]);
    });
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "maxSessionTimeout=60000");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/kazoo_client.py");
    let output =
        Command::new(python.join("venv/bin/python")).arg(program).arg(address.to_string()).output().unwrap();
    assert!(
        output.stdout == b"OK\n",
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
