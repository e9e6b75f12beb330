//! Produce, version by version.

use vltava_broker::{net::Answer, partitions::TopicConfig};
use vltava_log::{CleanupPolicy, LogConfig};
use vltava_protocol::{
    ErrorCode,
    messages::ProduceRequest,
    records::{BatchOptions, Codec},
};

use crate::harness::{House, batch, decoded, fetch, message_set, on_the_wire, produce, topic_id};

const VERSIONS: std::ops::RangeInclusive<i16> = 0..=13;

/// Records as a client of that version sends them.
fn records_for(version: i16, codec: Codec, values: &[&str]) -> Vec<u8> {
    match version {
        0..=1 => message_set(0, codec, values),
        2 => message_set(1, codec, values),
        _ => batch(values, BatchOptions { codec, ..Default::default() }),
    }
}

#[tokio::test]
async fn every_version_appends_and_answers_the_base_offset() {
    for version in VERSIONS {
        let house = House::new();
        house.lead("t", 1);
        for (base, values) in [(0, ["a", "b"]), (2, ["c", "d"])] {
            let records = records_for(version, Codec::None, &values);
            let answer = house.produced(version, &produce("t", 0, -1, &records)).await;
            let log_start = if version >= 5 { 0 } else { -1 };
            assert_eq!(answer, (0, base, -1, log_start), "version {version}");
        }
        let found = house.fetched(12, &fetch("t", 0, 0)).await;
        let expected: Vec<_> = (0..).zip(["a", "b", "c", "d"].map(str::to_owned)).collect();
        assert_eq!(found.values, expected, "version {version}");
        assert_eq!(found.high_watermark, 4);
    }
}

#[tokio::test]
async fn every_codec_comes_back_as_it_was_sent() {
    let house = House::new();
    house.lead("t", 1);
    for (index, codec) in Codec::ALL.into_iter().enumerate() {
        let value = "v".repeat(1000);
        let records = batch(&[&value], BatchOptions { codec, ..Default::default() });
        let (error, base, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
        assert_eq!((error, base), (0, index as i64), "{codec:?}");
        let found = house.fetched(12, &fetch("t", 0, base)).await;
        assert_eq!(found.values, [(base, value)], "{codec:?}");
    }
}

#[tokio::test]
async fn zstd_needs_version_7() {
    let house = House::new();
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions { codec: Codec::Zstd, ..Default::default() });
    for (version, expected) in [(6, ErrorCode::UnsupportedCompressionType), (7, ErrorCode::None)] {
        let (error, ..) = house.produced(version, &produce("t", 0, 1, &records)).await;
        assert_eq!(error, expected.code(), "version {version}");
    }
}

