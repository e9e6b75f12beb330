//! What is beside the records may be damaged while they are whole: nothing that was known is lost by it, and nothing is deleted for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use records::{NOW, Producer, append, batch, contents, fill, numbered};
use vltava_log::{Log, LogConfig, OpenOptions, TopicPartition};

const PRODUCER: Producer = Producer { id: 4_000, epoch: 0, transactional: false };
const WEEK: i64 = 604_800_000;

fn config() -> Arc<LogConfig> {
    LogConfig { segment_bytes: 1_000, index_interval_bytes: 200, ..LogConfig::default() }.into()
}

fn open(directory: &Path, config: Arc<LogConfig>, clean_shutdown: bool) -> Log {
    let options =
        OpenOptions { config, clean_shutdown, ..OpenOptions::new(TopicPartition::new("t", 0), NOW) };
    Log::open(directory, options).unwrap().0
}

/// The files of that extension, in the order of their offsets.
fn files(directory: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    paths.sort();
    paths
}

#[test]
fn producers_are_read_from_the_batches_where_no_snapshot_can_be() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let mut log = open(&directory, config(), false);
    for sequence in 0..40 {
        append(&mut log, &PRODUCER.batch(sequence, NOW, &["x"]), 0, NOW).unwrap();
    }
    log.close().unwrap();
    let snapshots = files(&directory, "snapshot");
    assert!(snapshots.len() > 1, "one for each segment and one for the end");
    for path in snapshots {
        fs::write(path, b"no snapshot").unwrap();
    }
    let log = open(&directory, config(), true);
    assert_eq!(log.producer(PRODUCER.id).unwrap().last_sequence(), 39);
    assert_eq!(log.log_end_offset(), 40);
}

#[test]
fn leader_epochs_are_read_from_the_batches_where_their_file_is_empty() {
    for clean in [true, false] {
        let tmp = tempfile::tempdir().unwrap();
        let directory = tmp.path().join("t-0");
        let mut log = open(&directory, config(), false);
        for epoch in 0..30 {
            append(&mut log, &batch(NOW, &["x", "y"]), epoch, NOW).unwrap();
        }
        let epochs = log.epochs();
        assert!(log.segment_count() > 2);
        log.close().unwrap();
        // As a file system leaves a file whose new name survived a power failure and whose bytes did not.
        let file = directory.join("leader-epoch-checkpoint");
        fs::write(&file, b"").unwrap();
        let log = open(&directory, config(), clean);
        assert_eq!(log.epochs(), epochs, "clean: {clean}");
        assert!(fs::read_to_string(&file).unwrap().starts_with("0\n30\n"), "the file is good again");
    }
}

#[test]
fn a_time_index_that_lies_deletes_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let mut log = open(&directory, config(), false);
    fill(&mut log, 0..100);
    log.close().unwrap();
    for path in files(&directory, "timeindex") {
        // Entries of the right length, ten years ago.
        let entries = fs::read(&path).unwrap().len() / 12;
        let garbage: Vec<u8> = (0..entries as u32)
            .flat_map(|i| [&(NOW - 520 * WEEK).to_be_bytes()[..], &i.to_be_bytes()[..]].concat())
            .collect();
        fs::write(path, garbage).unwrap();
    }
    let mut log = open(&directory, config(), true);
    let retained = log.delete_retention(NOW + 1_000, 100).unwrap();
    assert_eq!(retained.segments, 0);
    assert_eq!(contents(&log), numbered(0..100));
    let retained = log.delete_retention(NOW + WEEK + 1_000, 100).unwrap();
    assert!(retained.segments > 2, "what is old by its own records still goes");
}

#[test]
fn a_clean_start_reads_the_ends_of_a_log_and_not_its_records() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let one_segment = Arc::new(LogConfig::default());
    let mut log = open(&directory, one_segment.clone(), false);
    let value = "v".repeat(1_000);
    for sequence in 0..4_000 {
        append(&mut log, &PRODUCER.batch(sequence, NOW, &[&value]), 0, NOW).unwrap();
    }
    log.close().unwrap();
    assert!(log.size() > 4_000_000);
    drop(log);
    let before = bytes_read();
    let log = open(&directory, one_segment, true);
    let read = bytes_read() - before;
    assert!(read < 100_000, "{read} bytes were read of {}", log.size());
    assert_eq!(log.log_end_offset(), 4_000);
    assert_eq!(log.producer(PRODUCER.id).unwrap().last_sequence(), 3_999);
}

/// Bytes that this thread has read by system calls.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/thread-self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    line.parse().unwrap()
}
