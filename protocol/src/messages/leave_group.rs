//! LeaveGroup: leave a classic group; from version 3 on several members at once (KIP-345).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Who leaves.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupRequest<'a> {
    pub group_id: Str<'a>,
    #[field(versions = "0-2")]
    pub member_id: Str<'a>,
    #[field(versions = "3+")]
    pub members: Vec<MemberIdentity<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A member, by its member id or, if static, by its instance id alone.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct MemberIdentity<'a> {
    pub member_id: Str<'a>,
    #[field(default = None)]
    pub group_instance_id: Option<Str<'a>>,
    /// Why it leaves, for the broker's log (KIP-800).
    #[field(versions = "5+", default = None, ignorable)]
    pub reason: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Who has left.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "4+")]
pub struct LeaveGroupResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(versions = "3+")]
    pub members: Vec<MemberResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether one member has left.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct MemberResponse<'a> {
    pub member_id: Str<'a>,
    pub group_instance_id: Option<Str<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
