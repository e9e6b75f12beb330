//! DescribeLogDirs: what lies in the directories of a broker, and how large it is (KIP-113).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// What to look for.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "2+")]
pub struct DescribeLogDirsRequest<'a> {
    /// Null is everything.
    pub topics: Option<Vec<DescribableLogDirTopic<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribableLogDirTopic<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "2+")]
pub struct DescribeLogDirsResponse<'a> {
    pub throttle_time_ms: i32,
    #[field(versions = "3+", ignorable)]
    pub error_code: i16,
    pub results: Vec<DescribeLogDirsResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A directory.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribeLogDirsResult<'a> {
    pub error_code: i16,
    pub log_dir: Str<'a>,
    pub topics: Vec<DescribeLogDirsTopic<'a>>,
    /// The size of its file system, or -1 (KIP-827).
    #[field(versions = "4+", default = -1, ignorable)]
    pub total_bytes: i64,
    /// What is free of it, or -1.
    #[field(versions = "4+", default = -1, ignorable)]
    pub usable_bytes: i64,
    /// Whether no new replicas are put here (KIP-1066).
    #[field(versions = "5+", ignorable)]
    pub is_cordoned: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The replicas of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribeLogDirsTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<DescribeLogDirsPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A replica.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribeLogDirsPartition {
    pub partition_index: i32,
    /// Bytes of its segments.
    pub partition_size: i64,
    /// How far it is behind the high watermark or, if it is a future replica, behind the current one.
    pub offset_lag: i64,
    /// Whether it will replace the current replica when it has caught up.
    pub is_future_key: bool,
    pub unknown_tagged_fields: TaggedFields,
}
