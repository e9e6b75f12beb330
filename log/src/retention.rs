//! What may go: by time, by size, and below the log start offset.

use crate::disk::{self, Result};
use crate::error::ReadError;
use crate::flush::FlushJob;
use crate::log::Log;
use crate::names::Suffix;
use crate::removal::Removal;

/// What retention did.
#[derive(Debug, Default)]
pub struct Retained {
    /// Segments that are out of use, to be removed when due.
    pub removal: Option<Removal>,
    /// Their number.
    pub segments: usize,
    /// Their bytes.
    pub bytes: u64,
    /// The active segment was past retention too, and finished for that.
    pub rolled: Option<FlushJob>,
}

impl Log {
    /// Moves the log start offset up (DeleteRecords, or what a leader told its follower). It never moves down; one above the high
    /// watermark is out of range. Segments that it leaves behind go with the next retention.
    pub fn increment_log_start_offset(
        &mut self,
        offset: i64,
        high_watermark: i64,
    ) -> Result<bool, ReadError> {
        self.shared.check_open()?;
        let start = self.shared.start();
        if offset > high_watermark.min(self.shared.end()) {
            return Err(ReadError::OffsetOutOfRange {
                partition: self.shared.partition.clone(),
                offset,
                start,
                end: self.shared.end(),
            });
        }
        if offset <= start {
            return Ok(false);
        }
        self.move_start(offset)?;
        Ok(true)
    }

    fn move_start(&mut self, offset: i64) -> Result<()> {
        self.shared.set_start(offset);
        if self.shared.epochs.write().truncate_from_start(offset) {
            self.store_epochs_if_room()?;
        }
        Ok(())
    }

    /// Takes segments out of use that are past `retention.ms`, over `retention.bytes` or below the log start offset. Only whole
    /// segments below the high watermark go. A topic that is compacted only loses none by time or size.
    ///
    /// Cost: a look at each segment's time index, once; for each segment that goes a look at the batch that is said to be its latest, and four renames.
    pub fn delete_retention(&mut self, now: i64, high_watermark: i64) -> Result<Retained> {
        self.shared.check_open()?;
        let mut retained = Retained::default();
        let segments = self.shared.segments();
        let mut excess = match u64::try_from(self.config.retention_bytes) {
            Ok(limit) if self.config.cleanup_policy.delete => self.size().saturating_sub(limit),
            _ => 0,
        };
        let mut count = 0;
        for (at, segment) in segments.iter().enumerate() {
            let end = segments.get(at + 1).map_or_else(|| self.shared.end(), |next| next.base_offset());
            let active = at + 1 == segments.len();
            // An empty active segment stays: it is where the log goes on.
            if end > high_watermark || (active && segment.size() == 0) {
                break;
            }
            let below_start = !active && end <= self.shared.start();
            let over_size = excess > 0 && excess >= segment.size();
            if !below_start && !over_size && !self.is_past_retention(segment, now)? {
                break;
            }
            excess = excess.saturating_sub(segment.size());
            count += 1;
        }
        if count == 0 {
            return Ok(retained);
        }
        if count == segments.len() {
            retained.rolled = self.roll(now)?;
        }
        let gone = segments[..count].to_vec();
        let left = self.shared.segments()[count..].to_vec();
        let new_start = left.first().map_or_else(|| self.shared.end(), |segment| segment.base_offset());
        if new_start > self.shared.start() {
            self.move_start(new_start)?;
        }
        self.shared.set_segments(left);
        for segment in &gone {
            segment.rename(Suffix::Deleted)?;
            disk::remove(&self.snapshot_path(segment.base_offset()))?;
        }
        retained.segments = count;
        retained.bytes = gone.iter().map(|segment| segment.size()).sum();
        retained.removal =
            Some(Removal::segments(gone, now.saturating_add(self.config.file_delete_delay_ms)));
        Ok(retained)
    }

    fn is_past_retention(&self, segment: &crate::segment::Segment, now: i64) -> Result<bool> {
        if !self.config.cleanup_policy.delete || self.config.retention_ms < 0 {
            return Ok(false);
        }
        let past = || -> Result<bool> {
            Ok(now.saturating_sub(segment.largest_timestamp()?) > self.config.retention_ms)
        };
        if !past()? {
            return Ok(false);
        }
        segment.confirm_max_timestamp()?;
        past()
    }
}
