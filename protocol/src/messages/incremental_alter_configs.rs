//! IncrementalAlterConfigs: change single settings (KIP-339).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The changes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsRequest<'a> {
    pub resources: Vec<AlterConfigsResource<'a>>,
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// Changes of one resource; numbers as in DescribeConfigs.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct AlterConfigsResource<'a> {
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub configs: Vec<AlterableConfig<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct AlterableConfig<'a> {
    pub name: Str<'a>,
    /// 0: set, 1: delete, 2: append to a list, 3: take from a list.
    pub config_operation: i8,
    pub value: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct IncrementalAlterConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the changes of one resource.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct AlterConfigsResourceResponse<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
