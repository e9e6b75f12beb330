//! The custom resources, group `kafka.vltava.dev`, version `v1alpha1`.
//!
//! Schemas carry no tunable defaults: those would persist in etcd, where later operators can't change them. Every list and string
//! that a rule iterates is bounded. What can't be said in the schema is said in [`crate::validation`].

// The schema derive copies each struct into a function, where `pub` reaches nothing.
#![allow(unreachable_pub)]

mod cluster;
mod condition;
mod config;
mod listener;
mod pool;
mod status;
mod topic;
mod zookeeper;

pub use self::cluster::{
    KafkaCluster, KafkaClusterSpec, Metrics, Rack, Rollout, RolloutStrategy, TopicPolicy,
};
pub use self::config::ConfigValue;
pub use self::listener::{Advertised, ListenerSpec, ListenerType};
pub use self::pool::{PodTemplate, Pool, Resources, Storage, Toleration, Volume};
pub use self::status::{BrokerStatus, KafkaClusterStatus, ListenerStatus, RolloutStatus, ZooKeeperStatus};
pub use self::topic::{ClusterReference, DeletionPolicy, Topic, TopicSpec, TopicStatus};
pub use self::zookeeper::{ExternalZooKeeper, ZooKeeperSpec};

/// The API group of all kinds.
pub const GROUP: &str = "kafka.vltava.dev";
/// The one version that is served.
pub const VERSION: &str = "v1alpha1";
