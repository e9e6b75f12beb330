//! Apache ZooKeeper of every release line that Kafka ran on, alone or as an ensemble.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::process::Running;
use crate::{java, maven, wait};

/// How long a JVM may take to serve on a busy machine of two cores.
const START: Duration = Duration::from_secs(180);

/// A release line, by its last release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Release {
    /// 3.5.10, which came with Kafka 2.4 to 3.1.
    V3_5,
    /// 3.6.4.
    V3_6,
    /// 3.7.2.
    V3_7,
    /// 3.8.4, which came with Kafka 3.6 to 3.9.
    V3_8,
    /// 3.9.3.
    V3_9,
}

impl Release {
    /// The full version number.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Release::V3_5 => "3.5.10",
            Release::V3_6 => "3.6.4",
            Release::V3_7 => "3.7.2",
            Release::V3_8 => "3.8.4",
            Release::V3_9 => "3.9.3",
        }
    }

    fn class_path(self) -> String {
        let server = format!("org.apache.zookeeper:zookeeper:{}", self.number());
        // The server needs the last two, but its own list calls them optional.
        let libraries = [
            server.as_str(),
            "io.dropwizard.metrics:metrics-core:4.1.12.1",
            "org.xerial.snappy:snappy-java:1.1.10.5",
        ];
        maven::class_path(&maven::libraries(&format!("zookeeper-{}", self.number()), &libraries))
    }
}

/// A server that can be killed and started again with what it had.
#[derive(Debug)]
pub struct Server {
    process: Running,
    release: Release,
    folder: PathBuf,
    address: SocketAddr,
}

impl Server {
    /// Starts a server of its own on a free port, its data below `folder`.
    #[must_use]
    pub fn start(release: Release, folder: &Path) -> Server {
        let server = Self::prepare(release, folder, wait::free_port(), "");
        server.wait_until_it_serves();
        server
    }

    /// Starts one without waiting: a member of an ensemble serves when there is a majority. A tick of half a second allows sessions of one second.
    fn prepare(release: Release, folder: &Path, port: u16, more: &str) -> Server {
        let data = folder.join("data");
        fs::create_dir_all(&data).unwrap();
        let text = format!(
            "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\ntickTime=500\nmaxClientCnxns=0\nadmin.enableServer=false\n\
             4lw.commands.whitelist=*\n{more}",
            data.display()
        );
        fs::write(folder.join("zoo.cfg"), text).unwrap();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Server { process: run(release, folder), release, folder: folder.to_owned(), address }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again after [`Server::kill`], with the same address and data.
    pub fn start_again(&mut self) {
        self.process = run(self.release, &self.folder);
        self.wait_until_it_serves();
    }

    /// What it is: `standalone`, `leader`, `follower`; `None` while it does not serve.
    #[must_use]
    pub fn mode(&self) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"srvr").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer.lines().find_map(|line| line.strip_prefix("Mode: "))?.to_owned())
    }

    fn wait_until_it_serves(&self) {
        wait::until(&format!("Apache ZooKeeper {} serves", self.release.number()), START, || self.mode());
    }
}

/// Starts three servers that know each other.
#[must_use]
pub fn ensemble(release: Release, folder: &Path) -> [Server; 3] {
    let mut peers = String::from("initLimit=20\nsyncLimit=10\n");
    for id in 1..=3 {
        let _ = writeln!(peers, "server.{id}=127.0.0.1:{}:{}", wait::free_port(), wait::free_port());
    }
    let servers = [1, 2, 3].map(|id| {
        let own = folder.join(id.to_string());
        fs::create_dir_all(own.join("data")).unwrap();
        fs::write(own.join("data/myid"), id.to_string()).unwrap();
        Server::prepare(release, &own, wait::free_port(), &peers)
    });
    for server in &servers {
        server.wait_until_it_serves();
    }
    servers
}

fn run(release: Release, folder: &Path) -> Running {
    let mut command = java::bare(&release.class_path());
    command
        .args(["-Xmx256M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
        .arg(folder.join("zoo.cfg"));
    let name = format!("Apache ZooKeeper {}", release.number());
    Running::start(&name, command, &folder.join("zookeeper.out"))
}
