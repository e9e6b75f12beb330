//! What this broker is told by the controller, one order after the other, whatever session brought it: replicas lead, follow and stop, the cache
//! learns.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};
use vltava_cluster::controller::{Broker, BrokerRequest, PartitionUpdate, StopReplica};
use vltava_protocol::messages::{
    leader_and_isr::{
        LeaderAndIsrLiveLeader, LeaderAndIsrPartitionState, LeaderAndIsrRequest, LeaderAndIsrTopicState,
    },
    stop_replica::{StopReplicaPartitionState, StopReplicaRequest, StopReplicaTopicState},
    update_metadata::{
        UpdateMetadataBroker, UpdateMetadataEndpoint, UpdateMetadataPartitionState, UpdateMetadataRequest,
        UpdateMetadataTopicState,
    },
};

use super::{Member, configs::Configs};

/// How many orders may wait: the controller waits when this broker is slower.
pub(super) const WAITING: usize = 256;

/// `type` of a request that names everything there is, and of one that names changes.
const FULL: i8 = 2;
const INCREMENTAL: i8 = 1;

/// The replicas that could not do as they were told: of StopReplica all of them, of LeaderAndIsr those whose storage has failed.
pub type Failed = HashSet<(String, i32)>;

/// One order.
#[derive(Debug)]
pub(crate) struct Order {
    /// The controller's broker id.
    pub(crate) controller: i32,
    /// What to do.
    pub(crate) request: BrokerRequest,
    /// Where to say what failed.
    pub(crate) answer: oneshot::Sender<Failed>,
}

/// Obeys until the controller's shell has gone for good.
pub(crate) async fn obey(member: Arc<dyn Member>, configs: Arc<Configs>, mut orders: mpsc::Receiver<Order>) {
    while let Some(Order { controller, request, answer }) = orders.recv().await {
        let failed = match request {
            BrokerRequest::UpdateMetadata { controller_epoch, brokers, full, partitions } => {
                let request = update_metadata(controller, controller_epoch, &brokers, full, &partitions);
                if let Err(error) = member.metadata().update(&request) {
                    warn!(%error, "UpdateMetadata is refused");
                }
                Failed::new()
            }
            BrokerRequest::LeaderAndIsr { controller_epoch, full, partitions, live_leaders } => {
                let mut topics: HashMap<&str, bool> = HashMap::new();
                for partition in &partitions {
                    *topics.entry(&partition.topic).or_default() |= partition.is_new;
                }
                let unread = configs.learn_topics(topics.into_iter(), &*member).await;
                // Settings that nobody chose could delete what is to be kept: such a partition is not begun, and says so. One that is here has its
                // settings from before.
                let is_refused = |partition: &PartitionUpdate| {
                    unread.contains(&*partition.topic)
                        && (partition.is_new || !configs.knows_topic(&partition.topic))
                };
                let new = partitions.iter().filter(|partition| partition.is_new).count();
                let (refused, obeyed): (Vec<_>, Vec<_>) = partitions.into_iter().partition(is_refused);
                let request = leader_and_isr(controller, controller_epoch, full, &obeyed, &live_leaders);
                let mut failed = member.lead_or_follow(request, &configs).await;
                for partition in refused {
                    let (topic, index) = (partition.topic.to_string(), partition.partition);
                    error!(
                        topic,
                        partition = index,
                        "not led or followed: its topic's configuration is not known"
                    );
                    failed.insert((topic, index));
                }
                if new > 0 {
                    info!(partitions = new, failed = failed.len(), "new partitions");
                }
                failed
            }
            BrokerRequest::StopReplica { controller_epoch, replicas } => {
                let request = stop_replica(controller, controller_epoch, &replicas);
                let failed = member.stop_replicas(request).await;
                for replica in &replicas {
                    configs.forget_topic(&replica.topic);
                }
                failed
            }
        };
        // The controller may have left its office meanwhile; the next one asks again.
        let _ = answer.send(failed);
    }
}

/// Partitions by topic, in the order of the topics' names; `updates` come sorted by topic.
fn by_topic<T>(updates: &[T], topic: impl Fn(&T) -> &str) -> impl Iterator<Item = &[T]> {
    updates.chunk_by(move |left, right| topic(left) == topic(right))
}

