//! Fetch, version by version.

use std::time::Duration;

use vltava_broker::{
    net::{Answer, Piece},
    partitions::{
        Isolation, Query, Round, TopicConfig,
        fetch_sessions::{TopicRef, Wanted},
        now_ms,
    },
};
use vltava_protocol::{
    ErrorCode,
    messages::{
        FetchRequest, LeaderAndIsrRequest,
        fetch::{FetchPartition, FetchTopic},
        leader_and_isr::{LeaderAndIsrPartitionState, LeaderAndIsrTopicState},
    },
    records::BatchOptions,
};
use vltava_testkit::skip::skip;

use crate::harness::{House, PATIENCE, batch, decoded, fetch, on_the_wire, produce, topic_id, values};

/// Versions that carry batches of magic 2.
const VERSIONS: std::ops::RangeInclusive<i16> = 4..=18;

async fn filled(values: &[&str]) -> House {
    let house = House::new();
    house.lead("t", 2);
    for value in values {
        let records = batch(&[value], BatchOptions::default());
        let (error, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
        assert_eq!(error, 0);
    }
    house
}

#[tokio::test]
async fn every_version_reads_from_an_offset_on() {
    let house = filled(&["a", "b", "c"]).await;
    for version in VERSIONS {
        let found = house.fetched(version, &fetch("t", 0, 1)).await;
        assert_eq!(found.values, [(1, "b".to_owned()), (2, "c".to_owned())], "version {version}");
        assert_eq!(
            (found.error, found.high_watermark, found.last_stable_offset),
            (0, 3, 3),
            "version {version}"
        );
        assert_eq!(found.log_start, if version >= 5 { 0 } else { -1 }, "version {version}");
    }
}

/// The clock is the runtime's own and leaps to the end of any sleep: who sleeps sleeps all its time.
#[tokio::test(start_paused = true)]
async fn a_poll_does_not_sleep_through_a_change_of_leaders_that_came_before_it_lay_down() {
    let house = House::new();
    house.lead("t", 1);
    let wanted = [Wanted {
        topic: TopicRef::Name("t".into()),
        partition: 0,
        fetch_offset: 0,
        max_bytes: 1 << 20,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
    }];
    let query = Query {
        isolation: Isolation::ReadUncommitted,
        replica: None,
        replica_epoch: -1,
        leader_only: false,
        hard_limit: false,
        max_bytes: 1 << 20,
        min_bytes: 1,
    };
    let round = Round::look(&house.broker.replicas, &wanted, &query);
    assert!(!round.suffices(&query));
    house.assign("t", 1, 8, &[8], 1);
    assert!(round.wait(&query, PATIENCE).await, "there is a new leader to tell of");
}

#[tokio::test]
async fn an_offset_inside_a_batch_brings_the_whole_batch() {
    let house = House::new();
    house.lead("t", 1);
    let records = batch(&["a", "b", "c"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let found = house.fetched(12, &fetch("t", 0, 2)).await;
    assert_eq!(found.values.len(), 3);
}

#[tokio::test]
async fn large_records_leave_as_a_slice_of_their_file_and_are_the_same() {
    let house = House::new();
    house.lead("t", 1);
    let value = "x".repeat(100_000);
    let records = batch(&[&value], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let bytes = house.bytes(12, &fetch("t", 0, 0)).await;
    decoded::<FetchRequest<'_>, _>(12, &bytes, |response| {
        let records =
            response.responses[0].partitions[0].records.as_ref().unwrap().as_bytes().unwrap().to_vec();
        assert!(values(&records) == [(0, value)], "other records came back");
    });
}

#[tokio::test]
async fn a_request_for_more_partitions_than_any_client_has_is_refused() {
    let house = filled(&["a"]).await;
    let mut request = fetch("t", 0, 0);
    request.topics[0].partitions.resize(200_000, FetchPartition { partition: 9, ..Default::default() });
    assert!(!house.bytes(12, &request).await.is_empty());
    request.topics[0].partitions.push(FetchPartition::default());
    assert!(house.bytes(12, &request).await.is_empty(), "nothing is answered");
    // Elements so small on the wire that they would take ten times as much memory as the frame.
    let topics = vec![FetchTopic::default(); 1_000_000];
    assert!(house.bytes(0, &FetchRequest { topics, ..Default::default() }).await.is_empty());
}

#[tokio::test]
async fn errors_name_what_is_wrong_with_the_partition() {
    let house = filled(&["a"]).await;
    house.assign("followed", 1, 8, &[8], 0);
    for (version, topic, index, offset, expected) in [
        (12, "t", 0, 2, ErrorCode::OffsetOutOfRange),
        (12, "t", 0, -1, ErrorCode::OffsetOutOfRange),
        (12, "t", 9, 0, ErrorCode::UnknownTopicOrPartition),
        (12, "nobody", 0, 0, ErrorCode::UnknownTopicOrPartition),
        (13, "nobody", 0, 0, ErrorCode::UnknownTopicId),
        (10, "followed", 0, 0, ErrorCode::NotLeaderOrFollower),
    ] {
        let found = house.fetched(version, &fetch(topic, index, offset)).await;
        assert_eq!(
            (found.error, found.high_watermark),
            (expected.code(), -1),
            "{topic}-{index}@{offset} v{version}"
        );
    }
}

#[tokio::test]
async fn leader_epochs_are_compared() {
    let house = filled(&["a"]).await;
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID], 3);
    for (epoch, expected) in [
        (-1, ErrorCode::None),
        (3, ErrorCode::None),
        (2, ErrorCode::FencedLeaderEpoch),
        (4, ErrorCode::UnknownLeaderEpoch),
    ] {
        let mut request = fetch("t", 0, 0);
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        assert_eq!(house.fetched(12, &request).await.error, expected.code(), "epoch {epoch}");
    }
}

