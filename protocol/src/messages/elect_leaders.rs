//! ElectLeaders: elect leaders of partitions (KIP-183, KIP-460).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which elections to hold.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersRequest<'a> {
    /// 0: the preferred replica, 1: unclean, any replica that lives.
    #[field(versions = "1+")]
    pub election_type: i8,
    /// Null is all.
    pub topic_partitions: Option<Vec<TopicPartitions<'a>>>,
    #[field(default = 60_000)]
    pub timeout_ms: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct TopicPartitions<'a> {
    pub topic: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// How they went.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct ElectLeadersResponse<'a> {
    pub throttle_time_ms: i32,
    #[field(versions = "1+")]
    pub error_code: i16,
    pub replica_election_results: Vec<ReplicaElectionResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// How the elections of one topic went.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct ReplicaElectionResult<'a> {
    pub topic: Str<'a>,
    pub partition_result: Vec<PartitionResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// How one election went.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "2+")]
pub struct PartitionResult<'a> {
    pub partition_id: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
