//! Compaction against a model: whatever is written, rolled, cleaned, crashed and opened again, each key's latest record is there, nothing else is
//! invented, nothing of an aborted transaction is read as committed, and producers are known.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use records::{NOW, Seen, append, read};
use vltava_log::{
    CleanError, CleanOptions, CleanStats, CleanupPolicy, Log, LogConfig, LogError, OpenOptions,
    TopicPartition,
};
use vltava_protocol::records::{BatchBuilder, BatchOptions, Codec, EndTxnMarker};

const RETENTION: i64 = 10_000;
const PLENTY: usize = 1 << 20;

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 2_000,
        index_interval_bytes: 200,
        cleanup_policy: CleanupPolicy::COMPACT,
        delete_retention_ms: RETENTION,
        ..LogConfig::default()
    }
}

fn options(config: LogConfig, now: i64) -> OpenOptions {
    OpenOptions { config: config.into(), ..OpenOptions::new(TopicPartition::new("t", 0), now) }
}

/// Cleans everything that can be, with memory for so many bytes of keys.
fn clean(log: &mut Log, from: i64, buffer: usize, now: i64) -> Result<CleanStats, CleanError> {
    let reader = log.reader();
    let config = log.config().clone();
    let cleanable = reader.cleanable(&config, Some(from), log.log_end_offset(), now).unwrap();
    let producers = log.last_of_producers();
    let mut removals = Vec::new();
    let stats = reader.clean(
        &cleanable,
        &config,
        CleanOptions {
            buffer_bytes: buffer,
            load_factor: 1.0,
            now,
            producers,
            throttle: &mut |_| true,
            install: &mut |replacement| {
                let removal = log.install(replacement, now)?;
                let fits = removal.is_some();
                removals.extend(removal);
                Ok(fits)
            },
        },
    );
    for removal in removals {
        removal.run().unwrap();
    }
    stats
}

fn keyed(options: BatchOptions, timestamp: i64, records: &[(u8, Option<u8>)]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (key, value) in records {
        let value = value.map(|value| vec![b'a' + value % 26; 20 + usize::from(value)]);
        builder.append(timestamp, Some(&[b'k', *key]), value.as_deref(), &[]).unwrap();
    }
    builder.finish().unwrap().0
}

/// One record that was ever appended.
#[derive(Debug, Clone)]
struct Written {
    key: u8,
    value: Option<Vec<u8>>,
    timestamp: i64,
    /// When it was appended.
    at: i64,
    producer: Option<usize>,
    /// Decided when its transaction is; outside of one at once.
    committed: Option<bool>,
}

#[derive(Debug, Clone)]
enum Op {
    Plain { records: Vec<(u8, Option<u8>)>, codec: u8 },
    InTransaction { producer: usize, records: Vec<(u8, Option<u8>)> },
    End { producer: usize, committed: bool },
    Roll,
    Clean { buffer: usize },
    Pass { ms: i64 },
    DeleteRecords { part: u8 },
    Reopen { crash: bool },
}

fn records() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    prop::collection::vec((0_u8..12, prop::option::weighted(0.8, any::<u8>())), 1..6)
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (records(), 0_u8..5).prop_map(|(records, codec)| Op::Plain { records, codec }),
        5 => (0_usize..3, records()).prop_map(|(producer, records)| Op::InTransaction { producer, records }),
        3 => (0_usize..3, any::<bool>()).prop_map(|(producer, committed)| Op::End { producer, committed }),
        2 => Just(Op::Roll),
        4 => prop_oneof![Just(PLENTY), Just(24), Just(24 * 3), Just(24 * 6)].prop_map(|buffer| Op::Clean { buffer }),
        2 => (0_i64..2 * RETENTION).prop_map(|ms| Op::Pass { ms }),
        1 => any::<u8>().prop_map(|part| Op::DeleteRecords { part }),
        2 => any::<bool>().prop_map(|crash| Op::Reopen { crash }),
    ]
}

