//! ListGroups: the groups that a broker coordinates.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which groups to list; no filter is all.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsRequest<'a> {
    /// Names of states (KIP-518).
    #[field(versions = "4+")]
    pub states_filter: Vec<Str<'a>>,
    /// `classic`, `consumer` and so on (KIP-848).
    #[field(versions = "5+")]
    pub types_filter: Vec<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ListGroupsResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct ListedGroup<'a> {
    pub group_id: Str<'a>,
    pub protocol_type: Str<'a>,
    #[field(versions = "4+", ignorable)]
    pub group_state: Str<'a>,
    #[field(versions = "5+", ignorable)]
    pub group_type: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
