//! JoinGroup: become a member of a classic group, or stay one through a rebalance.

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// What the member can do.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest<'a> {
    pub group_id: Str<'a>,
    pub session_timeout_ms: i32,
    /// How long the group waits for members to rejoin; the session time-out in version 0.
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    /// Empty for a new member, which gets one (KIP-394).
    pub member_id: Str<'a>,
    /// Of a static member (KIP-345).
    #[field(versions = "5+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    pub protocol_type: Str<'a>,
    /// In the order in which the member prefers them.
    pub protocols: Vec<JoinGroupRequestProtocol<'a>>,
    /// Why it joins, for the broker's log (KIP-800).
    #[field(versions = "8+", default = None, ignorable)]
    pub reason: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// An assignor, and what the member tells it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct JoinGroupRequestProtocol<'a> {
    pub name: Str<'a>,
    pub metadata: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The new generation.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupResponse<'a> {
    #[field(versions = "2+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(default = -1)]
    pub generation_id: i32,
    #[field(versions = "7+", default = None, ignorable)]
    pub protocol_type: Option<Str<'a>>,
    #[field(nullable = "7+")]
    pub protocol_name: Option<Str<'a>>,
    /// The member that assigns partitions.
    pub leader: Str<'a>,
    /// The leader keeps the assignment that there is (KIP-814).
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    pub member_id: Str<'a>,
    /// For the leader only.
    pub members: Vec<JoinGroupResponseMember<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the leader has to know of a member.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct JoinGroupResponseMember<'a> {
    pub member_id: Str<'a>,
    #[field(versions = "5+", default = None, ignorable)]
    pub group_instance_id: Option<Str<'a>>,
    pub metadata: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
