//! Produce: append record batches to partitions.
//! The version says which message format the records may have: magic 0 up to version 1, magic 1 in version 2, magic
//! 2 from version 3 on. Topics have names up to version 12, and ids from 13 on (KIP-516).

use crate::{
    Message,
    wire::{Records, Str, TaggedFields, Uuid},
};

/// Records for any number of partitions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct ProduceRequest<'a> {
    /// The producer's, if the records are part of a transaction.
    #[field(versions = "3+", default = None)]
    pub transactional_id: Option<Str<'a>>,
    /// 0: no response is sent; 1: the leader has the records; -1: all in-sync replicas have them.
    pub acks: i16,
    /// How long to wait for the in-sync replicas.
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Records for one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct TopicProduceData<'a> {
    #[field(versions = "0-12", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Records for one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct PartitionProduceData<'a> {
    pub index: i32,
    /// One batch, or a message set in the old formats.
    pub records: Option<Records<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the records. Not sent if `acks` was 0.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct ProduceResponse<'a> {
    pub responses: Vec<TopicProduceResponse<'a>>,
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    /// Where the new leaders named in `current_leader` listen (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the records for one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct TopicProduceResponse<'a> {
    #[field(versions = "0-12", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the records for one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct PartitionProduceResponse<'a> {
    pub index: i32,
    pub error_code: i16,
    /// The offset of the first record, or -1.
    pub base_offset: i64,
    /// The broker's time stamp if the topic is set to have one, or -1.
    #[field(versions = "2+", default = -1, ignorable)]
    pub log_append_time_ms: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// The records that made the broker refuse the batch (KIP-467).
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage<'a>>,
    #[field(versions = "8+", default = None, ignorable)]
    pub error_message: Option<Str<'a>>,
    /// The leader, for a producer that asked another broker (KIP-951).
    #[field(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    pub unknown_tagged_fields: TaggedFields,
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct BatchIndexAndErrorMessage<'a> {
    /// Its place in the batch, from 0.
    pub batch_index: i32,
    #[field(default = None)]
    pub batch_index_error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Who leads a partition; -1 is unknown.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct LeaderIdAndEpoch {
    #[field(default = -1)]
    pub leader_id: i32,
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a broker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    #[field(default = None)]
    pub rack: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
