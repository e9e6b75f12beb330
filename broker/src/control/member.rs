//! What the cluster may ask of this broker.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use vltava_protocol::messages::{
    LeaderAndIsrRequest, LeaderAndIsrResponse, StopReplicaRequest, StopReplicaResponse,
};
use vltava_settings::{BrokerConfig, TopicConfig};

use super::{MetadataCache, configs::Configs};
use crate::partitions::Proposed;

/// A broker as the controller and the configuration see it. [`Broker`](crate::Broker) is one; tests have others.
pub trait Member: Send + Sync + 'static {
    /// What it tells clients.
    fn metadata(&self) -> &MetadataCache;

    /// Leads and follows as told.
    fn lead_or_follow<'a>(
        &'a self,
        request: LeaderAndIsrRequest<'static>,
        configs: &'a Configs,
    ) -> BoxFuture<'a, LeaderAndIsrResponse<'static>>;

    /// Stops replicas.
    fn stop_replicas(
        &self,
        request: StopReplicaRequest<'static>,
    ) -> BoxFuture<'_, StopReplicaResponse<'static>>;

    /// Whether it has a replica of a topic.
    fn hosts(&self, topic: &str) -> bool;

    /// What its partitions propose for in-sync sets; once.
    fn take_proposed(&self) -> Option<Proposed>;

    /// Waits until a log directory has failed since this was last waited for (KIP-112).
    fn log_dir_failed(&self) -> BoxFuture<'_, ()>;

    /// A topic's settings have changed.
    fn topic_config_changed(&self, topic: &str, config: &Arc<TopicConfig>);

    /// The broker's own settings have changed.
    fn broker_config_changed(&self, config: &Arc<BrokerConfig>);
}
