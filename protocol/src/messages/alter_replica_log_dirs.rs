//! AlterReplicaLogDirs: move replicas between the directories of a broker (KIP-113).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Where replicas shall lie.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterReplicaLogDirsRequest<'a> {
    pub dirs: Vec<AlterReplicaLogDir<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A directory, and what shall lie there.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterReplicaLogDir<'a> {
    pub path: Str<'a>,
    pub topics: Vec<AlterReplicaLogDirTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterReplicaLogDirTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterReplicaLogDirsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<AlterReplicaLogDirTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the replicas of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterReplicaLogDirTopicResult<'a> {
    pub topic_name: Str<'a>,
    pub partitions: Vec<AlterReplicaLogDirPartitionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one replica.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterReplicaLogDirPartitionResult {
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
