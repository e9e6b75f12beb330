//! Log directories, segments, flushing and time stamps.

use crate::definition::*;
use crate::reason;

keys! {
    /// The directory of the partitions, when `log.dirs` is not given.
    LOG_DIR: String = string("log.dir", "/tmp/kafka-logs").high();
    /// The directories of the partitions, comma-separated. Wins over `log.dir`.
    LOG_DIRS: Option<String> = optional_string("log.dirs").high();
    /// Size, in bytes, at which a segment is closed and a new one begins.
    LOG_SEGMENT_BYTES: i32 = int("log.segment.bytes", 1_073_741_824).at_least(14).cluster_wide().high();
    /// Age, in milliseconds, at which a segment is closed although it is not full. Wins over `log.roll.hours`.
    LOG_ROLL_MS: Option<i64> = optional_long("log.roll.ms").cluster_wide().high();
    /// Age, in hours, at which a segment is closed although it is not full.
    LOG_ROLL_HOURS: i32 = int("log.roll.hours", 168).at_least(1).high();
    /// The most milliseconds by which that age is shortened at random. Wins over `log.roll.jitter.hours`.
    LOG_ROLL_JITTER_MS: Option<i64> = optional_long("log.roll.jitter.ms").cluster_wide().high();
    /// The most hours by which that age is shortened at random.
    LOG_ROLL_JITTER_HOURS: i32 = int("log.roll.jitter.hours", 0).at_least(0).high();
    /// The largest size, in bytes, of an index file.
    LOG_INDEX_SIZE_MAX_BYTES: i32 = int("log.index.size.max.bytes", 10_485_760)
        .at_least(4)
        .cluster_wide()
        .medium();
    /// Bytes of records between two entries of an index.
    LOG_INDEX_INTERVAL_BYTES: i32 = int("log.index.interval.bytes", 4096)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Whether a new segment file is given its full size at once.
    LOG_PREALLOCATE: bool = boolean("log.preallocate", false)
        .cluster_wide()
        .medium()
        .accepted(reason::PREALLOCATE);
    /// Milliseconds between taking a file out of a log and deleting it.
    LOG_SEGMENT_DELETE_DELAY_MS: i64 = long("log.segment.delete.delay.ms", 60_000)
        .at_least(0)
        .cluster_wide()
        .high();
    /// Messages written to a partition before it is flushed to disk.
    LOG_FLUSH_INTERVAL_MESSAGES: i64 = long("log.flush.interval.messages", i64::MAX)
        .at_least(1)
        .cluster_wide()
        .high();
    /// Milliseconds that a message may stay unflushed; without it `log.flush.scheduler.interval.ms` holds.
    LOG_FLUSH_INTERVAL_MS: Option<i64> = optional_long("log.flush.interval.ms").cluster_wide().high();
    /// Milliseconds between two looks for logs to flush.
    LOG_FLUSH_SCHEDULER_INTERVAL_MS: i64 = long("log.flush.scheduler.interval.ms", i64::MAX).high();
    /// Milliseconds between two writings of the recovery point, from which recovery starts.
    LOG_FLUSH_OFFSET_CHECKPOINT_INTERVAL_MS: i32 = int("log.flush.offset.checkpoint.interval.ms", 60_000)
        .at_least(0)
        .high();
    /// Milliseconds between two writings of the log start offsets.
    LOG_FLUSH_START_OFFSET_CHECKPOINT_INTERVAL_MS: i32 = int("log.flush.start.offset.checkpoint.interval.ms", 60_000)
        .at_least(0)
        .high()
        .accepted(reason::WITH_RECOVERY_POINTS);
    /// Milliseconds after start before retention, flushing and checkpoints begin.
    LOG_INITIAL_TASK_DELAY_MS: i64 = long("log.initial.task.delay.ms", 30_000)
        .at_least(0)
        .low()
        .internal()
        .accepted(reason::NO_DELAY);
    /// The version whose message format is stored, while `inter.broker.protocol.version` is below 3.0; from 3.0
    /// on batches are of magic 2.
    LOG_MESSAGE_FORMAT_VERSION: String = string("log.message.format.version", "3.0-IV1")
        .protocol_version()
        .medium();
    /// Whether a record carries its producer's time (`CreateTime`) or that of its append (`LogAppendTime`).
    LOG_MESSAGE_TIMESTAMP_TYPE: String = string("log.message.timestamp.type", "CreateTime")
        .one_of(&["CreateTime", "LogAppendTime"])
        .cluster_wide()
        .medium();
    /// Superseded by the `before` and `after` keys: how far, in milliseconds, a record's time may be from the
    /// broker's.
    LOG_MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS: i64 = long("log.message.timestamp.difference.max.ms", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// How far, in milliseconds, a record's time may lie before the broker's.
    LOG_MESSAGE_TIMESTAMP_BEFORE_MAX_MS: i64 = long("log.message.timestamp.before.max.ms", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// How far, in milliseconds, a record's time may lie after the broker's.
    LOG_MESSAGE_TIMESTAMP_AFTER_MAX_MS: i64 = long("log.message.timestamp.after.max.ms", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .medium();
    /// Whether records are converted for consumers that know only older formats.
    LOG_MESSAGE_DOWNCONVERSION_ENABLE: bool = boolean("log.message.downconversion.enable", true)
        .cluster_wide()
        .low();
    /// How long, in milliseconds, a KRaft broker waits to report a failed directory that holds leaders before
    /// it stops.
    LOG_DIR_FAILURE_TIMEOUT_MS: i64 = long("log.dir.failure.timeout.ms", 30_000)
        .at_least(1)
        .low()
        .accepted(reason::KRAFT_ONLY);
    /// Threads per directory that open and recover logs at the start.
    NUM_RECOVERY_THREADS_PER_DATA_DIR: i32 = int("num.recovery.threads.per.data.dir", 1)
        .at_least(1)
        .cluster_wide()
        .high();
    /// Threads that move replicas between directories.
    NUM_REPLICA_ALTER_LOG_DIRS_THREADS: Option<i32> = optional_int("num.replica.alter.log.dirs.threads")
        .high()
        .accepted(reason::ALTER_DIRS);
    /// Milliseconds after which an idle producer's sequence numbers are forgotten.
    PRODUCER_ID_EXPIRATION_MS: i32 = int("producer.id.expiration.ms", 86_400_000)
        .at_least(1)
        .cluster_wide()
        .low();
    /// Milliseconds between two looks for such producers.
    PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS: i32 = int("producer.id.expiration.check.interval.ms", 600_000)
        .at_least(1)
        .low()
        .internal();
}
