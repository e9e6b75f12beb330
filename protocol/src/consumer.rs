use crate::{
    Message,
    wire::{Bytes, Str},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolSubscription<'a> {
    pub topics: Vec<Str<'a>>,
    #[field(default = None)]
    pub user_data: Option<Bytes<'a>>,
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<SubscriptionTopicPartition<'a>>,
    #[field(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    #[field(versions = "3+", default = None, ignorable)]
    pub rack_id: Option<Str<'a>>,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicPartition")]
pub struct SubscriptionTopicPartition<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-3")]
pub struct ConsumerProtocolAssignment<'a> {
    pub assigned_partitions: Vec<AssignmentTopicPartition<'a>>,
    #[field(default = None)]
    pub user_data: Option<Bytes<'a>>,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(name = "TopicPartition")]
pub struct AssignmentTopicPartition<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
}
