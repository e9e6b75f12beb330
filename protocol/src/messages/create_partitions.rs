//! CreatePartitions: make topics wider (KIP-195).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The topics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsRequest<'a> {
    pub topics: Vec<CreatePartitionsTopic<'a>>,
    pub timeout_ms: i32,
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct CreatePartitionsTopic<'a> {
    pub name: Str<'a>,
    /// The new number of partitions.
    pub count: i32,
    /// Where the new ones shall lie, in order; null leaves it to the broker.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one partition shall lie.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct CreatePartitionsAssignment {
    pub broker_ids: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreatePartitionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<CreatePartitionsTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct CreatePartitionsTopicResult<'a> {
    pub name: Str<'a>,
    pub error_code: i16,
    #[field(default = None)]
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
