//! ListOffsets, DeleteRecords, OffsetForLeaderEpoch and DescribeLogDirs, version by version.

use vltava_broker::partitions::{TopicConfig, now_ms};
use vltava_log::{CleanupPolicy, LogConfig};
use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteRecordsRequest, DescribeLogDirsRequest, InitProducerIdRequest, ListOffsetsRequest,
        OffsetForLeaderEpochRequest,
        delete_records::{DeleteRecordsPartition, DeleteRecordsTopic},
        describe_log_dirs::DescribableLogDirTopic,
        list_offsets::{ListOffsetsPartition, ListOffsetsTopic},
        offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic},
    },
    records::{BatchBuilder, BatchOptions},
};

use crate::harness::{House, ID, batch, fetch, produce};

pub fn list(topic: &str, index: i32, timestamp: i64) -> ListOffsetsRequest<'_> {
    ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: topic.into(),
            partitions: vec![ListOffsetsPartition {
                partition_index: index,
                timestamp,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Error, timestamp, offset and epoch of the only partition.
pub async fn listed(house: &House, version: i16, request: &ListOffsetsRequest<'_>) -> (i16, i64, i64, i32) {
    house
        .ask(version, request, |response| {
            let answer = &response.topics[0].partitions[0];
            (answer.error_code, answer.timestamp, answer.offset, answer.leader_epoch)
        })
        .await
}

/// Records with these timestamps, a batch for each.
async fn timed(house: &House, timestamps: &[i64]) {
    for timestamp in timestamps {
        let mut builder = BatchBuilder::new(Vec::new(), BatchOptions::default()).unwrap();
        builder.append(*timestamp, Some(b"k"), Some(b"v"), &[]).unwrap();
        let records = builder.finish().unwrap().0;
        assert_eq!(house.produced(9, &produce("t", 0, 1, &records)).await.0, 0);
    }
}

#[tokio::test]
async fn offsets_are_listed_by_time_and_by_name_in_every_version() {
    let house = House::new();
    house.lead("t", 1);
    timed(&house, &[100, 300, 200, 400]).await;
    for version in 1..=11 {
        let epoch = if version >= 4 { 0 } else { -1 };
        for (timestamp, least_version, expected) in [
            (-1, 1, (0, -1, 4, epoch)),
            (-2, 1, (0, -1, 0, epoch)),
            (-3, 7, (0, 400, 3, epoch)),
            (-4, 8, (0, -1, 0, epoch)),
            (-5, 9, (0, -1, -1, -1)),
            (-6, 11, (0, -1, -1, -1)),
            (0, 1, (0, 100, 0, epoch)),
            (100, 1, (0, 100, 0, epoch)),
            (101, 1, (0, 300, 1, epoch)),
            (400, 1, (0, 400, 3, epoch)),
            (401, 1, (0, -1, -1, -1)),
        ] {
            let expected = if version < least_version {
                (ErrorCode::UnsupportedVersion.code(), -1, -1, -1)
            } else {
                expected
            };
            assert_eq!(
                listed(&house, version, &list("t", 0, timestamp)).await,
                expected,
                "{timestamp} v{version}"
            );
        }
        assert_eq!(listed(&house, version, &list("t", 0, -7)).await.0, ErrorCode::UnsupportedVersion.code());
    }
}

#[tokio::test]
async fn version_0_lists_where_segments_begin() {
    let config = LogConfig { segment_bytes: 200, ..LogConfig::default() };
    let house = House::with_config(move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    timed(&house, &[1, 2, 3, 4, 5, 6]).await;
    let old = |timestamp, most| {
        let mut request = list("t", 0, timestamp);
        request.topics[0].partitions[0].max_num_offsets = most;
        let house = &house;
        async move {
            house
                .ask(0, &request, |response| response.topics[0].partitions[0].old_style_offsets.clone())
                .await
        }
    };
    let all = old(-1, 100).await;
    assert_eq!(all.first(), Some(&6), "the end comes first");
    assert_eq!(all.last(), Some(&0), "the start last");
    assert!(all.len() > 2 && all.is_sorted_by(|a, b| a > b), "{all:?}");
    assert_eq!(old(-1, 1).await, [6]);
    assert_eq!(old(-2, 5).await, [0]);
    assert_eq!(old(0, 5).await, [0; 0], "nothing was written before 1970");
    assert_eq!(old(now_ms() + 60_000, 1).await, [6]);
}

#[tokio::test]
async fn what_is_not_here_and_what_is_asked_twice_is_told() {
    let house = House::new();
    house.lead("t", 1);
    house.assign("followed", 1, 8, &[8], 0);
    assert_eq!(listed(&house, 5, &list("nobody", 0, -1)).await.0, ErrorCode::UnknownTopicOrPartition.code());
    assert_eq!(listed(&house, 5, &list("followed", 0, -1)).await.0, ErrorCode::NotLeaderOrFollower.code());
    let mut fenced = list("t", 0, -1);
    fenced.topics[0].partitions[0].current_leader_epoch = 9;
    assert_eq!(listed(&house, 5, &fenced).await.0, ErrorCode::UnknownLeaderEpoch.code());
    let mut twice = list("t", 0, -1);
    let again = twice.topics[0].partitions[0].clone();
    twice.topics[0].partitions.push(again);
    assert_eq!(listed(&house, 5, &twice).await.0, ErrorCode::InvalidRequest.code());
}

#[tokio::test]
async fn a_leader_whose_watermark_is_behind_its_epoch_knows_no_offset_yet() {
    let house = House::new();
    house.lead("t", 1);
    timed(&house, &[1]).await;
    house.assign("t", 1, ID, &[ID, 8], 1);
    timed(&house, &[2]).await;
    // One replica had committed the first record, so the mark is at the start of the new epoch.
    assert_eq!(listed(&house, 5, &list("t", 0, -1)).await.2, 1);
    // Nobody has the second record but this replica, which leads again: the mark is behind the start of its newest epoch.
    house.assign("t", 1, ID, &[ID, 8], 2);
    for (version, timestamp, expected) in [
        (5, -1, (ErrorCode::OffsetNotAvailable.code(), -1)),
        (4, -1, (ErrorCode::LeaderNotAvailable.code(), -1)),
        (5, 2, (ErrorCode::OffsetNotAvailable.code(), -1)),
        (5, 1, (0, 0)),
        (5, -2, (0, 0)),
        (8, -4, (0, 0)),
    ] {
        let found = listed(&house, version, &list("t", 0, timestamp)).await;
        assert_eq!((found.0, found.2), expected, "version {version}, time {timestamp}");
    }
    house.assign("fresh", 1, 8, &[8, ID], 0);
    let partition = house.partition("fresh", 0);
    assert!(!partition.knows_its_end());
}

pub fn delete(topic: &str, index: i32, offset: i64) -> DeleteRecordsRequest<'_> {
    DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: topic.into(),
            partitions: vec![DeleteRecordsPartition { partition_index: index, offset, ..Default::default() }],
            ..Default::default()
        }],
        timeout_ms: 1000,
        ..Default::default()
    }
}

