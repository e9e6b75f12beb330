//! ListConfigResources: what has settings of its own (KIP-1142). Version 0 lists client metrics only, and had their
//! name (KIP-714).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which kinds.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesRequest {
    /// As in DescribeConfigs; none is all.
    #[field(versions = "1+")]
    pub resource_types: Vec<i8>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ListConfigResourcesResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub config_resources: Vec<ConfigResource<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Something that has settings.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct ConfigResource<'a> {
    pub resource_name: Str<'a>,
    #[field(versions = "1+", default = 16, ignorable)]
    pub resource_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}
