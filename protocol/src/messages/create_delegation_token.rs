//! CreateDelegationToken: a token that stands for a principal for a while (KIP-48).

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// What token to make.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest<'a> {
    /// Null is the sender (KIP-373).
    #[field(versions = "3+")]
    pub owner_principal_type: Option<Str<'a>>,
    #[field(versions = "3+")]
    pub owner_principal_name: Option<Str<'a>>,
    pub renewers: Vec<CreatableRenewers<'a>>,
    /// -1 is the broker's setting.
    pub max_lifetime_ms: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// Who may renew it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct CreatableRenewers<'a> {
    pub principal_type: Str<'a>,
    pub principal_name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The token. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse<'a> {
    pub error_code: i16,
    pub principal_type: Str<'a>,
    pub principal_name: Str<'a>,
    #[field(versions = "3+")]
    pub token_requester_principal_type: Str<'a>,
    #[field(versions = "3+")]
    pub token_requester_principal_name: Str<'a>,
    pub issue_timestamp_ms: i64,
    pub expiry_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    pub token_id: Str<'a>,
    pub hmac: Bytes<'a>,
    pub throttle_time_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}
