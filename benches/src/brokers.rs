//! The brokers that are compared, each started from nothing for every row.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use clap::ValueEnum;
use vltava_testkit::apache::{self, Version};
use vltava_testkit::vltava::Server;

/// Which broker.
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
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Vltava => "Vltava",
            Kind::Kafka39 => "Kafka 3.9",
            Kind::Kafka4 => "Kafka 4",
        })
    }
}

/// A running broker.
pub(crate) enum Broker {
    Vltava(Server),
    Kafka { broker: apache::Broker, _zookeeper: Option<apache::ZooKeeper> },
}

impl Broker {
    /// Starts one with its data in `folder`. Topics made by clients have `partitions` partitions.
    pub(crate) fn start(kind: Kind, folder: &Path, partitions: u32) -> Broker {
        let partitions = format!("num.partitions={partitions}");
        // Retention and the cleaner have nothing to do during a row.
        let overrides = [partitions.as_str(), "log.retention.hours=24", "group.initial.rebalance.delay.ms=0"];
        match kind {
            Kind::Vltava => Broker::Vltava(Server::start(folder, &overrides)),
            Kind::Kafka39 => {
                let zookeeper = apache::ZooKeeper::start(Version::V3_9, folder);
                let connect = zookeeper.address().to_string();
                let broker = apache::Broker::start(Version::V3_9, 0, &connect, folder, &overrides);
                Broker::Kafka { broker, _zookeeper: Some(zookeeper) }
            }
            Kind::Kafka4 => {
                let broker = apache::Broker::start(Version::V4, 0, "", folder, &overrides);
                Broker::Kafka { broker, _zookeeper: None }
            }
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
}
