//! ListTransactions: the transactions that a broker coordinates (KIP-664).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which to list; no filter is all.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest<'a> {
    pub state_filters: Vec<Str<'a>>,
    pub producer_id_filters: Vec<i64>,
    /// Only those that have run for longer, in milliseconds; negative is all (KIP-994).
    #[field(versions = "1+", default = -1)]
    pub duration_filter: i64,
    /// A regular expression (KIP-1152); null is all.
    #[field(versions = "2+", default = None)]
    pub transactional_id_pattern: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The transactions.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// Names of states that the broker does not know.
    pub unknown_state_filters: Vec<Str<'a>>,
    pub transaction_states: Vec<TransactionState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TransactionState<'a> {
    pub transactional_id: Str<'a>,
    pub producer_id: i64,
    pub transaction_state: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
