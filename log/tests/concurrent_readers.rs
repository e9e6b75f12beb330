//! Readers without a lock see whole batches in order, whatever the writer does meanwhile.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use records::{NOW, Producer, append, batch, bytes, stamps};
use vltava_log::{Log, LogConfig, OpenFiles, OpenOptions, ReadError, TopicPartition};

#[test]
fn readers_see_only_whole_batches_in_order_while_segments_roll_and_go() {
    let tmp = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 3000,
        index_interval_bytes: 200,
        retention_bytes: 20_000,
        file_delete_delay_ms: 0,
        ..LogConfig::default()
    };
    let options = OpenOptions {
        config: config.into(),
        // So few that files are closed under readers' hands all the time.
        files: OpenFiles::new(8),
        ..OpenOptions::new(TopicPartition::new("t", 0), NOW)
    };
    let (mut log, _) = Log::open(tmp.path(), options).unwrap();
    let reader = log.reader();
    let done = AtomicBool::new(false);
    let watermark = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut at = 0;
                let mut seen = 0;
                loop {
                    let last_round = done.load(Ordering::Acquire);
                    let bound = watermark.load(Ordering::Acquire);
                    match reader.read(at, 700, bound, true) {
                        Ok(data) => {
                            let bytes = bytes(&data);
                            for (base, epoch) in stamps(&bytes) {
                                // One record a batch: the first may be below only where `at` is.
                                assert_eq!((base, epoch), (at, 7));
                                assert!(base < bound, "{base} at or above {bound}");
                                at += 1;
                                seen += 1;
                            }
                            if data.slice.is_none() && last_round {
                                break;
                            }
                        }
                        // Retention was faster.
                        Err(ReadError::OffsetOutOfRange { start, .. }) => at = at.max(start),
                        Err(other) => panic!("{other}"),
                    }
                }
                assert!(seen > 0);
                assert_eq!(at, 4000);
            });
        }
        for i in 0..4000 {
            let appended = append(&mut log, &batch(NOW + i, &[&format!("value {i}")]), 7, NOW).unwrap();
            if let Some(job) = appended.rolled {
                job.run().unwrap();
            }
            watermark.store(appended.last_offset + 1, Ordering::Release);
            if i % 100 == 99
                && let Some(removal) = log.delete_retention(NOW, i).unwrap().removal
            {
                removal.run().unwrap();
            }
        }
        done.store(true, Ordering::Release);
    });
    assert!(log.log_start_offset() > 3000);
}

#[test]
fn the_last_stable_offset_waits_for_the_marker_to_be_replicated() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(tmp.path(), OpenOptions::new(TopicPartition::new("t", 0), NOW)).unwrap();
    let one = Producer { id: 1, epoch: 0, transactional: true };
    let two = Producer { id: 2, ..one };
    let reader = log.reader();
    append(&mut log, &batch(NOW, &["plain", "plain"]), 0, NOW).unwrap();
    assert_eq!(reader.last_stable_offset(2), 2);
    append(&mut log, &one.batch(0, NOW, &["one", "one"]), 0, NOW).unwrap();
    append(&mut log, &two.batch(0, NOW, &["two"]), 0, NOW).unwrap();
    // Offsets: 0 and 1 plain, 2 and 3 of the first, 4 of the second.
    for (high_watermark, stable) in [(1, 1), (2, 2), (4, 2), (5, 2)] {
        assert_eq!(reader.last_stable_offset(high_watermark), stable);
    }
    append(&mut log, &one.marker(false, NOW), 0, NOW).unwrap();
    assert_eq!(reader.last_stable_offset(5), 2, "the marker at 5 is not replicated");
    assert_eq!(reader.last_stable_offset(6), 4, "now the second one holds it back");
    append(&mut log, &two.marker(true, NOW), 0, NOW).unwrap();
    assert_eq!(reader.last_stable_offset(6), 4);
    assert_eq!(reader.last_stable_offset(7), 7);
    let aborted = reader.aborted_transactions(0, 7).unwrap();
    let found: Vec<_> = aborted
        .iter()
        .map(|a| (a.producer_id, a.first_offset, a.last_offset, a.last_stable_offset))
        .collect();
    assert_eq!(found, [(1, 2, 5, 4)]);
    assert!(reader.aborted_transactions(6, 7).unwrap().is_empty());
}
