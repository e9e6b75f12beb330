//! A topic as this broker holds it: its id, its settings and the partitions that have a replica here.

use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use vltava_log::LogConfig;
use vltava_protocol::{
    Uuid,
    records::{
        Codec, TimestampType,
        validate::{Origin, Rules, TargetCompression},
    },
};

use super::Partition;
use crate::metrics::TopicMetrics;

/// The topic that keeps groups and their offsets.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

/// The topic that keeps transactions.
pub const TRANSACTIONS_TOPIC: &str = "__transaction_state";

/// Whether Kafka itself keeps something in the topic.
pub fn is_internal(name: &str) -> bool {
    matches!(name, OFFSETS_TOPIC | TRANSACTIONS_TOPIC)
}

/// A topic's settings, as far as partitions obey them: topic keys over broker keys, resolved by whoever keeps them.
#[derive(Debug, Clone)]
pub struct TopicConfig {
    /// What the log obeys.
    pub log: Arc<LogConfig>,
    /// `min.insync.replicas`
    pub min_insync_replicas: usize,
    /// What a record may be; who asks and when are filled in for each request.
    pub rules: Rules,
    /// `message.downconversion.enable`: whether clients that know only older formats are served.
    pub down_conversion: bool,
}

impl TopicConfig {
    /// From a log's settings and the level of its codec (`compression.<codec>.level`).
    pub fn new(log: LogConfig, min_insync_replicas: usize, compression_level: Option<i32>) -> Self {
        let rules = Rules {
            compression: match Codec::from_name(&log.compression_type) {
                Some(codec) => TargetCompression::Codec(codec, compression_level),
                None => TargetCompression::Producer,
            },
            timestamp_type: if log.log_append_time {
                TimestampType::LogAppendTime
            } else {
                TimestampType::CreateTime
            },
            before_max_ms: log.message_timestamp_before_max_ms,
            after_max_ms: log.message_timestamp_after_max_ms,
            compacted: log.cleanup_policy.compact,
            max_message_bytes: log.max_message_bytes as usize,
            ..Rules::default()
        };
        Self { log: Arc::new(log), min_insync_replicas, rules, down_conversion: true }
    }

    /// What the records of a Produce request may be.
    pub fn rules_for_produce(&self, produce_version: i16, now: i64) -> Rules {
        Rules { origin: Origin::Client { produce_version }, now, ..self.rules.clone() }
    }

    /// What the records of a coordinator of this broker may be.
    pub fn rules_for_coordinator(&self, now: i64) -> Rules {
        Rules { origin: Origin::Coordinator, now, ..self.rules.clone() }
    }
}

impl Default for TopicConfig {
    fn default() -> Self {
        Self::new(LogConfig::default(), 1, None)
    }
}

/// One topic. A value of its own for each life of a name: a topic that is deleted and made again is another.
#[derive(Debug)]
pub struct Topic {
    /// Its name.
    pub name: Arc<str>,
    /// Its id; zero for a topic that an old tool made without one.
    pub id: Uuid,
    /// What its traffic counts as.
    pub metrics: Arc<TopicMetrics>,
    config: ArcSwap<TopicConfig>,
    partitions: RwLock<BTreeMap<i32, Hosted>>,
}

/// What this broker has of a partition.
#[derive(Debug, Clone)]
pub enum Hosted {
    /// It works.
    Online(Arc<Partition>),
    /// Its log directory is lost, or its log could not be opened: answered with KAFKA_STORAGE_ERROR until the broker starts again, or, if it was
    /// only room that it lacked, until there is room.
    Offline,
}

impl Topic {
    pub(super) fn new(
        name: Arc<str>,
        id: Uuid,
        metrics: Arc<TopicMetrics>,
        config: Arc<TopicConfig>,
    ) -> Arc<Self> {
        Arc::new(Self { name, id, metrics, config: ArcSwap::new(config), partitions: RwLock::default() })
    }

    /// Whether it is the brokers' own: clients read it, and write it only as admins.
    pub fn is_internal(&self) -> bool {
        is_internal(&self.name)
    }

    /// The settings in force.
    pub fn config(&self) -> Arc<TopicConfig> {
        self.config.load_full()
    }

    /// The settings in force, for a glance: no reference is counted.
    pub fn peek_config(&self) -> arc_swap::Guard<Arc<TopicConfig>> {
        self.config.load()
    }

    pub(super) fn set_config(&self, config: Arc<TopicConfig>) {
        self.config.store(config);
    }

    /// One partition, if it has a replica here.
    pub fn partition(&self, index: i32) -> Option<Hosted> {
        self.partitions.read().get(&index).cloned()
    }

    /// All partitions that have a replica here, by number.
    pub fn partitions(&self) -> Vec<(i32, Hosted)> {
        self.partitions.read().iter().map(|(index, hosted)| (*index, hosted.clone())).collect()
    }

    pub(super) fn host(&self, index: i32, hosted: Hosted) {
        self.partitions.write().insert(index, hosted);
    }

    pub(super) fn remove(&self, index: i32) -> Option<Hosted> {
        self.partitions.write().remove(&index)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.read().is_empty()
    }
}
