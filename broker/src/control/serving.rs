//! This broker as a member of its cluster.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use tracing::{error, warn};
use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        LeaderAndIsrRequest, LeaderAndIsrResponse, StopReplicaRequest, StopReplicaResponse,
        stop_replica::{StopReplicaPartitionState, StopReplicaTopicState},
    },
};
use vltava_settings::{BrokerConfig, TopicConfig};

use super::{Configs, Member, MetadataCache, topic_settings::partition_settings};
use crate::{
    Broker,
    partitions::{Proposed, now_ms},
};

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
    ) -> BoxFuture<'a, LeaderAndIsrResponse<'static>> {
        let broker = Arc::clone(&self.broker);
        let work = move || {
            if request.r#type == FULL {
                stop_others(&broker, &request);
            }
            let mut response = broker.replicas.leader_and_isr(&request, now_ms());
            if response.error_code != 0 {
                warn!(code = response.error_code, "LeaderAndIsr is refused");
                return response;
            }
            let names: HashMap<Uuid, String> = request
                .topic_states
                .iter()
                .map(|topic| (topic.topic_id, topic.topic_name.to_string()))
                .collect();
            for partition in
                response.partition_errors.iter_mut().filter(|partition| partition.error_code != 0)
            {
                let (topic, index, code) =
                    (&*partition.topic_name, partition.partition_index, partition.error_code);
                error!(topic, partition = index, code, "the partition cannot be led or followed");
                partition.error_code = told_of_room(&broker, topic, index, code);
            }
            for topic in &mut response.topics {
                let Some(name) = names.get(&topic.topic_id) else { continue };
                for partition in
                    topic.partition_errors.iter_mut().filter(|partition| partition.error_code != 0)
                {
                    let (index, code) = (partition.partition_index, partition.error_code);
                    partition.error_code = told_of_room(&broker, name, index, code);
                }
            }
            response
        };
        let failed = || LeaderAndIsrResponse {
            error_code: ErrorCode::UnknownServerError.into(),
            ..Default::default()
        };
        on_disk(work).map(move |done| done.unwrap_or_else(failed)).boxed()
    }

    fn stop_replicas(
        &self,
        request: StopReplicaRequest<'static>,
    ) -> BoxFuture<'_, StopReplicaResponse<'static>> {
        let broker = Arc::clone(&self.broker);
        let work = move || {
            let response = broker.replicas.stop_replica(&request, now_ms());
            if response.error_code != 0 {
                warn!(code = response.error_code, "StopReplica is refused");
            }
            response
        };
        let failed =
            || StopReplicaResponse { error_code: ErrorCode::UnknownServerError.into(), ..Default::default() };
        on_disk(work).map(move |done| done.unwrap_or_else(failed)).boxed()
    }

    fn hosts(&self, topic: &str) -> bool {
        self.broker.replicas.topic(topic).is_some()
    }

    fn take_proposed(&self) -> Option<Proposed> {
        self.broker.replicas.surroundings.proposals.take()
    }

    fn log_dir_failed(&self) -> BoxFuture<'_, ()> {
        self.broker.replicas.disk_failures.notified().boxed()
    }

    fn topic_config_changed(&self, topic: &str, config: &Arc<TopicConfig>) {
        self.broker
            .replicas
            .reconfigure(topic, partition_settings(config, self.broker.config.inter_broker_protocol()));
    }

    fn broker_config_changed(&self, config: &Arc<BrokerConfig>) {
        (self.on_broker_config)(config);
    }
}

/// What waits for room is led as it was asked once there is room: it keeps its leadership.
fn told_of_room(broker: &Broker, topic: &str, index: i32, code: i16) -> i16 {
    let waits = code == ErrorCode::KafkaStorageError.code() && broker.replicas.waits_for_room(topic, index);
    if waits { ErrorCode::None.into() } else { code }
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
