//! Reading, without the writer's lock.

use std::fs::File;
use std::sync::Arc;

use vltava_protocol::records::Entry;

use crate::disk::{Reach, Result};
use crate::entry::{Entries, LogEntry};
use crate::epochs::EpochEnd;
use crate::error::{LogError, ReadError};
use crate::segment::Segment;
use crate::shared::Shared;
use crate::time_index::TimestampOffset;
use crate::txn_index::AbortedTxn;

/// A cheap shared handle for reading a partition while it is written.
#[derive(Debug, Clone)]
pub struct LogReader {
    pub(crate) shared: Arc<Shared>,
}

/// An offset with the place of its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOffset {
    /// The offset.
    pub offset: i64,
    /// Base offset of its segment; -1 where the place is not known.
    pub segment_base: i64,
    /// Byte in the segment.
    pub position: u64,
}

/// Bytes of a file, to be sent without copying. The file stays readable even if its segment is deleted.
#[derive(Debug, Clone)]
pub struct FileSlice {
    /// The open file.
    pub file: Arc<File>,
    /// The first byte.
    pub position: u64,
    /// Number of bytes.
    pub length: u64,
}

/// What a read found.
#[derive(Debug, Clone)]
pub struct FetchData {
    /// The batches; `None` where there is nothing below the bound. The last one may be cut off by the byte limit.
    pub slice: Option<FileSlice>,
    /// Where the data begins (the offset asked for, the place of its batch).
    pub start: LogOffset,
    /// Offset of the first batch, which may be below the offset asked for.
    pub first_offset: i64,
    /// The first batch is larger than the byte limit, and only its beginning is in the slice.
    pub first_entry_incomplete: bool,
    /// The log start offset.
    pub log_start_offset: i64,
    /// The log end offset.
    pub log_end_offset: i64,
}

/// How often a reader looks again when a segment was deleted under its hands.
const ATTEMPTS: usize = 8;

/// Decompressed bytes that looking for a timestamp may produce from one batch.
const DECOMPRESSION_LIMIT: usize = 256 << 20;

impl LogReader {
    /// The first offset that may be asked for.
    pub fn log_start_offset(&self) -> i64 {
        self.shared.start()
    }

    /// The offset after the last record.
    pub fn log_end_offset(&self) -> i64 {
        self.shared.end()
    }

    /// The log end offset with its place.
    pub fn log_end(&self) -> LogOffset {
        let offset = self.shared.end();
        let segments = self.shared.segments();
        match segments.last() {
            // More may have been appended meanwhile: the place is then not that of the offset.
            Some(last) => {
                let position = last.size();
                if self.shared.end() == offset {
                    LogOffset { offset, segment_base: last.base_offset(), position }
                } else {
                    LogOffset { offset, segment_base: -1, position: 0 }
                }
            }
            None => LogOffset { offset, segment_base: -1, position: 0 },
        }
    }

