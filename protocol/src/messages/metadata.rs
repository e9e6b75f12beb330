//! Metadata: brokers, topics, partitions and their leaders.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// Which topics to describe.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataRequest<'a> {
    /// Null is all topics. In version 0 an empty list is all; later it is none.
    #[field(nullable = "1+")]
    pub topics: Option<Vec<MetadataRequestTopic<'a>>>,
    /// Whether an unknown topic may be created if the broker is set to.
    #[field(versions = "4+", default = true)]
    pub allow_auto_topic_creation: bool,
    #[field(versions = "8-10")]
    pub include_cluster_authorized_operations: bool,
    #[field(versions = "8+")]
    pub include_topic_authorized_operations: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic, by name or, from version 10 on, by id.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct MetadataRequestTopic<'a> {
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[field(nullable = "10+")]
    pub name: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the broker knows of the cluster.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct MetadataResponse<'a> {
    #[field(versions = "3+", ignorable)]
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker<'a>>,
    #[field(versions = "2+", default = None, ignorable)]
    pub cluster_id: Option<Str<'a>>,
    /// Or -1.
    #[field(versions = "1+", default = -1, ignorable)]
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic<'a>>,
    /// A bit for each operation; the smallest number if not asked for.
    #[field(versions = "8-10", default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    #[field(versions = "13+", ignorable)]
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker, as its address on the listener that was asked.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct MetadataResponseBroker<'a> {
    pub node_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    #[field(versions = "1+", default = None, ignorable)]
    pub rack: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct MetadataResponseTopic<'a> {
    pub error_code: i16,
    /// Null if the request had an id that is not known.
    #[field(nullable = "12+")]
    pub name: Option<Str<'a>>,
    #[field(versions = "10+", ignorable)]
    pub topic_id: Uuid,
    #[field(versions = "1+", ignorable)]
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    /// A bit for each operation; the smallest number if not asked for.
    #[field(versions = "8+", default = i32::MIN)]
    pub topic_authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    /// -1 if there is none.
    pub leader_id: i32,
    #[field(versions = "7+", default = -1, ignorable)]
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    /// Replicas whose broker or disk is gone.
    #[field(versions = "5+", ignorable)]
    pub offline_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
