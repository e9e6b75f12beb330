//! What of a log can be cleaned, whether that is worth it, and which segments become one.

use std::sync::Arc;

use crate::config::LogConfig;
use crate::disk::Result;
use crate::reader::LogReader;
use crate::segment::Segment;

/// What there is to clean in a log. Offsets are Kafka's: cleaned up to `first_dirty`, cleanable up to `first_uncleanable`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cleanable {
    /// Where the last cleaning ended.
    pub first_dirty: i64,
    /// Where what can't be cleaned yet begins: the active segment, open transactions, records younger than `min.compaction.lag.ms`.
    pub first_uncleanable: i64,
    /// Bytes of the segments before the dirty ones.
    pub clean_bytes: u64,
    /// Bytes of the dirty segments that can be cleaned.
    pub dirty_bytes: u64,
    /// By how many milliseconds the oldest dirty record is beyond `max.compaction.lag.ms`; 0 if it is not.
    pub overdue_ms: i64,
}

impl Cleanable {
    /// The dirty bytes by all bytes, between 0 and 1.
    pub fn dirty_ratio(&self) -> f64 {
        let all = self.clean_bytes + self.dirty_bytes;
        if all == 0 { 0.0 } else { self.dirty_bytes as f64 / all as f64 }
    }

    /// Whether it is to be cleaned now: it is dirty enough (`min.cleanable.dirty.ratio`), or something in it is overdue.
    pub fn is_due(&self, config: &LogConfig) -> bool {
        self.dirty_bytes > 0 && (self.dirty_ratio() > config.min_cleanable_dirty_ratio || self.overdue_ms > 0)
    }
}

impl LogReader {
    /// What there is to clean, when the last cleaning ended at `cleaned_to` (`None`: there was none). `high_watermark` bounds it with the last stable offset.
    ///
    /// Cost: a look at each dirty segment's time index, the first time, where a lag is configured.
    pub fn cleanable(
        &self,
        config: &LogConfig,
        cleaned_to: Option<i64>,
        high_watermark: i64,
        now: i64,
    ) -> Result<Cleanable> {
        let segments = self.shared.segments();
        let (start, end) = (self.shared.start(), self.shared.end());
        // A checkpoint outside of the log is one of another life of it.
        let first_dirty = cleaned_to.filter(|offset| (start..=end).contains(offset)).unwrap_or(start);
        let active = segments.last().map_or(end, |segment| segment.base_offset());
        let dirty: Vec<&Arc<Segment>> = {
            let from = floor(&segments, first_dirty);
            segments[from..].iter().filter(|segment| segment.base_offset() < active).collect()
        };
        let mut first_uncleanable = active.min(self.last_stable_offset(high_watermark)).max(first_dirty);
        if config.min_compaction_lag_ms > 0 {
            for segment in dirty.iter().filter(|segment| segment.size() > 0) {
                if segment.largest_timestamp()? > now.saturating_sub(config.min_compaction_lag_ms) {
                    first_uncleanable = first_uncleanable.min(segment.base_offset()).max(first_dirty);
                    break;
                }
            }
        }
        let mut overdue_ms = 0;
        if config.max_compaction_lag_ms < i64::MAX {
            for segment in dirty.iter().filter(|segment| segment.base_offset() < first_uncleanable) {
                if let Some(first) = segment.first_timestamp()? {
                    overdue_ms =
                        (now.saturating_sub(config.max_compaction_lag_ms).saturating_sub(first)).max(0);
                    break;
                }
            }
        }
        let until = segments.partition_point(|segment| segment.base_offset() < first_uncleanable);
        let from = floor(&segments, first_dirty).min(until);
        let bytes = |segments: &[Arc<Segment>]| segments.iter().map(|segment| segment.size()).sum();
        let clean = segments.partition_point(|segment| segment.base_offset() < first_dirty).min(from);
        let dirty_bytes = if first_uncleanable > first_dirty { bytes(&segments[from..until]) } else { 0 };
        Ok(Cleanable {
            first_dirty,
            first_uncleanable,
            clean_bytes: bytes(&segments[..clean]),
            dirty_bytes,
            overdue_ms,
        })
    }
}

/// The segment that has `offset`.
pub(super) fn floor(segments: &[Arc<Segment>], offset: i64) -> usize {
    segments.partition_point(|segment| segment.base_offset() <= offset).saturating_sub(1)
}

/// What decides whether segments fit into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) base_offset: i64,
    /// The offset where the next segment begins.
    pub(super) end_offset: i64,
    pub(super) bytes: u64,
    pub(super) index_bytes: u64,
    pub(super) time_index_bytes: u64,
}

/// How many of the first become one segment, without exceeding the limits by what they are now.
pub(super) fn group(extents: &[Extent], segment_bytes: u64, index_bytes: u64) -> usize {
    let Some(first) = extents.first() else { return 0 };
    let (mut bytes, mut index, mut times) = (first.bytes, first.index_bytes, first.time_index_bytes);
    let mut count = 1;
    for next in &extents[1..] {
        bytes += next.bytes;
        index += next.index_bytes;
        times += next.time_index_bytes;
        let fits = bytes <= segment_bytes && index <= index_bytes && times <= index_bytes;
        if !fits || next.end_offset - 1 - first.base_offset > i64::from(i32::MAX) {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_joined_as_long_as_everything_fits() {
        let extent = |base_offset, bytes| Extent {
            base_offset,
            end_offset: base_offset + 10,
            bytes,
            index_bytes: 8,
            time_index_bytes: 12,
        };
        let four = [extent(0, 40), extent(10, 40), extent(20, 30), extent(30, 5)];
        assert_eq!(group(&four, 100, 1000), 2);
        assert_eq!(group(&four, 1000, 1000), 4);
        assert_eq!(group(&four, 1000, 36), 3, "the time index");
        assert_eq!(group(&four, 10, 1000), 1, "one that is too large stays by itself");
        let far = [extent(0, 1), Extent { end_offset: i64::from(i32::MAX) + 2, ..extent(50, 1) }];
        assert_eq!(group(&far, 1000, 1000), 1, "offsets count 31 bits from the segment's base");
        assert_eq!(group(&[], 1000, 1000), 0);
    }
}
