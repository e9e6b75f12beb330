//! How long records are kept.

use crate::definition::*;
use crate::reason;

keys! {
    /// What happens to old segments: `delete` drops them, `compact` keeps the last value of each key.
    LOG_CLEANUP_POLICY: Vec<String> = list("log.cleanup.policy", &["delete"])
        .one_of(&["compact", "delete"])
        .cluster_wide()
        .medium();
    /// Bytes kept per partition; -1 is no limit.
    LOG_RETENTION_BYTES: i64 = long("log.retention.bytes", -1).cluster_wide().high();
    /// Milliseconds that records are kept; -1 is for ever. Wins over minutes and hours.
    LOG_RETENTION_MS: Option<i64> = optional_long("log.retention.ms").cluster_wide().high();
    /// Minutes that records are kept. Wins over hours.
    LOG_RETENTION_MINUTES: Option<i32> = optional_int("log.retention.minutes").high();
    /// Hours that records are kept.
    LOG_RETENTION_HOURS: i32 = int("log.retention.hours", 168).high();
    /// Milliseconds between two looks for segments to delete.
    LOG_RETENTION_CHECK_INTERVAL_MS: i64 = long("log.retention.check.interval.ms", 300_000)
        .at_least(1)
        .medium();
    /// Whether compacted topics are compacted.
    LOG_CLEANER_ENABLE: bool = boolean("log.cleaner.enable", true).medium();
    /// Threads that compact.
    LOG_CLEANER_THREADS: i32 = int("log.cleaner.threads", 1)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Milliseconds that a cleaner sleeps when there is nothing to clean.
    LOG_CLEANER_BACKOFF_MS: i64 = long("log.cleaner.backoff.ms", 15_000)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Bytes of memory for the keys of all cleaners.
    LOG_CLEANER_DEDUPE_BUFFER_SIZE: i64 = long("log.cleaner.dedupe.buffer.size", 134_217_728)
        .cluster_wide()
        .medium();
    /// Bytes of memory for the reading and writing of all cleaners.
    LOG_CLEANER_IO_BUFFER_SIZE: i32 = int("log.cleaner.io.buffer.size", 524_288)
        .at_least(0)
        .cluster_wide()
        .medium()
        .accepted(reason::CLEANER_BUFFER);
    /// How full, from 0 to 1, the table of keys may get.
    LOG_CLEANER_IO_BUFFER_LOAD_FACTOR: f64 = double("log.cleaner.io.buffer.load.factor", 0.9)
        .cluster_wide()
        .medium();
    /// Bytes that cleaners read and write in a second.
    LOG_CLEANER_IO_MAX_BYTES_PER_SECOND: f64 = double("log.cleaner.io.max.bytes.per.second", f64::MAX)
        .cluster_wide()
        .medium();
    /// The part of a log, from 0 to 1, that must be uncleaned before cleaning is worth it.
    LOG_CLEANER_MIN_CLEANABLE_RATIO: f64 = double("log.cleaner.min.cleanable.ratio", 0.5)
        .between_real(0.0, 1.0)
        .cluster_wide()
        .medium();
    /// Milliseconds that a record stays uncompacted at least.
    LOG_CLEANER_MIN_COMPACTION_LAG_MS: i64 = long("log.cleaner.min.compaction.lag.ms", 0)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Milliseconds that a record stays uncompacted at most.
    LOG_CLEANER_MAX_COMPACTION_LAG_MS: i64 = long("log.cleaner.max.compaction.lag.ms", i64::MAX)
        .at_least(1)
        .cluster_wide()
        .medium();
    /// Milliseconds that the marker of a deletion is kept in a compacted topic.
    LOG_CLEANER_DELETE_RETENTION_MS: i64 = long("log.cleaner.delete.retention.ms", 86_400_000)
        .at_least(0)
        .cluster_wide()
        .medium();
}
