//! Apache ZooKeeper from Maven, kept in the cache between runs.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::child::Process;

/// The release that ours is compared with.
pub const SERVER: &str = "3.9.3";

/// `${XDG_CACHE_HOME:-~/.cache}/vltava`.
pub fn cache() -> PathBuf {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").expect("HOME")).join(".cache"));
    let dir = base.join("vltava");
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// A folder of the cache, made once by `make`, whatever number of tests asks for it at the same time.
pub fn cached(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let (dir, mark) = (cache().join(name), cache().join(name).join(".complete"));
    let lock = File::create(cache().join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    if !mark.exists() {
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(&dir).unwrap();
        make(&dir);
        File::create(mark).unwrap();
    }
    dir
}

/// The folder with all jars of a release.
pub fn jars(version: &str) -> PathBuf {
    cached(&format!("zookeeper-{version}"), |dir| {
        let dependency = |group: &str, artifact: &str, version: &str| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
            )
        };
        let dependencies = [
            dependency("org.apache.zookeeper", "zookeeper", version),
            // The server needs these, but its own list calls them optional.
            dependency("io.dropwizard.metrics", "metrics-core", "4.1.12.1"),
            dependency("org.xerial.snappy", "snappy-java", "1.1.10.5"),
        ];
        let pom = format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion><groupId>vltava</groupId>\
             <artifactId>jars</artifactId><version>1</version><dependencies>{}</dependencies></project>",
            dependencies.concat()
        );
        fs::write(dir.join("pom.xml"), pom).unwrap();
        let logback = "<configuration><appender name=\"F\" class=\"ch.qos.logback.core.ConsoleAppender\"><encoder><pattern>%d %p %m%n%ex</pattern></encoder></appender><root level=\"WARN\"><appender-ref ref=\"F\"/></root></configuration>";
        fs::write(dir.join("logback.xml"), logback).unwrap();
        fs::write(dir.join("log4j.properties"), "log4j.rootLogger=OFF\n").unwrap();
        let output = Command::new("mvn")
            .args(["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"])
            .current_dir(dir)
            .output()
            .expect("mvn runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    })
}

/// The class path of a release.
pub fn class_path(version: &str) -> String {
    let dir = jars(version);
    format!("{}:{}/lib/*", dir.display(), dir.display())
}

/// Apache ZooKeeper on a directory, serving.
pub fn server(dir: &Path, more: &str) -> (Process, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], super::free_port()));
    let file = dir.join("zoo.cfg");
    let admin = "admin.enableServer=false\n";
    fs::create_dir_all(dir).unwrap();
    fs::write(&file, super::properties(&dir.join("data"), address.port(), admin) + more).unwrap();
    let child = Command::new("java")
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg(format!("-Dzookeeper.DigestAuthenticationProvider.superDigest={}", super::SUPER))
        .args(["-cp", &class_path(SERVER), "org.apache.zookeeper.server.ZooKeeperServerMain"])
        .arg(&file)
        .stdout(fs::File::create(dir.join("log")).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .expect("java runs");
    let process = Process(child);
    super::eventually("Apache ZooKeeper's start", || {
        super::four_letter_word(address, "srvr").ok().filter(|answer| answer.contains("Mode: standalone"))
    });
    (process, address)
}