fn leader_and_isr(
    controller_id: i32,
    controller_epoch: i32,
    full: bool,
    partitions: &[PartitionUpdate],
    live_leaders: &[Broker],
) -> LeaderAndIsrRequest<'static> {
    let state = |partition: &PartitionUpdate| LeaderAndIsrPartitionState {
        partition_index: partition.partition,
        controller_epoch: partition.state.controller_epoch,
        leader: partition.state.leader,
        leader_epoch: partition.state.leader_epoch,
        isr: partition.state.isr.clone(),
        partition_epoch: partition.version,
        replicas: partition.replicas.clone(),
        adding_replicas: partition.adding.clone(),
        removing_replicas: partition.removing.clone(),
        is_new: partition.is_new,
        leader_recovery_state: i8::from(partition.state.recovering),
        ..LeaderAndIsrPartitionState::default()
    };
    let topic = |partitions: &[PartitionUpdate]| LeaderAndIsrTopicState {
        topic_name: partitions[0].topic.to_string().into(),
        topic_id: partitions[0].topic_id,
        partition_states: partitions.iter().map(state).collect(),
        ..LeaderAndIsrTopicState::default()
    };
    let leader = |broker: &Broker| {
        let endpoint = broker.endpoints.first();
        LeaderAndIsrLiveLeader {
            broker_id: broker.id,
            host_name: endpoint.map(|endpoint| endpoint.host.clone()).unwrap_or_default().into(),
            port: endpoint.map_or(-1, |endpoint| i32::from(endpoint.port)),
            ..LeaderAndIsrLiveLeader::default()
        }
    };
    LeaderAndIsrRequest {
        controller_id,
        controller_epoch,
        r#type: if full { FULL } else { INCREMENTAL },
        topic_states: by_topic(partitions, |partition| &partition.topic).map(topic).collect(),
        live_leaders: live_leaders.iter().map(leader).collect(),
        ..LeaderAndIsrRequest::default()
    }
}

fn stop_replica(
    controller_id: i32,
    controller_epoch: i32,
    replicas: &[StopReplica],
) -> StopReplicaRequest<'static> {
    let state = |replica: &StopReplica| StopReplicaPartitionState {
        partition_index: replica.partition,
        leader_epoch: replica.leader_epoch,
        delete_partition: replica.delete,
        ..StopReplicaPartitionState::default()
    };
    let topic = |replicas: &[StopReplica]| StopReplicaTopicState {
        topic_name: replicas[0].topic.to_string().into(),
        partition_states: replicas.iter().map(state).collect(),
        ..StopReplicaTopicState::default()
    };
    StopReplicaRequest {
        controller_id,
        controller_epoch,
        topic_states: by_topic(replicas, |replica| &replica.topic).map(topic).collect(),
        ..StopReplicaRequest::default()
    }
}

fn update_metadata(
    controller_id: i32,
    controller_epoch: i32,
    brokers: &[Broker],
    full: bool,
    partitions: &[PartitionUpdate],
) -> UpdateMetadataRequest<'static> {
    let state = |partition: &PartitionUpdate| UpdateMetadataPartitionState {
        partition_index: partition.partition,
        controller_epoch: partition.state.controller_epoch,
        leader: partition.state.leader,
        leader_epoch: partition.state.leader_epoch,
        isr: partition.state.isr.clone(),
        zk_version: partition.version,
        replicas: partition.replicas.clone(),
        offline_replicas: partition.offline.clone(),
        ..UpdateMetadataPartitionState::default()
    };
    let topic = |partitions: &[PartitionUpdate]| UpdateMetadataTopicState {
        topic_name: partitions[0].topic.to_string().into(),
        topic_id: partitions[0].topic_id,
        partition_states: partitions.iter().map(state).collect(),
        ..UpdateMetadataTopicState::default()
    };
    let broker = |broker: &Broker| UpdateMetadataBroker {
        id: broker.id,
        endpoints: broker
            .endpoints
            .iter()
            .map(|endpoint| UpdateMetadataEndpoint {
                port: i32::from(endpoint.port),
                host: endpoint.host.clone().into(),
                listener: endpoint.listener.clone().into(),
                security_protocol: endpoint.security_protocol,
                ..UpdateMetadataEndpoint::default()
            })
            .collect(),
        rack: broker.rack.clone().map(Into::into),
        ..UpdateMetadataBroker::default()
    };
    UpdateMetadataRequest {
        controller_id,
        controller_epoch,
        r#type: if full { FULL } else { INCREMENTAL },
        topic_states: by_topic(partitions, |partition| &partition.topic).map(topic).collect(),
        live_brokers: brokers.iter().map(broker).collect(),
        ..UpdateMetadataRequest::default()
    }
}
