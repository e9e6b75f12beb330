//! ExpireDelegationToken: let a token expire sooner.

use crate::{
    Message,
    wire::{Bytes, TaggedFields},
};

/// Which, and when.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ExpireDelegationTokenRequest<'a> {
    pub hmac: Bytes<'a>,
    /// From now; negative is at once.
    pub expiry_time_period_ms: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// When it expires now.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ExpireDelegationTokenResponse {
    pub error_code: i16,
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}
