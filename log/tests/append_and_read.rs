//! What is appended is read back: by offset, by time, after a restart and after a crash.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::path::Path;

use records::{NOW, append, batch, bytes, contents, fill, numbered, stamps};
use vltava_log::{FetchData, Log, LogConfig, OpenOptions, ReadError, TopicPartition};
use vltava_protocol::records::Batches;
use vltava_testkit::skip::skip;

fn options() -> OpenOptions {
    OpenOptions::new(TopicPartition::new("t", 0), NOW)
}

fn open(directory: &Path) -> Log {
    Log::open(directory, options()).unwrap().0
}

fn small_segments(segment_bytes: u32) -> OpenOptions {
    let config = LogConfig { segment_bytes, index_interval_bytes: 200, ..LogConfig::default() };
    OpenOptions { config: config.into(), ..options() }
}

/// A leader that wrote nothing in its last epoch, and follows now, must not ask about it for ever.
#[test]
fn a_truncation_at_the_end_takes_an_epoch_without_records_away() {
    let tmp = tempfile::tempdir().unwrap();
    let mut log = open(tmp.path());
    append(&mut log, &batch(NOW, &["a", "b"]), 3, NOW).unwrap();
    log.assign_epoch(5, 2).unwrap();
    assert_eq!(log.latest_epoch(), Some(5));
    assert_eq!(log.truncate_to(2, NOW).unwrap(), 2);
    assert_eq!((log.latest_epoch(), log.log_end_offset()), (Some(3), 2));
}

#[test]
fn records_get_successive_offsets_and_the_leaders_epoch() {
    let tmp = tempfile::tempdir().unwrap();
    let mut log = open(tmp.path());
    let two = [batch(NOW, &["a", "b"]), batch(NOW, &["c"])].concat();
    let appended = append(&mut log, &two, 3, NOW).unwrap();
    assert_eq!((appended.first_offset, appended.last_offset), (0, 2));
    let appended = append(&mut log, &batch(NOW, &["d"]), 4, NOW).unwrap();
    assert_eq!(appended.first_offset, 3);
    let data = log.reader().read(0, u64::MAX, i64::MAX, true).unwrap();
    assert_eq!(stamps(&bytes(&data)), [(0, 3), (2, 3), (3, 4)]);
    assert_eq!(log.end_of_epoch(3).end_offset, 3);
    assert_eq!(log.end_of_epoch(4).end_offset, 4);
}

#[test]
fn every_offset_is_found_across_segments_and_after_reopening() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(tmp.path(), small_segments(2000)).unwrap();
    fill(&mut log, 0..500);
    assert!(log.segment_count() > 10);
    assert_eq!(contents(&log), numbered(0..500));
    for offset in 0..500 {
        let data = log.reader().read(offset, 1, i64::MAX, true).unwrap();
        assert_eq!(data.first_offset, offset);
    }
    drop(log);
    let (log, recovered) = Log::open(tmp.path(), small_segments(2000)).unwrap();
    assert!(recovered.segments_scanned > 10);
    assert_eq!(recovered.bytes_truncated, 0);
    assert_eq!(contents(&log), numbered(0..500));
}

#[test]
fn nothing_at_or_above_the_bound_is_read() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(tmp.path(), small_segments(2000)).unwrap();
    fill(&mut log, 0..100);
    for bound in 0..=100 {
        let data = log.reader().read(0, u64::MAX, bound, true).unwrap();
        let last = Batches::new(&bytes(&data), 1 << 20).last().map(|b| b.unwrap().header.next_offset());
        assert!(last.unwrap_or(0) <= bound);
        assert_eq!(data.slice.is_some(), bound > 0);
    }
    for offset in [-1, 101] {
        assert!(matches!(
            log.reader().read(offset, 1, i64::MAX, true),
            Err(ReadError::OffsetOutOfRange { start: 0, end: 100, .. })
        ));
    }
    assert!(log.reader().read(100, 1, i64::MAX, true).unwrap().slice.is_none());
}

#[test]
fn a_read_that_must_not_wait_finds_what_is_cached_and_nothing_else() {
    let tmp = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (mut log, _) = Log::open(tmp.path(), small_segments(200_000)).unwrap();
    fill(&mut log, 0..5000);
    log.close().unwrap();
    drop(log);
    // After a clean stop nothing is opened but the last segment and what is asked for.
    let (log, _) = Log::open(tmp.path(), OpenOptions { clean_shutdown: true, ..options() }).unwrap();
    let cached = |offset| log.reader().read_cached(offset, 1, i64::MAX, true).unwrap();
    assert!(cached(7).is_none(), "opening a file may wait");
    for offset in [7, 1500, 4999] {
        let waited = log.reader().read(offset, 1, i64::MAX, true).unwrap();
        let Some(found) = cached(offset) else {
            return skip("reads that must not wait", "this file system does not say what is cached");
        };
        let place = |data: &FetchData| (data.start, data.first_offset, data.slice.as_ref().unwrap().length);
        assert_eq!(place(&found), place(&waited));
    }
    assert!(cached(5000).unwrap().slice.is_none());
    let outside = log.reader().read_cached(5001, 1, i64::MAX, true);
    assert!(matches!(outside, Err(ReadError::OffsetOutOfRange { .. })));
    for kind in ["index", "log"] {
        let name = tmp.path().join(format!("00000000000000000000.{kind}"));
        let file = std::fs::File::open(name).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        // Asked once: asking makes the kernel begin to read.
        if cached(1500).is_some() {
            let mut byte = [0];
            let mut into = [std::io::IoSliceMut::new(&mut byte)];
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
            let told = rustix::io::preadv2(&file, &mut into, 0, rustix::io::ReadWriteFlags::NOWAIT);
            assert!(told.is_ok(), "the {kind} file was on the disk alone");
            return skip("reads that must not wait", "this file system does not let go of cached pages");
        }
        assert_eq!(log.reader().read(1500, 1, i64::MAX, true).unwrap().first_offset, 1500);
        assert!(cached(1500).is_some(), "the {kind} file has been read");
    }
}

