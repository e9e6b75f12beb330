//! DeleteRecords: move the beginning of partitions (KIP-107).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// What to delete.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsRequest<'a> {
    pub topics: Vec<DeleteRecordsTopic<'a>>,
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// What to delete of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteRecordsTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<DeleteRecordsPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What to delete of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteRecordsPartition {
    pub partition_index: i32,
    /// The first to be kept; -1 is the high watermark.
    pub offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct DeleteRecordsResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Vec<DeleteRecordsTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteRecordsTopicResult<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<DeleteRecordsPartitionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteRecordsPartitionResult {
    pub partition_index: i32,
    /// The smallest offset that any replica has.
    pub low_watermark: i64,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