#[tokio::test]
async fn deleted_records_are_out_of_range() {
    for version in 0..=2 {
        let house = House::new();
        house.lead("t", 1);
        timed(&house, &[1, 2, 3, 4]).await;
        let deleted = |topic: &'static str, index, offset| {
            let house = &house;
            async move {
                house
                    .ask(version, &delete(topic, index, offset), |response| {
                        let answer = &response.topics[0].partitions[0];
                        (answer.error_code, answer.low_watermark)
                    })
                    .await
            }
        };
        assert_eq!(deleted("t", 0, 2).await, (0, 2));
        assert_eq!(deleted("t", 0, 1).await, (0, 2), "the start never goes back");
        assert_eq!(deleted("t", 0, 5).await, (ErrorCode::OffsetOutOfRange.code(), -1));
        assert_eq!(deleted("t", 1, 0).await, (ErrorCode::UnknownTopicOrPartition.code(), -1));
        assert_eq!(house.fetched(12, &fetch("t", 0, 1)).await.error, ErrorCode::OffsetOutOfRange.code());
        assert_eq!(house.fetched(12, &fetch("t", 0, 2)).await.log_start, 2);
        assert_eq!(deleted("t", 0, -1).await, (0, 4), "-1 is the high watermark");
        assert_eq!(listed(&house, 5, &list("t", 0, -2)).await.2, 4);
    }
}

