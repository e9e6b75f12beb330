//! OffsetFetch: how far groups have read.
//! Version 0 reads from ZooKeeper. From version 8 on a request asks for several groups (KIP-709); topics have ids
//! from version 10 on.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// Whose offsets to return.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-10", flexible = "6+")]
pub struct OffsetFetchRequest<'a> {
    #[field(versions = "0-7")]
    pub group_id: Str<'a>,
    /// Null is all that the group has.
    #[field(versions = "0-7", nullable = "2-7")]
    pub topics: Option<Vec<OffsetFetchRequestTopic<'a>>>,
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchRequestGroup<'a>>,
    /// Whether offsets of an open transaction are an error that can be retried (KIP-447).
    #[field(versions = "7+")]
    pub require_stable: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic, up to version 7.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchRequestTopic<'a> {
    pub name: Str<'a>,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A group, from version 8 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchRequestGroup<'a> {
    pub group_id: Str<'a>,
    #[field(versions = "9+", default = None, ignorable)]
    pub member_id: Option<Str<'a>>,
    #[field(versions = "9+", default = -1, ignorable)]
    pub member_epoch: i32,
    /// Null is all that the group has.
    pub topics: Option<Vec<OffsetFetchRequestTopics<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic, from version 8 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchRequestTopics<'a> {
    #[field(versions = "8-9", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The offsets.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-10", flexible = "6+")]
pub struct OffsetFetchResponse<'a> {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "0-7")]
    pub topics: Vec<OffsetFetchResponseTopic<'a>>,
    #[field(versions = "2-7", ignorable)]
    pub error_code: i16,
    #[field(versions = "8+")]
    pub groups: Vec<OffsetFetchResponseGroup<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Offsets of one topic, up to version 7.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchResponseTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OffsetFetchResponsePartition<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The offset of one partition, up to version 7.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchResponsePartition<'a> {
    pub partition_index: i32,
    /// -1 if there is none.
    pub committed_offset: i64,
    #[field(versions = "5-7", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// Offsets of one group, from version 8 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchResponseGroup<'a> {
    pub group_id: Str<'a>,
    pub topics: Vec<OffsetFetchResponseTopics<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// Offsets of one topic, from version 8 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchResponseTopics<'a> {
    #[field(versions = "8-9", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The offset of one partition, from version 8 on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct OffsetFetchResponsePartitions<'a> {
    pub partition_index: i32,
    /// -1 if there is none.
    pub committed_offset: i64,
    #[field(default = -1)]
    pub committed_leader_epoch: i32,
    pub metadata: Option<Str<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
