//! Consumer groups: listed, described, their offsets read, committed and deleted.

use std::collections::BTreeMap;

use vltava_protocol::ErrorCode;
use vltava_protocol::consumer::ConsumerProtocolAssignment;
use vltava_protocol::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use vltava_protocol::messages::offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
use vltava_protocol::messages::offset_fetch::OffsetFetchRequestGroup;
use vltava_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest,
};

use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: String,
    /// The partition's index.
    pub partition: i32,
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub group: String,
    /// `consumer`, `connect`, ...; empty for a group that only keeps offsets.
    pub protocol_type: String,
    /// Its state, empty from brokers before 2.6.
    pub state: String,
    /// `classic` or `consumer`, empty from brokers before 3.8.
    pub kind: String,
}

/// A group described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    /// Its id.
    pub group: String,
    /// Its state: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance.
    pub state: String,
    /// Its type.
    pub protocol_type: String,
    /// The assignor in use.
    pub protocol: String,
    /// `host:port` and id of its coordinator.
    pub coordinator: (i32, String),
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// Its id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// Its client id.
    pub client_id: String,
    /// Its address, with Java's leading slash.
    pub host: String,
    /// The partitions that it reads; empty unless the group is a stable group of consumers.
    pub assignment: Vec<TopicPartition>,
}

/// A committed offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOffset {
    /// The offset.
    pub offset: i64,
    /// The leader epoch of the record before it, if known.
    pub leader_epoch: Option<i32>,
    /// The client's note.
    pub metadata: String,
}

/// All groups of all brokers, by id.
///
/// # Errors
/// When a broker does not answer.
pub async fn list_groups(client: &mut Client, states: &[&str]) -> Result<Vec<GroupListing>, ClientError> {
    client.refresh().await?;
    let mut groups = BTreeMap::new();
    for (broker, _) in client.brokers() {
        let version = client.version::<ListGroupsRequest<'_>>(Node::Broker(broker), i16::MAX).await?;
        let mut request = ListGroupsRequest::default();
        if version >= 4 {
            request.states_filter = states.iter().map(|state| (*state).to_owned().into()).collect();
        }
        let listed = client
            .ask_until(Node::Broker(broker), &request, |response| {
                ApiError::check(response.error_code, None)?;
                Ok(response.groups)
            })
            .await?;
        for group in listed {
            groups.insert(
                group.group_id.to_string(),
                GroupListing {
                    group: group.group_id.into_owned(),
                    protocol_type: group.protocol_type.into_owned(),
                    state: group.group_state.into_owned(),
                    kind: group.group_type.into_owned(),
                },
            );
        }
    }
    Ok(groups.into_values().collect())
}

/// One group. A group that does not exist is described as Dead.
///
/// # Errors
/// When its coordinator does not answer, or refuses.
pub async fn describe_group(client: &mut Client, group: &str) -> Result<GroupDescription, ClientError> {
    let request = DescribeGroupsRequest { groups: vec![group.to_owned().into()], ..Default::default() };
    let mut described = client
        .ask_until(Node::Coordinator(group), &request, |mut response| {
            let Some(described) = response.groups.pop() else {
                return Err(ApiError { code: ErrorCode::UnknownServerError, message: None });
            };
            // From version 6 a missing group is an error; before, it is Dead (KIP-1043).
            if described.error_code != ErrorCode::GroupIdNotFound as i16 {
                ApiError::check(described.error_code, described.error_message.as_deref())?;
            }
            Ok(described)
        })
        .await?;
    let coordinator = client.coordinator_of(group).await?;
    let stable = described.protocol_type == "consumer" && described.group_state == "Stable";
    let members = described.members.drain(..).map(|member| GroupMember {
        member_id: member.member_id.into_owned(),
        instance_id: member.group_instance_id.map(Into::into),
        client_id: member.client_id.into_owned(),
        host: member.client_host.into_owned(),
        assignment: if stable { assigned(&member.member_assignment) } else { Vec::new() },
    });
    Ok(GroupDescription {
        group: group.to_owned(),
        members: members.collect(),
        state: if described.group_state.is_empty() {
            "Dead".to_owned()
        } else {
            described.group_state.into_owned()
        },
        protocol_type: described.protocol_type.into_owned(),
        protocol: described.protocol_data.into_owned(),
        coordinator,
    })
}

/// The partitions in an assignment; none if it is not of a consumer's protocol.
fn assigned(assignment: &[u8]) -> Vec<TopicPartition> {
    let Ok(assignment) = ConsumerProtocolAssignment::parse(assignment) else { return Vec::new() };
    let mut partitions: Vec<TopicPartition> = Vec::new();
    for topic in &assignment.assigned_partitions {
        let of = |partition: &i32| TopicPartition { topic: topic.topic.to_string(), partition: *partition };
        partitions.extend(topic.partitions.iter().map(of));
    }
    partitions.sort_unstable();
    partitions
}

