//! DescribeAcls: access rules that match a filter.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The filter.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeAclsRequest<'a> {
    /// 1: any, 2: topic, 3: group, 4: cluster, 5: transactional id, 6: delegation token, 7: user.
    pub resource_type_filter: i8,
    /// Null is any.
    pub resource_name_filter: Option<Str<'a>>,
    /// 1: any, 2: match, 3: literal, 4: prefixed (KIP-290).
    #[field(versions = "1+", default = 3)]
    pub pattern_type_filter: i8,
    pub principal_filter: Option<Str<'a>>,
    pub host_filter: Option<Str<'a>>,
    /// 1: any, 2: all, 3: read, 4: write, 5: create, 6: delete, 7: alter, 8: describe and so on.
    pub operation: i8,
    /// 1: any, 2: deny, 3: allow.
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// The rules.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resources: Vec<DescribeAclsResource<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The rules of one resource.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DescribeAclsResource<'a> {
    pub resource_type: i8,
    pub resource_name: Str<'a>,
    #[field(versions = "1+", default = 3)]
    pub pattern_type: i8,
    pub acls: Vec<AclDescription<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AclDescription<'a> {
    pub principal: Str<'a>,
    pub host: Str<'a>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}
