//! RenewDelegationToken: let a token live longer.

use crate::{
    Message,
    wire::{Bytes, TaggedFields},
};

/// Which, and how long.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct RenewDelegationTokenRequest<'a> {
    pub hmac: Bytes<'a>,
    pub renew_period_ms: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// When it expires now.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct RenewDelegationTokenResponse {
    pub error_code: i16,
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}
