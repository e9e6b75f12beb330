//! Heartbeat: a member of a classic group says that it lives.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Who lives.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatRequest<'a> {
    pub group_id: Str<'a>,
    pub generation_id: i32,
    pub member_id: Str<'a>,
    #[field(versions = "3+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether it is still a member, or has to rejoin.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-4", flexible = "4+")]
pub struct HeartbeatResponse {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
