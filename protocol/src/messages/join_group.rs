use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-9", flexible = "6+")]
pub struct JoinGroupRequest<'a> {
    pub group_id: Str<'a>,
    pub session_timeout_ms: i32,
    #[field(versions = "1+", default = -1, ignorable)]
    pub rebalance_timeout_ms: i32,
    pub member_id: Str<'a>,
    #[field(versions = "5+", default = None)]
    pub group_instance_id: Option<Str<'a>>,
    pub protocol_type: Str<'a>,
    pub protocols: Vec<JoinGroupRequestProtocol<'a>>,
    #[field(versions = "8+", default = None, ignorable)]
    pub reason: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct JoinGroupRequestProtocol<'a> {
    pub name: Str<'a>,
    pub metadata: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

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
    pub leader: Str<'a>,
    #[field(versions = "9+")]
    pub skip_assignment: bool,
    pub member_id: Str<'a>,
    pub members: Vec<JoinGroupResponseMember<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "6+")]
pub struct JoinGroupResponseMember<'a> {
    pub member_id: Str<'a>,
    #[field(versions = "5+", default = None, ignorable)]
    pub group_instance_id: Option<Str<'a>>,
    pub metadata: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}
