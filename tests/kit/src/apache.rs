//! Real Apache Kafka and ZooKeeper, from the jars of Maven Central.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::Running;
use crate::{java, maven, wait};

/// How long a JVM may take to open its port on a busy machine of two cores.
const START: Duration = Duration::from_secs(300);

/// The eras of Apache Kafka that the tests run beside Vltava.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// 0.8.2.2: no record batches, no ApiVersions, groups in ZooKeeper.
    V0_8,
    /// 0.11.0.2: the first with record batches, idempotence and transactions.
    V0_11,
    /// 3.9.2: the last that has ZooKeeper mode.
    V3_9,
    /// 4.3.1: KRaft only, clients from 2.1.
    V4,
}

impl Version {
    /// The full version number.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Version::V0_8 => "0.8.2.2",
            Version::V0_11 => "0.11.0.2",
            Version::V3_9 => "3.9.2",
            Version::V4 => "4.3.1",
        }
    }

    fn libraries(self) -> &'static [&'static str] {
        match self {
            Version::V0_8 => &["org.apache.kafka:kafka_2.11:0.8.2.2", "org.slf4j:slf4j-log4j12:1.7.6"],
            Version::V0_11 => &[
                "org.apache.kafka:kafka_2.11:0.11.0.2",
                "org.apache.kafka:kafka-tools:0.11.0.2",
                "org.slf4j:slf4j-log4j12:1.7.25",
                "javax.xml.bind:jaxb-api:2.3.1",
            ],
            Version::V3_9 => &[
                "org.apache.kafka:kafka_2.13:3.9.2",
                "org.apache.kafka:kafka-tools:3.9.2",
                "org.slf4j:slf4j-reload4j:1.7.36",
            ],
            Version::V4 => &[
                "org.apache.kafka:kafka_2.13:4.3.1",
                "org.apache.kafka:kafka-tools:4.3.1",
                "org.apache.logging.log4j:log4j-slf4j-impl:2.25.2",
            ],
        }
    }

    /// The class path of the broker and its tools.
    #[must_use]
    pub fn class_path(self) -> String {
        maven::class_path(&maven::libraries(&format!("kafka-{}", self.number()), self.libraries()))
    }

    /// `java MAIN` of a tool in this version, by its main class.
    #[must_use]
    pub fn tool(self, main: &str) -> Command {
        java::program(&self.class_path(), main)
    }
}

/// A running Apache ZooKeeper, as it came with a version of Kafka.
#[derive(Debug)]
pub struct ZooKeeper {
    process: Running,
    address: SocketAddr,
}

impl ZooKeeper {
    /// Starts a standalone server on a free port with its data below `folder`.
    #[must_use]
    pub fn start(version: Version, folder: &Path) -> ZooKeeper {
        let server = ZooKeeper::launch(&version.class_path(), folder, wait::free_port(), "");
        wait::for_port("Apache ZooKeeper listens", START, server.address);
        server
    }

    fn launch(class_path: &str, folder: &Path, port: u16, more: &str) -> ZooKeeper {
        let properties = folder.join("zookeeper.properties");
        let data = folder.join("zookeeper");
        fs::create_dir_all(&data).unwrap();
        fs::write(
            &properties,
            format!(
                "dataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n\
                 4lw.commands.whitelist=*\n{more}",
                data.display()
            ),
        )
        .unwrap();
        let log = logging(folder);
        let mut command = java::bare(class_path);
        command
            .args(["-Xmx512M", &log[0], &log[1]])
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&properties);
        let process = Running::start("Apache ZooKeeper", command, &folder.join("zookeeper.out"));
        ZooKeeper { process, address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)) }
    }

    /// Whether it answers `srvr` as a member that serves clients: one without a majority says that it doesn't.
    fn serves(&self) -> bool {
        let Ok(mut connection) = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)) else {
            return false;
        };
        let mut answer = String::new();
        let _ = connection.set_read_timeout(Some(Duration::from_secs(2)));
        let asked = connection.write_all(b"srvr").and_then(|()| connection.read_to_string(&mut answer));
        asked.is_ok() && answer.contains("Mode: ")
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to kill or to pause it.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }
}

/// What a server of ZooKeeper 3.9 needs: its own pom counts the last two as provided.
const ZOOKEEPER_3_9: &[&str] = &[
    "org.apache.zookeeper:zookeeper:3.9.3",
    "io.dropwizard.metrics:metrics-core:4.1.12.1",
    "org.xerial.snappy:snappy-java:1.1.10.5",
    "org.slf4j:slf4j-reload4j:1.7.36",
];

/// Three servers of Apache ZooKeeper 3.9 that elect a leader among them.
#[derive(Debug)]
pub struct Ensemble {
    servers: Vec<ZooKeeper>,
}

