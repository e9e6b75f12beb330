//! Members of groups as their clients see themselves, a line for each request.

// Each test program uses a part of it.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use vltava_protocol::{
    ErrorCode,
    messages::{
        DescribeGroupsRequest, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest,
        MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
        join_group::JoinGroupRequestProtocol,
        leave_group::MemberIdentity,
        offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
        sync_group::SyncGroupRequestAssignment,
    },
};

use crate::house::{Client, House, until};

pub(crate) const SUBSCRIPTION: &[u8] = b"\0\0\0\0\0\x01\0\x06orders\xff\xff\xff\xff";

/// A member, as its client knows itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) generation: i32,
}

/// What a member asks for when it joins.
#[derive(Debug, Clone)]
pub(crate) struct Wish<'a> {
    pub(crate) group: &'a str,
    pub(crate) id: String,
    pub(crate) instance: Option<&'a str>,
    pub(crate) session_ms: i32,
    pub(crate) metadata: &'a [u8],
}

impl<'a> Wish<'a> {
    pub(crate) fn of(group: &'a str) -> Self {
        Self { group, id: String::new(), instance: None, session_ms: 60_000, metadata: SUBSCRIPTION }
    }
}

/// Joins; a member that is given an id first joins again with it (KIP-394).
pub(crate) async fn join(client: &mut Client, version: i16, wish: &Wish<'_>) -> Result<Member, ErrorCode> {
    let mut wish = wish.clone();
    loop {
        let request = JoinGroupRequest {
            group_id: wish.group.into(),
            session_timeout_ms: wish.session_ms,
            rebalance_timeout_ms: 60_000,
            member_id: wish.id.as_str().into(),
            group_instance_id: wish.instance.map(Into::into),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".into(),
                metadata: wish.metadata.into(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let (code, id, generation) = client
            .ask(version, &request, |answer| {
                let code = ErrorCode::of(answer.error_code);
                if code == ErrorCode::None {
                    assert_eq!(answer.protocol_name.as_deref(), Some("range"), "JoinGroup {version}");
                    assert_eq!(answer.protocol_type.is_some(), version >= 7, "JoinGroup {version}");
                }
                let leads = answer.leader == answer.member_id;
                if code == ErrorCode::None && leads && !answer.skip_assignment {
                    let own = answer.members.iter().find(|member| member.member_id == answer.member_id);
                    assert_eq!(
                        own.map(|member| &*member.metadata),
                        Some(wish.metadata),
                        "JoinGroup {version}"
                    );
                }
                (code, answer.member_id.to_string(), answer.generation_id)
            })
            .await;
        match code {
            ErrorCode::None => {
                let instance = wish.instance.map(str::to_owned);
                return Ok(Member { group: wish.group.to_owned(), id, instance, generation });
            }
            ErrorCode::MemberIdRequired => {
                assert!(version >= 4 && wish.id.is_empty() && !id.is_empty(), "JoinGroup {version}");
                wish.id = id;
            }
            code => return Err(code),
        }
    }
}

/// Sends the assignment as the leader; what comes back.
pub(crate) async fn sync(
    client: &mut Client,
    version: i16,
    member: &Member,
    part: &[u8],
) -> Result<Vec<u8>, ErrorCode> {
    let request = SyncGroupRequest {
        group_id: member.group.as_str().into(),
        generation_id: member.generation,
        member_id: member.id.as_str().into(),
        group_instance_id: member.instance.as_deref().map(Into::into),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: vec![SyncGroupRequestAssignment {
            member_id: member.id.as_str().into(),
            assignment: part.into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    client
        .ask(version, &request, |answer| match ErrorCode::of(answer.error_code) {
            ErrorCode::None => {
                assert_eq!(answer.protocol_name.is_some(), version >= 5, "SyncGroup {version}");
                Ok(answer.assignment.to_vec())
            }
            code => Err(code),
        })
        .await
}

pub(crate) async fn heartbeat(client: &mut Client, version: i16, member: &Member) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: member.group.as_str().into(),
        generation_id: member.generation,
        member_id: member.id.as_str().into(),
        group_instance_id: member.instance.as_deref().map(Into::into),
        ..Default::default()
    };
    client.ask(version, &request, |answer| ErrorCode::of(answer.error_code)).await
}

pub(crate) async fn leave(client: &mut Client, version: i16, member: &Member) -> ErrorCode {
    let identity = MemberIdentity { member_id: member.id.as_str().into(), ..Default::default() };
    let request = LeaveGroupRequest {
        group_id: member.group.as_str().into(),
        member_id: if version < 3 { member.id.as_str().into() } else { "".into() },
        members: if version < 3 { vec![] } else { vec![identity] },
        ..Default::default()
    };
    client
        .ask(version, &request, |answer| {
            let own = answer.members.first().map_or(0, |member| member.error_code);
            assert_eq!(answer.members.len(), usize::from(version >= 3), "LeaveGroup {version}");
            ErrorCode::of(if answer.error_code == 0 { own } else { answer.error_code })
        })
        .await
}

/// The id of a topic.
pub(crate) async fn id_of(client: &mut Client, topic: &str) -> vltava_protocol::Uuid {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    client
        .ask(12, &all, |answer| {
            answer.topics.iter().find(|found| found.name.as_deref() == Some(topic)).unwrap().topic_id
        })
        .await
}

/// What is committed: an offset, its epoch and a note.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Note<'a> {
    pub(crate) offset: i64,
    pub(crate) note: &'a str,
    pub(crate) retention_ms: i64,
}

pub(crate) async fn commit(client: &mut Client, version: i16, member: &Member, note: Note<'_>) -> ErrorCode {
    let request = OffsetCommitRequest {
        group_id: member.group.as_str().into(),
        generation_id_or_member_epoch: member.generation,
        member_id: member.id.as_str().into(),
        retention_time_ms: note.retention_ms,
        topics: vec![OffsetCommitRequestTopic {
            name: "orders".into(),
            topic_id: id_of(client, "orders").await,
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: note.offset,
                committed_leader_epoch: 0,
                committed_metadata: Some(note.note.into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    client
        .ask(version, &request, |answer| {
            let topic = &answer.topics[0];
            assert_eq!(topic.name == "orders", version < 10, "OffsetCommit {version}");
            assert_eq!(topic.topic_id.is_zero(), version < 10, "OffsetCommit {version}");
            ErrorCode::of(topic.partitions[0].error_code)
        })
        .await
}

/// Offset, leader epoch, note and error.
pub(crate) async fn committed(
    client: &mut Client,
    version: i16,
    group: &str,
) -> (i64, i32, String, ErrorCode) {
    let topic_id = id_of(client, "orders").await;
    let request = if version < 8 {
        let topic = OffsetFetchRequestTopic {
            name: "orders".into(),
            partition_indexes: vec![0],
            ..Default::default()
        };
        OffsetFetchRequest { group_id: group.into(), topics: Some(vec![topic]), ..Default::default() }
    } else {
        let topic = OffsetFetchRequestTopics {
            name: "orders".into(),
            topic_id,
            partition_indexes: vec![0],
            ..Default::default()
        };
        let group = OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        OffsetFetchRequest { groups: vec![group], ..Default::default() }
    };
    client
        .ask(version, &request, |answer| {
            if version < 8 {
                let found = &answer.topics[0].partitions[0];
                let note = found.metadata.as_deref().unwrap_or_default().to_owned();
                (found.committed_offset, found.committed_leader_epoch, note, ErrorCode::of(found.error_code))
            } else {
                let topic = &answer.groups[0].topics[0];
                assert_eq!(topic.topic_id, if version < 10 { Default::default() } else { topic_id });
                let found = &topic.partitions[0];
                let note = found.metadata.as_deref().unwrap_or_default().to_owned();
                (found.committed_offset, found.committed_leader_epoch, note, ErrorCode::of(found.error_code))
            }
        })
        .await
}

/// State, error, and of the first member: its id, client, host, metadata and part.
pub(crate) type Described = (String, ErrorCode, Option<(String, String, String, Vec<u8>, Vec<u8>)>);

pub(crate) async fn describe(client: &mut Client, version: i16, group: &str) -> Described {
    let request = DescribeGroupsRequest {
        groups: vec![group.into()],
        include_authorized_operations: version >= 3,
        ..Default::default()
    };
    client
        .ask(version, &request, |answer| {
            let group = &answer.groups[0];
            assert_eq!(group.authorized_operations == i32::MIN, version < 3 || group.error_code != 0);
            let member = group.members.first().map(|member| {
                let (id, client) = (member.member_id.to_string(), member.client_id.to_string());
                let bytes = (member.member_metadata.to_vec(), member.member_assignment.to_vec());
                (id, client, member.client_host.to_string(), bytes.0, bytes.1)
            });
            (group.group_state.to_string(), ErrorCode::of(group.error_code), member)
        })
        .await
}

pub(crate) async fn ready(house: &House, more: &[(&str, &str)]) -> (vltava_broker::server::Server, Client) {
    let server = house.start_with(more).await;
    let mut client = Client::connect(&server).await;
    client.until_coordinated("any").await;
    client.until_led("__consumer_offsets", 4).await;
    let loaded = async || describe_is_loaded(&server).await;
    until("the coordinator is loaded", loaded).await;
    (server, client)
}

pub(crate) async fn describe_is_loaded(server: &vltava_broker::server::Server) -> bool {
    let mut client = Client::connect(server).await;
    let request = ListGroupsRequest::default();
    client.ask(0, &request, |answer| answer.error_code == 0).await
}
