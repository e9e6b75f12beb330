//! Appending: as a leader, who gives offsets, and as a follower, who keeps them.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

use vltava_protocol::records::{Batch, BatchHeader, stamped_prefix};

use crate::disk::{Durable, Result};
use crate::entry::LogEntry;
use crate::error::{AppendError, LogError};
use crate::flush::FlushJob;
use crate::log::Log;
use crate::producers::{CompletedTxn, EndMarker, Origin, ProducerEntry};
use crate::reader::LogOffset;
use crate::time_index::TimestampOffset;
use crate::txn_index::AbortedTxn;

/// What an append did.
#[derive(Debug)]
pub struct Appended {
    /// Offset of the first record.
    pub first_offset: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// The batch had been appended before; these are its offsets then, and nothing was written.
    pub duplicate: bool,
    /// The log start offset, for the response.
    pub log_start_offset: i64,
    /// Where the first byte went.
    pub start: LogOffset,
    /// Bytes written.
    pub bytes: usize,
    /// A segment was finished: run this where waiting for the disk does not matter.
    pub rolled: Option<FlushJob>,
    /// `flush.messages` is reached: run [`Log::flush_job`].
    pub flush_due: bool,
}

/// Batches written with one `pwritev`.
const BATCHES_AT_ONCE: usize = 16;

/// What the batches of one append have in common.
struct Summary {
    bytes: usize,
    /// Abort markers: each may need an entry in the transaction index.
    aborts: usize,
    first_offset: i64,
    last_offset: i64,
    max_timestamp: i64,
}

impl Log {
    /// Appends bytes that are whole, valid batches of magic 2, giving them offsets.
    ///
    /// Cost: one `pwritev` for up to 16 batches; no allocation without producers, rolls and index writes (one for each 128 index
    /// entries).
    pub fn append_as_leader(
        &mut self,
        bytes: &[u8],
        leader_epoch: i32,
        now: i64,
    ) -> Result<Appended, AppendError> {
        self.append_entries(bytes, Some(leader_epoch), now)
    }

    /// Appends what a leader sent, offsets and epochs as they are. `bytes` are whole entries of any magic, valid as
    /// [`vltava_protocol::records`] checks them; they have to start at or after the log end offset.
    pub fn append_as_follower(&mut self, bytes: &[u8], now: i64) -> Result<Appended, AppendError> {
        self.append_entries(bytes, None, now)
    }

    fn append_entries(
        &mut self,
        bytes: &[u8],
        leader_epoch: Option<i32>,
        now: i64,
    ) -> Result<Appended, AppendError> {
        self.shared.check_open()?;
        let end = self.shared.end();
        let summary = match self.examine(bytes, leader_epoch.is_some(), end)? {
            Examined::New(summary) => summary,
            Examined::Duplicate { first_offset, last_offset } => {
                return Ok(Appended {
                    first_offset,
                    last_offset,
                    duplicate: true,
                    log_start_offset: self.shared.start(),
                    start: LogOffset { offset: first_offset, segment_base: -1, position: 0 },
                    bytes: 0,
                    rolled: None,
                    flush_due: false,
                });
            }
        };
        if summary.bytes > self.config.segment_bytes as usize {
            return Err(AppendError::RecordListTooLarge {
                partition: self.shared.partition.clone(),
                size: summary.bytes,
                limit: self.config.segment_bytes,
            });
        }
        let rolled = self.roll_if_needed(&summary, now)?;
        let position = self.active.segment.size();
        if summary.aborts > 0 {
            self.active
                .segment
                .aborted()
                .reserve(summary.aborts)
                .inspect_err(|_| self.active.segment.aborted().release())?;
        }
        if let Err(error) = self.write(bytes, leader_epoch, end, position) {
            // What was written of it lies behind the segment's size: invisible, and overwritten by the next append.
            let _ = self.active.segment.cut_file(position);
            if summary.aborts > 0 {
                self.active.segment.aborted().release();
            }
            return Err(error.into());
        }
        self.account(bytes, leader_epoch, end, position, &summary)?;
        if summary.aborts > 0 {
            self.active.segment.aborted().release();
        }
        self.unflushed_since.get_or_insert(now);
        let unflushed = self.shared.end() - self.shared.recovery.lock().point;
        Ok(Appended {
            first_offset: summary.first_offset,
            last_offset: summary.last_offset,
            duplicate: false,
            log_start_offset: self.shared.start(),
            start: LogOffset {
                offset: summary.first_offset,
                segment_base: self.active.segment.base_offset(),
                position,
            },
            bytes: summary.bytes,
            rolled,
            flush_due: unflushed >= self.config.flush_messages,
        })
    }

