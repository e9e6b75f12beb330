//! DeleteAcls: delete the access rules that match filters. Numbers as in DescribeAcls.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The filters.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DeleteAclsRequest<'a> {
    pub filters: Vec<DeleteAclsFilter<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A filter; null and 1 match any.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteAclsFilter<'a> {
    pub resource_type_filter: i8,
    pub resource_name_filter: Option<Str<'a>>,
    #[field(versions = "1+", default = 3)]
    pub pattern_type_filter: i8,
    pub principal_filter: Option<Str<'a>>,
    pub host_filter: Option<Str<'a>>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// What was deleted, in the order of the filters.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DeleteAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub filter_results: Vec<DeleteAclsFilterResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What one filter deleted.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteAclsFilterResult<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub matching_acls: Vec<DeleteAclsMatchingAcl<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A rule that was deleted, or could not be.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeleteAclsMatchingAcl<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    #[field(versions = "1+", default = 3)]
    pub pattern_type: i8,
    pub principal: Str<'a>,
    pub host: Str<'a>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}
