//! ConsumerGroupDescribe: consumer groups of KIP-848 with their members.

use crate::{
    Message,
    wire::{Str, TaggedFields, Uuid},
};

/// Which groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeRequest<'a> {
    pub group_ids: Vec<Str<'a>>,
    pub include_authorized_operations: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The groups.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse<'a> {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// A group.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct DescribedGroup<'a> {
    pub error_code: i16,
    #[field(default = None)]
    pub error_message: Option<Str<'a>>,
    pub group_id: Str<'a>,
    pub group_state: Str<'a>,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub assignor_name: Str<'a>,
    pub members: Vec<Member<'a>>,
    /// A bit for each operation; the smallest number if not asked for.
    #[field(default = i32::MIN)]
    pub authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct Member<'a> {
    pub member_id: Str<'a>,
    #[field(default = None)]
    pub instance_id: Option<Str<'a>>,
    #[field(default = None)]
    pub rack_id: Option<Str<'a>>,
    pub member_epoch: i32,
    pub client_id: Str<'a>,
    pub client_host: Str<'a>,
    pub subscribed_topic_names: Vec<Str<'a>>,
    #[field(default = None)]
    pub subscribed_topic_regex: Option<Str<'a>>,
    pub assignment: Assignment<'a>,
    /// What it will have when the others have given it up.
    pub target_assignment: Assignment<'a>,
    /// 0: of the classic protocol, 1: of KIP-848, -1: unknown.
    #[field(versions = "1+", default = -1, ignorable)]
    pub member_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// What a member has.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct Assignment<'a> {
    pub topic_partitions: Vec<TopicPartitions<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct TopicPartitions<'a> {
    pub topic_id: Uuid,
    pub topic_name: Str<'a>,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}
