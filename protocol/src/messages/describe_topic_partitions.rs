//! DescribeTopicPartitions: topics in pages (KIP-966).

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// Which topics, and where to go on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsRequest<'a> {
    pub topics: Vec<TopicRequest<'a>>,
    /// How many partitions at most.
    #[field(default = 2000)]
    pub response_partition_limit: i32,
    #[field(default = None)]
    pub cursor: Option<Cursor<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicRequest<'a> {
    pub name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The first partition that the next page has.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct Cursor<'a> {
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTopicPartitionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Vec<DescribeTopicPartitionsResponseTopic<'a>>,
    /// Null if it is the last.
    #[field(default = None)]
    pub next_cursor: Option<Cursor<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct DescribeTopicPartitionsResponseTopic<'a> {
    pub error_code: i16,
    pub name: Option<Str<'a>>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// A bit for each operation.
    #[field(default = i32::MIN)]
    pub topic_authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct DescribeTopicPartitionsResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    /// Out of sync, but with every committed record (KIP-966).
    #[field(default = None)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Those eligible before the last of them stopped uncleanly.
    #[field(default = None)]
    pub last_known_elr: Option<Vec<i32>>,
    pub offline_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