struct World {
    _place: tempfile::TempDir,
    directory: PathBuf,
    log: Option<Log>,
    written: BTreeMap<i64, Written>,
    /// Of each producer, the sequence that comes next and the first offset of its open transaction.
    producers: [(i32, Option<i64>); 3],
    cleaned_to: i64,
    now: i64,
    start: i64,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("t-0");
        let (log, _) = Log::open(&directory, options(config(), NOW)).unwrap();
        Self {
            _place: place,
            directory,
            log: Some(log),
            written: BTreeMap::new(),
            producers: [(0, None); 3],
            cleaned_to: 0,
            now: NOW,
            start: 0,
        }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    fn write(&mut self, bytes: &[u8], records: &[(u8, Option<u8>)], producer: Option<usize>) {
        let now = self.now;
        let first = append(self.log(), bytes, 0, now).unwrap().first_offset;
        for (offset, (key, value)) in (first..).zip(records) {
            let value = value.map(|value| vec![b'a' + value % 26; 20 + usize::from(value)]);
            let committed = producer.is_none().then_some(true);
            self.written
                .insert(offset, Written { key: *key, value, timestamp: now, at: now, producer, committed });
        }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        let now = self.now;
        match op {
            Op::Plain { records, codec } => {
                let codec = Codec::from_id(codec).unwrap();
                let bytes = keyed(BatchOptions { codec, ..BatchOptions::default() }, now, &records);
                self.write(&bytes, &records, None);
            }
            Op::InTransaction { producer, records } => {
                let end = self.log().log_end_offset();
                let (sequence, open) = &mut self.producers[producer];
                let options = BatchOptions {
                    producer_id: producer as i64,
                    producer_epoch: 0,
                    base_sequence: *sequence,
                    transactional: true,
                    ..BatchOptions::default()
                };
                *sequence += records.len() as i32;
                open.get_or_insert(end);
                self.write(&keyed(options, now, &records), &records, Some(producer));
            }
            Op::End { producer, committed } => {
                if self.producers[producer].1.take().is_some() {
                    let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
                    let bytes = marker.write_batch(Vec::new(), 0, -1, now, (producer as i64, 0)).unwrap().0;
                    append(self.log(), &bytes, 0, now).unwrap();
                    let open = self.written.values_mut();
                    for written in open.filter(|w| w.producer == Some(producer) && w.committed.is_none()) {
                        written.committed = Some(committed);
                    }
                }
            }
            Op::Roll => {
                let _not_waited_for = self.log().roll(now).unwrap();
            }
            Op::Clean { buffer } => self.clean(buffer)?,
            Op::Pass { ms } => self.now += ms,
            Op::DeleteRecords { part } => {
                let end = self.log().log_end_offset();
                let to = self.start + (end - self.start) * i64::from(part) / 512;
                self.log().increment_log_start_offset(to, end).unwrap();
                self.start = self.start.max(to);
            }
            Op::Reopen { crash } => {
                let end = self.log().log_end_offset();
                if !crash {
                    self.log().close().unwrap();
                }
                drop(self.log.take());
                let options = OpenOptions {
                    clean_shutdown: !crash,
                    log_start_offset: self.start,
                    ..options(config(), now)
                };
                let (log, recovered) = Log::open(&self.directory, options).unwrap();
                prop_assert_eq!(recovered.bytes_truncated, 0);
                prop_assert_eq!(log.log_end_offset(), end);
                self.log = Some(log);
            }
        }
        self.check()
    }

    fn clean(&mut self, buffer: usize) -> Result<(), TestCaseError> {
        let (from, now) = (self.cleaned_to, self.now);
        let end = self.log().log_end_offset();
        let stats = clean(self.log(), from, buffer, now).unwrap();
        prop_assert_eq!(self.log().log_end_offset(), end);
        prop_assert!(stats.end_offset >= from.min(end), "{stats:?} from {from}");
        self.cleaned_to = stats.end_offset;
        if buffer == PLENTY {
            // All that could be was: no key has two records below, and nothing aborted is left.
            let seen = self.seen();
            let mut last = BTreeMap::new();
            for seen in seen.iter().filter(|seen| !seen.control && seen.offset < stats.end_offset) {
                prop_assert_eq!(self.written[&seen.offset].committed, Some(true), "offset {}", seen.offset);
                let before = last.insert(seen.key.clone(), seen.offset);
                prop_assert_eq!(before, None, "offset {} and before", seen.offset);
            }
        }
        Ok(())
    }

