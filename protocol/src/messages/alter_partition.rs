//! AlterPartition: a leader asks the controller to change the in-sync replicas (KIP-497). Topics have names up to
//! version 1, ids from 2 on.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The changes that a broker asks for.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "0+")]
pub struct AlterPartitionRequest<'a> {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub topics: Vec<RequestTopicData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Changes in one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicData", flexible = "0+")]
pub struct RequestTopicData<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    #[field(versions = "2+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<RequestPartitionData>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A change of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "PartitionData", flexible = "0+")]
pub struct RequestPartitionData {
    pub partition_index: i32,
    pub leader_epoch: i32,
    #[field(versions = "0-2")]
    pub new_isr: Vec<i32>,
    /// What version 3 has instead of `new_isr` (KIP-903).
    #[field(versions = "3+")]
    pub new_isr_with_epochs: Vec<BrokerState>,
    /// 1 if the leader was elected uncleanly and has not recovered yet (KIP-704).
    #[field(versions = "1+")]
    pub leader_recovery_state: i8,
    /// The state that the change builds on: in ZooKeeper clusters the version of the znode.
    pub partition_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker, in which of its lives.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct BrokerState {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the controller made of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "0+")]
pub struct AlterPartitionResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub topics: Vec<ResponseTopicData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicData", flexible = "0+")]
pub struct ResponseTopicData<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    #[field(versions = "2+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<ResponsePartitionData>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The state that is in force.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "PartitionData", flexible = "0+")]
pub struct ResponsePartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub isr: Vec<i32>,
    #[field(versions = "1+", ignorable)]
    pub leader_recovery_state: i8,
    pub partition_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}