#[tokio::test]
async fn compacted_topics_keep_their_records() {
    let config = LogConfig { cleanup_policy: CleanupPolicy::COMPACT, ..LogConfig::default() };
    let house = House::with_config(move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    let error = house.ask(2, &delete("t", 0, 0), |r| r.topics[0].partitions[0].error_code).await;
    assert_eq!(error, ErrorCode::PolicyViolation.code());
}

#[tokio::test]
async fn epochs_end_where_the_next_begins() {
    let house = House::new();
    house.lead("t", 1);
    timed(&house, &[1, 2]).await;
    house.assign("t", 1, ID, &[ID], 3);
    timed(&house, &[3]).await;
    for version in 0..=4 {
        for (leader_epoch, expected) in [(0, (0, 2)), (1, (0, 2)), (3, (3, 3)), (4, (-1, -1))] {
            let request = OffsetForLeaderEpochRequest {
                topics: vec![OffsetForLeaderTopic {
                    topic: "t".into(),
                    partitions: vec![OffsetForLeaderPartition {
                        partition: 0,
                        leader_epoch,
                        ..Default::default()
                    }],
                    ..Default::default()
                }],
                ..Default::default()
            };
            let told = house
                .ask(version, &request, |response| {
                    let answer = &response.topics[0].partitions[0];
                    assert_eq!(answer.error_code, 0);
                    (answer.leader_epoch, answer.end_offset)
                })
                .await;
            let epoch = if version >= 1 { expected.0 } else { -1 };
            assert_eq!(told, (epoch, expected.1), "epoch {leader_epoch} version {version}");
        }
    }
}

#[tokio::test]
async fn log_dirs_tell_sizes_and_room() {
    let house = House::new();
    house.lead("t", 2);
    house.lead("u", 1);
    let records = batch(&["v"], BatchOptions::default());
    house.produced(9, &produce("t", 1, 1, &records)).await;
    for version in 0..=5 {
        let all = DescribeLogDirsRequest { topics: None, ..Default::default() };
        house
            .ask(version, &all, |response| {
                let dir = &response.results[0];
                assert_eq!((dir.error_code, dir.topics.len()), (0, 2));
                let sizes: Vec<_> =
                    dir.topics[0].partitions.iter().map(|p| (p.partition_index, p.partition_size)).collect();
                assert_eq!(sizes, [(0, 0), (1, records.len() as i64)]);
                assert!(dir.topics[0].partitions.iter().all(|p| p.offset_lag == 0));
                assert_eq!(dir.usable_bytes > 0, version >= 4);
            })
            .await;
        let one = DescribeLogDirsRequest {
            topics: Some(vec![DescribableLogDirTopic {
                topic: "t".into(),
                partitions: vec![1],
                ..Default::default()
            }]),
            ..Default::default()
        };
        let partitions = house
            .ask(version, &one, |r| r.results[0].topics.iter().map(|t| t.partitions.len()).sum::<usize>())
            .await;
        assert_eq!(partitions, 1);
    }
}

#[tokio::test]
async fn producer_ids_need_zookeeper_and_transactions_a_coordinator() {
    let house = House::new();
    for version in 0..=5 {
        for (transactional_id, expected) in [
            (None, ErrorCode::CoordinatorLoadInProgress),
            (Some("tx"), ErrorCode::UnsupportedVersion),
            (Some(""), ErrorCode::InvalidRequest),
        ] {
            let request = InitProducerIdRequest {
                transactional_id: transactional_id.map(Into::into),
                ..Default::default()
            };
            let told =
                house.ask(version, &request, |r| (r.error_code, r.producer_id, r.producer_epoch)).await;
            assert_eq!(told, (expected.code(), -1, -1), "{transactional_id:?} version {version}");
        }
    }
}
