//! The one write of an append, and taking into account what was written.

use std::io::{self, IoSlice};
use std::sync::atomic::Ordering;

use vltava_protocol::records::BATCH_OVERHEAD;

use crate::append::Summary;
use crate::disk::{Durable, Result};
use crate::entry::LogEntry;
use crate::error::{AppendError, LogError};
use crate::input::Input;
use crate::log::Log;
use crate::producers::CompletedTxn;
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

    /// Takes written batches into account, then lets readers see them.
    pub(crate) fn account(
        &mut self,
        input: Input<'_>,
        leader_epoch: Option<i32>,
        end: i64,
        position: u64,
        summary: &Summary,
    ) -> Result<(), AppendError> {
        let segment = self.active.segment.clone();
        let mut next = end;
        let mut at = position;
        for item in input.items() {
            let entry = &item.entry;
            let base = if leader_epoch.is_some() { next } else { entry.base_offset };
            let last = base.saturating_add(entry.last_offset - entry.base_offset);
            next = last.saturating_add(1);
            self.note_epoch(leader_epoch.unwrap_or(entry.leader_epoch), base);
            self.index(&segment, entry, last, at)?;
            if let Some(header) = item.produced() {
                let marker = self.marker(&item, base)?;
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
