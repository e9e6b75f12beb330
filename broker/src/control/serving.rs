//! This broker as a member of its cluster.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use tracing::{error, warn};
use vltava_protocol::{
    ErrorCode,
    messages::{
        leader_and_isr::LeaderAndIsrRequest,
        stop_replica::{StopReplicaPartitionState, StopReplicaRequest, StopReplicaTopicState},
    },
};
use vltava_settings::{BrokerConfig, TopicConfig};

use super::{Configs, Failed, Member, MetadataCache, topic_settings::partition_settings};
use crate::{Broker, partitions::now_ms};

/// `type` of a LeaderAndIsr that names all partitions that the broker takes part in.
const FULL: i8 = 2;

/// What is told of the broker's own changed settings.
type Listener = Box<dyn Fn(&Arc<BrokerConfig>) + Send + Sync>;

/// Joins a [`Broker`] to its cluster: what the controller orders is done by its replicas, on threads that may wait for disks.
pub struct ServingMember {
    broker: Arc<Broker>,
    on_broker_config: Listener,
}

impl ServingMember {
    /// For [`Control::join`](super::Control::join). `on_broker_config` is told whenever the broker's own settings have changed.
    pub fn new(
        broker: Arc<Broker>,
        on_broker_config: impl Fn(&Arc<BrokerConfig>) + Send + Sync + 'static,
    ) -> Self {
        Self { broker, on_broker_config: Box::new(on_broker_config) }
    }
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work)
        .await
        .inspect_err(|error| error!(%error, "an order of the controller failed"))
        .ok()
}

impl Member for ServingMember {
    fn metadata(&self) -> &MetadataCache {
        &self.broker.metadata
    }

    fn lead_or_follow<'a>(
        &'a self,
        request: LeaderAndIsrRequest<'static>,
        _: &'a Configs,
    ) -> BoxFuture<'a, Failed> {
        let broker = Arc::clone(&self.broker);
        let work = move || {
            if request.r#type == FULL {
                stop_others(&broker, &request);
            }
            let response = broker.replicas.leader_and_isr(&request, now_ms());
            if response.error_code != 0 {
                warn!(code = response.error_code, "LeaderAndIsr is refused");
                return Failed::new();
            }
            let failed = response.partition_errors.iter().filter(|partition| partition.error_code != 0);
            failed
                .inspect(|partition| {
                    let (topic, index, code) =
                        (&*partition.topic_name, partition.partition_index, partition.error_code);
                    error!(topic, partition = index, code, "the partition cannot be led or followed");
                })
                // What waits for room is led as it was asked once there is room: it keeps its leadership.
                .filter(|partition| {
                    partition.error_code == ErrorCode::KafkaStorageError.code()
                        && !broker.replicas.waits_for_room(&partition.topic_name, partition.partition_index)
                })
                .map(|partition| (partition.topic_name.to_string(), partition.partition_index))
                .collect()
        };
        on_disk(work).map(Option::unwrap_or_default).boxed()
    }

    fn stop_replicas(&self, request: StopReplicaRequest<'static>) -> BoxFuture<'_, Failed> {
        let broker = Arc::clone(&self.broker);
        let all: Failed = request
            .topic_states
            .iter()
            .flat_map(|topic| {
                topic
                    .partition_states
                    .iter()
                    .map(|state| (topic.topic_name.to_string(), state.partition_index))
            })
            .collect();
        let refused = all.clone();
        let work = move || {
            let response = broker.replicas.stop_replica(&request, now_ms());
            if response.error_code != 0 {
                warn!(code = response.error_code, "StopReplica is refused");
                return refused;
            }
            let failed = response.partition_errors.iter().filter(|partition| partition.error_code != 0);
            failed.map(|partition| (partition.topic_name.to_string(), partition.partition_index)).collect()
        };
        on_disk(work).map(|failed| failed.unwrap_or(all)).boxed()
    }

    fn log_dir_failed(&self) -> BoxFuture<'_, ()> {
        self.broker.replicas.disk_failures.notified().boxed()
    }

    fn topic_config_changed(&self, topic: &str, config: &Arc<TopicConfig>) {
        self.broker.replicas.reconfigure(
            topic,
            partition_settings(config, self.broker.config.inter_broker_protocol()),
            now_ms(),
        );
    }

    fn broker_config_changed(&self, config: &Arc<BrokerConfig>) {
        (self.on_broker_config)(config);
    }
}

/// Stops, without touching their files, the partitions that a full LeaderAndIsr does not name: their topics went while nobody was told.
fn stop_others(broker: &Broker, request: &LeaderAndIsrRequest<'_>) {
    let named: std::collections::HashSet<(&str, i32)> = request
        .topic_states
        .iter()
        .flat_map(|topic| {
            topic.partition_states.iter().map(|state| (&*topic.topic_name, state.partition_index))
        })
        .collect();
    let mut topic_states = Vec::new();
    for topic in broker.replicas.topics() {
        let stray = |index: &i32| !named.contains(&(&*topic.name, *index));
        let states: Vec<StopReplicaPartitionState> = topic
            .partitions()
            .into_iter()
            .map(|(index, _)| index)
            .filter(stray)
            .map(|partition_index| StopReplicaPartitionState { partition_index, ..Default::default() })
            .collect();
        if !states.is_empty() {
            topic_states.push(StopReplicaTopicState {
                topic_name: topic.name.to_string().into(),
                partition_states: states,
                ..Default::default()
            });
        }
    }
    if !topic_states.is_empty() {
        let controller_epoch = request.controller_epoch;
        let stop = StopReplicaRequest { controller_epoch, topic_states, ..Default::default() };
        broker.replicas.stop_replica(&stop, now_ms());
    }
}
