//! AlterClientQuotas: set limits of users, client ids and addresses (KIP-546).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The changes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest<'a> {
    pub entries: Vec<RequestEntryData<'a>>,
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// Changes of one entity.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "EntryData", flexible = "1+")]
pub struct RequestEntryData<'a> {
    pub entity: Vec<EntityData<'a>>,
    pub ops: Vec<OpData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A part of an entity.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct EntityData<'a> {
    /// `user`, `client-id` or `ip`.
    pub entity_type: Str<'a>,
    /// Null is the default.
    pub entity_name: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct OpData<'a> {
    /// Such as `producer_byte_rate`.
    pub key: Str<'a>,
    pub value: f64,
    pub remove: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub entries: Vec<ResponseEntryData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one entity.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "EntryData", flexible = "1+")]
pub struct ResponseEntryData<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub entity: Vec<EntityData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
