use crate::{
    Message,
    wire::{Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasRequest<'a> {
    pub entries: Vec<RequestEntryData<'a>>,
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "EntryData", flexible = "1+")]
pub struct RequestEntryData<'a> {
    pub entity: Vec<EntityData<'a>>,
    pub ops: Vec<OpData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct EntityData<'a> {
    pub entity_type: Str<'a>,
    pub entity_name: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct OpData<'a> {
    pub key: Str<'a>,
    pub value: f64,
    pub remove: bool,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct AlterClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub entries: Vec<ResponseEntryData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "EntryData", flexible = "1+")]
pub struct ResponseEntryData<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub entity: Vec<EntityData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
