//! DescribeClientQuotas: limits of users, client ids and addresses (KIP-546).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// What to look for.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest<'a> {
    pub components: Vec<ComponentData<'a>>,
    /// Leave out entities that have a part which no component names.
    pub strict: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// What one part of an entity has to be.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct ComponentData<'a> {
    /// `user`, `client-id` or `ip`.
    pub entity_type: Str<'a>,
    /// 0: exactly `match`, 1: the default, 2: any that is named.
    pub match_type: i8,
    pub r#match: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The limits.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub entries: Option<Vec<EntryData<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The limits of one entity.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct EntryData<'a> {
    pub entity: Vec<EntityData<'a>>,
    pub values: Vec<ValueData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A part of an entity.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct EntityData<'a> {
    pub entity_type: Str<'a>,
    /// Null is the default.
    pub entity_name: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A limit.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct ValueData<'a> {
    /// Such as `producer_byte_rate`.
    pub key: Str<'a>,
    pub value: f64,
    pub unknown_tagged_fields: TaggedFields,
}
