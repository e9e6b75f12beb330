//! DescribeDelegationToken: tokens by their owners.

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// Whose tokens.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest<'a> {
    /// Null is everybody's that the sender may see.
    pub owners: Option<Vec<DescribeDelegationTokenOwner<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// An owner.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribeDelegationTokenOwner<'a> {
    pub principal_type: Str<'a>,
    pub principal_name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The tokens.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse<'a> {
    pub error_code: i16,
    pub tokens: Vec<DescribedDelegationToken<'a>>,
    pub throttle_time_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A token. Times in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribedDelegationToken<'a> {
    pub principal_type: Str<'a>,
    pub principal_name: Str<'a>,
    #[field(versions = "3+")]
    pub token_requester_principal_type: Str<'a>,
    #[field(versions = "3+")]
    pub token_requester_principal_name: Str<'a>,
    pub issue_timestamp: i64,
    pub expiry_timestamp: i64,
    pub max_timestamp: i64,
    pub token_id: Str<'a>,
    pub hmac: Bytes<'a>,
    pub renewers: Vec<DescribedDelegationTokenRenewer<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Who may renew it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribedDelegationTokenRenewer<'a> {
    pub principal_type: Str<'a>,
    pub principal_name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