#[tokio::test]
async fn a_diverging_log_is_told_where_its_epoch_ends() {
    let house = filled(&["a", "b"]).await;
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID], 3);
    let records = batch(&["c"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let mut request = fetch("t", 0, 3);
    request.topics[0].partitions[0].last_fetched_epoch = 0;
    house
        .ask(12, &request, |response| {
            let answer = &response.responses[0].partitions[0];
            assert_eq!((answer.diverging_epoch.epoch, answer.diverging_epoch.end_offset), (0, 2));
            assert!(answer.records.as_ref().unwrap().is_empty());
        })
        .await;
}

#[tokio::test]
async fn a_diverging_log_that_lies_below_the_log_start_is_out_of_range() {
    let house = filled(&["a", "b"]).await;
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID], 3);
    let delete = crate::offsets::delete("t", 0, 1);
    assert_eq!(house.ask(2, &delete, |r| r.topics[0].partitions[0].low_watermark).await, 1);
    for (offset, expected) in [(0, ErrorCode::OffsetOutOfRange), (1, ErrorCode::None)] {
        let mut request = fetch("t", 0, offset);
        request.topics[0].partitions[0].last_fetched_epoch = 2;
        let answer = house.ask(12, &request, |response| {
            let answer = &response.responses[0].partitions[0];
            (answer.error_code, answer.diverging_epoch.epoch)
        });
        let (error, epoch) = answer.await;
        assert_eq!(error, expected.code(), "offset {offset}");
        assert_eq!(epoch, if offset == 0 { -1 } else { 0 }, "offset {offset}");
    }
}

#[tokio::test]
async fn the_first_batch_comes_whole_and_no_batch_is_cut_off_behind_it() {
    let house = filled(&["first", "second"]).await;
    let one = house.partition("t", 0).reader().size() as i32 / 2;
    for (version, max_bytes, count) in [(12, 1, 1), (12, one + 1, 1), (12, 1 << 20, 2), (3, 1, 1)] {
        if version < 4 {
            continue;
        }
        let mut request = fetch("t", 0, 0);
        request.topics[0].partitions[0].partition_max_bytes = max_bytes;
        house
            .ask(version, &request, |response| {
                let records = response.responses[0].partitions[0]
                    .records
                    .as_ref()
                    .unwrap()
                    .as_bytes()
                    .unwrap()
                    .to_vec();
                let whole = vltava_protocol::records::Batches::new(&records, usize::MAX)
                    .filter(Result::is_ok)
                    .count();
                assert_eq!(whole, count, "{max_bytes} bytes");
            })
            .await;
    }
}

