//! Appending: as a leader, who gives offsets, and as a follower, who keeps them.

use vltava_protocol::records::EndTxnMarker;
use vltava_protocol::records::compression::DEFAULT_OUTPUT_LIMIT;
use vltava_protocol::records::validate::ValidBatches;

use crate::disk::Result;
use crate::error::AppendError;
use crate::flush::FlushJob;
use crate::input::{Input, Item};
use crate::log::Log;
use crate::producers::ProducerEntry;
use crate::reader::LogOffset;

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

/// What the batches of one append have in common.
pub(crate) struct Summary {
    pub(crate) bytes: usize,
    /// Abort markers: each may need an entry in the transaction index.
    pub(crate) aborts: usize,
    first_offset: i64,
    last_offset: i64,
    max_timestamp: i64,
}

enum Examined {
    New(Summary),
    Duplicate { first_offset: i64, last_offset: i64 },
}

impl Log {
    /// Appends validated batches as the leader of `leader_epoch`, giving them offsets.
    ///
    /// Batches of an idempotent producer are checked against what is known of it: a repetition of one of its last five is
    /// answered with its offsets then ([`Appended::duplicate`]), a gap is an error. A control batch ends its producer's
    /// transaction.
    ///
    /// Cost: one `pwritev` for up to 16 batches, headers stamped on the stack, bodies as they are; one `pwrite` for every
    /// 128 index entries. No allocation for batches of magic 2 without a producer id, nor for one of a known producer.
    pub fn append(
        &mut self,
        batches: &ValidBatches<'_>,
        leader_epoch: i32,
        now: i64,
    ) -> Result<Appended, AppendError> {
        if batches.batches.iter().any(|batch| batch.magic < 2) {
            let bytes = self.old_messages(batches, leader_epoch)?;
            return self.append_input(Input::Bytes(&bytes), None, now);
        }
        self.append_input(Input::Batches(&batches.batches), Some(leader_epoch), now)
    }

    /// Appends what a leader sent, offsets and epochs as they are; they have to start at or after the log end offset.
    ///
    /// Cost: as [`append`](Self::append).
    pub fn append_as_follower(
        &mut self,
        batches: &ValidBatches<'_>,
        now: i64,
    ) -> Result<Appended, AppendError> {
        if batches.batches.iter().any(|batch| batch.magic < 2) {
            let bytes = self.old_messages(batches, -1)?;
            return self.append_input(Input::Bytes(&bytes), None, now);
        }
        self.append_input(Input::Batches(&batches.batches), None, now)
    }

    /// Messages of magic 0 and 1 (an old `message.format.version`) as they are stored. A copy; compressed ones of magic 0
    /// are compressed again, since they hold absolute offsets.
    fn old_messages(&self, batches: &ValidBatches<'_>, leader_epoch: i32) -> Result<Vec<u8>, AppendError> {
        let mut out = Vec::with_capacity(batches.size());
        let mut next = self.shared.end();
        for batch in &batches.batches {
            out = batch
                .write_to(next, leader_epoch, DEFAULT_OUTPUT_LIMIT, out)
                .map_err(|error| self.invalid(next, error.to_string()))?;
            next += i64::from(batch.header.last_offset_delta) + 1;
        }
        Ok(out)
    }

    fn append_input(
        &mut self,
        input: Input<'_>,
        leader_epoch: Option<i32>,
        now: i64,
    ) -> Result<Appended, AppendError> {
        self.shared.check_open()?;
        let end = self.shared.end();
        let summary = match self.examine(input, leader_epoch.is_some(), end)? {
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
        let segment = self.active.segment.clone();
        let position = segment.size();
        // Open before anything changes: where it can't be, nothing has happened.
        let file = segment.log().file()?;
        if summary.aborts > 0 {
            segment.aborted().reserve(summary.aborts).inspect_err(|_| segment.aborted().release())?;
        }
        let written = self
            .write(input, leader_epoch, end, position)
            .map_err(AppendError::from)
            .and_then(|()| self.account(input, leader_epoch, end, position, &summary));
        if written.is_err()
            && let Err(error) = file.set_len(position)
        {
            // What was written lies behind the segment's size, where no reader sees it, but the next clean start would. Closed
            // as it is, the log is recovered then.
            tracing::error!(partition = %self.partition, file = %segment.log().path().display(), %error,
                "a failed append cannot be cut off: the log is closed until the broker starts again");
            self.shared.close();
        }
        if summary.aborts > 0 {
            segment.aborted().release();
        }
        written?;
        self.unflushed.appended();
        let unflushed = self.shared.end() - self.shared.recovery.lock().point;
        Ok(Appended {
            first_offset: summary.first_offset,
            last_offset: summary.last_offset,
            duplicate: false,
            log_start_offset: self.shared.start(),
            start: LogOffset { offset: summary.first_offset, segment_base: segment.base_offset(), position },
            bytes: summary.bytes,
            rolled,
            flush_due: unflushed >= self.config.flush_messages,
        })
    }

    /// Checks everything that could refuse the append, before anything changes.
    fn examine(&self, input: Input<'_>, leader: bool, end: i64) -> Result<Examined, AppendError> {
        let bytes = input.size();
        let mut summary =
            Summary { bytes, aborts: 0, first_offset: end, last_offset: end - 1, max_timestamp: -1 };
        let mut next = end;
        let mut covered = 0;
        // The producer of the batch before, as it will be: only where one append has several batches of one producer.
        let mut earlier: Option<ProducerEntry> = None;
        for item in input.items() {
            let entry = &item.entry;
            let base = if leader { next } else { entry.base_offset };
            if base < next {
                return Err(self.unexpected_offset(base, next));
            }
            let last = base.saturating_add(entry.last_offset - entry.base_offset);
            if covered == 0 {
                // A message of magic 0 or 1 tells its last offset only: what it holds begins at the end of the log, or not before it.
                summary.first_offset = if item.entry.header.is_some() { base } else { end };
            }
            if let Some(header) = item.produced() {
                let marker = self.marker(&item, base)?;
                summary.aborts += usize::from(marker.is_some_and(|marker| !marker.committed));
                if leader {
                    if !header.attributes.is_control()
                        && let Some(found) = self.producers.duplicate_of(&header)
                    {
                        return Ok(Examined::Duplicate {
                            first_offset: found.first_offset(),
                            last_offset: found.last_offset,
                        });
                    }
                    let known = earlier.take().filter(|entry| entry.producer_id == header.producer_id);
                    self.producers.check(&header, marker, base, known.as_ref())?;
                    if entry.size < bytes as u64 && marker.is_none() {
                        earlier = Some(self.producers.after(&header, base, known));
                    }
                }
            }
            summary.max_timestamp = summary.max_timestamp.max(entry.max_timestamp);
            summary.last_offset = last;
            next = last.saturating_add(1);
            covered += entry.size;
        }
        if covered == 0 || covered != bytes as u64 {
            return Err(self.invalid(end, "not a sequence of whole batches".to_owned()));
        }
        Ok(Examined::New(summary))
    }

    pub(crate) fn marker(&self, item: &Item<'_>, offset: i64) -> Result<Option<EndTxnMarker>, AppendError> {
        item.marker().map_err(|reason| self.invalid(offset, reason))
    }

    fn invalid(&self, offset: i64, reason: String) -> AppendError {
        AppendError::InvalidRecords { partition: self.shared.partition.clone(), offset, reason }
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
}
