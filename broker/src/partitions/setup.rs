//! How [`Replicas`] begins, as a broker's configuration says.

use std::sync::{Arc, atomic::AtomicBool};

use vltava_log::{CleanupPolicy, LogConfig, LogDirs, LogError};
use vltava_protocol::records::Codec;
use vltava_settings::{BrokerConfig, ProtocolVersion, broker as keys, topic};

use super::{
    FileWork, Replicas, Storage, Surroundings, TopicConfig, TopicConfigs, fetch_sessions::Limits,
    upkeep::Schedule,
};
use crate::metrics::Metrics;

/// Files that all logs keep open together.
const OPEN_FILES: usize = 10_000;

/// Jobs that may wait for a thread of file work, in each lane.
const QUEUED_FILE_WORK: usize = 1_000;

/// `min.incremental.fetch.session.eviction.ms`, which Kafka does not let configure.
const SESSION_EVICTION_MS: i64 = 120_000;

/// What [`Replicas::new`] needs.
pub struct Setup {
    /// What all partitions share.
    pub surroundings: Surroundings,
    /// The log directories.
    pub storage: Storage,
    /// Bounds of the fetch sessions.
    pub sessions: Limits,
    /// Where settings of topics come from.
    pub configs: TopicConfigs,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Setup {
    /// As `config` says, over open directories. `broker_id` may have been generated; `configs` resolves a topic's settings.
    pub fn of(
        config: &BrokerConfig,
        broker_id: i32,
        dirs: LogDirs,
        configs: TopicConfigs,
        metrics: Arc<Metrics>,
    ) -> Self {
        let threads = usize::try_from(config.get(keys::BACKGROUND_THREADS)).unwrap_or(0);
        let slots = config.get(keys::MAX_INCREMENTAL_FETCH_SESSION_CACHE_SLOTS);
        Self {
            surroundings: Surroundings {
                broker_id,
                replica_lag_ms: config.get(keys::REPLICA_LAG_TIME_MAX_MS),
                fetch_max_bytes: u64::try_from(config.get(keys::FETCH_MAX_BYTES)).unwrap_or(0),
                files: FileWork::new(threads, QUEUED_FILE_WORK),
                high_watermark_moved: AtomicBool::new(false),
            },
            storage: Storage::new(dirs),
            sessions: Limits { slots: usize::try_from(slots).unwrap_or(0), eviction_ms: SESSION_EVICTION_MS },
            configs,
            metrics,
        }
    }
}

/// Opens the log directories that `config` names and takes their locks. Logs are loaded by [`Replicas::load`].
pub fn open_log_dirs(config: &BrokerConfig) -> Result<LogDirs, LogError> {
    LogDirs::open(&config.log_dirs(), OPEN_FILES, i64::from(config.get(keys::PRODUCER_ID_EXPIRATION_MS)))
}

impl Replicas {
    /// Opens and recovers all logs on disk. Waits for the disk; called once, before the broker registers.
    pub fn load(&self, config: &BrokerConfig, now: i64) {
        let threads = usize::try_from(config.get(keys::NUM_RECOVERY_THREADS_PER_DATA_DIR)).unwrap_or(1);
        self.storage().load(threads, &|partition| self.config_of(&partition.topic).log, now);
    }
}

impl Schedule {
    /// As `config` says.
    pub fn of(config: &BrokerConfig) -> Self {
        Self {
            retention_ms: config.get(keys::LOG_RETENTION_CHECK_INTERVAL_MS),
            high_watermark_ms: config.get(keys::REPLICA_HIGH_WATERMARK_CHECKPOINT_INTERVAL_MS),
            checkpoint_ms: i64::from(config.get(keys::LOG_FLUSH_OFFSET_CHECKPOINT_INTERVAL_MS)),
            producers_ms: i64::from(config.get(keys::PRODUCER_ID_EXPIRATION_CHECK_INTERVAL_MS)),
        }
    }
}

impl TopicConfig {
    /// From a topic's settings, resolved over its broker's. `message.format.version` counts while `inter.broker.protocol.version` is below 3.0.
    pub fn of(topic: &vltava_settings::TopicConfig, inter_broker: ProtocolVersion) -> Self {
        let compression = topic.get(topic::COMPRESSION_TYPE);
        let level = match Codec::from_name(compression) {
            Some(Codec::Gzip) => Some(topic.get(topic::COMPRESSION_GZIP_LEVEL)).filter(|level| *level >= 0),
            Some(Codec::Lz4) => Some(topic.get(topic::COMPRESSION_LZ4_LEVEL)),
            Some(Codec::Zstd) => Some(topic.get(topic::COMPRESSION_ZSTD_LEVEL)),
            _ => None,
        };
        let log = LogConfig {
            segment_bytes: unsigned(topic.get(topic::SEGMENT_BYTES)),
            segment_ms: topic.get(topic::SEGMENT_MS),
            segment_jitter_ms: topic.get(topic::SEGMENT_JITTER_MS),
            segment_index_bytes: unsigned(topic.get(topic::SEGMENT_INDEX_BYTES)),
            index_interval_bytes: unsigned(topic.get(topic::INDEX_INTERVAL_BYTES)),
            retention_ms: topic.get(topic::RETENTION_MS),
            retention_bytes: topic.get(topic::RETENTION_BYTES),
            cleanup_policy: CleanupPolicy { delete: topic.is_deleted(), compact: topic.is_compacted() },
            delete_retention_ms: topic.get(topic::DELETE_RETENTION_MS),
            file_delete_delay_ms: topic.get(topic::FILE_DELETE_DELAY_MS),
            flush_messages: topic.get(topic::FLUSH_MESSAGES),
            flush_ms: topic.get(topic::FLUSH_MS),
            max_message_bytes: unsigned(topic.get(topic::MAX_MESSAGE_BYTES)),
            log_append_time: topic.get(topic::MESSAGE_TIMESTAMP_TYPE) == "LogAppendTime",
            message_timestamp_before_max_ms: topic.timestamp_before_max_ms(),
            message_timestamp_after_max_ms: topic.timestamp_after_max_ms(),
            compression_type: compression.to_owned(),
            unclean_leader_election: topic.get(topic::UNCLEAN_LEADER_ELECTION_ENABLE),
            min_compaction_lag_ms: topic.get(topic::MIN_COMPACTION_LAG_MS),
            max_compaction_lag_ms: topic.get(topic::MAX_COMPACTION_LAG_MS),
            min_cleanable_dirty_ratio: topic.get(topic::MIN_CLEANABLE_DIRTY_RATIO),
        };
        let min_insync = usize::try_from(topic.get(topic::MIN_INSYNC_REPLICAS)).unwrap_or(1);
        let mut config = Self::new(log, min_insync, level);
        if inter_broker < ProtocolVersion::V3_0_IV0 {
            let format = ProtocolVersion::parse(topic.get(topic::MESSAGE_FORMAT_VERSION));
            config.rules.target_magic = format.map_or(2, ProtocolVersion::record_magic);
        }
        config.down_conversion = topic.get(topic::MESSAGE_DOWNCONVERSION_ENABLE);
        config
    }
}

/// A size; the table allows no negative one.
fn unsigned(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}
