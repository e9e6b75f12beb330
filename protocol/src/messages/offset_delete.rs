//! OffsetDelete: a group forgets how far it has read (KIP-496).

use crate::{Message, wire::Str};

/// Which offsets.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct OffsetDeleteRequest<'a> {
    pub group_id: Str<'a>,
    pub topics: Vec<OffsetDeleteRequestTopic<'a>>,
}

/// Offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteRequestTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

/// The offset of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct OffsetDeleteResponse<'a> {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic<'a>>,
}

/// What became of the offsets of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteResponseTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

/// What became of one offset.
#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}
