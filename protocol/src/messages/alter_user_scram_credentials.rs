//! AlterUserScramCredentials: who can log in with SCRAM (KIP-554).

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// The changes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsRequest<'a> {
    pub deletions: Vec<ScramCredentialDeletion<'a>>,
    pub upsertions: Vec<ScramCredentialUpsertion<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential to delete.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ScramCredentialDeletion<'a> {
    pub name: Str<'a>,
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    pub mechanism: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential to set.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ScramCredentialUpsertion<'a> {
    pub name: Str<'a>,
    /// 1: SCRAM-SHA-256, 2: SCRAM-SHA-512.
    pub mechanism: i8,
    pub iterations: i32,
    pub salt: Bytes<'a>,
    pub salted_password: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<AlterUserScramCredentialsResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one user's.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct AlterUserScramCredentialsResult<'a> {
    pub user: Str<'a>,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
