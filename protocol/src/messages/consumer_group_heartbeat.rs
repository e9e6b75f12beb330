//! ConsumerGroupHeartbeat: all that a member of a consumer group of KIP-848 says. A ZooKeeper cluster has no such
//! groups.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// What the member has, and wants. Null is as before.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatRequest<'a> {
    pub group_id: Str<'a>,
    pub member_id: Str<'a>,
    /// 0 joins, -1 leaves, -2 leaves for a while as a static member.
    pub member_epoch: i32,
    #[field(default = None)]
    pub instance_id: Option<Str<'a>>,
    #[field(default = None)]
    pub rack_id: Option<Str<'a>>,
    #[field(default = -1)]
    pub rebalance_timeout_ms: i32,
    #[field(default = None)]
    pub subscribed_topic_names: Option<Vec<Str<'a>>>,
    #[field(versions = "1+", default = None)]
    pub subscribed_topic_regex: Option<Str<'a>>,
    #[field(default = None)]
    pub server_assignor: Option<Str<'a>>,
    #[field(default = None)]
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the member shall have.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupHeartbeatResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(default = None)]
    pub error_message: Option<Str<'a>>,
    #[field(default = None)]
    pub member_id: Option<Str<'a>>,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    /// Null is as before.
    #[field(default = None)]
    pub assignment: Option<Assignment>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the member shall have.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
    pub unknown_tagged_fields: TaggedFields,
}
