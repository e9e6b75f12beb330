use crate::{
    Message,
    wire::{Records, Str, TaggedFields, Uuid},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct ProduceRequest<'a> {
    #[field(versions = "3+", default = None)]
    pub transactional_id: Option<Str<'a>>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct TopicProduceData<'a> {
    #[field(versions = "0-12", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct PartitionProduceData<'a> {
    pub index: i32,
    pub records: Option<Records<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-13", flexible = "9+")]
pub struct ProduceResponse<'a> {
    pub responses: Vec<TopicProduceResponse<'a>>,
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "10+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct TopicProduceResponse<'a> {
    #[field(versions = "0-12", ignorable)]
    pub name: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct PartitionProduceResponse<'a> {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    #[field(versions = "2+", default = -1, ignorable)]
    pub log_append_time_ms: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    #[field(versions = "8+", ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage<'a>>,
    #[field(versions = "8+", default = None, ignorable)]
    pub error_message: Option<Str<'a>>,
    #[field(versions = "10+", tag = 0)]
    pub current_leader: LeaderIdAndEpoch,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct BatchIndexAndErrorMessage<'a> {
    pub batch_index: i32,
    #[field(default = None)]
    pub batch_index_error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct LeaderIdAndEpoch {
    #[field(default = -1)]
    pub leader_id: i32,
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "9+")]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    #[field(default = None)]
    pub rack: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
