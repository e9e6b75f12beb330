//! DescribeConfigs: settings with where they come from.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Whose settings.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct DescribeConfigsRequest<'a> {
    pub resources: Vec<DescribeConfigsResource<'a>>,
    #[field(versions = "1+")]
    pub include_synonyms: bool,
    #[field(versions = "3+")]
    pub include_documentation: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// A topic, a broker and so on.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsResource<'a> {
    /// 2: topic, 4: broker, 8: broker logger, 16: client metrics, 32: group.
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    /// Null is all.
    pub configuration_keys: Option<Vec<Str<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The settings.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct DescribeConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The settings of one resource.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsResult<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub configs: Vec<DescribeConfigsResourceResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsResourceResult<'a> {
    pub name: Str<'a>,
    /// Null if it is sensitive, or not set.
    pub value: Option<Str<'a>>,
    pub read_only: bool,
    /// What version 0 has instead of `config_source`.
    #[field(versions = "0")]
    pub is_default: bool,
    /// 1: topic, 2: dynamic for this broker, 3: dynamic for all brokers, 4: the broker's file, 5: default, 6:
    /// broker logger.
    #[field(versions = "1+", default = -1, ignorable)]
    pub config_source: i8,
    pub is_sensitive: bool,
    #[field(versions = "1+", ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym<'a>>,
    /// 1: boolean, 2: string, 3: int, 4: short, 5: long, 6: double, 7: list, 8: class, 9: password.
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    #[field(versions = "3+", ignorable)]
    pub documentation: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Another key, or another place, that the setting may come from, in the order in which they count.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsSynonym<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub source: i8,
    pub unknown_tagged_fields: TaggedFields,
}