#[tokio::test]
async fn partitions_share_the_bytes_of_a_response() {
    let house = filled(&["a"]).await;
    let records = batch(&["b"], BatchOptions::default());
    house.produced(9, &produce("t", 1, 1, &records)).await;
    let mut request = fetch("t", 0, 0);
    request.topics[0].partitions.push(FetchPartition {
        partition: 1,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    });
    let lengths = |request: FetchRequest<'static>| {
        let house = &house;
        async move {
            house
                .ask(12, &request, |response| {
                    let partitions = &response.responses[0].partitions;
                    partitions.iter().map(|p| p.records.as_ref().unwrap().len()).collect::<Vec<_>>()
                })
                .await
        }
    };
    let both = lengths(request.clone().into_owned()).await;
    assert!(both.iter().all(|length| *length > 0));
    request.max_bytes = 1;
    assert_eq!(lengths(request.into_owned()).await, [both[0], 0]);
}

#[tokio::test]
async fn a_poll_sleeps_until_records_come() {
    let house = filled(&[]).await;
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 600_000;
    let Answer::Later(poll) = house.begin(12, &request) else { panic!("there is nothing to answer with") };
    let poll = tokio::spawn(poll);
    let partition = house.partition("t", 0);
    wait_until(|| partition.waits.len() == 1).await;
    let records = batch(&["v"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let bytes = on_the_wire(&tokio::time::timeout(PATIENCE, poll).await.expect("it sleeps on").unwrap());
    decoded::<FetchRequest<'_>, _>(12, &bytes, |response| {
        assert!(!response.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    });
    assert!(partition.waits.is_empty());
}

#[tokio::test]
async fn a_poll_for_many_bytes_is_not_woken_by_few() {
    let house = filled(&[]).await;
    let records = batch(&[&"x".repeat(1000)], BatchOptions::default());
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 600_000;
    request.min_bytes = i32::try_from(records.len()).unwrap() * 3;
    let Answer::Later(poll) = house.begin(12, &request) else { panic!("there is nothing to answer with") };
    let poll = tokio::spawn(poll);
    let partition = house.partition("t", 0);
    wait_until(|| partition.waits.len() == 1).await;
    for _ in 0..2 {
        house.produced(9, &produce("t", 0, 1, &records)).await;
        assert_eq!(partition.waits.len(), 1, "it still sleeps");
    }
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let bytes = on_the_wire(&tokio::time::timeout(PATIENCE, poll).await.expect("it sleeps on").unwrap());
    decoded::<FetchRequest<'_>, _>(12, &bytes, |response| {
        assert_eq!(response.responses[0].partitions[0].records.as_ref().unwrap().len(), records.len() * 3);
    });
}

#[tokio::test(start_paused = true)]
async fn a_poll_answers_empty_when_its_time_is_up() {
    let house = filled(&[]).await;
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 500;
    let before = tokio::time::Instant::now();
    let found = house.fetched(12, &request).await;
    assert_eq!((found.error, found.values.len()), (0, 0));
    assert_eq!(before.elapsed().as_millis() / 10 * 10, 500);
    assert!(house.partition("t", 0).waits.is_empty());
}

#[tokio::test]
async fn a_poll_that_is_dropped_leaves_its_places() {
    let house = filled(&[]).await;
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 600_000;
    let Answer::Later(poll) = house.begin(12, &request) else { panic!("there is nothing to answer with") };
    let poll = tokio::spawn(poll);
    let partition = house.partition("t", 0);
    wait_until(|| partition.waits.len() == 1).await;
    poll.abort();
    wait_until(|| partition.waits.is_empty()).await;
}

#[tokio::test]
async fn losing_leadership_ends_a_poll() {
    let house = filled(&[]).await;
    let mut request = fetch("t", 0, 0);
    request.max_wait_ms = 600_000;
    let Answer::Later(poll) = house.begin(10, &request) else { panic!("there is nothing to answer with") };
    let poll = tokio::spawn(poll);
    let partition = house.partition("t", 0);
    wait_until(|| partition.waits.len() == 1).await;
    house.assign("t", 1, 8, &[8], 1);
    let bytes = on_the_wire(&tokio::time::timeout(PATIENCE, poll).await.expect("it sleeps on").unwrap());
    decoded::<FetchRequest<'_>, _>(10, &bytes, |response| {
        let code = response.responses[0].partitions[0].error_code;
        assert_eq!(code, ErrorCode::NotLeaderOrFollower.code());
    });
}

