//! Random histories of one log against a model that is a list of batches: whatever is appended, cut, retained, closed or torn
//! away by a crash, the log says what the list says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use records::{NOW, Producer, append, batch_with, follow, read};
use vltava_log::{AppendError, FlushJob, Log, LogConfig, LogOffset, OpenOptions, TopicPartition};
use vltava_protocol::records::{BatchOptions, Codec};

#[derive(Debug, Clone)]
enum Op {
    Plain { records: usize, codec: usize },
    Produce { producer: usize, records: usize },
    Repeat { producer: usize },
    OutOfOrder { producer: usize },
    EndTxn { producer: usize, commit: bool },
    Fence { producer: usize },
    Follow { gap: i64, records: usize },
    NextEpoch,
    Roll,
    Flush,
    Truncate { part: u8 },
    TruncateFully { ahead: i64 },
    DeleteRecords { part: u8 },
    RetainBytes { part: u8 },
    RetainTime { part: u8 },
    Reopen,
    Crash { cut: u16, garbage: Vec<u8>, indexes: u8 },
}

fn op() -> impl Strategy<Value = Op> {
    let producer = 0..6_usize;
    prop_oneof![
        6 => (1..5_usize, 0..5_usize).prop_map(|(records, codec)| Op::Plain { records, codec }),
        10 => (producer.clone(), 1..4_usize).prop_map(|(producer, records)| Op::Produce { producer, records }),
        3 => producer.clone().prop_map(|producer| Op::Repeat { producer }),
        2 => producer.clone().prop_map(|producer| Op::OutOfOrder { producer }),
        5 => (3..6_usize, any::<bool>()).prop_map(|(producer, commit)| Op::EndTxn { producer, commit }),
        1 => producer.prop_map(|producer| Op::Fence { producer }),
        3 => (0..4_i64, 1..4_usize).prop_map(|(gap, records)| Op::Follow { gap, records }),
        1 => Just(Op::NextEpoch),
        2 => Just(Op::Roll),
        2 => Just(Op::Flush),
        2 => any::<u8>().prop_map(|part| Op::Truncate { part }),
        1 => (0..50_i64).prop_map(|ahead| Op::TruncateFully { ahead }),
        1 => any::<u8>().prop_map(|part| Op::DeleteRecords { part }),
        1 => any::<u8>().prop_map(|part| Op::RetainBytes { part }),
        1 => any::<u8>().prop_map(|part| Op::RetainTime { part }),
        2 => Just(Op::Reopen),
        3 => (any::<u16>(), prop::collection::vec(any::<u8>(), 0..100), any::<u8>())
            .prop_map(|(cut, garbage, indexes)| Op::Crash { cut, garbage, indexes }),
    ]
}

/// One batch of the history.
#[derive(Debug, Clone)]
struct Written {
    base: i64,
    last: i64,
    epoch: i32,
    timestamp: i64,
    values: Vec<String>,
    producer: Option<Producer>,
    sequence: i32,
    /// The end of a transaction: committed or not.
    marker: Option<bool>,
    place: LogOffset,
    bytes: u64,
}

/// What the model says about one producer.
#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    epoch: i16,
    /// The last batch: sequence, first and last offset, records.
    last: Option<(i32, i64, i64)>,
    next_sequence: i32,
    txn: Option<i64>,
}

#[derive(Debug, Default)]
struct State {
    producers: BTreeMap<i64, Known>,
    /// Producer, first offset, marker's offset.
    aborted: Vec<(i64, i64, i64)>,
}

fn replay(history: &[Written]) -> State {
    let mut state = State::default();
    for written in history {
        let Some(producer) = written.producer else { continue };
        let known = state.producers.entry(producer.id).or_default();
        if known.epoch != producer.epoch {
            *known = Known { epoch: producer.epoch, txn: known.txn, ..Known::default() };
        }
        match written.marker {
            Some(committed) => {
                if let Some(first) = known.txn.take().filter(|_| !committed) {
                    state.aborted.push((producer.id, first, written.last));
                }
            }
            None => {
                known.last = Some((written.sequence, written.base, written.last));
                known.next_sequence = written.sequence + written.values.len() as i32;
                if producer.transactional {
                    known.txn.get_or_insert(written.base);
                }
            }
        }
    }
    state
}

