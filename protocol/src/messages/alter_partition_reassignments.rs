//! AlterPartitionReassignments: move partitions to other brokers, or stop moving them (KIP-455).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// What to move.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsRequest<'a> {
    #[field(default = 60_000)]
    pub timeout_ms: i32,
    /// Whether a partition may get more or fewer replicas (KIP-860).
    #[field(versions = "1+", default = true)]
    pub allow_replication_factor_change: bool,
    pub topics: Vec<ReassignableTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What to move of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ReassignableTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<ReassignablePartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one partition shall be.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ReassignablePartition {
    pub partition_index: i32,
    /// Null cancels.
    #[field(default = None)]
    pub replicas: Option<Vec<i32>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct AlterPartitionReassignmentsResponse<'a> {
    pub throttle_time_ms: i32,
    #[field(versions = "1+", default = true, ignorable)]
    pub allow_replication_factor_change: bool,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub responses: Vec<ReassignableTopicResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ReassignableTopicResponse<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<ReassignablePartitionResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ReassignablePartitionResponse<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
