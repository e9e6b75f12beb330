//! StopReplica: the controller tells a broker to stop replicas, or to delete them. ZooKeeper clusters only.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The replicas to stop.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "2+")]
pub struct StopReplicaRequest<'a> {
    pub controller_id: i32,
    #[field(versions = "4+", name = "isKRaftController")]
    pub is_kraft_controller: bool,
    pub controller_epoch: i32,
    /// That of the receiver (KIP-380).
    #[field(versions = "1+", default = -1, ignorable)]
    pub broker_epoch: i64,
    /// Up to version 2 for all of them; later each says it for itself.
    #[field(versions = "0-2")]
    pub delete_partitions: bool,
    #[field(versions = "0")]
    pub ungrouped_partitions: Vec<StopReplicaPartitionV0<'a>>,
    #[field(versions = "1-2")]
    pub topics: Vec<StopReplicaTopicV1<'a>>,
    #[field(versions = "3+")]
    pub topic_states: Vec<StopReplicaTopicState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A replica, in version 0.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct StopReplicaPartitionV0<'a> {
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// The replicas of one topic, in versions 1 and 2.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct StopReplicaTopicV1<'a> {
    pub name: Str<'a>,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The replicas of one topic, from version 3 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct StopReplicaTopicState<'a> {
    pub topic_name: Str<'a>,
    pub partition_states: Vec<StopReplicaPartitionState>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A replica, from version 3 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct StopReplicaPartitionState {
    pub partition_index: i32,
    /// -1: unknown, -2: the topic is being deleted.
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub delete_partition: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "2+")]
pub struct StopReplicaResponse<'a> {
    pub error_code: i16,
    pub partition_errors: Vec<StopReplicaPartitionError<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one replica.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct StopReplicaPartitionError<'a> {
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
