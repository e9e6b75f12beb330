use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "0+")]
pub struct AlterPartitionRequest<'a> {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub topics: Vec<RequestTopicData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicData", flexible = "0+")]
pub struct RequestTopicData<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    #[field(versions = "2+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<RequestPartitionData>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "PartitionData", flexible = "0+")]
pub struct RequestPartitionData {
    pub partition_index: i32,
    pub leader_epoch: i32,
    #[field(versions = "0-2")]
    pub new_isr: Vec<i32>,
    #[field(versions = "3+")]
    pub new_isr_with_epochs: Vec<BrokerState>,
    #[field(versions = "1+")]
    pub leader_recovery_state: i8,
    pub partition_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct BrokerState {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3", flexible = "0+")]
pub struct AlterPartitionResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub topics: Vec<ResponseTopicData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicData", flexible = "0+")]
pub struct ResponseTopicData<'a> {
    #[field(versions = "0-1", ignorable)]
    pub topic_name: Str<'a>,
    #[field(versions = "2+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<ResponsePartitionData>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "PartitionData", flexible = "0+")]
pub struct ResponsePartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub isr: Vec<i32>,
    #[field(versions = "1+", ignorable)]
    pub leader_recovery_state: i8,
    pub partition_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}