/// All offsets that a group has committed.
///
/// # Errors
/// When its coordinator does not answer, or refuses.
pub async fn group_offsets(
    client: &mut Client,
    group: &str,
) -> Result<BTreeMap<TopicPartition, GroupOffset>, ClientError> {
    // Version 10 names topics by id only, of which a tool knows nothing.
    let version = client.version::<OffsetFetchRequest<'_>>(Node::Coordinator(group), 9).await?;
    let mut request = OffsetFetchRequest::default();
    if version >= 8 {
        let whole =
            OffsetFetchRequestGroup { group_id: group.to_owned().into(), topics: None, ..Default::default() };
        request.groups = vec![whole];
    } else {
        request.group_id = group.to_owned().into();
        request.topics = None;
    }
    let mut response = client.ask_at(Node::Coordinator(group), &request, version).await?;
    let mut offsets = BTreeMap::new();
    let mut keep = |topic: &str, partition: i32, offset: i64, epoch: i32, metadata: Option<&str>| {
        if offset >= 0 {
            let name = TopicPartition { topic: topic.to_owned(), partition };
            let leader_epoch = (epoch >= 0).then_some(epoch);
            let metadata = metadata.unwrap_or_default().to_owned();
            offsets.insert(name, GroupOffset { offset, leader_epoch, metadata });
        }
    };
    if let Some(answer) = response.groups.pop() {
        ApiError::check(answer.error_code, None)?;
        for topic in &answer.topics {
            for p in &topic.partitions {
                ApiError::check(p.error_code, None)?;
                let (offset, epoch) = (p.committed_offset, p.committed_leader_epoch);
                keep(&topic.name, p.partition_index, offset, epoch, p.metadata.as_deref());
            }
        }
    } else {
        ApiError::check(response.error_code, None)?;
        for topic in &response.topics {
            for p in &topic.partitions {
                ApiError::check(p.error_code, None)?;
                let (offset, epoch) = (p.committed_offset, p.committed_leader_epoch);
                keep(&topic.name, p.partition_index, offset, epoch, p.metadata.as_deref());
            }
        }
    }
    Ok(offsets)
}

/// Commits offsets for a group without members.
///
/// # Errors
/// When its coordinator does not answer; each partition has a result of its own.
pub async fn commit_offsets(
    client: &mut Client,
    group: &str,
    offsets: &BTreeMap<TopicPartition, GroupOffset>,
) -> Result<BTreeMap<TopicPartition, Result<(), ApiError>>, ClientError> {
    let version = client.version::<OffsetCommitRequest<'_>>(Node::Coordinator(group), 9).await?;
    let mut request =
        OffsetCommitRequest { group_id: group.to_owned().into(), ..OffsetCommitRequest::default() };
    for (partition, offset) in offsets {
        let committed = OffsetCommitRequestPartition {
            partition_index: partition.partition,
            committed_offset: offset.offset,
            committed_leader_epoch: offset.leader_epoch.unwrap_or(-1),
            committed_metadata: Some(offset.metadata.clone().into()),
            ..Default::default()
        };
        match request.topics.iter_mut().find(|topic| topic.name == partition.topic) {
            Some(topic) => topic.partitions.push(committed),
            None => request.topics.push(OffsetCommitRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![committed],
                ..Default::default()
            }),
        }
    }
    let response = client.ask_at(Node::Coordinator(group), &request, version).await?;
    let mut results = BTreeMap::new();
    for topic in response.topics {
        for answer in topic.partitions {
            let name =
                TopicPartition { topic: topic.name.clone().into_owned(), partition: answer.partition_index };
            results.insert(name, ApiError::check(answer.error_code, None));
        }
    }
    Ok(results)
}

/// Forgets offsets of a group (KIP-496).
///
/// # Errors
/// When its coordinator does not answer, or refuses; each partition has a result of its own.
pub async fn delete_offsets(
    client: &mut Client,
    group: &str,
    partitions: &[TopicPartition],
) -> Result<BTreeMap<TopicPartition, Result<(), ApiError>>, ClientError> {
    let mut request =
        OffsetDeleteRequest { group_id: group.to_owned().into(), ..OffsetDeleteRequest::default() };
    for partition in partitions {
        let asked = OffsetDeleteRequestPartition { partition_index: partition.partition };
        match request.topics.iter_mut().find(|topic| topic.name == partition.topic) {
            Some(topic) => topic.partitions.push(asked),
            None => request.topics.push(OffsetDeleteRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![asked],
            }),
        }
    }
    let response = client.ask(Node::Coordinator(group), &request).await?;
    ApiError::check(response.error_code, None)?;
    let mut results = BTreeMap::new();
    for topic in response.topics {
        for answer in topic.partitions {
            let name =
                TopicPartition { topic: topic.name.clone().into_owned(), partition: answer.partition_index };
            results.insert(name, ApiError::check(answer.error_code, None));
        }
    }
    Ok(results)
}

/// Deletes groups without members; each has a result of its own.
///
/// # Errors
/// When a coordinator does not answer.
pub async fn delete_groups(
    client: &mut Client,
    groups: &[&str],
) -> Result<BTreeMap<String, Result<(), ApiError>>, ClientError> {
    let mut results = BTreeMap::new();
    for group in groups {
        let request =
            DeleteGroupsRequest { groups_names: vec![(*group).to_owned().into()], ..Default::default() };
        let response = client.ask(Node::Coordinator(group), &request).await?;
        for answer in response.results {
            let result = ApiError::check(answer.error_code, answer.error_message.as_deref());
            results.insert(answer.group_id.into_owned(), result);
        }
    }
    Ok(results)
}

/// The leader of every partition of some topics.
pub(super) async fn leaders(
    client: &mut Client,
    topics: &[&str],
) -> Result<BTreeMap<TopicPartition, Result<i32, ApiError>>, ClientError> {
    let mut leaders = BTreeMap::new();
    for topic in client.metadata(Some(topics)).await?.topics {
        let name = topic.name.as_deref().unwrap_or_default();
        for partition in topic.partitions {
            let key = TopicPartition { topic: name.to_owned(), partition: partition.partition_index };
            let result = ApiError::check(partition.error_code, None).and_then(|()| {
                let none = ApiError { code: ErrorCode::LeaderNotAvailable, message: None };
                (partition.leader_id >= 0).then_some(partition.leader_id).ok_or(none)
            });
            leaders.insert(key, result);
        }
    }
    Ok(leaders)
}
