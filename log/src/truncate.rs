//! Cutting a log back: a follower whose history diverged from its leader's.

use std::sync::Arc;

use crate::disk::{self, Durable, Reach, Result};
use crate::listing;
use crate::log::{Active, Log};
use crate::rebuild::Rebuild;
use crate::recovery::end_of;
use crate::segment::Segment;

impl Log {
    /// Removes records at `offset` and above. Answers the new log end offset: `offset`, or less where that lies inside a batch
    /// or in a gap between batches, so that the end is always the one that the files tell. If the log ends
    /// before, all that may go is an epoch that has begun at its end and has no record: its leader never led again, and who asks about it would be told
    /// for ever that the logs diverge (as in Kafka's `UnifiedLog.truncateTo`).
    ///
    /// Waits for the disk as far as producers have to be read again.
    pub fn truncate_to(&mut self, offset: i64, now: i64) -> Result<i64> {
        self.shared.check_open()?;
        let end = self.shared.end();
        if offset >= end {
            self.after_cut(end)?;
            return Ok(end);
        }
        let segments = self.shared.segments();
        let Some(at) = segments.partition_point(|segment| segment.base_offset() <= offset).checked_sub(1)
        else {
            self.truncate_fully_and_start_at(offset, now)?;
            return Ok(offset);
        };
        let last = segments[at].clone();
        let file = last.log().file()?;
        let cut = last.find(&file, offset, last.size(), Reach::Disk)?;
        let (bound, position) = match cut {
            Some(entry) => (offset.min(entry.base_offset.max(last.base_offset())), entry.position),
            None => (offset, last.size()),
        };
        self.forget_flushed(bound);
        // Readers see the end move before anything goes.
        self.shared.set_end(bound);
        let (kept, lost) = segments.split_at(at + 1);
        self.shared.set_segments(kept.to_vec());
        last.truncate(bound, position)?;
        for segment in lost {
            segment.remove()?;
        }
        let new_end = end_of(Some(&last))?.max(bound.min(self.shared.start()));
        self.forget_flushed(new_end);
        self.shared.set_end(new_end);
        self.after_cut(new_end)?;
        // The last time index entry says the largest, unless a batch after it is later.
        last.set_max_timestamp(last.later_than(last.times().last()?)?);
        self.active = Active::existing(last, now)?;
        let listing = listing::list(&self.shared.directory.path())?;
        for &snapshot in listing.snapshots.range(new_end + 1..) {
            disk::remove(&self.snapshot_path(snapshot))?;
        }
        self.snapshot_offset = listing.snapshots.range(..=new_end).next_back().copied();
        let rebuild = Rebuild {
            directory: &self.shared.directory,
            partition: &self.partition,
            now,
            expiration_ms: self.producer_id_expiration_ms,
            trust_no_snapshot: false,
        };
        self.producers = rebuild.as_of(new_end, kept, &listing.snapshots)?;
        self.shared.forget_completed_from(new_end);
        self.shared.set_first_open(self.producers.first_open());
        Ok(new_end)
    }

    /// Removes every record; the next one gets `offset`, which is the log start offset too.
    pub fn truncate_fully_and_start_at(&mut self, offset: i64, now: i64) -> Result<()> {
        self.shared.check_open()?;
        self.forget_flushed(offset);
        let lost = self.shared.segments();
        for segment in lost.iter() {
            segment.remove()?;
        }
        let listing = listing::list(&self.shared.directory.path())?;
        for &snapshot in &listing.snapshots {
            disk::remove(&self.snapshot_path(snapshot))?;
        }
        let segment = match Segment::create(&self.shared.directory, offset, &self.shared.files) {
            Ok(segment) => Arc::new(segment),
            Err(error) => {
                // Without a segment there is no log: the next start makes one.
                self.shared.close();
                return Err(error);
            }
        };
        self.active = Active::fresh(segment.clone(), now);
        self.shared.set_segments(vec![segment]);
        self.shared.set_start(offset);
        self.shared.set_end(offset);
        self.snapshot_offset = None;
        self.producers.clear();
        self.shared.epochs.write().clear();
        self.store_epochs(Durable::Later)?;
        self.shared.forget_completed_from(i64::MIN);
        self.shared.set_first_open(None);
        Ok(())
    }

    /// What a flush begun earlier covered is not what comes next.
    fn forget_flushed(&self, end: i64) {
        let mut recovery = self.shared.recovery.lock();
        recovery.point = recovery.point.min(end);
        recovery.truncations += 1;
    }

    fn after_cut(&self, end: i64) -> Result<()> {
        if self.shared.start() > end {
            self.shared.set_start(end);
        }
        if self.shared.epochs.write().truncate_from_end(end) {
            self.store_epochs(Durable::Later)?;
        }
        Ok(())
    }
}