#[tokio::test]
async fn the_answer_waits_for_the_flush_that_flush_messages_asks_for() {
    let config = LogConfig { flush_messages: 2, ..LogConfig::default() };
    let directory = tempfile::tempdir().unwrap();
    let house = House::over(directory.path(), move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    let request = produce("t", 0, 1, &records);
    let recovery_point = || {
        house.broker.replicas.storage().dirs().checkpoint();
        let table = vltava_log::OffsetCheckpoint::RecoveryPoint.read(directory.path()).unwrap();
        table[&vltava_log::TopicPartition::new("t", 0)]
    };
    assert!(matches!(house.begin(9, &request), Answer::Now(_)), "one record may be lost");
    assert_eq!(recovery_point(), 0);
    assert!(
        matches!(house.begin(9, &request), Answer::Later(_)),
        "two may not: nobody polled, so nothing is flushed"
    );
    assert_eq!(recovery_point(), 0);
    let (error, base, ..) = house.produced(9, &request).await;
    assert_eq!((error, base, recovery_point()), (0, 2, 3));
    // A flush that fails is no acknowledgement. What is missing is the partition's directory, not the disk.
    house.produced(9, &request).await;
    std::fs::rename(directory.path().join("t-0"), directory.path().join("aside")).unwrap();
    let (error, ..) = house.produced(9, &request).await;
    assert_eq!(error, ErrorCode::KafkaStorageError.code());
    let failed = house.broker.metrics.all_topics.failed_produce_requests.get();
    assert_eq!(failed, 1, "it is counted");
    std::fs::rename(directory.path().join("aside"), directory.path().join("t-0")).unwrap();
    let (error, ..) = house.produced(9, &request).await;
    assert_eq!((error, recovery_point()), (0, 6));
}

#[tokio::test]
async fn acks_0_gets_no_response_and_a_failure_closes_the_connection() {
    let house = House::new();
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    let Answer::Now(response) = house.begin(9, &produce("t", 0, 0, &records)) else { panic!("it waits") };
    assert!(response.pieces().is_empty() && response.refusal().is_none());
    assert_eq!(house.partition("t", 0).log_end(), 1);
    let Answer::Now(response) = house.begin(9, &produce("t", 5, 0, &records)) else { panic!("it waits") };
    let refusal = response.refusal().expect("the connection is closed");
    assert!(refusal.to_string().contains("t-5: UNKNOWN_TOPIC_OR_PARTITION"), "{refusal}");
}

#[tokio::test]
async fn other_acks_are_refused() {
    let house = House::new();
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    for acks in [-2, 2, i16::MAX] {
        let (error, base, ..) = house.produced(9, &produce("t", 0, acks, &records)).await;
        assert_eq!((error, base), (ErrorCode::InvalidRequiredAcks.code(), -1), "acks {acks}");
    }
    assert_eq!(house.partition("t", 0).log_end(), 0);
}

#[tokio::test]
async fn a_topic_that_is_not_here_is_unknown_or_led_elsewhere() {
    let house = House::new();
    house.lead("t", 1);
    house.assign("followed", 1, 8, &[8], 0);
    let records = batch(&["v"], BatchOptions::default());
    for (version, topic, index, expected) in [
        (9, "t", 1, ErrorCode::UnknownTopicOrPartition),
        (9, "nobody", 0, ErrorCode::UnknownTopicOrPartition),
        (13, "nobody", 0, ErrorCode::UnknownTopicId),
        (13, "t", 1, ErrorCode::UnknownTopicOrPartition),
        (9, "followed", 0, ErrorCode::NotLeaderOrFollower),
    ] {
        let (error, ..) = house.produced(version, &produce(topic, index, 1, &records)).await;
        assert_eq!(error, expected.code(), "{topic}-{index} version {version}");
    }
    house
        .ask(10, &produce("followed", 0, 1, &records), |response| {
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!((answer.current_leader.leader_id, answer.current_leader.leader_epoch), (8, 0));
        })
        .await;
}

#[tokio::test]
async fn records_that_may_not_be_are_named() {
    let compacted =
        LogConfig { cleanup_policy: CleanupPolicy::COMPACT, max_message_bytes: 500, ..LogConfig::default() };
    let house = House::with_config(move |_| TopicConfig::new(compacted.clone(), 1, None));
    house.lead("t", 1);
    let mut builder =
        vltava_protocol::records::BatchBuilder::new(Vec::new(), BatchOptions::default()).unwrap();
    builder.append(1, Some(b"k"), Some(b"v"), &[]).unwrap();
    builder.append(1, None, Some(b"v"), &[]).unwrap();
    let keyless = builder.finish().unwrap().0;
    house
        .ask(9, &produce("t", 0, 1, &keyless), |response| {
            let answer = &response.responses[0].partition_responses[0];
            assert_eq!(answer.error_code, ErrorCode::InvalidRecord.code());
            assert_eq!(answer.record_errors.len(), 1);
            assert_eq!(answer.record_errors[0].batch_index, 1);
            assert!(answer.error_message.is_some());
        })
        .await;
    let large = batch(&[&"x".repeat(1000)], BatchOptions::default());
    let (error, ..) = house.produced(9, &produce("t", 0, 1, &large)).await;
    assert_eq!(error, ErrorCode::MessageTooLarge.code());
    let mut torn = batch(&["v"], BatchOptions::default());
    *torn.last_mut().unwrap() ^= 1;
    let (error, ..) = house.produced(9, &produce("t", 0, 1, &torn)).await;
    assert_eq!(error, ErrorCode::CorruptMessage.code());
    assert_eq!(house.partition("t", 0).log_end(), 0, "nothing of it was appended");
}

#[tokio::test]
async fn log_append_time_is_told_and_stored() {
    let config = LogConfig { log_append_time: true, ..LogConfig::default() };
    let house = House::with_config(move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    let old = batch(&["v"], BatchOptions::default());
    let (error, base, time, _) = house.produced(9, &produce("t", 0, 1, &old)).await;
    assert_eq!((error, base), (0, 0));
    assert!(time > 0);
    house
        .ask(12, &fetch("t", 0, 0), |response| {
            let records =
                response.responses[0].partitions[0].records.as_ref().unwrap().as_bytes().unwrap().to_vec();
            let stored = vltava_protocol::records::Batch::parse_checked(&records).unwrap();
            assert_eq!(stored.header.max_timestamp, time);
        })
        .await;
}

#[tokio::test]
async fn too_few_in_sync_replicas_refuse_acks_all_alone() {
    let house = House::with_config(|_| TopicConfig::new(LogConfig::default(), 2, None));
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    let (error, base, ..) = house.produced(9, &produce("t", 0, -1, &records)).await;
    assert_eq!((error, base), (ErrorCode::NotEnoughReplicas.code(), -1));
    let (error, base, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
    assert_eq!((error, base), (0, 0));
}

#[tokio::test]
async fn acks_all_waits_for_followers_and_the_next_request_does_not() {
    let house = House::new();
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID, 8], 0);
    let records = batch(&["v"], BatchOptions::default());
    let request = produce("t", 0, -1, &records);
    let Answer::Later(first) = house.begin(9, &request) else { panic!("it does not wait") };
    let Answer::Later(second) = house.begin(9, &request) else { panic!("it does not wait") };
    let partition = house.partition("t", 0);
    assert_eq!(
        (partition.log_end(), partition.high_watermark()),
        (2, 0),
        "both are appended, none is committed"
    );
    let first = tokio::spawn(first);
    partition
        .follower_fetched(vltava_cluster::replication::FollowerFetch {
            follower: 8,
            broker_epoch: -1,
            leader_epoch: -1,
            log_end: 1,
            log_start: 0,
        })
        .unwrap();
    let bytes = on_the_wire(&tokio::time::timeout(crate::harness::PATIENCE, first).await.unwrap().unwrap());
    decoded::<ProduceRequest<'_>, _>(9, &bytes, |response| {
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!((answer.error_code, answer.base_offset), (0, 0));
    });
    // Another leader: who waits is told so.
    let second = tokio::spawn(second);
    house.assign("t", 1, 8, &[8], 1);
    let bytes = on_the_wire(&tokio::time::timeout(crate::harness::PATIENCE, second).await.unwrap().unwrap());
    decoded::<ProduceRequest<'_>, _>(9, &bytes, |response| {
        let answer = &response.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, ErrorCode::NotLeaderOrFollower.code());
    });
}

