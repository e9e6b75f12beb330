use crate::{
    Message,
    wire::{Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasRequest<'a> {
    pub components: Vec<ComponentData<'a>>,
    pub strict: bool,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct ComponentData<'a> {
    pub entity_type: Str<'a>,
    pub match_type: i8,
    pub r#match: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct DescribeClientQuotasResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub entries: Option<Vec<EntryData<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct EntryData<'a> {
    pub entity: Vec<EntityData<'a>>,
    pub values: Vec<ValueData<'a>>,
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
pub struct ValueData<'a> {
    pub key: Str<'a>,
    pub value: f64,
    pub unknown_tagged_fields: TaggedFields,
}
