//! The state that all request handlers of one broker share.

use std::sync::Arc;

use vltava_settings::BrokerConfig;

use crate::{
    control::{Control, MetadataCache},
    groups::Groups,
    metrics::Metrics,
    partitions::{Replicas, cleaners::Cleaners},
};

/// One broker: its parts, each with an owner of its own. Handlers get it as `&Arc<Broker>`; it is never behind a lock, each part
/// guards itself.
#[derive(Debug)]
pub struct Broker {
    /// `broker.id`, configured or generated.
    pub id: i32,
    /// What the properties file and the overrides say; what changes while the broker runs is in [`Control`].
    pub config: BrokerConfig,
    /// All partitions that have a replica here.
    pub replicas: Replicas,
    /// The threads that compact them.
    pub cleaners: Cleaners,
    /// What clients are told about brokers, topics and leaders; fed by UpdateMetadata alone.
    pub metadata: MetadataCache,
    /// The ZooKeeper session and the controller's shell.
    pub control: Control,
    /// The consumer groups that this broker coordinates.
    pub groups: Groups,
    /// Counters of everything, read by the metrics endpoint.
    pub metrics: Arc<Metrics>,
}
