use crate::{
    Message,
    wire::{Str, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "3+")]
pub struct ControlledShutdownRequest {
    pub broker_id: i32,
    #[field(versions = "2+", default = -1, ignorable)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "3+")]
pub struct ControlledShutdownResponse<'a> {
    pub error_code: i16,
    pub remaining_partitions: Vec<RemainingPartition<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct RemainingPartition<'a> {
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub unknown_tagged_fields: TaggedFields,
}