#[tokio::test]
async fn a_session_names_only_what_changed() {
    for version in [7, 12, 13, 18] {
        let house = filled(&["a"]).await;
        let mut full = fetch("t", 0, 0);
        full.session_epoch = 0;
        full.topics[0].partitions.push(FetchPartition {
            partition: 1,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        });
        let (session, told) =
            house.ask(version, &full, |r| (r.session_id, r.responses[0].partitions.len())).await;
        assert!(session != 0, "version {version}");
        assert_eq!(told, 2);
        let mut next =
            FetchRequest { session_id: session, session_epoch: 1, topics: vec![], ..fetch("t", 0, 0) };
        // The client moves on to offset 1, where there is nothing new.
        next.topics = fetch("t", 0, 1).topics;
        assert_eq!(
            house.ask(version, &next, |r| (r.error_code, r.session_id, r.responses.len())).await,
            (0, session, 0)
        );
        let counted = house.partition("t", 0).topic.metrics.fetch_requests.get();
        assert_eq!(counted, 4, "version {version}: both partitions were looked at twice");
        let records = batch(&["b"], BatchOptions::default());
        house.produced(9, &produce("t", 1, 1, &records)).await;
        next.topics.clear();
        next.session_epoch = 2;
        let (index, length) = house
            .ask(version, &next, |r| {
                assert_eq!(r.responses.len(), 1);
                if version >= 13 {
                    assert_eq!(r.responses[0].topic_id, topic_id("t"));
                } else {
                    assert_eq!(r.responses[0].topic, "t");
                }
                let answer = &r.responses[0].partitions[0];
                (answer.partition_index, answer.records.as_ref().unwrap().len())
            })
            .await;
        assert_eq!(index, 1);
        assert!(length > 0);
        next.session_epoch = 2;
        let error = house.ask(version, &next, |r| r.error_code).await;
        assert_eq!(error, ErrorCode::InvalidFetchSessionEpoch.code());
        next.session_id = session ^ 1;
        let error = house.ask(version, &next, |r| r.error_code).await;
        assert_eq!(error, ErrorCode::FetchSessionIdNotFound.code());
    }
}

#[tokio::test]
async fn a_consumer_sees_only_what_is_committed_and_a_follower_everything() {
    let house = House::new();
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID, 8], 0);
    let records = batch(&["v"], BatchOptions::default());
    let request = produce("t", 0, 1, &records);
    house.produced(9, &request).await;
    assert_eq!(house.fetched(12, &fetch("t", 0, 0)).await.values.len(), 0);
    let partition = house.partition("t", 0);
    assert_eq!(partition.readable_end(Isolation::ReadUncommitted), 0);
    let mut following = fetch("t", 0, 0);
    following.replica_id = 8;
    assert_eq!(house.fetched(12, &following).await.values.len(), 1);
    following.topics[0].partitions[0].fetch_offset = 1;
    assert_eq!(house.fetched(12, &following).await.high_watermark, 1);
    assert_eq!(house.fetched(12, &fetch("t", 0, 0)).await.values.len(), 1);
}

