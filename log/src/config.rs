//! What a topic's configuration means to its log.

/// `cleanup.policy`: what may happen to old records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Segments past retention are deleted.
    pub delete: bool,
    /// Only the latest record of each key has to stay.
    pub compact: bool,
}

impl CleanupPolicy {
    /// `cleanup.policy=delete`
    pub const DELETE: Self = Self { delete: true, compact: false };
    /// `cleanup.policy=compact`
    pub const COMPACT: Self = Self { delete: false, compact: true };
    /// `cleanup.policy=compact,delete`
    pub const COMPACT_DELETE: Self = Self { delete: true, compact: true };
}

/// One partition's settings, filled in by the broker from topic configuration over broker configuration. Times are
/// milliseconds, sizes bytes; the fields carry the names of Kafka's topic keys and [`Default`] its defaults.
///
/// The log acts on the fields about segments, indexes, flushing, retention and deletion. Those about what a record may
/// be (`max_message_bytes`, timestamps, compression) are read by validation before [`Log::append`](crate::Log::append);
/// they live here so that a partition has one configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment that would become larger is rolled.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment whose first record is older is rolled by the next append.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: at most this much is taken off `segment.ms`, a different amount for each segment.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: a full index rolls its segment.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: bytes of records between two index entries.
    pub index_interval_bytes: u32,
    /// `retention.ms`; negative keeps records for ever.
    pub retention_ms: i64,
    /// `retention.bytes` of the whole partition; negative is without limit.
    pub retention_bytes: i64,
    /// `cleanup.policy`
    pub cleanup_policy: CleanupPolicy,
    /// `delete.retention.ms`: how long a compacted topic keeps tombstones.
    pub delete_retention_ms: i64,
    /// `file.delete.delay.ms` between renaming a file to `.deleted` and removing it.
    pub file_delete_delay_ms: i64,
    /// `flush.messages`: records after which the caller is told to flush.
    pub flush_messages: i64,
    /// `flush.ms`: age of the oldest unflushed record after which the caller is told to flush.
    pub flush_ms: i64,
    /// `max.message.bytes` of a batch as written.
    pub max_message_bytes: u32,
    /// `message.timestamp.type` is `LogAppendTime`, not `CreateTime`.
    pub log_append_time: bool,
    /// `message.timestamp.before.max.ms`
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`
    pub message_timestamp_after_max_ms: i64,
    /// `compression.type`; `producer` keeps each batch as it came.
    pub compression_type: String,
    /// `unclean.leader.election.enable`
    pub unclean_leader_election: bool,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: i64,
    /// `max.compaction.lag.ms`; a compacted topic's segment is rolled when its first record is older.
    pub max_compaction_lag_ms: i64,
    /// `min.cleanable.dirty.ratio`
    pub min_cleanable_dirty_ratio: f64,
}

impl Default for LogConfig {
    fn default() -> Self {
        const WEEK: i64 = 7 * 24 * 60 * 60 * 1000;
        Self {
            segment_bytes: 1 << 30,
            segment_ms: WEEK,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            retention_ms: WEEK,
            retention_bytes: -1,
            cleanup_policy: CleanupPolicy::DELETE,
            delete_retention_ms: 24 * 60 * 60 * 1000,
            file_delete_delay_ms: 60_000,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            max_message_bytes: (1 << 20) + 12,
            log_append_time: false,
            message_timestamp_before_max_ms: i64::MAX,
            message_timestamp_after_max_ms: i64::MAX,
            compression_type: "producer".to_owned(),
            unclean_leader_election: false,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            min_cleanable_dirty_ratio: 0.5,
        }
    }
}

impl LogConfig {
    /// Age at which a segment rolls. A compacted topic also rolls by `max.compaction.lag.ms`, since the active segment
    /// is never cleaned.
    pub(crate) fn roll_ms(&self) -> i64 {
        if self.cleanup_policy.compact {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        }
    }

    /// The jitter of the segment at `base_offset`: spread over `0..segment_jitter_ms`, the same each time it is asked
    /// for, so that many partitions made at one moment don't roll at one moment.
    pub(crate) fn jitter_ms(&self, seed: u64, base_offset: i64) -> i64 {
        let limit = self.segment_jitter_ms.min(self.roll_ms());
        if limit <= 0 {
            return 0;
        }
        // splitmix64's finish: enough to spread, and no state to keep.
        let mut z = seed ^ base_offset.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.cast_unsigned()).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_below_its_limit_and_differs_between_segments() {
        let config = LogConfig { segment_jitter_ms: 1000, ..LogConfig::default() };
        let jitters: Vec<i64> = (0..100).map(|base| config.jitter_ms(7, base)).collect();
        assert!(jitters.iter().all(|j| (0..1000).contains(j)));
        assert!(jitters.iter().any(|j| *j != jitters[0]));
        assert_eq!(config.jitter_ms(7, 42), config.jitter_ms(7, 42));
        assert_eq!(LogConfig::default().jitter_ms(7, 42), 0);
    }
}
