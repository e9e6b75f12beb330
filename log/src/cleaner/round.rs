//! One cleaning of a log: the last offset of each dirty key, then every segment up to there written again without what that makes obsolete.

use std::collections::HashMap;
use std::fs::FileTimes;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::SystemTime;

use vltava_protocol::records::{BatchHeader, EndTxnMarker, Entry, RecordsError};

use super::filter::{DECOMPRESSION_LIMIT, Fate, Kept, Rules};
use super::install::Replacement;
use super::offset_map::OffsetMap;
use super::plan::{Cleanable, Extent, floor, group};
use super::transactions::{Ended, Transactions};
use crate::config::LogConfig;
use crate::disk::{self, Result};
use crate::entry::LogEntry;
use crate::error::LogError;
use crate::reader::LogReader;
use crate::recovery::IndexBuilder;
use crate::scan::Scan;
use crate::segment::Segment;

/// Bytes that gather before they are written.
const WRITE_AT: usize = 1 << 20;

/// What a cleaning needs from outside.
pub struct CleanOptions<'a> {
    /// `log.cleaner.dedupe.buffer.size`, of one cleaner: bytes for the keys of one round.
    pub buffer_bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`: how full they may become, between 0 and 1.
    pub load_factor: f64,
    /// Milliseconds since 1970.
    pub now: i64,
    /// The last batch of each producer that is known: it stays, so that its sequences are known after a recovery too.
    pub producers: HashMap<i64, LastOfProducer>,
    /// Told of bytes that were read or written; may wait, and says whether to go on.
    pub throttle: &'a mut dyn FnMut(u64) -> bool,
    /// Puts a cleaned segment in place, by [`Log::install`](crate::Log::install) under the log's lock. False if it did not fit.
    pub install: &'a mut dyn FnMut(Replacement) -> Result<bool>,
}

/// What has to stay of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastOfProducer {
    /// Its epoch.
    pub epoch: i16,
    /// Offset of its last record; `None` if only a marker told its epoch.
    pub last_offset: Option<i64>,
}

/// What a cleaning did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CleanStats {
    /// Cleaned up to here: the next begins there.
    pub end_offset: i64,
    /// Bytes that were read to be written again.
    pub bytes_read: u64,
    /// Bytes that were written.
    pub bytes_written: u64,
    /// Segments before and after.
    pub segments: (usize, usize),
    /// How full the memory for keys was, between 0 and 1.
    pub map_utilization: f64,
}

/// Why a cleaning ended early. What was put in place before stays.
#[derive(Debug, thiserror::Error)]
pub enum CleanError {
    /// The log, or what was written, is at fault.
    #[error(transparent)]
    Log(#[from] LogError),
    /// It was told to stop, or the log was truncated or deleted meanwhile.
    #[error("the cleaning was given up")]
    GivenUp,
}

impl LogReader {
    /// Cleans a log by what was found cleanable in it. Waits for the disk; needs no lock but what `install` takes.
    ///
    /// Cost: every dirty byte is read twice and every byte before the dirty end once more, with its checksum; what stays is written and flushed
    /// before it is put in place. Memory: [`CleanOptions::buffer_bytes`], and the largest batch a few times.
    pub fn clean(
        &self,
        cleanable: &Cleanable,
        config: &LogConfig,
        options: CleanOptions<'_>,
    ) -> Result<CleanStats, CleanError> {
        let truncations = self.shared.recovery.lock().truncations;
        let mut round = Round { log: self, config, options, stats: CleanStats::default() };
        let map = round.offset_map(cleanable)?;
        let end = map.latest() + 1;
        round.stats.end_offset = end.max(cleanable.first_dirty);
        round.stats.map_utilization = map.utilization();
        if end <= cleanable.first_dirty {
            return Ok(round.stats);
        }
        let segments = self.shared.segments();
        let until = segments.partition_point(|segment| segment.base_offset() < end);
        // Tombstones of magic 0 and 1 go by when the cleaned part was last written.
        let clean_until = floor(&segments, cleanable.first_dirty);
        let old_horizon = match segments[..clean_until].last() {
            Some(last) => last.modified()?.saturating_sub(config.delete_retention_ms),
            None => 0,
        };
        let extents = extents(&segments[..until], segments.get(until), end)?;
        let mut passing = Transactions::default();
        let mut at = 0;
        while at < until {
            let index_limit = u64::from(config.segment_index_bytes);
            let count = group(&extents[at..], u64::from(config.segment_bytes), index_limit);
            let old = segments[at..at + count].to_vec();
            let cleaned =
                round.clean_group(&old, &extents[at..at + count], &map, (end, old_horizon), &mut passing)?;
            round.stats.segments.0 += count;
            round.stats.segments.1 += 1;
            if !(round.options.install)(Replacement { cleaned, old, truncations })? {
                return Err(CleanError::GivenUp);
            }
            disk::sync_directory(&self.shared.directory.path())?;
            at += count;
        }
        Ok(round.stats)
    }
}

fn extents(segments: &[Arc<Segment>], next: Option<&Arc<Segment>>, end: i64) -> Result<Vec<Extent>> {
    let ends = segments.iter().skip(1).chain(next).map(|next| next.base_offset()).chain([end]);
    segments
        .iter()
        .zip(ends)
        .map(|(segment, end_offset)| {
            Ok(Extent {
                base_offset: segment.base_offset(),
                end_offset,
                bytes: segment.size(),
                index_bytes: u64::from(segment.offsets().entries().len()?) * 8,
                time_index_bytes: u64::from(segment.times().entries().len()?) * 12,
            })
        })
        .collect()
}

struct Round<'a, 'b> {
    log: &'a LogReader,
    config: &'a LogConfig,
    options: CleanOptions<'b>,
    stats: CleanStats,
}

impl Round<'_, '_> {
    fn went_through(&mut self, bytes: u64) -> Result<(), CleanError> {
        if (self.options.throttle)(bytes) { Ok(()) } else { Err(CleanError::GivenUp) }
    }

    /// The keys of the dirty part, or of as much of it as there is memory for: at least of one batch.
    fn offset_map(&mut self, cleanable: &Cleanable) -> Result<OffsetMap, CleanError> {
        let Cleanable { first_dirty, first_uncleanable, .. } = *cleanable;
        let mut map = OffsetMap::new(self.options.buffer_bytes, self.options.load_factor);
        let mut passing = Transactions::default();
        passing.add_aborted(self.log.aborted_transactions(first_dirty, first_uncleanable)?);
        let segments = self.log.shared.segments();
        for (at, segment) in segments.iter().enumerate().skip(floor(&segments, first_dirty)) {
            if segment.base_offset() >= first_uncleanable {
                break;
            }
            let mut whole = Whole::new(segment)?;
            while let Some((entry, bytes)) = whole.next()? {
                if entry.last_offset >= first_uncleanable {
                    return Ok(map);
                }
                if entry.last_offset < first_dirty {
                    continue;
                }
                self.went_through(entry.size)?;
                let parsed = parse(segment, &entry, &bytes)?;
                let is_read = match &entry.header {
                    Some(header) if header.attributes.is_control() => {
                        passing.end(header, marker_of(segment, &entry, &parsed)?);
                        false
                    }
                    Some(header) => !passing.is_aborted(header),
                    None => true,
                };
                if is_read && !put_all(&mut map, segment, &entry, &parsed, first_dirty)? {
                    // What of the batch is in the map takes nothing that is older than it by mistake: its offsets are above all that is cleaned.
                    return Ok(map);
                }
                map.set_latest(entry.last_offset);
            }
            if let Some(next) = segments.get(at + 1).filter(|next| next.base_offset() <= first_uncleanable) {
                // Nothing lies in a gap.
                map.set_latest(next.base_offset() - 1);
            }
        }
        Ok(map)
    }

    /// Writes segments again as one.
    fn clean_group(
        &mut self,
        old: &[Arc<Segment>],
        extents: &[Extent],
        map: &OffsetMap,
        (end, old_horizon): (i64, i64),
        passing: &mut Transactions,
    ) -> Result<Arc<Segment>, CleanError> {
        let shared = &self.log.shared;
        let base = extents.first().map_or(0, |extent| extent.base_offset);
        let cleaned = Segment::create_cleaned(&shared.directory, base, &shared.files)?;
        let mut output = Output::new(&cleaned, self.config.index_interval_bytes);
        let outcome = (|| {
            for (segment, extent) in old.iter().zip(extents) {
                passing.add_aborted(self.log.aborted_transactions(extent.base_offset, extent.end_offset)?);
                let rules = Rules {
                    map,
                    now: self.options.now,
                    delete_retention_ms: self.config.delete_retention_ms,
                    keeps_old_tombstones: segment.modified()? > old_horizon,
                };
                self.clean_segment(segment, &rules, end, passing, &mut output)?;
            }
            output.finish()?;
            cleaned.sync()?;
            if let Some(last) = old.last() {
                let written = SystemTime::UNIX_EPOCH
                    + std::time::Duration::from_millis(u64::try_from(last.modified()?).unwrap_or(0));
                let file = cleaned.log().file()?;
                file.set_times(FileTimes::new().set_modified(written))
                    .map_err(|e| LogError::io(&cleaned.log().path(), "set the time of", e))?;
            }
            Ok::<_, CleanError>(())
        })();
        if let Err(error) = outcome {
            let _ = cleaned.remove();
            return Err(error);
        }
        self.stats.bytes_written += cleaned.size();
        Ok(Arc::new(cleaned))
    }

    fn clean_segment(
        &mut self,
        segment: &Arc<Segment>,
        rules: &Rules<'_>,
        end: i64,
        passing: &mut Transactions,
        output: &mut Output<'_>,
    ) -> Result<(), CleanError> {
        let mut whole = Whole::new(segment)?;
        while let Some((entry, bytes)) = whole.next()? {
            self.stats.bytes_read += entry.size;
            self.went_through(2 * entry.size)?;
            let parsed = parse(segment, &entry, &bytes)?;
            let mut fate = Fate::default();
            if let Some(header) = &entry.header {
                let may_go = if header.attributes.is_control() {
                    let ended = passing.end(header, marker_of(segment, &entry, &parsed)?);
                    if let Ended::Aborted(txn) = ended {
                        output.segment.aborted().reserve(1)?;
                        output.segment.aborted().append(txn)?;
                    }
                    fate.is_idle_marker = ended == Ended::Nothing;
                    fate.is_idle_marker
                        && header.delete_horizon().is_some_and(|horizon| horizon <= self.options.now)
                } else {
                    passing.is_aborted(header)
                };
                fate.discards_records = may_go;
                fate.stays_empty = self.is_last_of_producer(header) || header.next_offset() == end;
            }
            let from = output.pending.len();
            let kept = rules.filter(&parsed, fate, &mut output.pending);
            let kept = kept.map_err(|error| corrupt(segment, &entry, &error.to_string()))?;
            if kept != Kept::Nothing {
                output.note(from)?;
            }
            output.write_if(WRITE_AT)?;
        }
        Ok(())
    }

    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        header.has_producer_id()
            && self.options.producers.get(&header.producer_id).is_some_and(|last| match last.last_offset {
                Some(offset) => header.last_offset() == offset,
                None => header.attributes.is_control() && header.producer_epoch == last.epoch,
            })
    }
}

/// False where there was no room for all keys; offsets below `from` are not looked at.
fn put_all(
    map: &mut OffsetMap,
    segment: &Segment,
    entry: &LogEntry,
    parsed: &Entry<'_>,
    from: i64,
) -> Result<bool> {
    let broken = |error: RecordsError| corrupt(segment, entry, &error.to_string());
    // A batch that alone is more than the memory holds is taken as far as it goes: else nothing behind it would ever be cleaned.
    let is_first = map.len() == 0;
    let mut records = parsed.records(DECOMPRESSION_LIMIT).map_err(broken)?;
    while let Some(record) = records.next().map_err(broken)? {
        let Some(key) = record.key.filter(|_| record.offset >= from) else { continue };
        if map.is_full() {
            if is_first {
                map.set_latest(record.offset - 1);
            }
            return Ok(false);
        }
        map.put(key, record.offset);
    }
    Ok(true)
}

fn parse<'a>(segment: &Segment, entry: &LogEntry, bytes: &'a [u8]) -> Result<Entry<'a>> {
    Entry::parse(bytes).map_err(|error| corrupt(segment, entry, &error.to_string()))
}

fn marker_of(segment: &Segment, entry: &LogEntry, parsed: &Entry<'_>) -> Result<Option<EndTxnMarker>> {
    let Entry::Batch(batch) = parsed else { return Ok(None) };
    batch.end_txn_marker().map_err(|error| corrupt(segment, entry, &error.to_string()))
}

fn corrupt(segment: &Segment, entry: &LogEntry, reason: &str) -> LogError {
    LogError::corrupt(&segment.log().path(), entry.position, reason.to_owned())
}

/// Every entry of a segment with its bytes, and an error where one is damaged.
struct Whole<'a> {
    segment: &'a Segment,
    scan: Scan<'a>,
    position: u64,
}

impl<'a> Whole<'a> {
    fn new(segment: &'a Segment) -> Result<Self> {
        Ok(Self { segment, scan: Scan::checked(segment)?, position: 0 })
    }

    fn next(&mut self) -> Result<Option<(LogEntry, Vec<u8>)>> {
        if self.position >= self.segment.size() {
            return Ok(None);
        }
        let Some(entry) = self.scan.next()? else {
            return Err(LogError::corrupt(
                &self.segment.log().path(),
                self.position,
                "what follows is damaged: its checksum, its length or its kind",
            ));
        };
        self.position = entry.end();
        let bytes = self.segment.read_entry(self.scan.file(), &entry)?;
        Ok(Some((entry, bytes)))
    }
}

/// A cleaned segment as it grows.
struct Output<'a> {
    segment: &'a Segment,
    index: IndexBuilder,
    pending: Vec<u8>,
}

impl<'a> Output<'a> {
    fn new(segment: &'a Segment, interval: u32) -> Self {
        Self { segment, index: IndexBuilder::new(interval), pending: Vec::new() }
    }

    /// Takes the entries into account that were added to what is pending, from a byte on.
    fn note(&mut self, mut from: usize) -> Result<()> {
        while from < self.pending.len() {
            let position = self.segment.size() + from as u64;
            let Some(entry) = LogEntry::parse(&self.pending[from..], position) else {
                return Err(LogError::corrupt(
                    &self.segment.log().path(),
                    position,
                    "a batch was written that is none",
                ));
            };
            self.index.add(self.segment, &entry)?;
            from += usize::try_from(entry.size).unwrap_or(usize::MAX);
        }
        Ok(())
    }

    fn write_if(&mut self, pending: usize) -> Result<()> {
        if self.pending.len() < pending.max(1) {
            return Ok(());
        }
        let (file, at) = (self.segment.log().file()?, self.segment.size());
        file.write_all_at(&self.pending, at)
            .map_err(|e| LogError::io(&self.segment.log().path(), "write", e))?;
        self.segment.set_size(at + self.pending.len() as u64);
        self.pending.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.write_if(1)?;
        self.index.finish(self.segment)
    }
}