    /// The last stable offset: below it every transaction is decided, and the decision is below the high watermark.
    ///
    /// Cost: an atomic load where no transaction is open, else a short lock.
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        self.shared.last_stable_offset(high_watermark)
    }

    /// OffsetForLeaderEpoch: where `epoch` ends.
    pub fn end_of_epoch(&self, epoch: i32) -> EpochEnd {
        self.shared.epochs.read().end_of(epoch, self.shared.end())
    }

    /// The epoch that wrote `offset`.
    pub fn epoch_at(&self, offset: i64) -> Option<i32> {
        self.shared.epochs.read().epoch_at(offset)
    }

    /// The latest epoch that wrote here.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.shared.epochs.read().latest().map(|entry| entry.epoch)
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.shared.segments().iter().map(|segment| segment.size()).sum()
    }

    /// For ListOffsets version 0: where each segment begins, and when it was last written, in milliseconds since 1970. Asks the file system for each.
    pub fn segment_starts(&self) -> Result<Vec<(i64, i64)>> {
        let mut starts = Vec::new();
        for segment in self.shared.segments().iter() {
            let file = match segment.log().file() {
                // Deleted under our hands.
                Err(error) if error.is_not_found() => continue,
                other => other?,
            };
            let written = file.metadata().and_then(|metadata| metadata.modified());
            let written =
                written.map_err(|error| LogError::io(&segment.log().path(), "ask for the time of", error))?;
            let since = written.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            starts.push((segment.base_offset(), i64::try_from(since.as_millis()).unwrap_or(i64::MAX)));
        }
        Ok(starts)
    }

    /// The batches from the one that holds `offset` on, below `bound` (a high watermark, a last stable offset, or
    /// `i64::MAX` for the log end offset), at most `max_bytes` of them. With `min_one_batch` the first batch comes whole even if it
    /// is larger.
    ///
    /// Cost: an index lookup (in memory near the end) and one `pread` of 4 KiB; a second of each where the bound lies below the
    /// log end in the same segment. No allocation, no lock but those of the lookup.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: u64,
        bound: i64,
        min_one_batch: bool,
    ) -> Result<FetchData, ReadError> {
        self.read_within(Reach::Disk, offset, max_bytes, bound, min_one_batch)
    }

    /// The same without waiting for the disk, for threads that must not: `None` where it would have to be waited for, or where the file
    /// system does not say. That the records themselves are cached is not part of the promise, only that their place was found.
    pub fn read_cached(
        &self,
        offset: i64,
        max_bytes: u64,
        bound: i64,
        min_one_batch: bool,
    ) -> Result<Option<FetchData>, ReadError> {
        match self.read_within(Reach::Cache, offset, max_bytes, bound, min_one_batch) {
            Err(ReadError::Storage(error)) if error.would_wait() => Ok(None),
            other => other.map(Some),
        }
    }

    fn read_within(
        &self,
        reach: Reach,
        offset: i64,
        max_bytes: u64,
        bound: i64,
        min_one_batch: bool,
    ) -> Result<FetchData, ReadError> {
        self.shared.check_open()?;
        for _ in 0..ATTEMPTS {
            match self.try_read(reach, offset, max_bytes, bound, min_one_batch) {
                Err(ReadError::Storage(error)) if error.is_not_found() => {}
                other => return other,
            }
        }
        Err(ReadError::Storage(LogError::Closed { directory: self.shared.path() }))
    }

    fn try_read(
        &self,
        reach: Reach,
        offset: i64,
        max_bytes: u64,
        bound: i64,
        min_one: bool,
    ) -> Result<FetchData, ReadError> {
        let end = self.shared.end();
        let start = self.shared.start();
        if offset > end || offset < start {
            return Err(ReadError::OffsetOutOfRange {
                partition: self.shared.partition.clone(),
                offset,
                start,
                end,
            });
        }
        let nothing = |place: LogOffset| FetchData {
            slice: None,
            start: place,
            first_offset: offset,
            first_entry_incomplete: false,
            log_start_offset: start,
            log_end_offset: end,
        };
        let bound = bound.min(end);
        if offset >= bound {
            let place = if offset == end {
                self.log_end()
            } else {
                LogOffset { offset, segment_base: -1, position: 0 }
            };
            return Ok(nothing(place));
        }
        let segments = self.shared.segments();
        let first = segments.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1);
        for (at, segment) in segments.iter().enumerate().skip(first) {
            if segment.base_offset() >= bound {
                break;
            }
            let file = segment.log().file_within(reach)?;
            let limit = self.readable(reach, &segments, at, &file, bound, end)?;
            let Some(entry) = segment.find(&file, offset, limit, reach)? else { continue };
            let available = limit - entry.position;
            let wanted = if min_one { max_bytes.max(entry.size) } else { max_bytes };
            let length = available.min(wanted);
            return Ok(FetchData {
                slice: (length > 0).then_some(FileSlice { file, position: entry.position, length }),
                start: LogOffset { offset, segment_base: segment.base_offset(), position: entry.position },
                first_offset: entry.base_offset,
                first_entry_incomplete: length < entry.size,
                log_start_offset: start,
                log_end_offset: end,
            });
        }
        Ok(nothing(LogOffset { offset, segment_base: -1, position: 0 }))
    }

    /// Bytes of a segment that lie below `bound`.
    fn readable(
        &self,
        reach: Reach,
        segments: &[Arc<Segment>],
        at: usize,
        file: &Arc<File>,
        bound: i64,
        end: i64,
    ) -> Result<u64> {
        let segment = &segments[at];
        let published = self.shared.published();
        let size = segment.size();
        // The end offset was taken before the size: the size may cover more, but never less. It covers no more if nothing was published in between.
        let covered = match segments.get(at + 1) {
            Some(next) => next.base_offset() <= bound,
            None => {
                bound >= end
                    && self.shared.end() == end
                    && published.is_some()
                    && self.shared.published() == published
            }
        };
        if covered {
            return Ok(size);
        }
        Ok(segment.find(file, bound, size, reach)?.map_or(size, |entry| entry.position))
    }

    /// Looks again where a segment was removed, or the log deleted, between its name and its file.
    fn unless_removed<T>(&self, look: impl Fn() -> Result<T>) -> Result<T> {
        for _ in 0..ATTEMPTS {
            self.shared.check_open()?;
            match look() {
                Err(error) if error.is_not_found() => {}
                other => return other,
            }
        }
        Err(LogError::Closed { directory: self.shared.path() })
    }

    /// ListOffsets by timestamp: the first record, at or after the log start, whose timestamp is at least `timestamp`.
    ///
    /// Reads and, if need be, decompresses the batch that has it. Waits for the disk where the batch is cold.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>> {
        self.unless_removed(|| self.try_offset_for_timestamp(timestamp))
    }

    fn try_offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampOffset>> {
        let start = self.shared.start();
        for segment in self.shared.segments().iter() {
            if segment.size() == 0 || segment.largest_timestamp()? < timestamp {
                continue;
            }
            let from = segment
                .times()
                .lookup(timestamp.saturating_sub(1))?
                .map_or(start, |entry| entry.offset.max(start));
            if let Some(found) =
                self.search(segment, from, start, |t| t >= timestamp, |max| max >= timestamp)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// ListOffsets with timestamp -3: the first record that has the largest timestamp of the log.
    pub fn max_timestamp_offset(&self) -> Result<Option<TimestampOffset>> {
        self.unless_removed(|| self.try_max_timestamp_offset())
    }

    fn try_max_timestamp_offset(&self) -> Result<Option<TimestampOffset>> {
        let start = self.shared.start();
        let mut best: Option<(i64, Arc<Segment>)> = None;
        for segment in self.shared.segments().iter() {
            if let Some(max) = segment.max_timestamp()?
                && best.as_ref().is_none_or(|(timestamp, _)| *timestamp < max.timestamp)
            {
                best = Some((max.timestamp, segment.clone()));
            }
        }
        let Some((timestamp, segment)) = best else { return Ok(None) };
        let from = segment
            .times()
            .lookup(timestamp.saturating_sub(1))?
            .map_or(start, |entry| entry.offset.max(start));
        self.search(&segment, from, start, |t| t == timestamp, |max| max == timestamp)
    }

    /// The first record from `from` on, at or after `start`, whose timestamp satisfies `record`, in a batch whose largest
    /// timestamp satisfies `batch`.
    fn search(
        &self,
        segment: &Segment,
        from: i64,
        start: i64,
        record: impl Fn(i64) -> bool,
        batch: impl Fn(i64) -> bool,
    ) -> Result<Option<TimestampOffset>> {
        let file = segment.log().file()?;
        let size = segment.size();
        let Some(first) = segment.find(&file, from.max(segment.base_offset()), size, Reach::Disk)? else {
            return Ok(None);
        };
        let path = || segment.log().path();
        let mut entries = Entries::new(&file, &path, first.position, size);
        while let Some(entry) = entries.next()? {
            if entry.last_offset < start || !batch(entry.max_timestamp) {
                continue;
            }
            if let Some(found) = search_batch(segment, &file, &entry, start, &record)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The aborted transactions that touch what was read, for a reader of committed records only. `bound` is what the read was bounded by, its last stable
    /// offset.
    ///
    /// As in Kafka the end of the read is taken from the offset index, so a transaction may be told that begins shortly behind it: its
    /// records are not there to be dropped. The list has at most one for each record up to there, and those that were open then. Waits for the disk.
    pub fn aborted_in(&self, read: &FetchData, bound: i64) -> Result<Vec<AbortedTxn>> {
        let Some(slice) = &read.slice else { return Ok(Vec::new()) };
        let from = read.start.offset.min(read.first_offset);
        self.unless_removed(|| {
            let to = self.bound_behind(read.start.segment_base, slice.position + slice.length)?;
            self.try_aborted_transactions(from, to.unwrap_or(bound).min(bound))
        })
    }

    /// An offset at or behind the last one that begins before `position` of a segment; `None` where it is the last segment, or gone.
    fn bound_behind(&self, segment_base: i64, position: u64) -> Result<Option<i64>> {
        let segments = self.shared.segments();
        let at = segments.partition_point(|segment| segment.base_offset() < segment_base);
        let Some(segment) = segments.get(at).filter(|segment| segment.base_offset() == segment_base) else {
            return Ok(None);
        };
        let noted = segment.offsets().offset_behind(position)?;
        Ok(noted.or_else(|| segments.get(at + 1).map(|next| next.base_offset())))
    }

    /// Whether any transaction may have been aborted that touches offsets from `offset` on. Cost: an atomic load for each segment from there on.
    pub fn may_have_aborted(&self, offset: i64) -> bool {
        let segments = self.shared.segments();
        let first = segments.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1);
        segments.iter().skip(first).any(|segment| !segment.aborted().is_empty())
    }

    /// Aborted transactions that touch the records from `from` to `to` (exclusive), for a reader of committed records only.
    pub fn aborted_transactions(&self, from: i64, to: i64) -> Result<Vec<AbortedTxn>> {
        self.unless_removed(|| self.try_aborted_transactions(from, to))
    }

    fn try_aborted_transactions(&self, from: i64, to: i64) -> Result<Vec<AbortedTxn>> {
        let mut found = Vec::new();
        let segments = self.shared.segments();
        let first = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        for segment in segments.iter().skip(first) {
            let mut complete = false;
            let index = segment.aborted();
            let whole = index.each(|aborted| {
                if aborted.last_offset >= from && aborted.first_offset < to {
                    found.push(aborted);
                }
                // Nothing that ends later began before this offset.
                complete = aborted.last_stable_offset >= to;
                !complete
            })?;
            if !whole {
                // What is not told as aborted would be taken for committed.
                let reason = "not a list of aborted transactions";
                return Err(LogError::corrupt(&index.handle().path(), 0, reason));
            }
            if complete {
                break;
            }
        }
        Ok(found)
    }
}

fn search_batch(
    segment: &Segment,
    file: &Arc<File>,
    entry: &LogEntry,
    start: i64,
    wanted: &impl Fn(i64) -> bool,
) -> Result<Option<TimestampOffset>> {
    let bytes = segment.read_entry(file, entry)?;
    let corrupt = |reason: String| LogError::corrupt(&segment.log().path(), entry.position, reason);
    // A wrapper of magic 1 tells its largest timestamp and its last offset: which record has what is told inside, as in a batch.
    let parsed = Entry::parse(&bytes).map_err(|e| corrupt(e.to_string()))?;
    let mut records = parsed.records(DECOMPRESSION_LIMIT).map_err(|e| corrupt(e.to_string()))?;
    while let Some(record) = records.next().map_err(|e| corrupt(e.to_string()))? {
        if record.offset >= start && wanted(record.timestamp) {
            return Ok(Some(TimestampOffset { timestamp: record.timestamp, offset: record.offset }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Log, OpenOptions};
    use crate::names::TopicPartition;
    use std::cell::Cell;

    #[test]
    fn a_reader_looks_again_where_a_segment_was_removed_and_not_for_ever() {
        let tmp = tempfile::tempdir().unwrap();
        let options = OpenOptions::new(TopicPartition::new("t", 0), 0);
        let (log, _) = Log::open(&tmp.path().join("t-0"), options).unwrap();
        let gone = || LogError::io(tmp.path(), "open", std::io::ErrorKind::NotFound.into());
        let looks = Cell::new(0);
        let look = |found_at| {
            looks.set(looks.get() + 1);
            if looks.get() < found_at { Err(gone()) } else { Ok(looks.get()) }
        };
        assert_eq!(log.reader().unless_removed(|| look(3)).unwrap(), 3);
        let error = log.reader().unless_removed(|| look(usize::MAX)).unwrap_err();
        assert!(matches!(error, LogError::Closed { .. }), "{error}");
        assert_eq!(looks.get(), 3 + ATTEMPTS);
    }
}
