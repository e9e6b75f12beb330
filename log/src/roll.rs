//! Finishing a segment and beginning the next, without waiting for the disk.

use std::sync::Arc;

use crate::disk::{Durable, Result};
use crate::flush::FlushJob;
use crate::log::{Active, Log};
use crate::segment::Segment;
use crate::snapshot;

impl Log {
    /// Begins a new segment at the log end offset. `None` where the active one is empty.
    ///
    /// Cost: the old indexes' last entries and the producers' snapshot are written, three files are made; nothing is flushed.
    /// That is the job given back (Kafka flushed under the lock: KAFKA-9693).
    pub fn roll(&mut self, now: i64) -> Result<Option<FlushJob>> {
        self.shared.check_open()?;
        if self.active.segment.size() == 0 {
            return Ok(None);
        }
        self.roll_at(self.shared.end(), now).map(Some)
    }

    /// Begins a new segment at `base_offset`, at or after the log end offset. An active segment that begins there is empty,
    /// and serves: two segments at one offset would be two over the same files.
    pub(crate) fn roll_at(&mut self, base_offset: i64, now: i64) -> Result<FlushJob> {
        if base_offset == self.active.segment.base_offset() {
            return Ok(self.empty_job(base_offset));
        }
        let segment = Arc::new(Segment::create(&self.shared.directory, base_offset, &self.shared.files)?);
        let prepared =
            self.active.segment.finish().and_then(|()| self.take_snapshot(base_offset, Durable::Later));
        if let Err(error) = prepared {
            let _ = segment.remove();
            return Err(error);
        }
        let old = std::mem::replace(&mut self.active, Active::fresh(segment.clone(), now));
        old.segment.settle()?;
        let mut segments = self.shared.segments().to_vec();
        segments.push(segment);
        self.shared.set_segments(segments);
        Ok(self.flush_job_to(base_offset).unwrap_or_else(|| self.empty_job(base_offset)))
    }

    /// Writes the producers as they are at `offset`, the log end offset.
    pub(crate) fn take_snapshot(&mut self, offset: i64, durable: Durable) -> Result<()> {
        snapshot::store(&self.snapshot_path(offset), &self.producers, durable)?;
        self.snapshot_offset = Some(offset);
        Ok(())
    }
}
