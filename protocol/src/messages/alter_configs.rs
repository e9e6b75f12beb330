//! AlterConfigs: replace all settings of a resource. IncrementalAlterConfigs took its place (KIP-339).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The new settings.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterConfigsRequest<'a> {
    pub resources: Vec<AlterConfigsResource<'a>>,
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// All settings of one resource; what is not named goes back to its default.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterConfigsResource<'a> {
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub configs: Vec<AlterableConfig<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterableConfig<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct AlterConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AlterConfigsResourceResponse<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
