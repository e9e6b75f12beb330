//! DescribeTransactions: how far transactions are (KIP-664).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which transactions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsRequest<'a> {
    pub transactional_ids: Vec<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The transactions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeTransactionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub transaction_states: Vec<TransactionState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TransactionState<'a> {
    pub error_code: i16,
    pub transactional_id: Str<'a>,
    /// Such as `Ongoing` or `CompleteCommit`.
    pub transaction_state: Str<'a>,
    pub transaction_timeout_ms: i32,
    /// Milliseconds since 1970, or -1.
    pub transaction_start_time_ms: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub topics: Vec<TopicData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic that are part of it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicData<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
