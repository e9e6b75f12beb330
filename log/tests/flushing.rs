//! Flushes run beside the writer and beside each other: none of them may harm the others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Barrier};

use records::{NOW, append, batch, fill};
use vltava_log::{Log, LogConfig, LogError, OpenOptions, TopicPartition};

fn open(directory: &Path) -> Log {
    let config = LogConfig { segment_bytes: 1000, index_interval_bytes: 200, ..LogConfig::default() };
    let options = OpenOptions { config: config.into(), ..OpenOptions::new(TopicPartition::new("t", 0), NOW) };
    Log::open(directory, options).unwrap().0
}

#[test]
fn flushes_of_one_log_run_beside_each_other_and_beside_new_leader_epochs() {
    let tmp = tempfile::tempdir().unwrap();
    let mut log = open(&tmp.path().join("t-0"));
    // Every round the history of epochs changes, and three flushes and the writer meet at its file.
    for round in 0..100 {
        append(&mut log, &batch(NOW, &["x"]), 2 * round, NOW).unwrap();
        let together = Arc::new(Barrier::new(4));
        let flushes: Vec<_> = (0..3)
            .map(|_| {
                let job = log.flush_job().unwrap();
                let together = together.clone();
                std::thread::spawn(move || {
                    together.wait();
                    job.run()
                })
            })
            .collect();
        together.wait();
        log.assign_epoch(2 * round + 1, log.log_end_offset()).unwrap();
        for flush in flushes {
            flush.join().unwrap().unwrap();
        }
        assert_eq!(log.recovery_point(), i64::from(round) + 1);
    }
    append(&mut log, &batch(NOW, &["x"]), 199, NOW).unwrap();
    let epochs = log.epochs();
    drop(log);
    assert!(open(&tmp.path().join("t-0")).epochs() == epochs, "the file has the last of them");
}

#[test]
fn a_flush_writes_the_leader_epochs_only_where_they_are_not_on_disk() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let mut log = open(&directory);
    let file = || std::fs::metadata(directory.join("leader-epoch-checkpoint")).unwrap().ino();
    fill(&mut log, 0..5);
    log.flush().unwrap();
    // The held file keeps its number from being given to the next.
    let held = std::fs::File::open(directory.join("leader-epoch-checkpoint")).unwrap();
    fill(&mut log, 5..10);
    log.flush().unwrap();
    assert_eq!(file(), held.metadata().unwrap().ino(), "nothing changed");
    append(&mut log, &batch(NOW, &["x"]), 7, NOW).unwrap();
    log.flush().unwrap();
    assert_ne!(file(), held.metadata().unwrap().ino());
}

#[test]
fn a_flush_is_due_until_one_has_succeeded() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let mut log = open(&directory);
    log.set_config(LogConfig { flush_ms: 100, ..LogConfig::default() }.into());
    assert!(!log.is_flush_due(0));
    append(&mut log, &batch(NOW, &["a"]), 0, NOW).unwrap();
    assert!(!log.is_flush_due(99));
    assert!(log.is_flush_due(100));
    let job = log.flush_job().unwrap();
    assert!(!log.is_flush_due(100), "one is on its way");
    drop(job);
    assert!(log.is_flush_due(100), "it found no place");
    let job = log.flush_job().unwrap();
    std::fs::rename(&directory, tmp.path().join("aside")).unwrap();
    job.run().unwrap_err();
    std::fs::rename(tmp.path().join("aside"), &directory).unwrap();
    assert!(log.is_flush_due(170), "it failed");
    let job = log.flush_job().unwrap();
    // The clock on the wall was put back by an hour meanwhile.
    append(&mut log, &batch(NOW, &["b"]), 0, NOW - 3_600_000).unwrap();
    job.run().unwrap();
    assert!(!log.is_flush_due(269), "what came after the flush was begun has its own time");
    assert!(log.is_flush_due(270));
    log.flush().unwrap();
    assert!(!log.is_flush_due(1000));
}

#[test]
fn a_flush_and_a_reader_of_a_log_that_is_deleted_find_it_closed() {
    let tmp = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let mut log = open(&tmp.path().join(format!("t-{round}")));
        fill(&mut log, 0..40);
        let (job, reader) = (log.flush_job().unwrap(), log.reader());
        let together = Arc::new(Barrier::new(3));
        let meeting = together.clone();
        let flush = std::thread::spawn(move || {
            meeting.wait();
            job.run()
        });
        let meeting = together.clone();
        let look = std::thread::spawn(move || {
            meeting.wait();
            while let Some(found) = reader.offset_for_timestamp(NOW + 20)? {
                assert_eq!(found.offset, 20);
            }
            Ok(())
        });
        together.wait();
        let removal = log.delete(round, NOW).unwrap();
        removal.run().unwrap();
        for outcome in [flush.join().unwrap(), look.join().unwrap()] {
            assert!(matches!(outcome, Ok(()) | Err(LogError::Closed { .. })), "{outcome:?}");
        }
    }
}

#[test]
fn a_log_whose_deletion_failed_goes_on() {
    let tmp = tempfile::tempdir().unwrap();
    let directory = tmp.path().join("t-0");
    let mut log = open(&directory);
    std::fs::rename(&directory, tmp.path().join("aside")).unwrap();
    assert!(log.delete(1, NOW).unwrap_err().is_not_found());
    std::fs::rename(tmp.path().join("aside"), &directory).unwrap();
    fill(&mut log, 0..3);
    let _ = log.delete(1, NOW).unwrap();
    assert!(!log.is_open());
}