/// Anybody can send a fetch that says it is a follower's. It may not hold back what is committed, now or later.
#[tokio::test]
async fn a_fetch_that_says_it_is_a_followers_keeps_no_high_watermark_back() {
    let house = House::new();
    house.lead("t", 1);
    let me = crate::harness::ID;
    let request = LeaderAndIsrRequest {
        controller_id: me,
        topic_states: vec![LeaderAndIsrTopicState {
            topic_name: "t".into(),
            topic_id: topic_id("t"),
            partition_states: vec![LeaderAndIsrPartitionState {
                leader: me,
                leader_epoch: 1,
                partition_epoch: 1,
                isr: vec![me],
                replicas: vec![me, 8],
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = house.broker.replicas.leader_and_isr(&request, now_ms());
    assert_eq!(answer.partition_errors[0].error_code, 0);
    let mut following = FetchRequest { replica_id: 9, ..fetch("t", 0, 0) };
    let refused = house.fetched(12, &following).await;
    assert_eq!(refused.error, ErrorCode::NotLeaderOrFollower.code(), "9 is no replica");
    following.topics[0].partitions[0].current_leader_epoch = 1;
    let refused = house.fetched(12, &following).await;
    assert_eq!(refused.error, ErrorCode::UnknownLeaderEpoch.code(), "9 knows more than we do");
    following.replica_id = 8;
    assert_eq!(house.fetched(12, &following).await.error, 0);
    let partition = house.partition("t", 0);
    let isr = partition.with_replication(|replication| {
        (replication.isr().committed().to_vec(), replication.pending_isr().cloned())
    });
    let (committed, pending) = isr;
    assert_eq!(committed, vec![me]);
    assert_eq!(pending.expect("it has caught up and may join").members, [me, 8]);
    // Until the controller has answered both sets count: what it has not fetched is not committed.
    let records = batch(&["v"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    assert_eq!(partition.high_watermark(), 0);
    partition
        .follower_fetched(vltava_cluster::replication::FollowerFetch {
            follower: 8,
            broker_epoch: -1,
            leader_epoch: -1,
            log_end: 1,
            log_start: 0,
        })
        .unwrap();
    assert_eq!(partition.high_watermark(), 1);
}

async fn wait_until(mut condition: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !condition() {
        assert!(std::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn what_is_not_cached_is_looked_for_on_another_thread() {
    let directory = tempfile::tempdir().unwrap();
    let records = batch(&["old"], BatchOptions::default());
    // A segment for each: only the last one's files are opened at a start.
    let config = |_: &str| {
        TopicConfig::new(vltava_log::LogConfig { segment_bytes: 100, ..Default::default() }, 1, None)
    };
    {
        let house = House::over(directory.path(), config);
        house.lead("t", 1);
        for _ in 0..2 {
            assert_eq!(house.produced(9, &produce("t", 0, 1, &records)).await.0, 0);
        }
        house.broker.replicas.close(1);
    }
    let house = House::over(directory.path(), config);
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID], 1);
    let Answer::Later(answer) = house.begin(12, &fetch("t", 0, 0)) else {
        panic!("a network thread read the disk")
    };
    let bytes = on_the_wire(&answer.await);
    decoded::<FetchRequest<'_>, _>(12, &bytes, |response| {
        let read = response.responses[0].partitions[0].records.as_ref().unwrap().as_bytes().unwrap().to_vec();
        assert_eq!(values(&read), [(0, "old".to_owned())]);
    });
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let Answer::Now(_) = house.begin(12, &fetch("t", 0, 2)) else {
        panic!("a recent record needs no other thread")
    };
    // Now that its files are open and in the page cache, the old one needs none either, where the file system says what is cached.
    let log = directory.path().join("t-0/00000000000000000000.log");
    let log = std::fs::File::open(log).unwrap();
    log.sync_all().unwrap();
    let is_cached = || {
        let mut byte = [0];
        let mut into = [std::io::IoSliceMut::new(&mut byte)];
        rustix::io::preadv2(&log, &mut into, 0, rustix::io::ReadWriteFlags::NOWAIT).is_ok()
    };
    if !is_cached() {
        return skip("cached records at once", "this file system does not say what is cached");
    }
    let at_once = || matches!(house.begin(12, &fetch("t", 0, 0)), Answer::Now(_));
    assert!(at_once(), "a cached record needs no other thread");
    let forget = || rustix::fs::fadvise(&log, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    forget();
    // Asked before the file system is: asking makes the kernel begin to read.
    if at_once() {
        forget();
        assert!(is_cached(), "a network thread read the disk");
        skip("cold records later", "this file system does not let go of cached pages");
    }
}

/// Small pieces are copied, but not so many that a client that reads slowly holds much of our memory.
#[tokio::test]
async fn a_response_of_many_partitions_holds_little_of_them_in_memory() {
    const PARTITIONS: i32 = 100;
    let house = House::new();
    house.lead("t", PARTITIONS);
    let value = "v".repeat(10_000);
    let mut request = FetchRequest { max_bytes: 50 << 20, ..fetch("t", 0, 0) };
    let first = request.topics[0].partitions.remove(0);
    for partition in 0..PARTITIONS {
        let records = batch(&[&value], BatchOptions::default());
        assert_eq!(house.produced(9, &produce("t", partition, 1, &records)).await.0, 0);
        request.topics[0].partitions.push(FetchPartition { partition, ..first.clone() });
    }
    let response = house.begin(12, &request).response().await;
    let in_memory =
        response.pieces().iter().map(|piece| if let Piece::Bytes(_) = piece { piece.len() } else { 0 });
    let in_memory: u64 = in_memory.sum();
    assert!((30_000..80_000).contains(&in_memory), "{in_memory}");
    decoded::<FetchRequest<'_>, _>(12, &on_the_wire(&response), |response| {
        for answer in &response.responses[0].partitions {
            let records = answer.records.as_ref().unwrap().as_bytes().unwrap();
            assert!(values(records) == [(0, value.clone())], "other records came back");
        }
    });
}
