//! What the cluster may ask of this broker.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use vltava_protocol::messages::{leader_and_isr::LeaderAndIsrRequest, stop_replica::StopReplicaRequest};
use vltava_settings::{BrokerConfig, TopicConfig};

use super::{MetadataCache, configs::Configs, orders::Failed};

/// A broker as the controller and the configuration see it. [`Broker`](crate::Broker) is one; tests have others.
pub trait Member: Send + Sync + 'static {
    /// What it tells clients.
    fn metadata(&self) -> &MetadataCache;

    /// Leads and follows as told; the replicas that could not.
    fn lead_or_follow<'a>(
        &'a self,
        request: LeaderAndIsrRequest<'static>,
        configs: &'a Configs,
    ) -> BoxFuture<'a, Failed>;

    /// Stops replicas; those that could not be stopped.
    fn stop_replicas(&self, request: StopReplicaRequest<'static>) -> BoxFuture<'_, Failed>;

    /// Waits until a log directory has failed since this was last waited for (KIP-112).
    fn log_dir_failed(&self) -> BoxFuture<'_, ()>;

    /// A topic's settings have changed.
    fn topic_config_changed(&self, topic: &str, config: &Arc<TopicConfig>);

    /// The broker's own settings have changed.
    fn broker_config_changed(&self, config: &Arc<BrokerConfig>);
}
