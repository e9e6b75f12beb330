//! The brokers that are compared, each started from nothing for every row.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use vltava_testkit::apache::{self, Version};
use vltava_testkit::vltava::Server;

/// The flags of Apache Kafka's own start script, with the heap that it gives.
const JVM: &[&str] = &[
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
];

/// Who does the work of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// This checkout's release build, with the embedded ZooKeeper in a process of its own.
    Vltava,
    /// Apache Kafka 3.9 in ZooKeeper mode, 1 GB of heap.
    #[value(name = "kafka-3.9")]
    Kafka39,
    /// Apache Kafka 4.x (KRaft), 1 GB of heap.
    #[value(name = "kafka-4")]
    Kafka4,
    /// No broker: as little code as does the same work.
    Limit,
}

impl Kind {
    /// Those that are brokers.
    pub(crate) const BROKERS: &[Kind] = &[Kind::Vltava, Kind::Kafka39, Kind::Kafka4];

    /// Those that Vltava has to be better than.
    pub(crate) const KAFKAS: &[Kind] = &[Kind::Kafka39, Kind::Kafka4];

    /// As on the command line.
    pub(crate) fn argument(self) -> &'static str {
        match self {
            Kind::Vltava => "vltava",
            Kind::Kafka39 => "kafka-3.9",
            Kind::Kafka4 => "kafka-4",
            Kind::Limit => "limit",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Vltava => "Vltava",
            Kind::Kafka39 => "Kafka 3.9",
            Kind::Kafka4 => "Kafka 4",
            Kind::Limit => "limit",
        })
    }
}

/// A running broker.
pub(crate) enum Broker {
    Vltava(Server),
    Kafka { broker: apache::Broker, _zookeeper: Option<apache::ZooKeeper> },
}

impl Broker {
    /// Starts one with its data in `folder`.
    pub(crate) fn start(kind: Kind, folder: &Path) -> Broker {
        // Retention and the cleaner have nothing to do during a row, and no consumer waits for a group's first rebalance.
        let overrides = ["log.retention.hours=24", "group.initial.rebalance.delay.ms=0"];
        match kind {
            Kind::Vltava => Broker::Vltava(Server::start(folder, &overrides)),
            Kind::Kafka39 => {
                let zookeeper = apache::ZooKeeper::start(Version::V3_9, folder);
                let connect = zookeeper.address().to_string();
                let broker = apache::Broker::start_with(Version::V3_9, 0, &connect, folder, &overrides, JVM);
                Broker::Kafka { broker, _zookeeper: Some(zookeeper) }
            }
            Kind::Kafka4 => {
                let broker = apache::Broker::start_with(Version::V4, 0, "", folder, &overrides, JVM);
                Broker::Kafka { broker, _zookeeper: None }
            }
            Kind::Limit => panic!("the limit is no broker"),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Broker::Vltava(server) => server.address(),
            Broker::Kafka { broker, .. } => broker.address(),
        }
    }

    /// The broker's process, without its ZooKeeper.
    pub(crate) fn process(&mut self) -> u32 {
        match self {
            Broker::Vltava(server) => server.broker().id(),
            Broker::Kafka { broker, .. } => broker.process().id(),
        }
    }

    /// Its log directory.
    pub(crate) fn data(&self) -> PathBuf {
        match self {
            Broker::Vltava(server) => server.data(),
            Broker::Kafka { broker, .. } => broker.data().to_owned(),
        }
    }
}
