//! DescribeUserScramCredentials: who can log in with SCRAM, and how (KIP-554).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which users.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsRequest<'a> {
    /// Null is all.
    pub users: Option<Vec<UserName<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct UserName<'a> {
    pub name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The users.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub results: Vec<DescribeUserScramCredentialsResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A user's credentials.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct DescribeUserScramCredentialsResult<'a> {
    pub user: Str<'a>,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub credential_infos: Vec<CredentialInfo>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential, without its secret.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct CredentialInfo {
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    pub mechanism: i8,
    pub iterations: i32,
    pub unknown_tagged_fields: TaggedFields,
}
