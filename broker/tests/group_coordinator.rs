//! Consumer groups through sockets: each version of each API over a member's whole life, and what the owner limits.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;
mod members;

use std::time::{Duration, Instant};

use house::{Client, House, until};
use members::{
    Member, Note, SUBSCRIPTION, Wish, commit, committed, describe, describe_is_loaded, heartbeat, join,
    leave, ready, sync,
};
use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteGroupsRequest, LeaveGroupRequest, ListGroupsRequest, OffsetDeleteRequest,
        leave_group::MemberIdentity,
        offset_delete::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
    },
};
use vltava_settings::{BrokerConfig, Properties};

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
