//! FindCoordinator: which broker coordinates a group or a transactional id.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Whose coordinator to find: one up to version 3, many from 4 on (KIP-699).
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorRequest<'a> {
    #[field(versions = "0-3")]
    pub key: Str<'a>,
    /// 0: group, 1: transactional id, 2: share group's partition.
    #[field(versions = "1+")]
    pub key_type: i8,
    #[field(versions = "4+")]
    pub coordinator_keys: Vec<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where the coordinators are.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "3+")]
pub struct FindCoordinatorResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "0-3")]
    pub error_code: i16,
    #[field(versions = "1-3", ignorable)]
    pub error_message: Option<Str<'a>>,
    /// -1 if there is none.
    #[field(versions = "0-3")]
    pub node_id: i32,
    #[field(versions = "0-3")]
    pub host: Str<'a>,
    #[field(versions = "0-3")]
    pub port: i32,
    #[field(versions = "4+")]
    pub coordinators: Vec<Coordinator<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one coordinator is.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct Coordinator<'a> {
    pub key: Str<'a>,
    pub node_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
