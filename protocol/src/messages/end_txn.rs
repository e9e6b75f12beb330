//! EndTxn: commit or abort a transaction.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which, and how.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnRequest<'a> {
    pub transactional_id: Str<'a>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// False aborts.
    pub committed: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether it is decided.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct EndTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// What to use in the next transaction, from version 5 on (KIP-890).
    #[field(versions = "5+", default = -1, ignorable)]
    pub producer_id: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub producer_epoch: i16,
    pub unknown_tagged_fields: TaggedFields,
}
