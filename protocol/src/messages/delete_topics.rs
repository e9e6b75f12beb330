//! DeleteTopics: by name, or by id from version 6 on (KIP-516).

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// The topics to delete.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "4+")]
pub struct DeleteTopicsRequest<'a> {
    #[field(versions = "6+")]
    pub topics: Vec<DeleteTopicState<'a>>,
    #[field(versions = "0-5", ignorable)]
    pub topic_names: Vec<Str<'a>>,
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic, by name or id.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DeleteTopicState<'a> {
    #[field(default = None)]
    pub name: Option<Str<'a>>,
    pub topic_id: Uuid,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "4+")]
pub struct DeleteTopicsResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DeletableTopicResult<'a> {
    #[field(nullable = "6+")]
    pub name: Option<Str<'a>>,
    #[field(versions = "6+", ignorable)]
    pub topic_id: Uuid,
    pub error_code: i16,
    #[field(versions = "5+", default = None, ignorable)]
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
