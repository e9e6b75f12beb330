//! What is in `__consumer_offsets`, for JSON with the names and in the order of Kafka's.

use base64::Engine as _;
use serde::Serialize;
use vltava_protocol::{
    consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, PROTOCOL_TYPE, TopicPartition},
    group_records::{
        GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
    },
};

/// The key of an offset.
#[derive(Debug, Serialize)]
pub(super) struct OffsetKey<'a> {
    group: &'a str,
    topic: &'a str,
    partition: i32,
}

impl<'a> OffsetKey<'a> {
    pub(super) fn of(key: &'a OffsetCommitKey<'_>) -> Self {
        Self { group: &key.group, topic: &key.topic, partition: key.partition }
    }
}

/// An offset.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Offset<'a> {
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader_epoch: Option<i32>,
    metadata: &'a str,
    commit_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_timestamp: Option<i64>,
}

impl<'a> Offset<'a> {
    pub(super) fn of(version: i16, value: &'a OffsetCommitValue<'_>) -> Self {
        Self {
            offset: value.offset,
            leader_epoch: (version >= 3).then_some(value.leader_epoch),
            metadata: &value.metadata,
            commit_timestamp: value.commit_timestamp,
            expire_timestamp: (version == 1).then_some(value.expire_timestamp),
        }
    }
}

/// The key of a group.
#[derive(Debug, Serialize)]
pub(super) struct GroupKey<'a> {
    group: &'a str,
}

impl<'a> GroupKey<'a> {
    pub(super) fn of(key: &'a GroupMetadataKey<'_>) -> Self {
        Self { group: &key.group }
    }
}

/// A group.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Group<'a> {
    protocol_type: &'a str,
    generation: i32,
    protocol: Option<&'a str>,
    leader: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state_timestamp: Option<i64>,
    members: Vec<Member<'a>>,
}

/// How members' subscriptions and assignments are written, which are bytes to a coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// In base64.
    Encoded,
    /// By what is in them, if they are a consumer's.
    Decoded,
}

impl<'a> Group<'a> {
    pub(super) fn of(version: i16, value: &'a GroupMetadataValue<'_>, parts: Parts) -> Self {
        let parts = if value.protocol_type == PROTOCOL_TYPE { parts } else { Parts::Encoded };
        Self {
            protocol_type: &value.protocol_type,
            generation: value.generation,
            protocol: value.protocol.as_deref(),
            leader: value.leader.as_deref(),
            current_state_timestamp: (version >= 2).then_some(value.current_state_timestamp),
            members: value.members.iter().map(|member| Member::of(version, member, parts)).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    member_id: &'a str,
    // The outer one: whether the version has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_instance_id: Option<Option<&'a str>>,
    client_id: &'a str,
    client_host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebalance_timeout: Option<i32>,
    session_timeout: i32,
    subscription: Part<Subscription>,
    assignment: Part<Assignment>,
}

impl<'a> Member<'a> {
    fn of(version: i16, member: &'a MemberMetadata<'_>, parts: Parts) -> Self {
        let decoded = parts == Parts::Decoded;
        let subscription = decoded.then(|| Subscription::parse(&member.subscription)).flatten();
        let assignment = decoded.then(|| Assignment::parse(&member.assignment)).flatten();
        Member {
            member_id: &member.member_id,
            group_instance_id: (version >= 3).then_some(member.group_instance_id.as_deref()),
            client_id: &member.client_id,
            client_host: &member.client_host,
            rebalance_timeout: (version >= 1).then_some(member.rebalance_timeout),
            session_timeout: member.session_timeout,
            subscription: subscription
                .map_or_else(|| Part::Encoded(encoded(&member.subscription)), Part::Decoded),
            assignment: assignment.map_or_else(|| Part::Encoded(encoded(&member.assignment)), Part::Decoded),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part<T> {
    Encoded(String),
    Decoded(T),
}

fn encoded(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    topics: Vec<String>,
    user_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owned_partitions: Option<Vec<Partitions>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_id: Option<i32>,
    // The outer one: whether the version has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rack_id: Option<Option<String>>,
}

impl Subscription {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let version = i16::from_be_bytes(*bytes.first_chunk()?);
        let parsed = ConsumerProtocolSubscription::parse(bytes).ok()?;
        Some(Self {
            topics: parsed.topics.iter().map(ToString::to_string).collect(),
            user_data: parsed.user_data.as_deref().map(encoded),
            owned_partitions: (version >= 1)
                .then(|| parsed.owned_partitions.iter().map(Partitions::of).collect()),
            generation_id: (version >= 2).then_some(parsed.generation_id),
            rack_id: (version >= 3).then(|| parsed.rack_id.as_ref().map(ToString::to_string)),
        })
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment {
    assigned_partitions: Vec<Partitions>,
    user_data: Option<String>,
}

impl Assignment {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let parsed = ConsumerProtocolAssignment::parse(bytes).ok()?;
        Some(Self {
            assigned_partitions: parsed.assigned_partitions.iter().map(Partitions::of).collect(),
            user_data: parsed.user_data.as_deref().map(encoded),
        })
    }
}

#[derive(Debug, Serialize)]
struct Partitions {
    topic: String,
    partitions: Vec<i32>,
}

impl Partitions {
    fn of(partitions: &TopicPartition<'_>) -> Self {
        Self { topic: partitions.topic.to_string(), partitions: partitions.partitions.clone() }
    }
}