    fn seen(&mut self) -> Vec<Seen> {
        let start = self.start;
        read(&self.log().reader(), start, i64::MAX)
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let seen = self.seen();
        let (start, cleaned_to, now) = (self.start, self.cleaned_to, self.now);
        let mut there = BTreeMap::new();
        let mut last = -1;
        for seen in seen.iter().filter(|seen| !seen.control) {
            prop_assert!(seen.offset > last, "offset {} behind {last}", seen.offset);
            last = seen.offset;
            let Some(written) = self.written.get(&seen.offset) else {
                return Err(TestCaseError::fail(format!("offset {} was never written", seen.offset)));
            };
            prop_assert_eq!(seen.key.as_deref(), Some(&[b'k', written.key][..]));
            prop_assert_eq!(&seen.value, &written.value, "offset {}", seen.offset);
            prop_assert_eq!(seen.timestamp, written.timestamp, "offset {}", seen.offset);
            there.insert(seen.offset, ());
        }
        // What is not there has a reason.
        for (offset, written) in self.written.range(start..).filter(|(offset, _)| !there.contains_key(offset))
        {
            let later = self
                .written
                .range(offset + 1..)
                .any(|(_, later)| later.key == written.key && later.committed == Some(true));
            let gone_tombstone = written.value.is_none() && now - written.at >= RETENTION;
            // What was aborted may go with the segment it is in.
            let is_aborted = written.committed == Some(false);
            let reason = is_aborted || ((later || gone_tombstone) && *offset < cleaned_to);
            prop_assert!(reason, "offset {offset} is gone, cleaned to {cleaned_to}: {written:?}");
        }
        self.check_transactions(&seen)?;
        for (producer, (sequence, open)) in self.producers.into_iter().enumerate() {
            if sequence > 0 {
                let known = self
                    .log()
                    .producer(producer as i64)
                    .map(|known| (known.last_sequence(), known.txn_first_offset));
                // Where its records were deleted before the log was opened again, nothing may be known of it.
                if let Some((last, first_open)) = known {
                    prop_assert!(
                        last == sequence - 1 || last == -1,
                        "producer {producer}: {last}, not {}",
                        sequence - 1
                    );
                    prop_assert!(
                        first_open == open || self.start > 0,
                        "producer {producer}: {first_open:?}, not {open:?}"
                    );
                } else {
                    prop_assert!(self.start > 0, "producer {producer} is not known");
                }
            }
        }
        Ok(())
    }

    /// A reader of committed records skips what the list of aborted transactions says: that has to be all of it and no more.
    fn check_transactions(&mut self, seen: &[Seen]) -> Result<(), TestCaseError> {
        let end = self.log().log_end_offset();
        let start = self.start;
        let stable = self.log().reader().last_stable_offset(end);
        let aborted = self.log().reader().aborted_transactions(start, stable).unwrap();
        for seen in seen.iter().filter(|seen| !seen.control && seen.offset < stable && seen.producer_id >= 0)
        {
            let is_listed = aborted.iter().any(|txn| {
                txn.producer_id == seen.producer_id
                    && (txn.first_offset..=txn.last_offset).contains(&seen.offset)
            });
            let committed = self.written[&seen.offset].committed;
            prop_assert_eq!(is_listed, committed == Some(false), "offset {} with {:?}", seen.offset, aborted);
        }
        Ok(())
    }
}

fn cases() -> u32 {
    std::env::var("MODEL_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(200)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn each_keys_latest_record_stays_whatever_happens(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in ops {
            world.apply(op)?;
        }
        let _not_waited_for = world.log().roll(NOW).unwrap();
        world.apply(Op::Clean { buffer: PLENTY })?;
    }
}

/// A log with a dirty part of several segments.
fn dirty(directory: &Path) -> Log {
    let (mut log, _) = Log::open(directory, options(config(), NOW)).unwrap();
    for round in 0..40_u8 {
        let records: Vec<_> = (0..4).map(|key| (key, Some(round))).collect();
        append(&mut log, &keyed(BatchOptions::default(), NOW, &records), 0, NOW).unwrap();
    }
    let _not_waited_for = log.roll(NOW).unwrap();
    log
}

fn latest(log: &Log) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let reader = log.reader();
    let seen = read(&reader, reader.log_start_offset(), i64::MAX);
    seen.into_iter().filter_map(|seen| Some((seen.key?, seen.value?))).collect()
}