impl Ensemble {
    /// Starts the servers on free ports with their data below `folder`; returns when all three answer.
    #[must_use]
    pub fn start(folder: &Path) -> Ensemble {
        let class_path = maven::class_path(&maven::libraries("zookeeper-ensemble-3.9.3", ZOOKEEPER_3_9));
        let peers: Vec<[u16; 3]> = (0..3).map(|_| std::array::from_fn(|_| wait::free_port())).collect();
        let mut members = String::from("initLimit=10\nsyncLimit=5\n");
        for (id, [_, follow, elect]) in (1..).zip(&peers) {
            writeln!(members, "server.{id}=127.0.0.1:{follow}:{elect}").unwrap();
        }
        // A member answers only when a majority runs: all are started before one is waited for.
        let servers: Vec<ZooKeeper> = (1..)
            .zip(&peers)
            .map(|(id, [port, ..])| {
                let folder = folder.join(format!("zookeeper-{id}"));
                fs::create_dir_all(folder.join("zookeeper")).unwrap();
                fs::write(folder.join("zookeeper/myid"), format!("{id}")).unwrap();
                ZooKeeper::launch(&class_path, &folder, *port, &members)
            })
            .collect();
        for server in &servers {
            wait::until("the member serves", START, || server.serves().then_some(()));
        }
        Ensemble { servers }
    }

    /// The connect string of all members.
    #[must_use]
    pub fn connect(&self) -> String {
        let addresses: Vec<String> = self.servers.iter().map(|server| server.address.to_string()).collect();
        addresses.join(",")
    }

    /// The members' processes, to kill or to pause one.
    pub fn processes(&mut self) -> impl Iterator<Item = &mut Running> {
        self.servers.iter_mut().map(ZooKeeper::process)
    }
}

/// A running Apache Kafka broker.
#[derive(Debug)]
pub struct Broker {
    process: Running,
    address: SocketAddr,
    data: PathBuf,
}

impl Broker {
    /// Starts broker `id` of `version` on a free port, its data below `folder`. `zookeeper` is a connect string (a KRaft version
    /// ignores it); `overrides` are lines of its properties file.
    #[must_use]
    pub fn start(version: Version, id: i32, zookeeper: &str, folder: &Path, overrides: &[&str]) -> Broker {
        let port = wait::free_port();
        let data = folder.join(format!("data-{id}"));
        let mut text = format!(
            "log.dirs={}\noffsets.topic.replication.factor=1\ntransaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n",
            data.display()
        );
        match version {
            Version::V0_8 => write!(
                text,
                "broker.id={id}\nport={port}\nhost.name=127.0.0.1\nadvertised.host.name=127.0.0.1\nzookeeper.connect={zookeeper}\n\
                 delete.topic.enable=true\n"
            ),
            Version::V0_11 | Version::V3_9 => write!(
                text,
                "broker.id={id}\nlisteners=PLAINTEXT://127.0.0.1:{port}\nzookeeper.connect={zookeeper}\ndelete.topic.enable=true\n"
            ),
            Version::V4 => {
                let controller = wait::free_port();
                write!(
                    text,
                    "process.roles=broker,controller\nnode.id={id}\ncontroller.quorum.voters={id}@127.0.0.1:{controller}\n\
                     controller.listener.names=CONTROLLER\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
                     listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                     share.coordinator.state.topic.replication.factor=1\nshare.coordinator.state.topic.min.isr=1\n"
                )
            }
        }
        .unwrap();
        for line in overrides {
            text.push_str(line);
            text.push('\n');
        }
        let properties = folder.join(format!("server-{id}.properties"));
        fs::write(&properties, text).unwrap();
        if version == Version::V4 && !data.join("meta.properties").exists() {
            format_storage(&properties);
        }
        let log = logging(folder);
        let mut command = java::bare(&version.class_path());
        command
            .args(["-Xmx1G", "-Xms256M", "-XX:+UseG1GC", &log[0], &log[1]])
            .arg(format!("-Dkafka.logs.dir={}", folder.display()))
            .arg("kafka.Kafka")
            .arg(&properties);
        let process = Running::start("Apache Kafka", command, &folder.join(format!("server-{id}.out")));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        wait::for_port("Apache Kafka listens", START, address);
        Broker { process, address, data }
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its log directory.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process, to kill or to stop it.
    pub fn process(&mut self) -> &mut Running {
        &mut self.process
    }
}

fn format_storage(properties: &Path) {
    let output = Version::V4
        .tool("kafka.tools.StorageTool")
        .args(["format", "-t", "AAAAAAAAQACAAAAAAAAABA", "-c"])
        .arg(properties)
        .output()
        .unwrap();
    assert!(output.status.success(), "kafka-storage format: {}", String::from_utf8_lossy(&output.stdout));
}

/// JVM flags that send warnings to standard output, for log4j 1, reload4j and log4j 2.
fn logging(folder: &Path) -> [String; 2] {
    let old = folder.join("log4j.properties");
    fs::write(
        &old,
        "log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n\
         log4j.appender.out.layout=org.apache.log4j.PatternLayout\nlog4j.appender.out.layout.ConversionPattern=[%d] %p %m (%c)%n\n",
    )
    .unwrap();
    let new = folder.join("log4j2.xml");
    fs::write(
        &new,
        "<Configuration><Appenders><Console name=\"out\"><PatternLayout pattern=\"[%d] %p %m (%c)%n\"/></Console></Appenders>\
         <Loggers><Root level=\"WARN\"><AppenderRef ref=\"out\"/></Root></Loggers></Configuration>",
    )
    .unwrap();
    [
        format!("-Dlog4j.configuration=file:{}", old.display()),
        format!("-Dlog4j2.configurationFile={}", new.display()),
    ]
}
