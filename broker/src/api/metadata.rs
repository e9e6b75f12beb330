//! Metadata: brokers, topics and their leaders.
//!
//! Version 0 takes an empty list of topics for all of them; from 1 on `null` means all, and an empty list none. From 10 on topics may be asked for by
//! id. Brokers are told by the endpoints of the listener that the client came through. Cost: the snapshot's strings are borrowed, nothing waits.

use std::{collections::HashSet, sync::Arc};

use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        MetadataRequest, MetadataResponse,
        metadata::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
    },
};
use vltava_settings::broker as keys;

use super::topic_rules::auto_create;
use crate::{
    Broker,
    control::{PartitionMetadata, Snapshot, TopicMetadata, topic_names::validate_name},
    net::RequestContext,
    partitions::is_internal,
};

/// All operations on a topic: READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS as bits of their numbers.
pub(super) const TOPIC_OPERATIONS: i32 = 0b1101_1111_1000;

/// All operations on a cluster: CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE.
pub(super) const CLUSTER_OPERATIONS: i32 = 0b1_1111_1010_0000;

/// What a field of operations holds that nobody asked for.
pub(super) const NOT_ASKED: i32 = i32::MIN;

pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: MetadataRequest<'_>,
) -> MetadataResponse<'static> {
    let version = request.version;
    let snapshot = broker.metadata.owned();
    let operations = if body.include_topic_authorized_operations { TOPIC_OPERATIONS } else { NOT_ASKED };
    let view = View { snapshot: &snapshot, listener: &request.listener, version, operations };
    let topics = match body.topics {
        None => snapshot.topics().map(|topic| view.topic(topic)).collect(),
        Some(topics) if topics.is_empty() && version == 0 => {
            snapshot.topics().map(|topic| view.topic(topic)).collect()
        }
        Some(topics) => {
            // Below version 4 there was no choice.
            let may_create = (version < 4 || body.allow_auto_topic_creation)
                && broker.control.configs().broker().get(keys::AUTO_CREATE_TOPICS_ENABLE);
            let (mut named, mut identified) = (HashSet::new(), HashSet::new());
            let mut found = Vec::with_capacity(topics.len());
            for topic in &topics {
                match topic.name.as_deref() {
                    Some(name) if topic.topic_id.is_zero() => {
                        if named.insert(name) {
                            found.push(view.by_name(broker, name, may_create));
                        }
                    }
                    _ => {
                        if identified.insert(topic.topic_id) {
                            found.push(view.by_id(&topic.topic_id));
                        }
                    }
                }
            }
            found
        }
    };
    let brokers = snapshot.brokers().filter_map(|live| {
        let (host, port) = live.endpoint(&request.listener)?;
        Some(MetadataResponseBroker {
            node_id: live.id,
            host: host.to_owned().into(),
            port,
            rack: live.rack.clone().map(Into::into),
            ..Default::default()
        })
    });
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: Some(broker.control.cluster_id().to_owned().into()),
        controller_id: snapshot.controller().unwrap_or(-1),
        topics,
        cluster_authorized_operations: if body.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            NOT_ASKED
        },
        ..Default::default()
    }
}

/// How one client sees the snapshot.
struct View<'a> {
    snapshot: &'a Snapshot,
    listener: &'a str,
    version: i16,
    operations: i32,
}

impl View<'_> {
    fn by_name(&self, broker: &Broker, name: &str, may_create: bool) -> MetadataResponseTopic<'static> {
        if let Some(topic) = self.snapshot.topic(name) {
            return self.topic(topic);
        }
        let code = if may_create {
            auto_create(broker, self.snapshot, name).code
        } else if let Err(error) = validate_name(name) {
            error.code
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        // Internal topics too are LEADER_NOT_AVAILABLE to who asks for their metadata.
        let code =
            if code == ErrorCode::CoordinatorNotAvailable { ErrorCode::LeaderNotAvailable } else { code };
        MetadataResponseTopic {
            error_code: code.into(),
            name: Some(name.to_owned().into()),
            is_internal: is_internal(name),
            ..Default::default()
        }
    }

    fn by_id(&self, id: &Uuid) -> MetadataResponseTopic<'static> {
        let topic = self.snapshot.name(id).and_then(|name| self.snapshot.topic(name));
        topic.map_or_else(
            || MetadataResponseTopic {
                error_code: ErrorCode::UnknownTopicId.into(),
                // Null where the version has room for it.
                name: (self.version < 12).then(|| "".into()),
                topic_id: *id,
                ..Default::default()
            },
            |topic| self.topic(topic),
        )
    }

    fn topic(&self, topic: &TopicMetadata) -> MetadataResponseTopic<'static> {
        MetadataResponseTopic {
            error_code: 0,
            name: Some(topic.name.to_string().into()),
            topic_id: topic.id,
            is_internal: is_internal(&topic.name),
            partitions: topic
                .partitions
                .iter()
                .map(|(&index, partition)| self.partition(index, partition))
                .collect(),
            topic_authorized_operations: self.operations,
            ..Default::default()
        }
    }

    fn partition(&self, index: i32, partition: &PartitionMetadata) -> MetadataResponsePartition {
        let error = leader_error(self.snapshot, self.listener, self.version, partition);
        // Old clients cannot use the id of a broker that is not in the list.
        let leader_id = if error == ErrorCode::None { partition.leader } else { -1 };
        // Version 0 leaves out who is not there, and says so.
        let lives =
            |id: &i32| self.snapshot.broker(*id).is_some_and(|live| live.endpoint(self.listener).is_some());
        let visible = |ids: &[i32]| -> Vec<i32> {
            if self.version == 0 { ids.iter().copied().filter(lives).collect() } else { ids.to_vec() }
        };
        let replica_nodes = visible(&partition.replicas);
        let isr_nodes = visible(&partition.isr);
        let hidden = replica_nodes.len() < partition.replicas.len() || isr_nodes.len() < partition.isr.len();
        let error = if error == ErrorCode::None && hidden { ErrorCode::ReplicaNotAvailable } else { error };
        MetadataResponsePartition {
            error_code: error.into(),
            partition_index: index,
            leader_id,
            leader_epoch: partition.leader_epoch,
            replica_nodes,
            isr_nodes,
            offline_replicas: partition
                .replicas
                .iter()
                .copied()
                .filter(|id| !lives(id) || partition.offline.contains(id))
                .collect(),
            ..Default::default()
        }
    }
}

/// What is wrong with a partition's leader as seen through a listener: LISTENER_NOT_FOUND exists from version 6 on.
pub(super) fn leader_error(
    snapshot: &Snapshot,
    listener: &str,
    version: i16,
    partition: &PartitionMetadata,
) -> ErrorCode {
    match snapshot.broker(partition.leader) {
        None => ErrorCode::LeaderNotAvailable,
        Some(live) if live.endpoint(listener).is_none() && version >= 6 => ErrorCode::ListenerNotFound,
        Some(live) if live.endpoint(listener).is_none() => ErrorCode::LeaderNotAvailable,
        Some(_) => ErrorCode::None,
    }
}
