//! How old a segment is: what rolling and retention go by.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::disk::{Reach, Result};
use crate::entry::Entries;
use crate::error::LogError;
use crate::segment::Segment;
use crate::time_index::TimestampOffset;

impl Segment {
    /// The largest timestamp among the records; `None` where there is no record, or none with a timestamp.
    pub(crate) fn max_timestamp(&self) -> Result<Option<TimestampOffset>> {
        let mut known = self.max_timestamp.lock();
        if let Some(max) = *known {
            return Ok(max);
        }
        let max = self.times().last()?.filter(|last| last.timestamp >= 0);
        *known = Some(max);
        Ok(max)
    }

    pub(crate) fn set_max_timestamp(&self, max: Option<TimestampOffset>) {
        *self.max_timestamp.lock() = Some(max);
    }

    /// Asks the batches whether the largest timestamp is theirs, and looks for it among all of them where it isn't. What is deleted by its age goes
    /// by this: an index below the recovery point is believed as it is, and may be damaged.
    ///
    /// Cost: one look-up by offset, and a pass over the headers where the index is wrong.
    pub(crate) fn confirm_max_timestamp(&self) -> Result<()> {
        let Some(max) = self.max_timestamp()? else { return Ok(()) };
        let file = self.log().file()?;
        let holder = self.find(&file, max.offset, self.size(), Reach::Disk)?;
        if holder.is_some_and(|entry| entry.max_timestamp == max.timestamp) {
            return Ok(());
        }
        let found = self.later_than(None)?;
        tracing::warn!(index = %self.times().entries().handle().path().display(), ?max, ?found, "the time index is wrong and is not believed");
        self.set_max_timestamp(found);
        Ok(())
    }

    /// The largest timestamp of all, where what is known is the largest up to its own offset.
    pub(crate) fn later_than(&self, known: Option<TimestampOffset>) -> Result<Option<TimestampOffset>> {
        let file = self.log().file()?;
        let path = || self.log().path();
        let from = match known {
            Some(known) => {
                self.find(&file, known.offset, self.size(), Reach::Disk)?.map_or(0, |entry| entry.position)
            }
            None => 0,
        };
        let mut max = known;
        let mut entries = Entries::new(&file, &path, from, self.size());
        while let Some(entry) = entries.next()? {
            if entry.max_timestamp >= 0 && max.is_none_or(|max| max.timestamp < entry.max_timestamp) {
                max = Some(TimestampOffset { timestamp: entry.max_timestamp, offset: entry.last_offset });
            }
        }
        Ok(max)
    }

    /// How old the segment is for retention: its largest timestamp or, without one, when its file was last written.
    pub(crate) fn largest_timestamp(&self) -> Result<i64> {
        match self.max_timestamp()? {
            Some(max) => Ok(max.timestamp),
            None => self.modified(),
        }
    }

    /// When the `.log` was last written, in milliseconds.
    pub(crate) fn modified(&self) -> Result<i64> {
        let path = self.log().path();
        let metadata = fs::metadata(&path).map_err(|e| LogError::io(&path, "read", e))?;
        Ok(metadata.mtime().saturating_mul(1000).saturating_add(metadata.mtime_nsec() / 1_000_000))
    }

    /// Timestamp of the first batch, from which the age of a segment counts when it is rolled.
    pub(crate) fn first_timestamp(&self) -> Result<Option<i64>> {
        let file = self.log().file()?;
        let path = || self.log().path();
        let first = Entries::new(&file, &path, 0, self.size()).next()?;
        Ok(first.map(|entry| entry.max_timestamp).filter(|timestamp| *timestamp >= 0))
    }
}