#[test]
fn a_log_that_is_cleaned_becomes_small_and_stays_so() {
    let place = tempfile::tempdir().unwrap();
    let mut log = dirty(&place.path().join("t-0"));
    let (size, expected, segments) = (log.size(), latest(&log), log.segment_count());
    let cleanable = log.reader().cleanable(log.config(), None, log.log_end_offset(), NOW).unwrap();
    assert_eq!((cleanable.first_dirty, cleanable.first_uncleanable, cleanable.clean_bytes), (0, 160, 0));
    assert!(cleanable.is_due(log.config()) && cleanable.dirty_ratio() > 0.9 && segments > 5);
    let stats = clean(&mut log, 0, PLENTY, NOW).unwrap();
    assert_eq!((stats.end_offset, stats.segments.0), (160, segments - 1));
    assert!(log.size() < size / 20, "{} of {size}", log.size());
    assert_eq!(latest(&log), expected);
    let cleanable = log.reader().cleanable(log.config(), Some(160), log.log_end_offset(), NOW).unwrap();
    assert!(!cleanable.is_due(log.config()) && cleanable.dirty_bytes == 0, "{cleanable:?}");
    // The small segments that are left become one.
    clean(&mut log, 0, PLENTY, NOW).unwrap();
    assert_eq!(log.segment_count(), 2);
    assert_eq!(latest(&log), expected);
}

#[test]
fn lags_hold_records_back_and_call_for_cleaning() {
    let place = tempfile::tempdir().unwrap();
    let mut log = dirty(&place.path().join("t-0"));
    let cleanable = |log: &Log, now| log.reader().cleanable(log.config(), None, 160, now).unwrap();
    let young = LogConfig { min_compaction_lag_ms: 1000, ..config() };
    log.set_config(young.into());
    assert_eq!(cleanable(&log, NOW + 500).first_uncleanable, 0);
    assert_eq!(cleanable(&log, NOW + 1500).first_uncleanable, 160);
    let overdue = LogConfig { max_compaction_lag_ms: 1000, min_cleanable_dirty_ratio: 1.0, ..config() };
    log.set_config(overdue.clone().into());
    assert!(!cleanable(&log, NOW + 500).is_due(&overdue));
    let late = cleanable(&log, NOW + 1500);
    assert!(late.is_due(&overdue) && late.overdue_ms == 500, "{late:?}");
    assert_eq!(
        log.reader().cleanable(log.config(), None, 100, NOW).unwrap().first_uncleanable,
        100,
        "the last stable offset"
    );
}

#[test]
fn a_tombstone_goes_when_its_time_is_over_and_not_before() {
    let place = tempfile::tempdir().unwrap();
    let (mut log, _) = Log::open(&place.path().join("t-0"), options(config(), NOW)).unwrap();
    for value in [Some(1), None] {
        append(&mut log, &keyed(BatchOptions::default(), NOW, &[(1, value)]), 0, NOW).unwrap();
        let _not_waited_for = log.roll(NOW).unwrap();
    }
    let offsets =
        |log: &Log| read(&log.reader(), 0, i64::MAX).iter().map(|seen| seen.offset).collect::<Vec<_>>();
    clean(&mut log, 0, PLENTY, NOW).unwrap();
    assert_eq!(offsets(&log), [1], "its value goes at once");
    clean(&mut log, 0, PLENTY, NOW + RETENTION - 1).unwrap();
    assert_eq!(offsets(&log), [1]);
    clean(&mut log, 0, PLENTY, NOW + RETENTION).unwrap();
    assert_eq!(offsets(&log), [0_i64; 0]);
    assert_eq!(log.log_end_offset(), 2, "the last batch stays, empty: nobody takes its offset again");
}

#[test]
fn a_damaged_segment_stops_the_cleaning_by_file_and_byte_and_stays() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("t-0");
    let mut log = dirty(&directory);
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    let mut bytes = fs::read(&files[2]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&files[2], &bytes).unwrap();
    let before = log.size();
    let CleanError::Log(error @ LogError::Corrupt { .. }) = clean(&mut log, 0, PLENTY, NOW).unwrap_err()
    else {
        panic!("another error");
    };
    assert!(error.to_string().contains(&*files[2].to_string_lossy()), "{error}");
    assert_eq!((log.size(), fs::read(&files[2]).unwrap()), (before, bytes));
    assert!(
        fs::read_dir(&directory)
            .unwrap()
            .all(|file| { !file.unwrap().path().to_string_lossy().ends_with(".cleaned") })
    );
}

