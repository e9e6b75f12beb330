//! A full disk refuses appends, leaves the log as it was, and heals as soon as there is room. On a small file system of our own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::fs;

use records::{NOW, append, batch, contents};
use vltava_log::{AppendError, Log, LogConfig, OpenOptions, TopicPartition};
use vltava_testkit::disk::SmallDisk;

fn options() -> OpenOptions {
    let config = LogConfig { segment_bytes: 40_000, index_interval_bytes: 500, ..LogConfig::default() };
    OpenOptions { config: config.into(), ..OpenOptions::new(TopicPartition::new("t", 0), NOW) }
}

#[test]
fn a_full_disk_changes_nothing_and_heals_without_a_restart() {
    let name = "a_full_disk_changes_nothing_and_heals_without_a_restart";
    let Some(disk) = SmallDisk::mount(name, 1024) else { return };
    let directory = disk.path().join("t-0");
    let (mut log, _) = Log::open(&directory, options()).unwrap();
    let mut expected = Vec::new();
    // Around a roll, in the middle of a segment, with large and small batches: wherever the disk happens to be full.
    for round in 0..12 {
        let ballast = disk.fill();
        let mut refused = 0;
        for i in 0..40 {
            let value = format!("{round} {i} {}", "x".repeat(if i % 3 == 0 { 9000 } else { 100 }));
            let before = (log.log_end_offset(), log.size(), log.segment_count());
            match append(&mut log, &batch(NOW, &[&value]), round, NOW) {
                Ok(appended) => expected.push((appended.first_offset, value)),
                Err(AppendError::Storage(error)) => {
                    assert!(error.is_disk_full() && !error.takes_directory_offline(), "{error}");
                    assert!(error.to_string().contains("t-0"), "{error}");
                    assert_eq!(before, (log.log_end_offset(), log.size(), log.segment_count()));
                    refused += 1;
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert!(refused > 0, "the disk was not full in round {round}");
        assert_eq!(contents(&log), expected, "reads go on");
        fs::remove_file(ballast).unwrap();
        // There is room again: the same log takes records, and retention makes more.
        let value = format!("healed in round {round}");
        let appended = append(&mut log, &batch(NOW, &[&value]), round, NOW).unwrap();
        expected.push((appended.first_offset, value));
        if log.size() > 300_000 {
            let before = log.config().clone();
            log.set_config(LogConfig { retention_bytes: 100_000, ..(*before).clone() }.into());
            let retained = log.delete_retention(NOW, log.log_end_offset()).unwrap();
            retained.removal.unwrap().run().unwrap();
            log.set_config(before);
            expected.retain(|(offset, _)| *offset >= log.log_start_offset());
        }
    }
    drop(log);
    let (log, recovered) = Log::open(&directory, options()).unwrap();
    assert_eq!(recovered.bytes_truncated, 0, "no torn bytes were left behind");
    assert_eq!(contents(&log), expected);
}
