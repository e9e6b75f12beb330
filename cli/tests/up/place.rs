//! A manifest and a data directory of a test's own, and `vltava up` with them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Pid;
use tempfile::TempDir;
use vltava_testkit::process::Running;
use vltava_testkit::wait;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const TOPIC: &str = "---\napiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  name: orders\nspec:\n  cluster:\n    name: blue\n";

/// A manifest of one broker on a free port, with more lines of the cluster's specification.
pub(crate) fn manifest(port: u16, more: &str) -> String {
    format!(
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n  pools:\n  - name: kafka\n    \
         replicas: 1\n    firstBrokerId: 0\n  zookeeper:\n    replicas: 1\n  listeners:\n  - name: plain\n    port: {port}\n    \
         type: internal\n{more}"
    )
}

pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { folder: TempDir::new().unwrap(), port: wait::free_port() };
        place.write(&manifest(place.port, ""));
        place
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("cluster.yaml")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As editors do: a new file in place of the old.
    pub(crate) fn write(&self, text: &str) {
        let new = self.folder.path().join(".cluster.yaml.new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.arg("up").arg("-f").arg(self.file()).arg("--data").arg(self.data());
        command
    }

    /// Ports of an earlier run: what is not in the manifest, ZooKeeper and metrics, does not depend on what else runs here.
    pub(crate) fn keep_ports(&self) {
        self.keep_ports_of("blue", "plain");
    }

    /// The same for a cluster and its listener.
    pub(crate) fn keep_ports_of(&self, cluster: &str, listener: &str) {
        let (zookeeper, metrics) = (wait::free_port(), wait::free_port());
        let port = self.port;
        fs::create_dir_all(self.data()).unwrap();
        let ports = format!(r#"{{"0":{{"{listener}":{port},"/metrics":{metrics}}}}}"#);
        let kept = format!(r#"{{"cluster":"{cluster}","zookeeperPort":{zookeeper},"ports":{ports}}}"#);
        fs::write(self.data().join("up.json"), kept).unwrap();
    }

    pub(crate) fn up(&self) -> Running {
        if !self.data().exists() {
            self.keep_ports();
        }
        self.start()
    }

    pub(crate) fn start(&self) -> Running {
        let up = Running::start("vltava up", self.command(), &self.folder.path().join("up.out"));
        wait::for_port("the broker listens", LIMIT, self.address());
        up
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub(crate) fn listens(&self) -> bool {
        TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).is_ok()
    }

    /// The broker's process: the one that has its properties on the command line.
    pub(crate) fn broker(&self) -> Option<Pid> {
        let properties = self.data().canonicalize().ok()?.join("broker-0/server.properties");
        fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let mut words = line.split(|byte| *byte == 0);
            let named = words.any(|word| Path::new(&*String::from_utf8_lossy(word)) == properties);
            if named { Pid::from_raw(id) } else { None }
        })
    }
}

/// What a command says to its user.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