#[test]
fn what_was_truncated_meanwhile_does_not_come_back() {
    let place = tempfile::tempdir().unwrap();
    let mut log = dirty(&place.path().join("t-0"));
    let (reader, config) = (log.reader(), log.config().clone());
    let cleanable = reader.cleanable(&config, None, 160, NOW).unwrap();
    let producers = log.last_of_producers();
    let stats = reader.clean(
        &cleanable,
        &config,
        CleanOptions {
            buffer_bytes: PLENTY,
            load_factor: 0.9,
            now: NOW,
            producers,
            throttle: &mut |_| true,
            install: &mut |replacement| {
                log.truncate_to(8, NOW)?;
                Ok(log.install(replacement, NOW)?.is_some())
            },
        },
    );
    assert!(matches!(stats, Err(CleanError::GivenUp)), "{stats:?}");
    assert_eq!((log.log_end_offset(), log.segment_count()), (8, 1));
    let told = reader.clean(
        &cleanable,
        &config,
        CleanOptions {
            buffer_bytes: PLENTY,
            load_factor: 0.9,
            now: NOW,
            producers: Default::default(),
            throttle: &mut |_| false,
            install: &mut |_| panic!("it was told to stop"),
        },
    );
    assert!(matches!(told, Err(CleanError::GivenUp)), "{told:?}");
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn with_suffix(directory: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(suffix));
    found.sort();
    found
}

fn rename(path: &Path, from: &str, to: &str) {
    let name = path.to_string_lossy();
    fs::rename(path, format!("{}{to}", name.strip_suffix(from).unwrap())).unwrap();
}

/// A crash at each step of putting a cleaned segment in place: what is opened then has each key's latest record.
#[test]
fn a_crash_at_any_step_of_the_replacement_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("t-0");
    let mut log = dirty(&directory);
    let expected = latest(&log);
    let stopped = place.path().join("stopped");
    let (reader, config) = (log.reader(), log.config().clone());
    let cleanable = reader.cleanable(&config, None, 160, NOW).unwrap();
    let mut replaced = Vec::new();
    let options_of = |install| CleanOptions {
        buffer_bytes: PLENTY,
        load_factor: 0.9,
        now: NOW,
        producers: Default::default(),
        throttle: Box::leak(Box::new(|_| true)),
        install,
    };
    let mut install = |replacement| {
        if replaced.is_empty() {
            copy(&directory, &stopped);
        }
        replaced.push(());
        Ok(log.install(replacement, NOW)?.is_some())
    };
    reader.clean(&cleanable, &config, options_of(&mut install)).unwrap();
    let state = place.path().join("state");
    let opens = |what: &str| {
        let opened = place.path().join("u-0");
        copy(&state, &opened);
        let (log, _) = Log::open(&opened, options(self::config(), NOW)).unwrap();
        assert_eq!(latest(&log), expected, "{what}");
        assert_eq!(log.log_end_offset(), 160, "{what}");
        for suffix in [".cleaned", ".swap", ".deleted"] {
            assert!(with_suffix(&opened, suffix).is_empty(), "{what}: {suffix}");
        }
    };
    copy(&stopped, &state);
    opens("before anything was renamed");
    for path in with_suffix(&state, ".cleaned") {
        rename(&path, ".cleaned", ".swap");
        opens("while it became .swap");
    }
    // The first segments are those that it replaces: all that begin before the next one that is left in the cleaned directory.
    let cleaned_bases: Vec<String> = with_suffix(&directory, ".log")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let next = cleaned_bases[1].clone();
    for extension in [".log", ".index", ".timeindex"] {
        for path in with_suffix(&state, extension) {
            if path.file_stem().unwrap().to_string_lossy().into_owned() < next {
                rename(&path, "", ".deleted");
                opens("while the old ones were marked");
            }
        }
    }
    for path in with_suffix(&state, ".swap") {
        rename(&path, ".swap", "");
        opens("while it took their place");
    }
}
