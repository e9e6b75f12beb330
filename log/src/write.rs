//! The one write of an append, and taking into account what was written.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

use vltava_protocol::records::BATCH_OVERHEAD;

use crate::append::Summary;
use crate::disk::Result;
use crate::entry::LogEntry;
use crate::epochs::EpochHistory;
use crate::error::{AppendError, LogError};
use crate::input::Input;
use crate::log::Log;
use crate::producers::{CompletedTxn, ProducerEntry};
use crate::time_index::TimestampOffset;
use crate::txn_index::AbortedTxn;

/// Batches written with one `pwritev`.
const BATCHES_AT_ONCE: usize = 16;

impl Log {
    /// Writes the batches at the end of the active segment; a leader's with its offsets and epoch in their headers.
    pub(crate) fn write(
        &self,
        input: Input<'_>,
        leader_epoch: Option<i32>,
        end: i64,
        position: u64,
    ) -> Result<()> {
        let handle = self.active.segment.log();
        let file = handle.file()?;
        let failed = |error| LogError::io(&handle.path(), "append", error);
        if let (Input::Bytes(bytes), None) = (input, leader_epoch) {
            return write_all(&file, &mut [IoSlice::new(bytes)], position).map_err(failed);
        }
        let mut next = end;
        let mut at = position;
        let mut items = input.items().peekable();
        while items.peek().is_some() {
            let mut headers = [[0; BATCH_OVERHEAD]; BATCHES_AT_ONCE];
            let mut bodies: [&[u8]; BATCHES_AT_ONCE] = [&[]; BATCHES_AT_ONCE];
            let (mut count, mut length) = (0, 0);
            for item in items.by_ref().take(BATCHES_AT_ONCE) {
                let Some(mut header) = item.entry.header else {
                    return Err(LogError::corrupt(
                        &handle.path(),
                        at,
                        "a leader appends batches of magic 2 only",
                    ));
                };
                if let Some(epoch) = leader_epoch {
                    (header.base_offset, header.leader_epoch) = (next, epoch);
                }
                next = header.next_offset();
                headers[count] = header.to_bytes();
                bodies[count] = item.body();
                length += item.entry.size;
                count += 1;
            }
            let mut slices = [IoSlice::new(&[]); 2 * BATCHES_AT_ONCE];
            for i in 0..count {
                slices[2 * i] = IoSlice::new(&headers[i]);
                slices[2 * i + 1] = IoSlice::new(bodies[i]);
            }
            write_all(&file, &mut slices[..2 * count], at).map_err(failed)?;
            at += length;
        }
        Ok(())
    }

    /// Takes written batches into account, then lets readers see them. If that fails, everything is as it was.
    pub(crate) fn account(
        &mut self,
        input: Input<'_>,
        leader_epoch: Option<i32>,
        end: i64,
        position: u64,
        summary: &Summary,
    ) -> Result<(), AppendError> {
        let mut before = self.before(input, summary);
        let next = match self.take_in(input, leader_epoch, end, position, &mut before) {
            Ok(next) => next,
            Err(error) => {
                self.restore(before, end);
                return Err(error);
            }
        };
        let segment = &self.active.segment;
        segment.set_max_timestamp(self.active.max_timestamp);
        self.shared.publish(|| {
            segment.set_size(position + summary.bytes as u64);
            self.shared.set_first_open(self.producers.first_open());
            self.shared.set_end(next);
        });
        Ok(())
    }

    /// Indexes, epochs and producers, in this order: what may fail comes first, as far as it can. Answers the new end.
    fn take_in(
        &mut self,
        input: Input<'_>,
        leader_epoch: Option<i32>,
        end: i64,
        position: u64,
        before: &mut Before,
    ) -> Result<i64, AppendError> {
        let segment = self.active.segment.clone();
        let place = |next: i64, entry: &LogEntry| {
            let base = if leader_epoch.is_some() { next } else { entry.base_offset };
            (base, base.saturating_add(entry.last_offset - entry.base_offset))
        };
        let mut next = end;
        let mut at = position;
        for item in input.items() {
            let (base, last) = place(next, &item.entry);
            next = last.saturating_add(1);
            self.note_epoch(leader_epoch.unwrap_or(item.entry.leader_epoch), base, before);
            self.index(&segment, &item.entry, last, at)?;
            at += item.entry.size;
        }
        if self.shared.epochs_dirty.load(Ordering::Relaxed) {
            // Recovery would learn it from the batches; the next append tries again.
            self.store_epochs_if_room()?;
        }
        next = end;
        for item in input.items() {
            let (base, last) = place(next, &item.entry);
            next = last.saturating_add(1);
            if let Some(header) = item.produced() {
                let marker = self.marker(&item, base)?;
                if let Some(done) = self.producers.update(&header, marker, base) {
                    self.complete(&segment, done)?;
                }
            }
        }
        Ok(next)
    }

