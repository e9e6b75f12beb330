//! AddOffsetsToTxn: a group's offsets become part of a transaction.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which group's.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnRequest<'a> {
    pub transactional_id: Str<'a>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub group_id: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether they have.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "3+")]
pub struct AddOffsetsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
