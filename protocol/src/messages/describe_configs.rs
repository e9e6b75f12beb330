use crate::{
    Message,
    wire::{Str, TaggedFields},
};

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

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsResource<'a> {
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    pub configuration_keys: Option<Vec<Str<'a>>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct DescribeConfigsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

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

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsResourceResult<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub read_only: bool,
    #[field(versions = "0")]
    pub is_default: bool,
    #[field(versions = "1+", default = -1, ignorable)]
    pub config_source: i8,
    pub is_sensitive: bool,
    #[field(versions = "1+", ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym<'a>>,
    #[field(versions = "3+", ignorable)]
    pub config_type: i8,
    #[field(versions = "3+", ignorable)]
    pub documentation: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct DescribeConfigsSynonym<'a> {
    pub name: Str<'a>,
    pub value: Option<Str<'a>>,
    pub source: i8,
    pub unknown_tagged_fields: TaggedFields,
}