#[test]
fn the_first_batch_is_whole_only_if_asked_for() {
    let tmp = tempfile::tempdir().unwrap();
    let mut log = open(tmp.path());
    let large = batch(NOW, &["x".repeat(5000).as_str()]);
    append(&mut log, &large, 0, NOW).unwrap();
    let whole = log.reader().read(0, 100, i64::MAX, true).unwrap();
    assert_eq!(whole.slice.unwrap().length, large.len() as u64);
    assert!(!whole.first_entry_incomplete);
    let part = log.reader().read(0, 100, i64::MAX, false).unwrap();
    assert_eq!(part.slice.unwrap().length, 100);
    assert!(part.first_entry_incomplete);
}

#[test]
fn a_time_leads_to_the_first_record_not_before_it() {
    let tmp = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(tmp.path(), small_segments(1000)).unwrap();
    // Two records a batch, ten milliseconds apart, and one that is out of order.
    for i in 0..100 {
        append(&mut log, &batch(NOW + i * 10, &["a", "b"]), 0, NOW).unwrap();
    }
    append(&mut log, &batch(NOW + 5, &["late"]), 0, NOW).unwrap();
    let find = |t| log.reader().offset_for_timestamp(t).unwrap().map(|f| (f.timestamp, f.offset));
    assert_eq!(find(0), Some((NOW, 0)));
    for i in 0..100 {
        assert_eq!(find(NOW + i * 10), Some((NOW + i * 10, i * 2)));
        assert_eq!(find(NOW + i * 10 + 1), Some((NOW + i * 10 + 1, i * 2 + 1)));
    }
    assert_eq!(find(NOW + 992), None);
    let max = log.reader().max_timestamp_offset().unwrap().unwrap();
    assert_eq!((max.timestamp, max.offset), (NOW + 991, 199));
}

#[test]
fn a_crash_at_any_byte_loses_only_the_torn_batch() {
    let tmp = tempfile::tempdir().unwrap();
    let whole = tmp.path().join("whole");
    let mut log = open(&whole);
    fill(&mut log, 0..5);
    let file = "00000000000000000000.log";
    let bytes = std::fs::read(whole.join(file)).unwrap();
    let size = bytes.len() / 5;
    for cut in 0..bytes.len() {
        let torn = tmp.path().join(format!("cut-{cut}"));
        std::fs::create_dir(&torn).unwrap();
        std::fs::write(torn.join(file), &bytes[..cut]).unwrap();
        let (mut log, recovered) = Log::open(&torn, options()).unwrap();
        let left = (cut / size) as i64;
        assert_eq!(log.log_end_offset(), left, "cut at {cut}");
        assert_eq!(recovered.bytes_truncated, (cut % size) as u64);
        fill(&mut log, left..6);
        assert_eq!(contents(&log), numbered(0..6));
        std::fs::remove_dir_all(torn).unwrap();
    }
}

#[test]
fn an_index_that_has_room_for_next_to_nothing_loses_nothing() {
    for segment_index_bytes in [4, 7, 8, 12, 23, 24, 36] {
        let tmp = tempfile::tempdir().unwrap();
        let directory = tmp.path().join("t-0");
        let config = LogConfig { segment_index_bytes, index_interval_bytes: 0, ..LogConfig::default() };
        let options = OpenOptions {
            config: config.clone().into(),
            ..OpenOptions::new(TopicPartition::new("t", 0), NOW)
        };
        let (mut log, _) = Log::open(&directory, options.clone()).unwrap();
        records::fill(&mut log, 0..20);
        assert_eq!(records::contents(&log), records::numbered(0..20), "{segment_index_bytes} bytes");
        let files = || {
            let files = std::fs::read_dir(&directory).unwrap();
            files
                .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "log"))
                .count()
        };
        assert_eq!(log.segment_count(), files(), "each segment has files of its own");
        log.set_config(LogConfig { retention_bytes: 300, file_delete_delay_ms: 0, ..config }.into());
        let retained = log.delete_retention(NOW, 20).unwrap();
        retained.removal.unwrap().run().unwrap();
        let left = log.log_start_offset()..20;
        assert!(left.start > 0 && left.start < 20);
        assert_eq!(records::contents(&log), records::numbered(left.clone()), "{segment_index_bytes} bytes");
        drop(log);
        let (log, _) = Log::open(&directory, options).unwrap();
        assert_eq!(records::contents(&log), records::numbered(left), "{segment_index_bytes} bytes");
    }
}