#[tokio::test]
async fn a_connection_that_closes_leaves_no_waiting_produce_behind() {
    let house = House::new();
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID, 8], 0);
    let records = batch(&["v"], BatchOptions::default());
    let Answer::Later(mut waiting) = house.begin(9, &produce("t", 0, -1, &records)) else {
        panic!("it does not wait")
    };
    let partition = house.partition("t", 0);
    std::future::poll_fn(|context| {
        assert!(waiting.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    assert_eq!(partition.waits.len(), 1);
    drop(waiting);
    assert_eq!(partition.waits.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn acks_all_times_out() {
    let house = House::new();
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID, 8], 0);
    let records = batch(&["v"], BatchOptions::default());
    let (error, ..) = house.produced(9, &produce("t", 0, -1, &records)).await;
    assert_eq!(error, ErrorCode::RequestTimedOut.code());
}

#[tokio::test]
async fn an_idempotent_producer_is_held_to_its_sequence() {
    let house = House::new();
    house.lead("t", 1);
    let send = |sequence, epoch| {
        batch(
            &["v"],
            BatchOptions {
                producer_id: 5,
                producer_epoch: epoch,
                base_sequence: sequence,
                ..Default::default()
            },
        )
    };
    for (sequence, epoch, error, base) in [
        (0, 1, ErrorCode::None, 0),
        (1, 1, ErrorCode::None, 1),
        (1, 1, ErrorCode::None, 1),
        (3, 1, ErrorCode::OutOfOrderSequenceNumber, -1),
        (2, 0, ErrorCode::InvalidProducerEpoch, -1),
        (2, 1, ErrorCode::None, 2),
    ] {
        let records = send(sequence, epoch);
        let answer = house.produced(9, &produce("t", 0, -1, &records)).await;
        assert_eq!((answer.0, answer.1), (error.code(), base), "sequence {sequence} of epoch {epoch}");
    }
    assert_eq!(house.partition("t", 0).log_end(), 3);
}

#[tokio::test]
async fn transactions_are_refused_fatally() {
    let house = House::new();
    house.lead("t", 1);
    let plain = batch(&["v"], BatchOptions::default());
    let mut request = produce("t", 0, -1, &plain);
    request.transactional_id = Some("tx".into());
    let (error, ..) = house.produced(9, &request).await;
    assert_eq!(error, ErrorCode::UnsupportedVersion.code());
    let options = BatchOptions {
        producer_id: 5,
        producer_epoch: 0,
        base_sequence: 0,
        transactional: true,
        ..Default::default()
    };
    let inside = batch(&["v"], options);
    let (error, ..) = house.produced(9, &produce("t", 0, -1, &inside)).await;
    assert_eq!(error, ErrorCode::UnsupportedVersion.code());
}

#[tokio::test]
async fn only_admins_write_to_internal_topics() {
    let house = House::new();
    house.lead("__consumer_offsets", 1);
    let records = batch(&["v"], BatchOptions::default());
    let request = produce("__consumer_offsets", 0, 1, &records);
    let (error, ..) = house.produced(9, &request).await;
    assert_eq!(error, ErrorCode::InvalidTopic.code());
    let Answer::Now(response) = house.begin_as(Some("__admin_client"), 9, &request) else {
        panic!("it waits")
    };
    decoded::<ProduceRequest<'_>, _>(9, &on_the_wire(&response), |response| {
        assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    });
}

