//! What a coordinator keeps of its groups: across restarts, until it expires or is deleted, and on disk before it is answered.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;
mod members;

use std::os::unix::fs::FileExt;

use house::{Client, House, until};
use members::{Member, Note, Wish, commit, committed, describe, heartbeat, join, ready, sync};
use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteGroupsRequest, ListGroupsRequest, OffsetCommitRequest,
        offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    },
};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_on_disk_when_it_is_answered_where_that_is_asked_for() {
    let house = House::new().await;
    let (server, mut client) = ready(&house, &[("log.flush.interval.messages", "1")]).await;
    client.create("orders", 1, &[]).await;
    let nobody = Member { group: "kept".to_owned(), id: String::new(), instance: None, generation: -1 };
    let note = |offset| Note { offset, note: "", retention_ms: -1 };
    assert_eq!(commit(&mut client, 5, &nobody, note(11)).await, ErrorCode::None);
    // A flush makes the names of the directory durable too: one that is not there fails it, and the commit with it.
    let partition = vltava_cluster::groups::partition_for("kept", 4);
    let directory = house.log_dir().join(format!("__consumer_offsets-{partition}"));
    let aside = house.log_dir().join("aside");
    std::fs::rename(&directory, &aside).unwrap();
    assert_eq!(commit(&mut client, 5, &nobody, note(12)).await, ErrorCode::NotCoordinator);
    std::fs::rename(&aside, &directory).unwrap();
    assert_eq!(commit(&mut client, 5, &nobody, note(13)).await, ErrorCode::None);
    assert_eq!(committed(&mut client, 5, "kept").await.0, 13);
    server.stop().await;
}
