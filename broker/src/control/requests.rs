//! The controller's words as the protocol's: one request for one broker.

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

/// `type` of a request that names everything there is, and of one that names changes.
const FULL: i8 = 2;
const INCREMENTAL: i8 = 1;

/// A request to one broker.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    /// Lead or follow.
    LeaderAndIsr(LeaderAndIsrRequest<'static>),
    /// Know who lives and leads.
    UpdateMetadata(UpdateMetadataRequest<'static>),
    /// Stop replicas.
    StopReplica(StopReplicaRequest<'static>),
}

/// Who sends, and to whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends<'a> {
    /// The controller's broker id.
    pub(super) controller: i32,
    /// The incarnation of the broker that is told; an earlier one must not obey.
    pub(super) broker_epoch: i64,
    /// The listener by which brokers reach each other.
    pub(super) listener: &'a str,
}

/// Puts what the controller wants told into a request.
pub(super) fn told(ends: Ends<'_>, request: &BrokerRequest) -> Told {
    match request {
        BrokerRequest::LeaderAndIsr { controller_epoch, full, partitions, live_leaders } => {
            Told::LeaderAndIsr(leader_and_isr(ends, *controller_epoch, *full, partitions, live_leaders))
        }
        BrokerRequest::UpdateMetadata { controller_epoch, brokers, full, partitions } => {
            Told::UpdateMetadata(update_metadata(ends, *controller_epoch, brokers, *full, partitions))
        }
        BrokerRequest::StopReplica { controller_epoch, replicas } => {
            Told::StopReplica(stop_replica(ends, *controller_epoch, replicas))
        }
    }
}

/// Partitions by topic, in the order of the topics' names; `updates` come sorted by topic.
fn by_topic<T>(updates: &[T], topic: impl Fn(&T) -> &str) -> impl Iterator<Item = &[T]> {
    updates.chunk_by(move |left, right| topic(left) == topic(right))
}

fn leader_and_isr(
    ends: Ends<'_>,
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
        let endpoint = broker.endpoint(ends.listener);
        LeaderAndIsrLiveLeader {
            broker_id: broker.id,
            host_name: endpoint.map(|endpoint| endpoint.host.clone()).unwrap_or_default().into(),
            port: endpoint.map_or(-1, |endpoint| i32::from(endpoint.port)),
            ..LeaderAndIsrLiveLeader::default()
        }
    };
    LeaderAndIsrRequest {
        controller_id: ends.controller,
        controller_epoch,
        broker_epoch: ends.broker_epoch,
        r#type: if full { FULL } else { INCREMENTAL },
        topic_states: by_topic(partitions, |partition| &partition.topic).map(topic).collect(),
        live_leaders: live_leaders.iter().map(leader).collect(),
        ..LeaderAndIsrRequest::default()
    }
}

fn stop_replica(
    ends: Ends<'_>,
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
        controller_id: ends.controller,
        controller_epoch,
        broker_epoch: ends.broker_epoch,
        topic_states: by_topic(replicas, |replica| &replica.topic).map(topic).collect(),
        ..StopReplicaRequest::default()
    }
}

fn update_metadata(
    ends: Ends<'_>,
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
        controller_id: ends.controller,
        controller_epoch,
        broker_epoch: ends.broker_epoch,
        r#type: if full { FULL } else { INCREMENTAL },
        topic_states: by_topic(partitions, |partition| &partition.topic).map(topic).collect(),
        live_brokers: brokers.iter().map(broker).collect(),
        ..UpdateMetadataRequest::default()
    }
}