    fn before(&self, input: Input<'_>, summary: &Summary) -> Before {
        let active = &self.active;
        Before {
            bytes_since_index_entry: active.bytes_since_index_entry,
            first_timestamp: active.first_timestamp,
            max_timestamp: active.max_timestamp,
            aborted_bytes: active.segment.aborted().bytes(),
            producers: if summary.aborts > 0 {
                let ids = input.items().filter_map(|item| Some(item.produced()?.producer_id));
                self.producers.of(ids)
            } else {
                Vec::new()
            },
            epochs: None,
        }
    }

    /// Takes an append back that failed after its bytes were written.
    fn restore(&mut self, before: Before, end: i64) {
        let active = &mut self.active;
        active.bytes_since_index_entry = before.bytes_since_index_entry;
        active.first_timestamp = before.first_timestamp;
        active.max_timestamp = before.max_timestamp;
        let segment = &active.segment;
        segment.aborted().rewind(before.aborted_bytes);
        let indexes = segment.offsets().truncate_to(end).and_then(|()| segment.times().truncate_to(end));
        if let Err(error) = indexes {
            tracing::error!(partition = %self.partition, %error,
                "a failed append was not taken back from the indexes: the log is closed, and recovered at the next start");
            self.shared.close();
        }
        if let Some(epochs) = before.epochs {
            *self.shared.epochs.write() = epochs;
            self.shared.epochs_dirty.store(true, Ordering::Relaxed);
        }
        self.producers.put_back(before.producers);
        self.shared.forget_completed_from(end);
    }

    fn note_epoch(&self, epoch: i32, base: i64, before: &mut Before) {
        if self.shared.epochs.read().latest().is_some_and(|latest| latest.epoch == epoch) {
            return;
        }
        let mut epochs = self.shared.epochs.write();
        let old = epochs.clone();
        if epochs.assign(epoch, base) {
            before.epochs.get_or_insert(old);
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

/// What an append changes before it is sure to succeed.
struct Before {
    bytes_since_index_entry: u64,
    first_timestamp: Option<i64>,
    max_timestamp: Option<TimestampOffset>,
    aborted_bytes: u64,
    /// Only where aborted transactions end: their entries are written between the changes to producers, and may fail.
    producers: Vec<(i64, Option<ProducerEntry>)>,
    /// Once the append has changed them.
    epochs: Option<EpochHistory>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::OpenOptions;
    use crate::names::TopicPartition;
    use std::sync::Arc;
    use vltava_protocol::records::validate::{Origin, Rules};
    use vltava_protocol::records::{BatchBuilder, BatchOptions, validate};

    fn open(directory: &std::path::Path, clean_shutdown: bool) -> Log {
        let config = crate::config::LogConfig { index_interval_bytes: 0, ..Default::default() };
        let options = OpenOptions {
            config: Arc::new(config),
            clean_shutdown,
            ..OpenOptions::new(TopicPartition::new("t", 0), 0)
        };
        Log::open(directory, options).unwrap().0
    }

    /// One batch of an idempotent producer, in the leader epoch given.
    fn append(log: &mut Log, sequence: i32, epoch: i32) -> Result<(), AppendError> {
        let options = BatchOptions {
            producer_id: 9,
            producer_epoch: 0,
            base_sequence: sequence,
            ..BatchOptions::default()
        };
        let mut batch = BatchBuilder::new(Vec::new(), options).unwrap();
        batch.append(1000 + i64::from(sequence), None, Some(b"value"), &[]).unwrap();
        let (bytes, _) = batch.finish().unwrap();
        let rules = Rules { origin: Origin::Coordinator, now: 0, ..Rules::default() };
        let appended = log.append(&validate(&bytes, &rules).unwrap(), epoch, 0)?;
        assert!(!appended.duplicate);
        Ok(())
    }

    #[test]
    fn an_append_that_fails_at_an_index_leaves_nothing_behind() {
        let tmp = tempfile::tempdir().unwrap();
        let directory = tmp.path().join("t-0");
        let mut log = open(&directory, false);
        let index = |segment: &crate::segment::Segment| {
            (segment.offsets().entries().len().unwrap(), segment.times().entries().len().unwrap())
        };
        // The next index entry is the one with which entries are written.
        for sequence in 0..128 {
            append(&mut log, sequence, 0).unwrap();
        }
        let segment = log.active.segment.clone();
        let state = |log: &Log| {
            let producer = log.producer(9).cloned();
            let length = segment.file_length().unwrap();
            assert_eq!(length, segment.size());
            (
                log.log_end_offset(),
                length,
                index(&segment),
                producer,
                log.epochs(),
                segment.max_timestamp().unwrap(),
            )
        };
        let before = state(&log);
        segment.times().entries().handle().close();
        let path = segment.times().entries().handle().path();
        std::fs::rename(&path, tmp.path().join("aside")).unwrap();
        for _ in 0..2 {
            let error = append(&mut log, 128, 1).unwrap_err().to_string();
            assert!(error.contains("timeindex"), "{error}");
            assert_eq!(state(&log), before);
        }
        std::fs::rename(tmp.path().join("aside"), &path).unwrap();
        append(&mut log, 128, 1).unwrap();
        log.close().unwrap();
        drop(log);
        let log = open(&directory, true);
        assert_eq!(log.log_end_offset(), 129);
        assert_eq!(log.epochs().entries().len(), 2);
    }
}
