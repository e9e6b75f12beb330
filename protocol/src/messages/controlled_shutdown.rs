//! ControlledShutdown: a broker asks the controller to move its leaderships before it stops. ZooKeeper clusters
//! only.
//! Version 0 is older than client ids: its request has a header of version 0.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Who wants to stop.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "3+")]
pub struct ControlledShutdownRequest {
    pub broker_id: i32,
    #[field(versions = "2+", default = -1, ignorable)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "3+")]
pub struct ControlledShutdownResponse<'a> {
    pub error_code: i16,
    pub remaining_partitions: Vec<RemainingPartition<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A partition that the broker still leads.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct RemainingPartition<'a> {
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub unknown_tagged_fields: TaggedFields,
}
