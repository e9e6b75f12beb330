//! CreateAcls: add access rules. Numbers as in DescribeAcls.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The rules to add.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreateAclsRequest<'a> {
    pub creations: Vec<AclCreation<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AclCreation<'a> {
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    #[field(versions = "1+", default = 3)]
    pub resource_pattern_type: i8,
    pub principal: Str<'a>,
    pub host: Str<'a>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them, in order.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct CreateAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<AclCreationResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one rule.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AclCreationResult<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
