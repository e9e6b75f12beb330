use crate::{
    Message,
    wire::{Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeAclsRequest<'a> {
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

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DescribeAclsResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub resources: Vec<DescribeAclsResource<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

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

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct AclDescription<'a> {
    pub principal: Str<'a>,
    pub host: Str<'a>,
    pub operation: i8,
    pub permission_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}
