//! Topic configuration keys.

use crate::definition::*;
use crate::reason;

keys! {
    /// What happens to old segments: `delete` drops them, `compact` keeps the last value of each key.
    CLEANUP_POLICY: Vec<String> = list("cleanup.policy", &["delete"])
        .one_of(&["compact", "delete"])
        .medium()
        .of_broker(&["log.cleanup.policy"]);
    /// The codec batches are stored with. `producer` keeps what the producer chose.
    COMPRESSION_TYPE: String = string("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .medium()
        .of_broker(&["compression.type"]);
    /// The level used when the broker compresses with gzip; -1 is the codec's default.
    COMPRESSION_GZIP_LEVEL: i32 = int("compression.gzip.level", -1)
        .gzip_level()
        .medium()
        .of_broker(&["compression.gzip.level"]);
    /// The level used when the broker compresses with lz4.
    COMPRESSION_LZ4_LEVEL: i32 = int("compression.lz4.level", 9)
        .between(1, 17)
        .medium()
        .of_broker(&["compression.lz4.level"]);
    /// The level used when the broker compresses with zstd.
    COMPRESSION_ZSTD_LEVEL: i32 = int("compression.zstd.level", 3)
        .between(-131_072, 22)
        .medium()
        .of_broker(&["compression.zstd.level"]);
    /// Milliseconds that the marker of a deletion is kept when the topic is compacted.
    DELETE_RETENTION_MS: i64 = long("delete.retention.ms", 86_400_000)
        .at_least(0)
        .medium()
        .of_broker(&["log.cleaner.delete.retention.ms"]);
    /// Milliseconds between taking a file out of the log and deleting it.
    FILE_DELETE_DELAY_MS: i64 = long("file.delete.delay.ms", 60_000)
        .at_least(0)
        .medium()
        .of_broker(&["log.segment.delete.delay.ms"]);
    /// Messages written to a partition before it is flushed to disk.
    FLUSH_MESSAGES: i64 = long("flush.messages", i64::MAX)
        .at_least(1)
        .medium()
        .of_broker(&["log.flush.interval.messages"]);
    /// Milliseconds that a message may stay unflushed.
    FLUSH_MS: i64 = long("flush.ms", i64::MAX)
        .at_least(0)
        .medium()
        .of_broker(&["log.flush.interval.ms", "log.flush.scheduler.interval.ms"]);
    /// Replicas whose fetching is throttled, as a list of `partition:broker`, or `*`.
    FOLLOWER_REPLICATION_THROTTLED_REPLICAS: Vec<String> = list("follower.replication.throttled.replicas", &[])
        .throttled_replicas()
        .medium()
        .accepted(reason::ALONE);
    /// Replicas whose serving of followers is throttled, as a list of `partition:broker`, or `*`.
    LEADER_REPLICATION_THROTTLED_REPLICAS: Vec<String> = list("leader.replication.throttled.replicas", &[])
        .throttled_replicas()
        .medium()
        .accepted(reason::ALONE);
    /// Bytes of records between two entries of an index.
    INDEX_INTERVAL_BYTES: i32 = int("index.interval.bytes", 4096)
        .at_least(0)
        .medium()
        .of_broker(&["log.index.interval.bytes"]);
    /// Bytes kept on local disks when older segments are in remote storage.
    LOCAL_RETENTION_BYTES: i64 = long("local.retention.bytes", -2)
        .at_least(-2)
        .medium()
        .of_broker(&["log.local.retention.bytes"])
        .accepted(reason::TIERED_OFF);
    /// Milliseconds kept on local disks when older segments are in remote storage.
    LOCAL_RETENTION_MS: i64 = long("local.retention.ms", -2)
        .at_least(-2)
        .medium()
        .of_broker(&["log.local.retention.ms"])
        .accepted(reason::TIERED_OFF);
    /// Milliseconds that a record stays uncompacted at most.
    MAX_COMPACTION_LAG_MS: i64 = long("max.compaction.lag.ms", i64::MAX)
        .at_least(1)
        .medium()
        .of_broker(&["log.cleaner.max.compaction.lag.ms"]);
    /// Milliseconds that a record stays uncompacted at least.
    MIN_COMPACTION_LAG_MS: i64 = long("min.compaction.lag.ms", 0)
        .at_least(0)
        .medium()
        .of_broker(&["log.cleaner.min.compaction.lag.ms"]);
    /// The part of a log, from 0 to 1, that must be uncleaned before cleaning is worth it.
    MIN_CLEANABLE_DIRTY_RATIO: f64 = double("min.cleanable.dirty.ratio", 0.5)
        .between_real(0.0, 1.0)
        .medium()
        .of_broker(&["log.cleaner.min.cleanable.ratio"]);
    /// The largest batch, in bytes after compression, that the topic accepts.
    MAX_MESSAGE_BYTES: i32 = int("max.message.bytes", 1_048_588)
        .at_least(0)
        .medium()
        .of_broker(&["message.max.bytes"]);
    /// Whether records are converted for consumers that know only older formats.
    MESSAGE_DOWNCONVERSION_ENABLE: bool = boolean("message.downconversion.enable", true)
        .low()
        .of_broker(&["log.message.downconversion.enable"]);
    /// The version whose message format is stored, while `inter.broker.protocol.version` is below 3.0.
    MESSAGE_FORMAT_VERSION: String = string("message.format.version", "3.0-IV1")
        .protocol_version()
        .medium()
        .of_broker(&["log.message.format.version"]);
    /// Whether a record carries its producer's time (`CreateTime`) or that of its append (`LogAppendTime`).
    MESSAGE_TIMESTAMP_TYPE: String = string("message.timestamp.type", "CreateTime")
        .one_of(&["CreateTime", "LogAppendTime"])
        .medium()
        .of_broker(&["log.message.timestamp.type"]);
    /// Superseded by the `before` and `after` keys: how far, in milliseconds, a record's time may be from the
    /// broker's.
    MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS: i64 = long("message.timestamp.difference.max.ms", i64::MAX)
        .at_least(0)
        .medium()
        .of_broker(&["log.message.timestamp.difference.max.ms"]);
    /// How far, in milliseconds, a record's time may lie before the broker's.
    MESSAGE_TIMESTAMP_BEFORE_MAX_MS: i64 = long("message.timestamp.before.max.ms", i64::MAX)
        .at_least(0)
        .medium()
        .of_broker(&["log.message.timestamp.before.max.ms"]);
    /// How far, in milliseconds, a record's time may lie after the broker's.
    MESSAGE_TIMESTAMP_AFTER_MAX_MS: i64 = long("message.timestamp.after.max.ms", i64::MAX)
        .at_least(0)
        .medium()
        .of_broker(&["log.message.timestamp.after.max.ms"]);
    /// Replicas that must be in sync for a produce with acks=all to be accepted.
    MIN_INSYNC_REPLICAS: i32 = int("min.insync.replicas", 1)
        .at_least(1)
        .medium()
        .of_broker(&["min.insync.replicas"]);
    /// Whether a new segment file is given its full size at once.
    PREALLOCATE: bool = boolean("preallocate", false)
        .medium()
        .of_broker(&["log.preallocate"])
        .accepted(reason::PREALLOCATE);
    /// Whether older segments are moved to remote storage (KIP-405).
    REMOTE_STORAGE_ENABLE: bool = boolean("remote.storage.enable", false).medium().refused(reason::TIERED);
    /// Whether copying to remote storage is stopped.
    REMOTE_LOG_COPY_DISABLE: bool = boolean("remote.log.copy.disable", false)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Whether remote segments are deleted when remote storage is switched off.
    REMOTE_LOG_DELETE_ON_DISABLE: bool = boolean("remote.log.delete.on.disable", false)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Bytes kept per partition; -1 is no limit.
    RETENTION_BYTES: i64 = long("retention.bytes", -1).medium().of_broker(&["log.retention.bytes"]);
    /// Milliseconds that records are kept; -1 is for ever.
    RETENTION_MS: i64 = long("retention.ms", 604_800_000)
        .at_least(-1)
        .medium()
        .of_broker(&["log.retention.ms", "log.retention.minutes", "log.retention.hours"]);
    /// Size, in bytes, at which a segment is closed and a new one begins.
    SEGMENT_BYTES: i32 = int("segment.bytes", 1_073_741_824)
        .at_least(14)
        .medium()
        .of_broker(&["log.segment.bytes"]);
    /// The largest size, in bytes, of an index file.
    SEGMENT_INDEX_BYTES: i32 = int("segment.index.bytes", 10_485_760)
        .at_least(4)
        .medium()
        .of_broker(&["log.index.size.max.bytes"]);
    /// The most milliseconds by which `segment.ms` is shortened at random.
    SEGMENT_JITTER_MS: i64 = long("segment.jitter.ms", 0)
        .at_least(0)
        .medium()
        .of_broker(&["log.roll.jitter.ms", "log.roll.jitter.hours"]);
    /// Age, in milliseconds, at which a segment is closed although it is not full.
    SEGMENT_MS: i64 = long("segment.ms", 604_800_000)
        .at_least(1)
        .medium()
        .of_broker(&["log.roll.ms", "log.roll.hours"]);
    /// Whether a replica that is not in sync may become leader, at the price of losing records.
    UNCLEAN_LEADER_ELECTION_ENABLE: bool = boolean("unclean.leader.election.enable", false)
        .medium()
        .of_broker(&["unclean.leader.election.enable"]);
}