struct World {
    _tmp: tempfile::TempDir,
    directory: PathBuf,
    log: Log,
    jobs: Vec<FlushJob>,
    history: Vec<Written>,
    start: i64,
    end: i64,
    epoch: i32,
    epochs_of_producers: BTreeMap<i64, i16>,
    time: i64,
    counter: usize,
}

fn options(
    directory: &Path,
    clean_shutdown: bool,
    recovery_point: i64,
    log_start_offset: i64,
) -> (PathBuf, OpenOptions) {
    let config =
        Arc::new(LogConfig { segment_bytes: 1500, index_interval_bytes: 200, ..LogConfig::default() });
    let options = OpenOptions {
        config,
        clean_shutdown,
        recovery_point,
        log_start_offset,
        ..OpenOptions::new(TopicPartition::new("model", 0), NOW)
    };
    (directory.to_owned(), options)
}

impl World {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let (directory, options) = options(&tmp.path().join("model-0"), false, 0, 0);
        let (log, _) = Log::open(&directory, options).unwrap();
        Self {
            _tmp: tmp,
            directory,
            log,
            jobs: Vec::new(),
            history: Vec::new(),
            start: 0,
            end: 0,
            epoch: 0,
            epochs_of_producers: BTreeMap::new(),
            time: NOW,
            counter: 0,
        }
    }

    fn values(&mut self, records: usize) -> Vec<String> {
        (0..records)
            .map(|_| {
                self.counter += 1;
                format!("value {} {}", self.counter, "x".repeat(self.counter % 60))
            })
            .collect()
    }

    fn producer(&self, index: usize) -> Producer {
        let id = 1000 + index as i64;
        Producer {
            id,
            epoch: self.epochs_of_producers.get(&id).copied().unwrap_or(0),
            transactional: index >= 3,
        }
    }

    fn known(&self, producer: Producer) -> Known {
        replay(&self.history).producers.get(&producer.id).cloned().unwrap_or_default()
    }

    fn sequence(&self, producer: Producer) -> i32 {
        let known = self.known(producer);
        if known.epoch == producer.epoch { known.next_sequence } else { 0 }
    }

    /// Timestamps go up, mostly.
    fn timestamp(&mut self) -> i64 {
        self.time += 100;
        if self.counter.is_multiple_of(5) { self.time - 250 } else { self.time }
    }

    fn written(&mut self, appended: vltava_log::Appended, written: Written) -> Result<(), TestCaseError> {
        prop_assert!(!appended.duplicate);
        prop_assert_eq!((appended.first_offset, appended.last_offset), (written.base, written.last));
        self.jobs.extend(appended.rolled);
        self.end = appended.last_offset + 1;
        self.history.push(Written { place: appended.start, bytes: appended.bytes as u64, ..written });
        Ok(())
    }

    fn add(
        &mut self,
        bytes: &[u8],
        values: Vec<String>,
        timestamp: i64,
        producer: Option<(Producer, i32)>,
        marker: Option<bool>,
    ) -> Result<(), TestCaseError> {
        let appended = append(&mut self.log, bytes, self.epoch, NOW).unwrap();
        let records = values.len().max(1) as i64;
        let written = Written {
            base: self.end,
            last: self.end + records - 1,
            epoch: self.epoch,
            timestamp,
            values,
            producer: producer.map(|(producer, _)| producer),
            sequence: producer.map_or(-1, |(_, sequence)| sequence),
            marker,
            place: appended.start,
            bytes: 0,
        };
        self.written(appended, written)
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Plain { records, codec } => {
                let (values, timestamp) = (self.values(records), self.timestamp());
                let options = BatchOptions { codec: Codec::ALL[codec], ..BatchOptions::default() };
                let bytes = batch_with(options, timestamp, &strs(&values));
                self.add(&bytes, values, timestamp, None, None)?;
            }
            Op::Produce { producer, records } => {
                let producer = self.producer(producer);
                let (values, timestamp) = (self.values(records), self.timestamp());
                let sequence = self.sequence(producer);
                let bytes = producer.batch(sequence, timestamp, &strs(&values));
                self.add(&bytes, values, timestamp, Some((producer, sequence)), None)?;
            }
            Op::Repeat { producer } => {
                let producer = self.producer(producer);
                let known = self.known(producer);
                let Some((sequence, first, last)) = known.last.filter(|_| known.epoch == producer.epoch)
                else {
                    return Ok(());
                };
                let values = vec!["again"; (last - first + 1) as usize];
                let answer =
                    append(&mut self.log, &producer.batch(sequence, NOW, &values), self.epoch, NOW).unwrap();
                prop_assert!(answer.duplicate);
                prop_assert_eq!((answer.first_offset, answer.last_offset), (first, last));
            }
            Op::OutOfOrder { producer } => {
                let producer = self.producer(producer);
                let known = self.known(producer);
                if known.last.is_none() || known.epoch != producer.epoch {
                    return Ok(());
                }
                let bytes = producer.batch(known.next_sequence + 7, NOW, &["never"]);
                let refused = append(&mut self.log, &bytes, self.epoch, NOW);
                let as_expected = matches!(refused, Err(AppendError::OutOfOrderSequence { .. }));
                prop_assert!(as_expected);
            }
            Op::EndTxn { producer, commit } => {
                let producer = self.producer(producer);
                if self.known(producer).txn.is_none() {
                    return Ok(());
                }
                let timestamp = self.timestamp();
                let bytes = producer.marker(commit, timestamp);
                self.add(&bytes, Vec::new(), timestamp, Some((producer, -1)), Some(commit))?;
            }
            Op::Fence { producer } => {
                let producer = self.producer(producer);
                // A coordinator ends what is open before it lets a new epoch write.
                if self.known(producer).txn.is_none() {
                    self.epochs_of_producers.insert(producer.id, producer.epoch + 1);
                }
            }
            Op::Follow { gap, records } => {
                let (values, timestamp) = (self.values(records), self.timestamp());
                let base = self.end + gap;
                let options =
                    BatchOptions { base_offset: base, leader_epoch: self.epoch, ..BatchOptions::default() };
                let bytes = batch_with(options, timestamp, &strs(&values));
                let appended = follow(&mut self.log, &bytes, NOW).unwrap();
                let last = base + values.len() as i64 - 1;
                let place = appended.start;
                let epoch = self.epoch;
                let (producer, sequence, marker) = (None, -1, None);
                let written = Written {
                    base,
                    last,
                    epoch,
                    timestamp,
                    values,
                    producer,
                    sequence,
                    marker,
                    place,
                    bytes: 0,
                };
                self.written(appended, written)?;
            }
            Op::NextEpoch => self.epoch += 1,
            Op::Roll => self.jobs.extend(self.log.roll(NOW).unwrap()),
            Op::Flush => {
                self.jobs.drain(..).for_each(|job| job.run().unwrap());
                self.log.flush().unwrap();
                prop_assert_eq!(self.log.recovery_point(), self.end);
            }
            Op::Truncate { part } => self.truncate(part)?,
            Op::TruncateFully { ahead } => {
                let offset = self.end + ahead;
                self.log.truncate_fully_and_start_at(offset, NOW).unwrap();
                self.history.clear();
                (self.start, self.end) = (offset, offset);
            }
            Op::DeleteRecords { part } => {
                let offset = self.start + (self.end - self.start) * i64::from(part) / 255;
                let moved = self.log.increment_log_start_offset(offset, self.end).unwrap();
                prop_assert_eq!(moved, offset > self.start);
                self.start = offset;
            }
            Op::RetainBytes { part } => {
                let limit = self.log.size() as i64 * i64::from(part) / 255;
                self.retain(LogConfig {
                    retention_bytes: limit,
                    retention_ms: -1,
                    ..(**self.log.config()).clone()
                })?;
                prop_assert!(self.log.size() as i64 <= limit + 1500 + 400);
            }
            Op::RetainTime { part } => {
                let age = (self.time - NOW) * i64::from(part) / 255;
                self.retain(LogConfig {
                    retention_bytes: -1,
                    retention_ms: age,
                    ..(**self.log.config()).clone()
                })?;
            }
            Op::Reopen => {
                let active = self.bases().pop().unwrap();
                self.log.close().unwrap();
                self.jobs.clear();
                let (directory, options) = options(&self.directory, true, self.end, self.start);
                let (log, recovered) = Log::open(&directory, options).unwrap();
                prop_assert_eq!(recovered, vltava_log::Recovered::default());
                self.log = log;
                self.settle_end(active);
            }
            Op::Crash { cut, garbage, indexes } => self.crash(cut, &garbage, indexes)?,
        }
        Ok(())
    }

    fn truncate(&mut self, part: u8) -> Result<(), TestCaseError> {
        // Near the end mostly, as followers do; sometimes far back.
        let span = if part < 32 { self.end - self.start } else { (self.end - self.start).min(12) };
        let offset = self.end - span * i64::from(part % 32) / 32;
        let first = self.first_base();
        let end = self.log.truncate_to(offset, NOW).unwrap();
        if offset >= self.end {
            prop_assert_eq!(end, self.end);
            return Ok(());
        }
        if offset < first {
            self.history.clear();
            (self.start, self.end) = (offset, offset);
            return Ok(());
        }
        let bound =
            self.history.iter().find(|written| written.last >= offset).map_or(offset, |w| offset.min(w.base));
        self.history.retain(|written| written.last < offset);
        let active = self.bases().pop().unwrap();
        let last =
            self.history.iter().rfind(|w| w.place.segment_base == active).map_or(active, |w| w.last + 1);
        prop_assert_eq!(end, last.max(bound.min(self.start)));
        self.end = end;
        self.start = self.start.min(end);
        Ok(())
    }

    /// The base of the first segment that retention leaves, by the rules alone: from the oldest on, what lies below the log start offset,
    /// what is over the size as a whole, and what has no record young enough. `None` where a segment has no record to tell by.
    fn first_kept(&self, config: &LogConfig, now: i64) -> Option<i64> {
        let bases = self.bases();
        let size =
            |base: i64| fs::metadata(self.directory.join(format!("{base:020}.log"))).unwrap().len() as i64;
        let mut excess = bases.iter().map(|base| size(*base)).sum::<i64>() - config.retention_bytes;
        for (at, base) in bases.iter().enumerate() {
            let next = bases.get(at + 1).copied();
            if next.is_none() && size(*base) == 0 {
                return Some(*base);
            }
            let records = self.history.iter().filter(|written| written.place.segment_base == *base);
            let youngest = records.map(|w| w.timestamp + (w.values.len() as i64 - 1).max(0)).max()?;
            let below_start = next.is_some_and(|next| next <= self.start);
            let too_large = config.retention_bytes >= 0 && excess >= size(*base);
            let too_old = config.retention_ms >= 0 && now - youngest > config.retention_ms;
            if !below_start && !too_large && !too_old {
                return Some(*base);
            }
            excess -= size(*base);
        }
        Some(self.end)
    }

    fn retain(&mut self, config: LogConfig) -> Result<(), TestCaseError> {
        let before = self.log.config().clone();
        let now = self.time;
        let kept = self.first_kept(&config, now);
        self.log.set_config(Arc::new(config));
        let retained = self.log.delete_retention(now, self.end).unwrap();
        self.jobs.extend(retained.rolled);
        if let Some(removal) = retained.removal {
            prop_assert_eq!(removal.due(), now + 60_000);
            removal.run().unwrap();
        }
        self.log.set_config(before);
        if let Some(kept) = kept {
            prop_assert_eq!(self.first_base(), kept, "retention");
        }
        self.start = self.start.max(self.first_base());
        Ok(())
    }

    /// The process dies: of what was not flushed any tail may be missing or be garbage, and so may every index.
    fn crash(&mut self, cut: u16, garbage: &[u8], indexes: u8) -> Result<(), TestCaseError> {
        let recovery_point = self.log.recovery_point();
        let active = self.bases().pop().unwrap();
        let file = self.directory.join(format!("{active:020}.log"));
        let size = fs::metadata(&file).unwrap().len();
        let here: Vec<&Written> = self.history.iter().filter(|w| w.place.segment_base == active).collect();
        let durable = here
            .iter()
            .filter(|w| w.last < recovery_point)
            .map(|w| w.place.position + w.bytes)
            .max()
            .unwrap_or(0);
        let position = durable + (size - durable) * u64::from(cut) / u64::from(u16::MAX);
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, [&bytes[..position as usize], garbage].concat()).unwrap();
        self.damage(active, recovery_point, indexes);
        self.history.retain(|w| w.place.segment_base != active || w.place.position + w.bytes <= position);
        self.jobs.clear();
        let (directory, options) = options(&self.directory, false, recovery_point, self.start);
        self.log = Log::open(&directory, options).unwrap().0;
        self.settle_end(active);
        Ok(())
    }

    fn damage(&self, active: i64, recovery_point: i64, indexes: u8) {
        let path = |base: i64, extension: &str| self.directory.join(format!("{base:020}.{extension}"));
        match indexes % 4 {
            0 => fs::write(path(active, "index"), [0x5a; 61]).unwrap(),
            1 => drop(fs::remove_file(path(active, "index"))),
            2 => fs::write(path(active, "index"), [0; 800]).unwrap(),
            _ => {}
        }
        match indexes / 4 % 4 {
            0 => fs::write(path(active, "timeindex"), [0xff; 50]).unwrap(),
            1 => drop(fs::remove_file(path(active, "timeindex"))),
            _ => {}
        }
        if (indexes / 16).is_multiple_of(2) {
            fs::write(path(active, "txnindex"), [7; 40]).unwrap();
        }
        if (indexes / 32).is_multiple_of(2) {
            let first = self.first_base();
            for entry in fs::read_dir(&self.directory).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                let Some(offset) = name.strip_suffix(".snapshot").and_then(|o| o.parse::<i64>().ok()) else {
                    continue;
                };
                if offset > recovery_point.max(first) {
                    fs::write(self.directory.join(name), b"torn").unwrap();
                }
            }
        }
    }

    /// After opening, the end is that of the last batch or the base of the segment that was the active one: a gap that a
    /// truncation left is gone. A log that ends before its start begins anew there.
    fn settle_end(&mut self, active: i64) {
        let last = self.history.last().map_or(0, |written| written.last + 1);
        self.end = last.max(active);
        if self.end < self.start {
            self.history.clear();
            self.end = self.start;
        }
    }

    fn bases(&self) -> Vec<i64> {
        let mut bases: Vec<i64> = fs::read_dir(&self.directory)
            .unwrap()
            .filter_map(|entry| {
                entry.unwrap().file_name().into_string().unwrap().strip_suffix(".log")?.parse().ok()
            })
            .collect();
        bases.sort_unstable();
        bases
    }

    fn first_base(&self) -> i64 {
        self.bases()[0]
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let reader = self.log.reader();
        prop_assert_eq!((reader.log_start_offset(), reader.log_end_offset()), (self.start, self.end));
        let seen = read(&reader, self.start, i64::MAX);
        let mut expected = Vec::new();
        for written in &self.history {
            for offset in written.base..=written.last {
                if offset >= self.start {
                    let at = (offset - written.base) as usize;
                    expected.push((offset, written.timestamp + at as i64, written.values.get(at).cloned()));
                }
            }
        }
        let found: Vec<_> =
            seen.iter().map(|s| (s.offset, s.timestamp, (!s.control).then(|| s.text()))).collect();
        prop_assert_eq!(found, expected.clone());
        self.check_transactions(&replay(&self.history))?;
        for written in self.history.iter().filter(|written| written.base >= self.start) {
            prop_assert_eq!(reader.epoch_at(written.base), Some(written.epoch));
        }
        for timestamp in [0, self.time - 1000, self.time - 250, self.time - 99, self.time, self.time + 10] {
            let first = expected.iter().find(|(_, t, _)| *t >= timestamp).map(|(offset, t, _)| (*t, *offset));
            let found = reader.offset_for_timestamp(timestamp).unwrap().map(|f| (f.timestamp, f.offset));
            prop_assert_eq!(found, first, "at {}", timestamp);
        }
        Ok(())
    }

    fn check_transactions(&self, state: &State) -> Result<(), TestCaseError> {
        let reader = self.log.reader();
        let open = state.producers.values().filter_map(|known| known.txn).min();
        prop_assert_eq!(reader.last_stable_offset(self.end), open.unwrap_or(self.end).min(self.end));
        let aborted = reader.aborted_transactions(self.start, self.end).unwrap();
        let mut found: Vec<_> =
            aborted.iter().map(|a| (a.producer_id, a.first_offset, a.last_offset)).collect();
        found.sort_unstable_by_key(|(_, _, last)| *last);
        let expected: Vec<_> =
            state.aborted.iter().copied().filter(|(_, _, last)| *last >= self.start).collect();
        prop_assert_eq!(found, expected);
        for (id, known) in &state.producers {
            let entry = self.log.producer(*id).map(|e| (e.epoch, e.txn_first_offset));
            prop_assert_eq!(entry, Some((known.epoch, known.txn)));
        }
        Ok(())
    }
}

fn strs(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

/// Histories to try: 60, or `MODEL_CASES` of them for a longer search.
fn cases() -> u32 {
    std::env::var("MODEL_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_says_what_its_history_says(ops in prop::collection::vec(op(), 1..70)) {
        let mut world = World::new();
        for op in ops {
            world.apply(op)?;
            world.check()?;
        }
    }
}
