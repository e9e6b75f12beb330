//! DescribeGroups: classic groups with their members.

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// Which groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsRequest<'a> {
    pub groups: Vec<Str<'a>>,
    #[field(versions = "3+")]
    pub include_authorized_operations: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "5+")]
pub struct DescribeGroupsResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A group. One that does not exist is `Dead`.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct DescribedGroup<'a> {
    pub error_code: i16,
    #[field(versions = "6+", default = None)]
    pub error_message: Option<Str<'a>>,
    pub group_id: Str<'a>,
    pub group_state: Str<'a>,
    pub protocol_type: Str<'a>,
    /// The assignor that the members agreed on.
    pub protocol_data: Str<'a>,
    pub members: Vec<DescribedGroupMember<'a>>,
    /// A bit for each operation; the smallest number if not asked for.
    #[field(versions = "3+", default = i32::MIN)]
    pub authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "5+")]
pub struct DescribedGroupMember<'a> {
    pub member_id: Str<'a>,
    #[field(versions = "4+", default = None, ignorable)]
    pub group_instance_id: Option<Str<'a>>,
    pub client_id: Str<'a>,
    pub client_host: Str<'a>,
    pub member_metadata: Bytes<'a>,
    pub member_assignment: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
