//! AddPartitionsToTxn: partitions join a transaction. From version 4 on brokers ask for many transactions at once,
//! also to verify only (KIP-890).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The partitions that join.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnRequest<'a> {
    #[field(versions = "4+")]
    pub transactions: Vec<AddPartitionsToTxnTransaction<'a>>,
    #[field(versions = "0-3")]
    pub v3_and_below_transactional_id: Str<'a>,
    #[field(versions = "0-3")]
    pub v3_and_below_producer_id: i64,
    #[field(versions = "0-3")]
    pub v3_and_below_producer_epoch: i16,
    #[field(versions = "0-3")]
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions that join one transaction.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct AddPartitionsToTxnTransaction<'a> {
    pub transactional_id: Str<'a>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// Ask whether they are in it already, and add nothing.
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct AddPartitionsToTxnTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Which have joined.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct AddPartitionsToTxnResponse<'a> {
    pub throttle_time_ms: i32,
    #[field(versions = "4+", ignorable)]
    pub error_code: i16,
    #[field(versions = "4+")]
    pub results_by_transaction: Vec<AddPartitionsToTxnResult<'a>>,
    #[field(versions = "0-3")]
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Which have joined one transaction.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct AddPartitionsToTxnResult<'a> {
    pub transactional_id: Str<'a>,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Which of one topic have joined.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct AddPartitionsToTxnTopicResult<'a> {
    pub name: Str<'a>,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether one partition has joined.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
