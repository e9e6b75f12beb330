use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "4+")]
pub struct LeaderAndIsrRequest<'a> {
    pub controller_id: i32,
    #[field(versions = "7+", name = "isKRaftController")]
    pub is_kraft_controller: bool,
    pub controller_epoch: i32,
    #[field(versions = "2+", default = -1, ignorable)]
    pub broker_epoch: i64,
    #[field(versions = "5+")]
    pub r#type: i8,
    #[field(versions = "0-1")]
    pub ungrouped_partition_states: Vec<LeaderAndIsrPartitionState<'a>>,
    #[field(versions = "2+")]
    pub topic_states: Vec<LeaderAndIsrTopicState<'a>>,
    pub live_leaders: Vec<LeaderAndIsrLiveLeader<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrPartitionState<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub controller_epoch: i32,
    pub leader: i32,
    pub leader_epoch: i32,
    pub isr: Vec<i32>,
    pub partition_epoch: i32,
    pub replicas: Vec<i32>,
    #[field(versions = "3+", ignorable)]
    pub adding_replicas: Vec<i32>,
    #[field(versions = "3+", ignorable)]
    pub removing_replicas: Vec<i32>,
    #[field(versions = "1+", ignorable)]
    pub is_new: bool,
    #[field(versions = "6+")]
    pub leader_recovery_state: i8,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrTopicState<'a> {
    pub topic_name: Str<'a>,
    #[field(versions = "5+", ignorable)]
    pub topic_id: Uuid,
    pub partition_states: Vec<LeaderAndIsrPartitionState<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrLiveLeader<'a> {
    pub broker_id: i32,
    pub host_name: Str<'a>,
    pub port: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-7", flexible = "4+")]
pub struct LeaderAndIsrResponse<'a> {
    pub error_code: i16,
    #[field(versions = "0-4")]
    pub partition_errors: Vec<LeaderAndIsrPartitionError<'a>>,
    #[field(versions = "5+")]
    pub topics: Vec<LeaderAndIsrTopicError<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrPartitionError<'a> {
    #[field(versions = "0-4", ignorable)]
    pub topic_name: Str<'a>,
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "4+")]
pub struct LeaderAndIsrTopicError<'a> {
    pub topic_id: Uuid,
    pub partition_errors: Vec<LeaderAndIsrPartitionError<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
