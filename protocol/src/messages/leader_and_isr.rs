//! LeaderAndIsr: the controller tells brokers what they lead and follow. ZooKeeper clusters only.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The partitions whose state changed, or all of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "4+")]
pub struct LeaderAndIsrRequest<'a> {
    pub controller_id: i32,
    #[field(versions = "7+", name = "isKRaftController")]
    pub is_kraft_controller: bool,
    pub controller_epoch: i32,
    /// That of the receiver, so that a request meant for its previous life does nothing (KIP-380).
    #[field(versions = "2+", default = -1, ignorable)]
    pub broker_epoch: i64,
    /// 0: unknown, 1: some partitions, 2: all partitions of the broker (KIP-516).
    #[field(versions = "5+")]
    pub r#type: i8,
    #[field(versions = "0-1")]
    pub ungrouped_partition_states: Vec<LeaderAndIsrPartitionState<'a>>,
    #[field(versions = "2+")]
    pub topic_states: Vec<LeaderAndIsrTopicState<'a>>,
    /// The addresses of the brokers that lead these partitions.
    pub live_leaders: Vec<LeaderAndIsrLiveLeader<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What a partition shall be.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrPartitionState<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub controller_epoch: i32,
    /// -1: none, -2: the topic is being deleted.
    pub leader: i32,
    pub leader_epoch: i32,
    pub isr: Vec<i32>,
    /// The version of the partition's state in ZooKeeper.
    pub partition_epoch: i32,
    pub replicas: Vec<i32>,
    #[field(versions = "3+", ignorable)]
    pub adding_replicas: Vec<i32>,
    #[field(versions = "3+", ignorable)]
    pub removing_replicas: Vec<i32>,
    /// Whether the replica has never been on this broker.
    #[field(versions = "1+", ignorable)]
    pub is_new: bool,
    /// 1 if the leader was elected uncleanly and has not recovered yet (KIP-704).
    #[field(versions = "6+")]
    pub leader_recovery_state: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrTopicState<'a> {
    pub topic_name: Str<'a>,
    #[field(versions = "5+", ignorable)]
    pub topic_id: Uuid,
    pub partition_states: Vec<LeaderAndIsrPartitionState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a broker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrLiveLeader<'a> {
    pub broker_id: i32,
    pub host_name: Str<'a>,
    pub port: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the broker made of it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "4+")]
pub struct LeaderAndIsrResponse<'a> {
    pub error_code: i16,
    #[field(versions = "0-4")]
    pub partition_errors: Vec<LeaderAndIsrPartitionError<'a>>,
    #[field(versions = "5+")]
    pub topics: Vec<LeaderAndIsrTopicError<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrPartitionError<'a> {
    #[field(versions = "0-4", ignorable)]
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrTopicError<'a> {
    pub topic_id: Uuid,
    pub partition_errors: Vec<LeaderAndIsrPartitionError<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