    /// Checks everything that could refuse the append, before anything changes.
    fn examine(&self, bytes: &[u8], leader: bool, end: i64) -> Result<Examined, AppendError> {
        let mut summary = Summary {
            bytes: bytes.len(),
            aborts: 0,
            first_offset: end,
            last_offset: end - 1,
            max_timestamp: -1,
        };
        let mut next = end;
        let mut first = true;
        // The producer of the batch before, as it will be: only for several batches of one producer in one append.
        let mut earlier: Option<ProducerEntry> = None;
        for (entry, batch) in entries(bytes) {
            let base = if leader { next } else { entry.base_offset };
            if base < next && !(entry.header.is_none() && entry.last_offset >= next) {
                return Err(self.unexpected_offset(base, next));
            }
            let last = if leader {
                base.saturating_add(entry.last_offset - entry.base_offset)
            } else {
                entry.last_offset
            };
            if first {
                summary.first_offset = base;
                first = false;
            }
            if let Some(header) = entry.header.filter(BatchHeader::has_producer_id) {
                let marker = self.marker(&header, batch, base)?;
                summary.aborts += usize::from(marker.is_some_and(|marker| !marker.commit));
                if leader {
                    if marker.is_none() && !header.attributes.is_control() {
                        if let Some(found) = self.producers.duplicate_of(&header) {
                            return Ok(Examined::Duplicate {
                                first_offset: found.first_offset(),
                                last_offset: found.last_offset,
                            });
                        }
                    }
                    let known = earlier.as_ref().filter(|entry| entry.producer_id == header.producer_id);
                    self.producers.check(&header, marker, base, known)?;
                    if entry.size < bytes.len() as u64 && marker.is_none() {
                        let known = known.cloned();
                        earlier = Some(self.producers.after(&header, base, known));
                    }
                }
            }
            summary.max_timestamp = summary.max_timestamp.max(entry.max_timestamp);
            summary.last_offset = last;
            next = last.saturating_add(1);
        }
        if first {
            return Err(AppendError::InvalidControlBatch {
                partition: self.shared.partition.clone(),
                offset: end,
                reason: "no batch to append".to_owned(),
            });
        }
        Ok(Examined::New(summary))
    }

    fn marker(
        &self,
        header: &BatchHeader,
        batch: &[u8],
        offset: i64,
    ) -> Result<Option<EndMarker>, AppendError> {
        if !header.attributes.is_control() {
            return Ok(None);
        }
        Batch::parse(batch).map_err(|e| e.to_string()).and_then(|b| crate::control::end_marker(&b)).map_err(
            |reason| AppendError::InvalidControlBatch {
                partition: self.shared.partition.clone(),
                offset,
                reason,
            },
        )
    }

    fn unexpected_offset(&self, offset: i64, expected: i64) -> AppendError {
        AppendError::UnexpectedOffset { partition: self.shared.partition.clone(), offset, expected }
    }

    /// Rolls where the batches no longer fit the active segment, by size, age, index or offset.
    fn roll_if_needed(&mut self, summary: &Summary, now: i64) -> Result<Option<FlushJob>> {
        let segment = &self.active.segment;
        let size = segment.size();
        let base = segment.base_offset();
        let too_large = size > 0 && size + summary.bytes as u64 > u64::from(self.config.segment_bytes);
        let too_far = summary.last_offset - base > i64::from(i32::MAX);
        let too_old = size > 0 && self.age(summary.max_timestamp, now) > self.roll_after();
        if too_large || too_far || too_old || segment.is_full(self.config.segment_index_bytes)? {
            return self.roll_at(summary.first_offset.max(self.shared.end()), now).map(Some);
        }
        Ok(None)
    }

    /// How long the active segment is open: by its records' timestamps or, without them, by the clock.
    pub(crate) fn age(&self, timestamp: i64, now: i64) -> i64 {
        match self.active.first_timestamp {
            Some(first) => timestamp.saturating_sub(first),
            None => now.saturating_sub(self.active.created),
        }
    }

    pub(crate) fn roll_after(&self) -> i64 {
        let base = self.active.segment.base_offset();
        self.config.roll_ms().saturating_sub(self.config.jitter_ms(self.jitter_seed, base))
    }

    /// Writes the batches, stamped, at the end of the active segment.
    fn write(&self, bytes: &[u8], leader_epoch: Option<i32>, end: i64, position: u64) -> Result<()> {
        let handle = self.active.segment.log();
        let file = handle.file()?;
        let failed = |error| LogError::io(&handle.path(), "append", error);
        let Some(epoch) = leader_epoch else {
            return write_all(&file, &mut [IoSlice::new(bytes)], position).map_err(failed);
        };
        let mut next = end;
        let mut at = position;
        let mut rest = bytes;
        while !rest.is_empty() {
            let mut prefixes = [[0; 16]; BATCHES_AT_ONCE];
            let mut bodies: [&[u8]; BATCHES_AT_ONCE] = [&[]; BATCHES_AT_ONCE];
            let (mut count, mut length) = (0, 0);
            for (entry, batch) in entries(rest).take(BATCHES_AT_ONCE) {
                let Some(header) = entry.header else { break };
                prefixes[count] = stamped_prefix(&header, next, epoch);
                bodies[count] = &batch[prefixes[count].len()..];
                next += i64::from(header.last_offset_delta) + 1;
                length += batch.len();
                count += 1;
            }
            if count == 0 {
                return Err(LogError::corrupt(&handle.path(), at, "not a batch of magic 2"));
            }
            let mut slices = [IoSlice::new(&[]); 2 * BATCHES_AT_ONCE];
            for i in 0..count {
                slices[2 * i] = IoSlice::new(&prefixes[i]);
                slices[2 * i + 1] = IoSlice::new(bodies[i]);
            }
            write_all(&file, &mut slices[..2 * count], at).map_err(failed)?;
            at += length as u64;
            rest = &rest[length..];
        }
        Ok(())
    }

