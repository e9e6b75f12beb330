//! SyncGroup: the leader hands out the assignments of a generation, the others fetch theirs.

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// The assignments, if sent by the leader.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupRequest<'a> {
    pub group_id: Str<'a>,
    pub generation_id: i32,
    pub member_id: Str<'a>,
    #[field(versions = "3+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    #[field(versions = "5+", default = None, ignorable)]
    pub protocol_type: Option<Str<'a>>,
    #[field(versions = "5+", default = None, ignorable)]
    pub protocol_name: Option<Str<'a>>,
    pub assignments: Vec<SyncGroupRequestAssignment<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What one member is assigned.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct SyncGroupRequestAssignment<'a> {
    pub member_id: Str<'a>,
    pub assignment: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the sender is assigned.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct SyncGroupResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(versions = "5+", default = None, ignorable)]
    pub protocol_type: Option<Str<'a>>,
    #[field(versions = "5+", default = None, ignorable)]
    pub protocol_name: Option<Str<'a>>,
    pub assignment: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
