//! UpdateMetadata: the controller tells brokers what they shall tell clients. ZooKeeper clusters only.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The brokers that live, and the partitions that changed.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-8", flexible = "6+")]
pub struct UpdateMetadataRequest<'a> {
    pub controller_id: i32,
    #[field(versions = "8+", name = "isKRaftController")]
    pub is_kraft_controller: bool,
    /// 0: unknown, 1: some partitions, 2: all partitions.
    #[field(versions = "8+", tag = 0)]
    pub r#type: i8,
    pub controller_epoch: i32,
    /// That of the receiver (KIP-380).
    #[field(versions = "5+", default = -1, ignorable)]
    pub broker_epoch: i64,
    #[field(versions = "0-4")]
    pub ungrouped_partition_states: Vec<UpdateMetadataPartitionState<'a>>,
    #[field(versions = "5+")]
    pub topic_states: Vec<UpdateMetadataTopicState<'a>>,
    pub live_brokers: Vec<UpdateMetadataBroker<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct UpdateMetadataPartitionState<'a> {
    #[field(versions = "0-4", ignorable)]
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub controller_epoch: i32,
    /// -1: none, -2: the topic is being deleted.
    pub leader: i32,
    pub leader_epoch: i32,
    pub isr: Vec<i32>,
    /// The version of the partition's state in ZooKeeper.
    pub zk_version: i32,
    pub replicas: Vec<i32>,
    #[field(versions = "4+", ignorable)]
    pub offline_replicas: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct UpdateMetadataTopicState<'a> {
    pub topic_name: Str<'a>,
    #[field(versions = "7+", ignorable)]
    pub topic_id: Uuid,
    pub partition_states: Vec<UpdateMetadataPartitionState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker that lives.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct UpdateMetadataBroker<'a> {
    pub id: i32,
    #[field(versions = "0", ignorable)]
    pub v0_host: Str<'a>,
    #[field(versions = "0", ignorable)]
    pub v0_port: i32,
    #[field(versions = "1+", ignorable)]
    pub endpoints: Vec<UpdateMetadataEndpoint<'a>>,
    #[field(versions = "2+", ignorable)]
    pub rack: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where a broker listens.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct UpdateMetadataEndpoint<'a> {
    pub port: i32,
    pub host: Str<'a>,
    #[field(versions = "3+", ignorable)]
    pub listener: Str<'a>,
    /// 0: PLAINTEXT, 1: SSL, 2: SASL_PLAINTEXT, 3: SASL_SSL.
    pub security_protocol: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether the broker took it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-8", flexible = "6+")]
pub struct UpdateMetadataResponse {
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
