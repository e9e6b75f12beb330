//! Flushes run beside the writer and beside each other: none of them may harm the others.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Barrier};

use records::{NOW, append, batch, fill};
use vltava_log::{Log, LogConfig, OpenOptions, TopicPartition};

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
