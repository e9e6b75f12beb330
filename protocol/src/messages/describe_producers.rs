//! DescribeProducers: who has been writing to partitions, to find hanging transactions (KIP-664).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which partitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersRequest<'a> {
    pub topics: Vec<TopicRequest<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicRequest<'a> {
    pub name: Str<'a>,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The producers.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeProducersResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Vec<TopicResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Producers of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicResponse<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<PartitionResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Producers of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct PartitionResponse<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    #[field(default = None)]
    pub error_message: Option<Str<'a>>,
    pub active_producers: Vec<ProducerState>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the log remembers of a producer.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i32,
    #[field(default = -1)]
    pub last_sequence: i32,
    #[field(default = -1)]
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    /// -1 if it has no transaction open here.
    #[field(default = -1)]
    pub current_txn_start_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}
