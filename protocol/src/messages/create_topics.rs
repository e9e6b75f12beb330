//! CreateTopics.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The topics to create.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "5+")]
pub struct CreateTopicsRequest<'a> {
    pub topics: Vec<CreatableTopic<'a>>,
    /// How long to wait until they are there.
    #[field(default = 60_000)]
    pub timeout_ms: i32,
    /// Check, and create nothing.
    #[field(versions = "1+")]
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct CreatableTopic<'a> {
    pub name: Str<'a>,
    /// -1 if `assignments` are given, or for the broker's default (KIP-464).
    pub num_partitions: i32,
    /// -1 as well.
    pub replication_factor: i16,
    pub assignments: Vec<CreatableReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the replicas of a partition shall be.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct CreatableReplicaAssignment {
    pub partition_index: i32,
    /// The first is the preferred leader.
    pub broker_ids: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct CreatableTopicConfig<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the topics.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "5+")]
pub struct CreateTopicsResponse<'a> {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct CreatableTopicResult<'a> {
    pub name: Str<'a>,
    #[field(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: i16,
    #[field(versions = "1+", ignorable)]
    pub error_message: Option<Str<'a>>,
    /// Why `configs` is null.
    #[field(versions = "5+", tag = 0, ignorable)]
    pub topic_config_error_code: i16,
    #[field(versions = "5+", default = -1, ignorable)]
    pub num_partitions: i32,
    #[field(versions = "5+", default = -1, ignorable)]
    pub replication_factor: i16,
    /// The settings in force (KIP-525); null if the client may not see them.
    #[field(versions = "5+", ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct CreatableTopicConfigs<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub read_only: bool,
    /// As in DescribeConfigs.
    #[field(default = -1)]
    pub config_source: i8,
    pub is_sensitive: bool,
    pub unknown_tagged_fields: TaggedFields,
}
