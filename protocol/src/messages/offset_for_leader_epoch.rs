use crate::{
    Message,
    wire::{Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetForLeaderEpochRequest<'a> {
    #[field(versions = "3+", default = -2, ignorable)]
    pub replica_id: i32,
    pub topics: Vec<OffsetForLeaderTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderTopic<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<OffsetForLeaderPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    #[field(versions = "2+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct OffsetForLeaderEpochResponse<'a> {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetForLeaderTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct OffsetForLeaderTopicResult<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<EpochEndOffset>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct EpochEndOffset {
    pub error_code: i16,
    pub partition: i32,
    #[field(versions = "1+", default = -1, ignorable)]
    pub leader_epoch: i32,
    #[field(default = -1)]
    pub end_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}
