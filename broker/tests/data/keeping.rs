//! What survives a restart, what retention takes, and what a full disk does.

use vltava_broker::partitions::{TopicConfig, now_ms, steady_ms};
use vltava_log::LogConfig;
use vltava_protocol::{ErrorCode, messages::StopReplicaRequest, records::BatchOptions};
use vltava_testkit::disk::SmallDisk;

use crate::harness::{House, batch, fetch, produce};

#[tokio::test]
async fn records_and_watermarks_survive_a_clean_stop() {
    let directory = tempfile::tempdir().unwrap();
    let records = batch(&["v"], BatchOptions::default());
    {
        let house = House::over(directory.path(), |_| TopicConfig::default());
        house.lead("t", 2);
        house.produced(9, &produce("t", 1, 1, &records)).await;
        house.broker.replicas.close(1);
        assert_eq!(
            house.produced(9, &produce("t", 1, 1, &records)).await.0,
            ErrorCode::UnknownTopicOrPartition.code()
        );
    }
    assert!(directory.path().join(".kafka_cleanshutdown").exists());
    let house = House::over(directory.path(), |_| TopicConfig::default());
    assert_eq!(house.broker.replicas.storage().unassigned().len(), 2);
    house.assign("t", 2, 8, &[8], 1);
    assert_eq!(house.partition("t", 1).high_watermark(), 1, "a follower knows it from the checkpoint alone");
    house.assign("t", 2, crate::harness::ID, &[crate::harness::ID], 2);
    assert_eq!(house.fetched(12, &fetch("t", 1, 0)).await.values, [(0, "v".to_owned())]);
}

#[tokio::test]
async fn records_survive_a_stop_that_was_none() {
    let directory = tempfile::tempdir().unwrap();
    let records = batch(&["v"], BatchOptions::default());
    let house = House::over(directory.path(), |_| TopicConfig::default());
    house.lead("t", 1);
    house.produced(9, &produce("t", 0, 1, &records)).await;
    drop(house);
    let house = House::over(directory.path(), |_| TopicConfig::default());
    house.assign("t", 1, crate::harness::ID, &[crate::harness::ID], 1);
    assert_eq!(house.fetched(12, &fetch("t", 0, 0)).await.values.len(), 1);
}

#[tokio::test]
async fn a_stop_is_not_clean_where_a_log_was_not_opened_or_not_closed() {
    type Harm = fn(&House, &std::path::Path);
    let harms: [(&str, Harm); 3] = [
        ("its files are gone", |_, logs| std::fs::rename(logs.join("t-0"), logs.join("elsewhere")).unwrap()),
        ("its disk failed a moment ago", |house, _| {
            house.partition("t", 0).io_failed(std::io::Error::from_raw_os_error(5));
        }),
        ("nothing", |_, _| {}),
    ];
    for (what, harm) in harms {
        let directory = tempfile::tempdir().unwrap();
        let house = House::over(directory.path(), |_| TopicConfig::default());
        house.lead("t", 1);
        house.produced(9, &produce("t", 0, 1, &batch(&["v"], BatchOptions::default()))).await;
        harm(&house, directory.path());
        house.broker.replicas.close(1);
        let is_clean = directory.path().join(".kafka_cleanshutdown").exists();
        assert_eq!(is_clean, what == "nothing", "{what}");
        drop(house);
        if what == "its files are gone" {
            continue;
        }
        // The same for a log that cannot be opened: it is among those that nobody has.
        let log = directory.path().join("t-0/00000000000000000000.log");
        std::fs::remove_file(&log).unwrap();
        std::os::unix::fs::symlink("nowhere", &log).unwrap();
        let house = House::over(directory.path(), |_| TopicConfig::default());
        house.broker.replicas.close(1);
        assert!(!directory.path().join(".kafka_cleanshutdown").exists(), "{what}");
    }
}

