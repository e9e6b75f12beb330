//! OffsetCommit: a group remembers how far it has read.
//! Version 0 keeps offsets in ZooKeeper, later ones in `__consumer_offsets`. Topics have ids from version 10 on.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The offsets to remember.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-10", flexible = "8+")]
pub struct OffsetCommitRequest<'a> {
    pub group_id: Str<'a>,
    /// -1 with no member id: a consumer that is in no group.
    #[field(versions = "1+", default = -1, ignorable)]
    pub generation_id_or_member_epoch: i32,
    #[field(versions = "1+", ignorable)]
    pub member_id: Str<'a>,
    /// Of a static member (KIP-345).
    #[field(versions = "7+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    /// How long to keep them; -1 is the broker's setting.
    #[field(versions = "2-4", default = -1, ignorable)]
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "8+")]
pub struct OffsetCommitRequestTopic<'a> {
    #[field(versions = "0-9", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The offset of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "8+")]
pub struct OffsetCommitRequestPartition<'a> {
    pub partition_index: i32,
    /// The next record to read.
    pub committed_offset: i64,
    /// The epoch of the last record read, or -1.
    #[field(versions = "6+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    /// In version 1 the client says when; -1 is now.
    #[field(versions = "1", default = -1)]
    pub commit_timestamp: i64,
    /// A note of the client's own.
    pub committed_metadata: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-10", flexible = "8+")]
pub struct OffsetCommitResponse<'a> {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "8+")]
pub struct OffsetCommitResponseTopic<'a> {
    #[field(versions = "0-9", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitResponsePartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one offset.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "8+")]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
