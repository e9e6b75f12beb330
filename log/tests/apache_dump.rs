//! Apache Kafka's own DumpLogSegments accepts what we write, and prints it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use records::{NOW, Producer, append, batch, compressed};
use vltava_log::{CleanOptions, Log, LogConfig, OpenOptions, TopicPartition};
use vltava_protocol::records::Codec;
use vltava_testkit::apache::Version;

/// What the tool prints where log and indexes contradict each other, or bytes are no batches.
const COMPLAINTS: [&str; 8] = [
    "Mismatches in",
    "Non-consecutive offsets",
    "Non-secutive offset",
    "indexed offsets are not found",
    "timestamp mismatch",
    "out of order timestamp",
    "trailing bytes",
    "isvalid: false",
];

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            ["log", "index", "timeindex", "txnindex", "snapshot"].contains(&extension)
        })
        .collect();
    files.sort();
    files
}

fn dump(directory: &Path) -> String {
    dump_but(directory, &[])
}

fn dump_but(directory: &Path, expected: &[&str]) -> String {
    let names: Vec<String> = files(directory).iter().map(|path| path.display().to_string()).collect();
    let output = Version::V3_9
        .tool("kafka.tools.DumpLogSegments")
        .args(["--print-data-log", "--deep-iteration", "--files", &names.join(",")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for complaint in COMPLAINTS.iter().filter(|complaint| !expected.contains(complaint)) {
        assert!(!text.contains(complaint), "the tool says «{complaint}»:\n{text}");
    }
    assert!(!errors.contains("Exception"), "{errors}");
    text
}

/// A log with all that a file can hold: codecs, idempotent and transactional batches, markers, several segments and epochs.
fn write(directory: &Path) -> usize {
    let config = LogConfig { segment_bytes: 4000, index_interval_bytes: 300, ..LogConfig::default() };
    let options = OpenOptions { config: config.into(), ..OpenOptions::new(TopicPartition::new("t", 0), NOW) };
    let (mut log, _) = Log::open(directory, options).unwrap();
    let idempotent = Producer { id: 4000, epoch: 2, transactional: false };
    let mut count = 0;
    let mut add = |log: &mut Log, bytes: &[u8], epoch| {
        let appended = append(log, bytes, epoch, NOW).unwrap();
        if let Some(job) = appended.rolled {
            job.run().unwrap();
        }
        count += (appended.last_offset - appended.first_offset + 1) as usize;
    };
    for i in 0..40 {
        let time = NOW + i64::from(i) * 7;
        add(&mut log, &batch(time, &[&format!("plain-{i}")]), 0);
        let codec = Codec::ALL[i as usize % Codec::ALL.len()];
        add(&mut log, &compressed(codec, time - 3, &[&format!("{codec}-{i}"), "second"]), 1);
        add(&mut log, &idempotent.batch(i * 2, time, &[&format!("idempotent-{i}"), "x"]), 1);
        let transactional = Producer { id: 5000 + i64::from(i % 3), epoch: 0, transactional: true };
        add(&mut log, &transactional.batch(i / 3, time, &[&format!("transactional-{i}")]), 1);
        if i >= 3 {
            let other = Producer { id: 5000 + i64::from((i + 1) % 3), ..transactional };
            add(&mut log, &other.marker(i % 2 == 0, time), 2 + i / 20);
        }
    }
    assert!(log.segment_count() > 3);
    log.close().unwrap();
    count
}

#[test]
fn the_dump_tool_accepts_every_file_and_prints_every_record() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let count = write(&directory);
    let text = dump(&directory);
    let records = text.lines().filter(|line| line.trim_start().starts_with("| offset:")).count();
    assert_eq!(records, count, "{text}");
    for i in 0..40 {
        let codec = Codec::ALL[i % Codec::ALL.len()];
        for value in [
            format!("plain-{i}"),
            format!("{codec}-{i}"),
            format!("idempotent-{i}"),
            format!("transactional-{i}"),
        ] {
            let found = text.lines().filter(|line| line.ends_with(&format!("payload: {value}"))).count();
            assert_eq!(found, 1, "{value}");
        }
    }
    assert!(text.contains("endTxnMarker: COMMIT") && text.contains("endTxnMarker: ABORT"));
    // The transaction index and the snapshots, by their fields.
    let aborted = text.lines().filter(|line| line.starts_with("version: 0 producerId: 500")).count();
    let markers = text.lines().filter(|line| line.contains("endTxnMarker: ABORT")).count();
    assert_eq!(aborted, markers, "every abort is in the index of its segment");
    let producers: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.contains("coordinatorEpoch: ") && line.starts_with("producerId: "))
        .filter_map(|line| line.split_whitespace().nth(1))
        .collect();
    assert_eq!(producers, BTreeSet::from(["4000", "5000", "5001", "5002"]), "{text}");
}

/// Gaps between offsets are what it is about; anything else would be wrong.
#[test]
fn what_the_cleaner_leaves_is_accepted() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    write(&directory);
    let options = OpenOptions { clean_shutdown: true, ..OpenOptions::new(TopicPartition::new("t", 0), NOW) };
    let (mut log, _) = Log::open(&directory, options).unwrap();
    let (reader, before) = (log.reader(), log.size());
    // All records have one key: next to nothing is left.
    let config = LogConfig { segment_bytes: 4000, index_interval_bytes: 300, ..LogConfig::default() };
    let cleanable = reader.cleanable(&config, None, log.log_end_offset(), NOW).unwrap();
    let options = CleanOptions {
        buffer_bytes: 1 << 20,
        load_factor: 0.9,
        now: NOW,
        producers: log.last_of_producers(),
        throttle: &mut |_| true,
        install: &mut |replacement| Ok(log.install(replacement, NOW)?.is_some()),
    };
    let stats = reader.clean(&cleanable, &config, options).unwrap();
    assert!(stats.bytes_written * 4 < stats.bytes_read && log.size() < before, "{stats:?}");
    log.close().unwrap();
    let text = dump_but(&directory, &COMPLAINTS[1..3]);
    let records = text.lines().filter(|line| line.contains("payload: ")).count();
    assert!(records > 0 && records < 40, "{records}");
    assert!(text.contains("producerId: 4000"), "its last batch stays:\n{text}");
}

#[test]
fn indexes_made_again_by_recovery_are_accepted_too() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    write(&directory);
    for file in files(&directory) {
        match file.extension().and_then(|e| e.to_str()) {
            Some("index") => std::fs::write(&file, [0xa5; 77]).unwrap(),
            Some("timeindex" | "txnindex" | "snapshot") => std::fs::remove_file(&file).unwrap(),
            _ => {}
        }
    }
    let (mut log, recovered) =
        Log::open(&directory, OpenOptions::new(TopicPartition::new("t", 0), NOW)).unwrap();
    assert_eq!(recovered.bytes_truncated, 0);
    log.close().unwrap();
    let text = dump(&directory);
    let aborted = text.lines().filter(|line| line.starts_with("version: 0 producerId: 500")).count();
    let markers = text.lines().filter(|line| line.contains("endTxnMarker: ABORT")).count();
    assert_eq!(aborted, markers);
}
