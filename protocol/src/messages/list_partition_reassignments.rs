//! ListPartitionReassignments: which partitions are moving (KIP-455).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which to look at.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsRequest<'a> {
    #[field(default = 60_000)]
    pub timeout_ms: i32,
    /// Null is all.
    #[field(default = None)]
    pub topics: Option<Vec<ListPartitionReassignmentsTopics<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ListPartitionReassignmentsTopics<'a> {
    pub name: Str<'a>,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What is moving.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct ListPartitionReassignmentsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub topics: Vec<OngoingTopicReassignment<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What is moving of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct OngoingTopicReassignment<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OngoingPartitionReassignment>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition that is moving.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct OngoingPartitionReassignment {
    pub partition_index: i32,
    /// All it has now, those to come and those to go among them.
    pub replicas: Vec<i32>,
    pub adding_replicas: Vec<i32>,
    pub removing_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
