//! DeleteGroups: forget groups that have no members.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsRequest<'a> {
    pub groups_names: Vec<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "2+")]
pub struct DeleteGroupsResponse<'a> {
    pub throttle_time_ms: i32,
    pub results: Vec<DeletableGroupResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one group.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct DeletableGroupResult<'a> {
    pub group_id: Str<'a>,
    pub error_code: i16,
    #[field(versions = "3+", default = None, ignorable)]
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