    /// Takes written batches into account, then lets readers see them.
    fn account(
        &mut self,
        bytes: &[u8],
        leader_epoch: Option<i32>,
        end: i64,
        position: u64,
        summary: &Summary,
    ) -> Result<(), AppendError> {
        let origin = if leader_epoch.is_some() { Origin::Client } else { Origin::Replicated };
        let segment = self.active.segment.clone();
        let mut next = end;
        let mut at = position;
        for (entry, batch) in entries(bytes) {
            let base = if origin == Origin::Client { next } else { entry.base_offset };
            let last = base.saturating_add(entry.last_offset - entry.base_offset);
            next = last.saturating_add(1);
            let epoch = leader_epoch.unwrap_or(entry.leader_epoch);
            self.note_epoch(epoch, base);
            self.index(&segment, &entry, last, at)?;
            if let Some(header) = entry.header.filter(BatchHeader::has_producer_id) {
                let marker = self.marker(&header, batch, base)?;
                if let Some(done) = self.producers.update(&header, marker, base) {
                    self.complete(&segment, done)?;
                }
            }
            at += entry.size;
        }
        self.producers.map_end_offset = next;
        if self.shared.epochs_dirty.load(Ordering::Relaxed) {
            match self.store_epochs(Durable::Later) {
                // Recovery would learn it from the batches; the next append tries again.
                Err(error) if error.is_disk_full() => {}
                other => other?,
            }
        }
        segment.set_max_timestamp(self.active.max_timestamp);
        segment.set_size(position + summary.bytes as u64);
        self.shared.set_first_open(self.producers.first_open());
        self.shared.set_end(next);
        Ok(())
    }

    fn note_epoch(&self, epoch: i32, base: i64) {
        let known = self.shared.epochs.read().latest().is_some_and(|latest| latest.epoch == epoch);
        if !known && self.shared.epochs.write().assign(epoch, base) {
            self.shared.epochs_dirty.store(true, Ordering::Relaxed);
        }
    }

    /// Index entries for one batch: at most one in each index, about every `index.interval.bytes`.
    fn index(
        &mut self,
        segment: &crate::segment::Segment,
        entry: &LogEntry,
        last: i64,
        at: u64,
    ) -> Result<()> {
        let active = &mut self.active;
        if entry.max_timestamp >= 0 {
            active.first_timestamp.get_or_insert(entry.max_timestamp);
            if active.max_timestamp.is_none_or(|max| max.timestamp < entry.max_timestamp) {
                active.max_timestamp = Some(TimestampOffset { timestamp: entry.max_timestamp, offset: last });
            }
        }
        if active.bytes_since_index_entry > u64::from(self.config.index_interval_bytes) {
            segment.offsets().append(last, u32::try_from(at).unwrap_or(u32::MAX))?;
            if let Some(max) = active.max_timestamp {
                segment.times().append(max)?;
            }
            active.bytes_since_index_entry = 0;
        }
        active.bytes_since_index_entry += entry.size;
        Ok(())
    }

    /// Ends a transaction: in the transaction index if it was aborted, and for the last stable offset.
    fn complete(&mut self, segment: &crate::segment::Segment, done: CompletedTxn) -> Result<()> {
        if done.aborted {
            let others = self.producers.first_open_of_others(done.producer_id);
            segment.aborted().append(AbortedTxn {
                producer_id: done.producer_id,
                first_offset: done.first_offset,
                last_offset: done.last_offset,
                last_stable_offset: others.unwrap_or(done.last_offset + 1),
            })?;
        }
        self.producers.complete(&done);
        self.shared.txn_completed(done.first_offset, done.last_offset);
        Ok(())
    }
}

enum Examined {
    New(Summary),
    Duplicate { first_offset: i64, last_offset: i64 },
}

/// The entries in `bytes`, with their bytes.
pub(crate) fn entries(bytes: &[u8]) -> impl Iterator<Item = (LogEntry, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let entry = LogEntry::parse(&bytes[at..], at as u64)?;
        let batch = bytes.get(at..usize::try_from(entry.end()).ok()?)?;
        at += batch.len();
        Some((entry, batch))
    })
}

fn write_all(file: &std::fs::File, mut slices: &mut [IoSlice<'_>], mut at: u64) -> io::Result<()> {
    while slices.iter().any(|slice| !slice.is_empty()) {
        match rustix::io::pwritev(file, slices, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => {
                at += n as u64;
                IoSlice::advance_slices(&mut slices, n);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
