//! ListOffsets: find offsets by time, or the ends of the log.
//! Version 0 answers with several offsets, the beginnings of segments; later ones with one offset and its time
//! stamp.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The questions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-11", flexible = "6+")]
pub struct ListOffsetsRequest<'a> {
    /// The follower's broker id; -1 for a consumer, -2 for a debugging tool that may ask any replica.
    pub replica_id: i32,
    /// 1 bounds the latest offset by the last stable one.
    #[field(versions = "2+")]
    pub isolation_level: i8,
    pub topics: Vec<ListOffsetsTopic<'a>>,
    /// How long to wait for an answer from tiered storage.
    #[field(versions = "10+", ignorable)]
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// Questions about one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct ListOffsetsTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<ListOffsetsPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A question about one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct ListOffsetsPartition {
    pub partition_index: i32,
    /// The epoch in which the client believes the leader to be; -1 does not check it.
    #[field(versions = "4+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// Milliseconds since 1970, or: -1 the end, -2 the beginning, -3 the record with the largest time stamp
    /// (KIP-734), -4 the beginning of what is local, -5 the end of what is tiered, -6 the earliest that is not
    /// tiered yet.
    pub timestamp: i64,
    /// How many offsets version 0 may answer with.
    #[field(versions = "0", default = 1)]
    pub max_num_offsets: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// The answers.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-11", flexible = "6+")]
pub struct ListOffsetsResponse<'a> {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<ListOffsetsTopicResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Answers about one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct ListOffsetsTopicResponse<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<ListOffsetsPartitionResponse>,
    pub unknown_tagged_fields: TaggedFields,
}

/// An answer about one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct ListOffsetsPartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    /// What version 0 answers: offsets in descending order.
    #[field(versions = "0")]
    pub old_style_offsets: Vec<i64>,
    /// That of the record found, or -1.
    #[field(versions = "1+", default = -1)]
    pub timestamp: i64,
    /// Or -1 if there is no such record.
    #[field(versions = "1+", default = -1)]
    pub offset: i64,
    #[field(versions = "4+", default = -1)]
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}