#[tokio::test]
async fn retention_takes_old_segments_and_their_files() {
    let config =
        LogConfig { retention_ms: 1000, segment_bytes: 200, file_delete_delay_ms: 0, ..LogConfig::default() };
    let directory = tempfile::tempdir().unwrap();
    let house = House::over(directory.path(), move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    for _ in 0..10 {
        house.produced(9, &produce("t", 0, 1, &records)).await;
    }
    let later = now_ms() + 10_000;
    house.broker.replicas.retain(later);
    assert_eq!(house.partition("t", 0).log_start(), 10);
    let left = || -> Vec<String> {
        house.broker.replicas.look_after_disks(steady_ms());
        std::fs::read_dir(directory.path().join("t-0"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".log") || name.ends_with(".deleted"))
            .collect()
    };
    // Files go on a thread for file work, behind the flushes of the rolls.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while left() != ["00000000000000000010.log"] && std::time::Instant::now() < deadline {
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    assert_eq!(left(), ["00000000000000000010.log"]);
}

/// StopReplica for partition 0 of a topic that is deleted.
fn delete(topic: &str) -> StopReplicaRequest<'static> {
    StopReplicaRequest {
        topic_states: vec![vltava_protocol::messages::stop_replica::StopReplicaTopicState {
            topic_name: topic.to_owned().into(),
            partition_states: vec![vltava_protocol::messages::stop_replica::StopReplicaPartitionState {
                partition_index: 0,
                leader_epoch: -2,
                delete_partition: true,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[tokio::test]
async fn a_deleted_topic_leaves_nothing_and_may_come_again() {
    let config = LogConfig { file_delete_delay_ms: 0, ..LogConfig::default() };
    let directory = tempfile::tempdir().unwrap();
    let house = House::over(directory.path(), move |_| TopicConfig::new(config.clone(), 1, None));
    house.lead("t", 1);
    let records = batch(&["v"], BatchOptions::default());
    house.produced(9, &produce("t", 0, 1, &records)).await;
    let stop = delete("t");
    let response = house.broker.replicas.stop_replica(&stop, now_ms());
    assert_eq!((response.error_code, response.partition_errors[0].error_code), (0, 0));
    assert!(house.broker.replicas.topic("t").is_none());
    house.broker.replicas.look_after_disks(steady_ms() + 1);
    assert!(
        !std::fs::read_dir(directory.path()).unwrap().any(|e| e
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("t-0"))
    );
    house.lead("t", 1);
    assert_eq!(house.partition("t", 0).log_end(), 0);
}

#[tokio::test]
async fn a_deletion_that_fails_is_not_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let house = House::over(directory.path(), |_| TopicConfig::default());
    house.lead("t", 1);
    // What can't be renamed: it is not there.
    std::fs::remove_dir_all(directory.path().join("t-0")).unwrap();
    for attempt in 1..=2 {
        let response = house.broker.replicas.stop_replica(&delete("t"), now_ms());
        let error = ErrorCode::of(response.partition_errors[0].error_code);
        assert_eq!(error, ErrorCode::KafkaStorageError, "attempt {attempt}");
        assert!(house.broker.replicas.topic("t").is_some(), "no later topic of that name finds these files");
    }
}

#[tokio::test]
async fn an_older_controller_is_not_obeyed() {
    let house = House::new();
    let request = |epoch| StopReplicaRequest { controller_epoch: epoch, ..Default::default() };
    assert_eq!(house.broker.replicas.stop_replica(&request(5), now_ms()).error_code, 0);
    let stale = house.broker.replicas.stop_replica(&request(4), now_ms()).error_code;
    assert_eq!(stale, ErrorCode::StaleControllerEpoch.code());
}

#[tokio::test]
async fn a_full_disk_refuses_appends_serves_reads_and_heals() {
    let Some(disk) = SmallDisk::mount("a_full_disk_refuses_appends_serves_reads_and_heals", 512) else {
        return;
    };
    let house = House::over(disk.path(), |_| TopicConfig::default());
    house.lead("t", 1);
    let records = batch(&[&"x".repeat(20_000)], BatchOptions::default());
    let mut appended = 0;
    let refused = loop {
        let (error, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
        if error != 0 {
            break error;
        }
        appended += 1;
        assert!(appended < 100, "the disk never runs full");
    };
    assert!(appended > 5);
    assert_eq!(refused, ErrorCode::KafkaStorageError.code());
    let topic = &house.partition("t", 0).topic;
    let failed =
        [&*topic.metrics, &house.broker.metrics.all_topics].map(|all| all.failed_produce_requests.get());
    assert_eq!(failed, [1, 1]);
    let (error, ..) = house.produced(3, &produce("t", 0, 1, &records)).await;
    assert_eq!(error, ErrorCode::NotLeaderOrFollower.code(), "clients up to version 3 know no storage error");
    let read = house.fetched(12, &fetch("t", 0, 0)).await;
    assert_eq!((read.error, read.values.len()), (0, appended), "reads go on");
    // Room comes back from outside the log, and nothing is restarted.
    house.broker.replicas.look_after_disks(steady_ms());
    let (error, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
    assert_eq!(error, ErrorCode::KafkaStorageError.code(), "it is still full");
    disk.resize(4096);
    house.broker.replicas.look_after_disks(steady_ms());
    let (error, base, ..) = house.produced(9, &produce("t", 0, 1, &records)).await;
    assert_eq!((error, base), (0, appended as i64));
}

#[tokio::test]
async fn a_replica_for_which_there_was_no_room_is_led_when_there_is() {
    let Some(disk) = SmallDisk::mount("a_replica_for_which_there_was_no_room_is_led_when_there_is", 512)
    else {
        return;
    };
    let house = House::over(disk.path(), |_| TopicConfig::default());
    let filler = disk.path().join("filler");
    let filled = std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(filled.kind(), std::io::ErrorKind::StorageFull);
    let me = crate::harness::ID;
    let storage = ErrorCode::KafkaStorageError.code();
    assert_eq!(house.order("t", 2, me, &[me], 3), [storage; 2]);
    assert_eq!(house.order("gone", 1, me, &[me], 0), [storage]);
    let broken = || -> Vec<String> {
        house.broker.replicas.broken().iter().map(|broken| broken.partition.to_string()).collect()
    };
    assert_eq!(broken(), ["gone-0", "t-0", "t-1"]);
    assert!(
        house.broker.replicas.broken()[0].reason.contains("space"),
        "{:?}",
        house.broker.replicas.broken()
    );
    let records = batch(&["v"], BatchOptions::default());
    assert_eq!(house.produced(9, &produce("t", 0, 1, &records)).await.0, storage);
    house.broker.replicas.look_after_disks(steady_ms() + 60_000);
    assert_eq!(broken().len(), 3, "the disk is still full");
    // A topic that is deleted while it waits leaves nothing.
    let stop = StopReplicaRequest {
        delete_partitions: true,
        topics: vec![vltava_protocol::messages::stop_replica::StopReplicaTopicV1 {
            name: "gone".into(),
            partition_indexes: vec![0],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(house.broker.replicas.stop_replica(&stop, now_ms()).partition_errors[0].error_code, 0);
    assert!(house.broker.replicas.topic("gone").is_none());
    std::fs::remove_file(filler).unwrap();
    house.broker.replicas.look_after_disks(steady_ms());
    assert_eq!(broken(), [""; 0]);
    assert_eq!(house.partition("t", 1).leadership().epoch, 3);
    assert_eq!(house.produced(9, &produce("t", 0, 1, &records)).await.0, 0);
    assert!(!disk.path().join("gone-0").exists());
}

/// What has to be written before a log is a partition's finds no room: the log stays what it is, and is the partition's when there is some.
#[tokio::test]
async fn a_log_that_was_loaded_is_not_lost_for_want_of_room() {
    let Some(disk) = SmallDisk::mount("a_log_that_was_loaded_is_not_lost_for_want_of_room", 512) else {
        return;
    };
    let other = tempfile::tempdir().unwrap();
    let directories = [disk.path().to_owned(), other.path().to_owned()];
    let records = batch(&["v"], BatchOptions::default());
    let house = House::over_all(&directories[..1], |_| TopicConfig::default());
    house.lead("t", 1);
    assert_eq!(house.produced(9, &produce("t", 0, 1, &records)).await.0, 0);
    house.broker.replicas.close(1);
    drop(house);
    // As a broker of a time before topic ids left it.
    std::fs::remove_file(disk.path().join("t-0/partition.metadata")).unwrap();
    let house = House::over_all(&directories, |_| TopicConfig::default());
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    let me = crate::harness::ID;
    let storage = ErrorCode::KafkaStorageError.code();
    for _ in 0..2 {
        assert_eq!(house.order("t", 1, me, &[me], 3), [storage]);
        assert!(!other.path().join("t-0").exists(), "another one was made in its place");
    }
    std::fs::remove_file(filler).unwrap();
    house.broker.replicas.look_after_disks(steady_ms());
    assert_eq!(house.fetched(12, &fetch("t", 0, 0)).await.values, [(0, "v".to_owned())]);
}

#[tokio::test]
async fn high_watermarks_of_what_nobody_has_assigned_yet_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let records = batch(&["v"], BatchOptions::default());
    let house = House::over(directory.path(), |_| TopicConfig::default());
    house.lead("t", 2);
    for index in 0..2 {
        house.produced(9, &produce("t", index, 1, &records)).await;
    }
    house.broker.replicas.close(1);
    drop(house);
    let house = House::over(directory.path(), |_| TopicConfig::default());
    house.lead("t", 1);
    house.produced(9, &produce("t", 0, 1, &records)).await;
    house.broker.replicas.checkpoint_high_watermarks();
    let marks = vltava_log::OffsetCheckpoint::HighWatermark.read(directory.path()).unwrap();
    let mark = |index| marks.get(&vltava_log::TopicPartition::new("t", index)).copied();
    assert_eq!((mark(0), mark(1)), (Some(2), Some(1)));
}
