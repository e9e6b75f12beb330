//! OffsetForLeaderEpoch: where an epoch ends in the leader's log, to find where logs part (KIP-101, KIP-320).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The questions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest<'a> {
    /// The follower's broker id; -1 for a consumer, -2 for one older than this field.
    #[field(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    pub topics: Vec<OffsetForLeaderTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Questions about one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderTopic<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<OffsetForLeaderPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A question about one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    /// The epoch in which the asker believes the leader to be, or -1.
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The epoch whose end is asked for.
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// The answers.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse<'a> {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetForLeaderTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Answers about one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderTopicResult<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<EpochEndOffset>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The answer about one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct EpochEndOffset {
    pub error_code: i16,
    pub partition: i32,
    /// The largest epoch up to the one asked for, or -1.
    #[field(versions = "1+", default = -1, ignorable)]
    pub leader_epoch: i32,
    /// The offset after its last record, or -1.
    #[field(default = -1)]
    pub end_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}
