//! Consumer groups through sockets: each version of each API over a member's whole life, and the limits, the expiry and the memory of a coordinator.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use house::{Client, House, until};
use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteGroupsRequest, DescribeGroupsRequest, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest,
        ListGroupsRequest, MetadataRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
        SyncGroupRequest,
        join_group::JoinGroupRequestProtocol,
        leave_group::MemberIdentity,
        offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
        offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
        sync_group::SyncGroupRequestAssignment,
    },
};
use vltava_settings::{BrokerConfig, Properties};

const SUBSCRIPTION: &[u8] = b"\0\0\0\0\0\x01\0\x06orders\xff\xff\xff\xff";

/// A member, as its client knows itself.
#[derive(Debug, Clone, PartialEq)]
struct Member {
    group: String,
    id: String,
    instance: Option<String>,
    generation: i32,
}

/// What a member asks for when it joins.
#[derive(Debug, Clone)]
struct Wish<'a> {
    group: &'a str,
    id: String,
    instance: Option<&'a str>,
    session_ms: i32,
    metadata: &'a [u8],
}

impl<'a> Wish<'a> {
    fn of(group: &'a str) -> Self {
        Self { group, id: String::new(), instance: None, session_ms: 60_000, metadata: SUBSCRIPTION }
    }
}

/// Joins; a member that is given an id first joins again with it (KIP-394).
async fn join(client: &mut Client, version: i16, wish: &Wish<'_>) -> Result<Member, ErrorCode> {
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
async fn sync(client: &mut Client, version: i16, member: &Member, part: &[u8]) -> Result<Vec<u8>, ErrorCode> {
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

async fn heartbeat(client: &mut Client, version: i16, member: &Member) -> ErrorCode {
    let request = HeartbeatRequest {
        group_id: member.group.as_str().into(),
        generation_id: member.generation,
        member_id: member.id.as_str().into(),
        group_instance_id: member.instance.as_deref().map(Into::into),
        ..Default::default()
    };
    client.ask(version, &request, |answer| ErrorCode::of(answer.error_code)).await
}

async fn leave(client: &mut Client, version: i16, member: &Member) -> ErrorCode {
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
async fn id_of(client: &mut Client, topic: &str) -> vltava_protocol::Uuid {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    client
        .ask(12, &all, |answer| {
            answer.topics.iter().find(|found| found.name.as_deref() == Some(topic)).unwrap().topic_id
        })
        .await
}

/// What is committed: an offset, its epoch and a note.
#[derive(Debug, Clone, Copy)]
struct Note<'a> {
    offset: i64,
    note: &'a str,
    retention_ms: i64,
}

async fn commit(client: &mut Client, version: i16, member: &Member, note: Note<'_>) -> ErrorCode {
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
async fn committed(client: &mut Client, version: i16, group: &str) -> (i64, i32, String, ErrorCode) {
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
type Described = (String, ErrorCode, Option<(String, String, String, Vec<u8>, Vec<u8>)>);

async fn describe(client: &mut Client, version: i16, group: &str) -> Described {
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

async fn ready(house: &House, more: &[(&str, &str)]) -> (vltava_broker::server::Server, Client) {
    let server = house.start_with(more).await;
    let mut client = Client::connect(&server).await;
    client.until_coordinated("any").await;
    client.until_led("__consumer_offsets", 4).await;
    let loaded = async || describe_is_loaded(&server).await;
    until("the coordinator is loaded", loaded).await;
    (server, client)
}

async fn describe_is_loaded(server: &vltava_broker::server::Server) -> bool {
    let mut client = Client::connect(server).await;
    let request = ListGroupsRequest::default();
    client.ask(0, &request, |answer| answer.error_code == 0).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_properties_file_of_every_era_starts_a_broker_whose_groups_work() {
    for (version, file) in [
        ("0.8.0", include_str!("../../settings/tests/shipped/0.8.0.properties")),
        ("0.8.2", include_str!("../../settings/tests/shipped/0.8.2.properties")),
        ("0.9.0", include_str!("../../settings/tests/shipped/0.9.0.properties")),
        ("0.10.2", include_str!("../../settings/tests/shipped/0.10.2.properties")),
        ("0.11.0", include_str!("../../settings/tests/shipped/0.11.0.properties")),
        ("1.1", include_str!("../../settings/tests/shipped/1.1.properties")),
        ("2.8", include_str!("../../settings/tests/shipped/2.8.properties")),
        ("3.9", include_str!("../../settings/tests/shipped/3.9.properties")),
    ] {
        let house = House::new().await;
        let file = Properties::parse(file, version).unwrap();
        // What a test cannot share with others, and what would make it wait.
        let mut overrides = Properties::default();
        let fixed = house.config(&[]);
        for key in [
            "listeners",
            "log.dir",
            "zookeeper.connect",
            "offsets.topic.num.partitions",
            "group.initial.rebalance.delay.ms",
        ] {
            overrides.set(key, fixed.given().get(key).unwrap());
        }
        overrides.set("log.dirs", house.log_dir().to_str().unwrap());
        let config = BrokerConfig::from_properties(&file, &overrides).unwrap();
        let server = vltava_broker::server::Server::start(config).await.unwrap();
        let mut client = Client::connect(&server).await;
        client.create("orders", 1, &[]).await;
        client.until_coordinated("group").await;
        client.until_led("__consumer_offsets", 4).await;
        until("the coordinator is loaded", async || describe_is_loaded(&server).await).await;
        let member = join(&mut client, 0, &Wish::of("group")).await.unwrap();
        assert_eq!(sync(&mut client, 0, &member, b"all of it").await.unwrap(), b"all of it", "{version}");
        let note = Note { offset: 5, note: "", retention_ms: -1 };
        assert_eq!(commit(&mut client, 2, &member, note).await, ErrorCode::None, "{version}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_serves_a_member_for_its_whole_life() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[]).await;
    client.create("orders", 1, &[]).await;
    for version in 0..=9_i16 {
        let group = format!("life-{version}");
        let member = join(&mut client, version, &Wish::of(&group)).await.unwrap();
        assert_eq!(member.generation, 1);
        assert_eq!(sync(&mut client, version.min(5), &member, b"all of it").await.unwrap(), b"all of it");
        assert_eq!(heartbeat(&mut client, version.min(4), &member).await, ErrorCode::None);
        let late = Member { generation: 0, ..member.clone() };
        assert_eq!(heartbeat(&mut client, version.min(4), &late).await, ErrorCode::IllegalGeneration);

        let commit_version = (version + 1).min(10);
        let note = Note { offset: 40 + i64::from(version), note: "so far", retention_ms: -1 };
        assert_eq!(commit(&mut client, commit_version, &member, note).await, ErrorCode::None);
        for fetch_version in 1..=10 {
            let epoch = if fetch_version < 5 || commit_version < 6 { -1 } else { 0 };
            let expected = (note.offset, epoch, "so far".to_owned(), ErrorCode::None);
            assert_eq!(
                committed(&mut client, fetch_version, &group).await,
                expected,
                "OffsetFetch {fetch_version}"
            );
        }

        let (state, code, described) = describe(&mut client, version.min(6), &group).await;
        assert_eq!((state.as_str(), code), ("Stable", ErrorCode::None));
        let (id, name, host, metadata, part) = described.unwrap();
        assert_eq!((id.as_str(), name.as_str(), host.as_str()), (&*member.id, "walker", "/127.0.0.1"));
        assert_eq!((&*metadata, &*part), (SUBSCRIPTION, &b"all of it"[..]));
        let list_version = version.min(5);
        let list = ListGroupsRequest {
            states_filter: if list_version >= 4 { vec!["Stable".into()] } else { vec![] },
            types_filter: if list_version >= 5 { vec!["Classic".into()] } else { vec![] },
            ..Default::default()
        };
        let listed = client
            .ask(list_version, &list, |answer| {
                let found =
                    answer.groups.iter().find(|found| *found.group_id == *group).expect("it is listed");
                (found.protocol_type.to_string(), found.group_state.to_string(), found.group_type.to_string())
            })
            .await;
        let expected = (
            "consumer".to_owned(),
            if list_version >= 4 { "Stable".to_owned() } else { String::new() },
            if list_version >= 5 { "classic".to_owned() } else { String::new() },
        );
        assert_eq!(listed, expected, "ListGroups {list_version}");

        let delete = DeleteGroupsRequest { groups_names: vec![group.as_str().into()], ..Default::default() };
        let code =
            client.ask(version.min(3), &delete, |answer| ErrorCode::of(answer.results[0].error_code)).await;
        assert_eq!(code, ErrorCode::NonEmptyGroup);
        assert_eq!(leave(&mut client, version.min(5), &member).await, ErrorCode::None);
        assert_eq!(heartbeat(&mut client, version.min(4), &member).await, ErrorCode::UnknownMemberId);
        assert_eq!(describe(&mut client, version.min(6), &group).await.0, "Empty");
        let forget = OffsetDeleteRequest {
            group_id: group.as_str().into(),
            topics: vec![OffsetDeleteRequestTopic {
                name: "orders".into(),
                partitions: vec![OffsetDeleteRequestPartition { partition_index: 0 }],
            }],
        };
        if version % 2 == 0 {
            assert_eq!(client.ask(0, &forget, |answer| answer.topics[0].partitions[0].error_code).await, 0);
            assert_eq!(committed(&mut client, 5, &group).await.0, -1);
        } else {
            let code = client
                .ask(version.min(3), &delete, |answer| ErrorCode::of(answer.results[0].error_code))
                .await;
            assert_eq!(code, ErrorCode::None);
            assert_eq!(committed(&mut client, 5, &group).await.0, -1);
        }
        let (state, code, _) = describe(&mut client, version.min(6), &group).await;
        let gone = if version >= 6 { ErrorCode::GroupIdNotFound } else { ErrorCode::None };
        assert_eq!((state.as_str(), code), ("Dead", gone), "DescribeGroups {version}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_static_member_comes_back_under_its_name_and_its_former_self_is_fenced() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[]).await;
    let wish = Wish { instance: Some("worker-1"), ..Wish::of("static") };
    let first = join(&mut client, 5, &wish).await.unwrap();
    sync(&mut client, 3, &first, b"part").await.unwrap();
    let second = join(&mut client, 5, &wish).await.unwrap();
    assert_ne!(second.id, first.id);
    assert_eq!(second.generation, first.generation, "nobody else rebalances for it");
    assert_eq!(heartbeat(&mut client, 3, &first).await, ErrorCode::FencedInstanceId);
    assert_eq!(heartbeat(&mut client, 3, &second).await, ErrorCode::None);
    assert_eq!(sync(&mut client, 3, &second, b"").await.unwrap(), b"part", "and keeps its part");
    // An administrator removes it by its name (KIP-345).
    let identity = MemberIdentity { group_instance_id: Some("worker-1".into()), ..Default::default() };
    let request =
        LeaveGroupRequest { group_id: "static".into(), members: vec![identity], ..Default::default() };
    assert_eq!(
        client.ask(3, &request, |answer| (answer.error_code, answer.members[0].error_code)).await,
        (0, 0)
    );
    assert_eq!(heartbeat(&mut client, 3, &second).await, ErrorCode::UnknownMemberId);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_owner_limits_is_limited() {
    let house = House::new().await;
    let limits = [
        ("group.max.size", "1"),
        ("group.min.session.timeout.ms", "7000"),
        ("group.max.session.timeout.ms", "90000"),
        ("offset.metadata.max.bytes", "10"),
    ];
    let (server, mut client) = ready(&house, &limits).await;
    client.create("orders", 1, &[]).await;
    for (session_ms, allowed) in [(6_999, false), (7_000, true), (90_001, false)] {
        let group = format!("session-{session_ms}");
        let joined = join(&mut client, 3, &Wish { session_ms, ..Wish::of(&group) }).await;
        assert_eq!(joined.is_ok(), allowed, "{session_ms}: {joined:?}");
        assert!(allowed || joined == Err(ErrorCode::InvalidSessionTimeout), "{joined:?}");
    }
    let member = join(&mut client, 3, &Wish::of("small")).await.unwrap();
    sync(&mut client, 2, &member, b"").await.unwrap();
    assert_eq!(join(&mut client, 3, &Wish::of("small")).await, Err(ErrorCode::GroupMaxSizeReached));
    let note = |note| Note { offset: 1, note, retention_ms: -1 };
    assert_eq!(commit(&mut client, 5, &member, note("0123456789a")).await, ErrorCode::OffsetMetadataTooLarge);
    assert_eq!(committed(&mut client, 5, "small").await.0, -1);
    assert_eq!(commit(&mut client, 5, &member, note("0123456789")).await, ErrorCode::None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_rebalance_waits_for_others() {
    let house = House::new().await;
    let delay = [("group.initial.rebalance.delay.ms", "1500")];
    let (server, mut client) = ready(&house, &delay).await;
    let mut other = Client::connect(&server).await;
    let began = Instant::now();
    let wish = Wish::of("together");
    let (first, second) = tokio::join!(join(&mut client, 3, &wish), join(&mut other, 3, &wish));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.generation, second.generation), (1, 1), "both in one generation");
    assert!(began.elapsed() >= Duration::from_millis(1500), "{:?}", began.elapsed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_coordinator_knows_its_members_however_large() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[]).await;
    client.create("orders", 1, &[]).await;
    let metadata = vec![7; 400_000];
    let member = join(&mut client, 3, &Wish { metadata: &metadata, ..Wish::of("large") }).await.unwrap();
    let part = vec![9; 400_000];
    assert_eq!(sync(&mut client, 2, &member, &part).await.unwrap(), part);
    let note = Note { offset: 11, note: "kept", retention_ms: -1 };
    assert_eq!(commit(&mut client, 5, &member, note).await, ErrorCode::None);
    server.stop().await;

    let (server, mut client) = ready(&house, &[]).await;
    assert_eq!(heartbeat(&mut client, 2, &member).await, ErrorCode::None, "its session goes on");
    let (state, _, described) = describe(&mut client, 2, "large").await;
    let (id, name, _, kept, assigned) = described.unwrap();
    assert_eq!((state.as_str(), &*id, name.as_str()), ("Stable", &*member.id, "walker"));
    assert!(kept == metadata && assigned == part);
    assert_eq!(committed(&mut client, 5, "large").await, (11, -1, "kept".to_owned(), ErrorCode::None));
    // What a record can't hold is refused, and the group goes on without it.
    let metadata = vec![7; 1_100_000];
    let member = join(&mut client, 3, &Wish { metadata: &metadata, ..Wish::of("too-large") }).await.unwrap();
    assert!(sync(&mut client, 2, &member, b"part").await.is_err());
    let again = Wish { id: member.id.clone(), ..Wish::of("too-large") };
    let again = join(&mut client, 3, &again).await.unwrap();
    assert!(again.generation > member.generation);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_cannot_be_read_are_not_waited_for_and_come_back_when_they_can() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[]).await;
    client.create("orders", 1, &[]).await;
    let nobody = Member { group: "kept".to_owned(), id: String::new(), instance: None, generation: -1 };
    let note = Note { offset: 11, note: "", retention_ms: -1 };
    assert_eq!(commit(&mut client, 5, &nobody, note).await, ErrorCode::None);
    server.stop().await;

    // The first record's length, behind the header of its batch.
    let partition = vltava_cluster::groups::partition_for("kept", 4);
    let log = format!("__consumer_offsets-{partition}/00000000000000000000.log");
    let file = std::fs::File::options().read(true).write(true).open(house.log_dir().join(log)).unwrap();
    let mut length = [0];
    file.read_exact_at(&mut length, 61).unwrap();
    file.write_all_at(&[0x7f], 61).unwrap();
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    client.until_led("__consumer_offsets", 4).await;
    until("nobody is told to wait", async || {
        committed(&mut client, 1, "kept").await.3 == ErrorCode::NotCoordinator
    })
    .await;
    let listed = client.ask(4, &ListGroupsRequest::default(), |answer| answer.error_code).await;
    assert_eq!(listed, 0, "the other partitions' groups are listed whole");

    file.write_all_at(&length, 61).unwrap();
    until("the coordinator tries again", async || {
        committed(&mut client, 1, "kept").await == (11, -1, String::new(), ErrorCode::None)
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn offsets_past_their_time_are_forgotten_for_good() {
    let house = House::new().await;
    let often = [("offsets.retention.check.interval.ms", "50")];
    let (server, mut client) = ready(&house, &often).await;
    client.create("orders", 1, &[]).await;
    let nobody =
        |group: &str| Member { group: group.to_owned(), id: String::new(), instance: None, generation: -1 };
    // Clients of 0.9 to 2.0 could say how long.
    let short = Note { offset: 3, note: "", retention_ms: 1 };
    assert_eq!(commit(&mut client, 2, &nobody("short"), short).await, ErrorCode::None);
    let long = Note { offset: 4, note: "", retention_ms: 3_600_000 };
    assert_eq!(commit(&mut client, 2, &nobody("long"), long).await, ErrorCode::None);
    let usual = Note { offset: 5, note: "", retention_ms: -1 };
    assert_eq!(commit(&mut client, 5, &nobody("usual"), usual).await, ErrorCode::None);
    until("the short one expires", async || committed(&mut client, 5, "short").await.0 == -1).await;
    server.stop().await;
    // Its tombstone is read like any other record.
    let (server, mut client) = ready(&house, &[]).await;
    for (group, offset) in [("short", -1), ("long", 4), ("usual", 5)] {
        assert_eq!(committed(&mut client, 5, group).await.0, offset, "{group}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_deleted_though_its_tombstones_do_not_fit_in_one_batch() {
    const PARTITIONS: i32 = 60;
    let house = House::new().await;
    let small = [("message.max.bytes", "1000")];
    let (server, mut client) = ready(&house, &small).await;
    client.create("orders", PARTITIONS, &[]).await;
    for chunk in 0..PARTITIONS / 5 {
        let partition = |partition_index| OffsetCommitRequestPartition {
            partition_index,
            committed_offset: 7,
            committed_leader_epoch: -1,
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: "large".into(),
            generation_id_or_member_epoch: -1,
            topics: vec![OffsetCommitRequestTopic {
                name: "orders".into(),
                partitions: (chunk * 5..chunk * 5 + 5).map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let done = |answer: &vltava_protocol::messages::OffsetCommitResponse<'_>| {
            answer.topics[0].partitions.iter().all(|partition| partition.error_code == 0)
        };
        assert!(client.ask(7, &request, |answer| done(&answer)).await, "chunk {chunk}");
    }
    let request = DeleteGroupsRequest { groups_names: vec!["large".into()], ..Default::default() };
    let code = client.ask(2, &request, |answer| ErrorCode::of(answer.results[0].error_code)).await;
    assert_eq!(code, ErrorCode::None);
    assert_eq!(committed(&mut client, 5, "large").await.0, -1);
    server.stop().await;
    let (server, mut client) = ready(&house, &small).await;
    assert_eq!(committed(&mut client, 5, "large").await.0, -1, "the tombstones are in the log");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn version_0_keeps_offsets_in_zookeeper() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[]).await;
    client.create("orders", 1, &[]).await;
    let nobody = Member { group: "ancient".to_owned(), id: String::new(), instance: None, generation: -1 };
    assert_eq!(committed(&mut client, 0, "ancient").await.3, ErrorCode::UnknownTopicOrPartition);
    let note = Note { offset: 42, note: "", retention_ms: -1 };
    assert_eq!(commit(&mut client, 0, &nobody, note).await, ErrorCode::None);
    let (offset, _, _, code) = committed(&mut client, 0, "ancient").await;
    assert_eq!((offset, code), (42, ErrorCode::None));
    let (data, _) = house.session().await.read("/consumers/ancient/offsets/orders/0").await.unwrap().unwrap();
    assert_eq!(data, b"42");
    assert_eq!(committed(&mut client, 1, "ancient").await.0, -1, "the log has none");
    server.stop().await;
}
