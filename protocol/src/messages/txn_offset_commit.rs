//! TxnOffsetCommit: offsets that count when the transaction commits.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The offsets.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "3+")]
pub struct TxnOffsetCommitRequest<'a> {
    pub transactional_id: Str<'a>,
    pub group_id: Str<'a>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// -1 if the consumer is in no group (KIP-447).
    #[field(versions = "3+", default = -1)]
    pub generation_id_or_member_epoch: i32,
    #[field(versions = "3+")]
    pub member_id: Str<'a>,
    #[field(versions = "3+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    pub topics: Vec<TxnOffsetCommitRequestTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct TxnOffsetCommitRequestTopic<'a> {
    #[field(versions = "0-5", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<TxnOffsetCommitRequestPartition<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The offset of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct TxnOffsetCommitRequestPartition<'a> {
    pub partition_index: i32,
    pub committed_offset: i64,
    #[field(versions = "2+", default = -1, ignorable)]
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "3+")]
pub struct TxnOffsetCommitResponse<'a> {
    pub throttle_time_ms: i32,
    pub topics: Vec<TxnOffsetCommitResponseTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct TxnOffsetCommitResponseTopic<'a> {
    #[field(versions = "0-5", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one offset.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct TxnOffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