#[tokio::test]
async fn topic_ids_are_answered_with_ids() {
    let house = House::new();
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    house
        .ask(13, &produce("t", 0, 1, &records), |response| {
            assert_eq!(response.responses[0].topic_id, topic_id("t"));
            assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
        })
        .await;
}

/// Compression is work for another thread; who sends two requests one after the other is appended in that order all the same.
#[tokio::test]
async fn what_is_compressed_anew_is_appended_in_turn_and_on_another_thread() {
    let house = House::with_config(|topic| {
        let compression_type = if topic == "packed" { "gzip" } else { "producer" }.to_owned();
        TopicConfig::new(LogConfig { compression_type, ..LogConfig::default() }, 1, None)
    });
    house.lead("packed", 2);
    house.lead("plain", 1);
    let large = "v".repeat(100_000);
    let plain = batch(&[&large], BatchOptions::default());
    let packed = batch(&[&large], BatchOptions { codec: Codec::Gzip, ..Default::default() });
    let small = batch(&["v"], BatchOptions::default());
    assert!(matches!(house.begin(9, &produce("plain", 0, 1, &plain)), Answer::Now(_)));
    assert!(matches!(house.begin(9, &produce("packed", 0, 1, &packed)), Answer::Now(_)), "it stays as it is");
    assert!(matches!(house.begin(9, &produce("packed", 0, 1, &small)), Answer::Now(_)));
    // One partition before it is appended at once, and one after it in its place.
    let mut request = produce("plain", 0, 1, &small);
    request.topic_data.extend(produce("packed", 0, 1, &plain).topic_data);
    let mut after = produce("packed", 1, 1, &small).topic_data.remove(0).partition_data;
    request.topic_data[1].partition_data.append(&mut after);
    let answer = house.begin(9, &request);
    assert!(matches!(answer, Answer::InTurn(_)), "{answer:?}");
    assert_eq!(house.partition("packed", 1).log_end(), 0);
    let bytes = on_the_wire(&answer.response().await);
    decoded::<ProduceRequest<'_>, _>(9, &bytes, |response| {
        let told = response.responses.iter().flat_map(|topic| {
            let name = topic.name.to_string();
            topic
                .partition_responses
                .iter()
                .map(move |p| (name.clone(), p.index, p.error_code, p.base_offset))
        });
        let expected =
            [("plain".to_owned(), 0, 0, 1), ("packed".to_owned(), 0, 0, 2), ("packed".to_owned(), 1, 0, 0)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    });
    let stored = house.fetched(12, &fetch("packed", 0, 2)).await;
    assert!(stored.values == [(2, large)], "other records came back");
    assert!(house.partition("packed", 0).reader().size() < 10_000, "all of it is compressed");
}
