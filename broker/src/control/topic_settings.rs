//! A topic's configuration as partitions obey it.

use vltava_log::{CleanupPolicy, LogConfig};
use vltava_settings::{ProtocolVersion, TopicConfig, topic};

use super::Configs;
use crate::partitions;

impl Configs {
    /// A topic's settings as [`Replicas`](partitions::Replicas) wants them: overrides over the broker's values.
    pub fn partition_settings(&self, name: &str) -> partitions::TopicConfig {
        partition_settings(&self.topic(name), self.broker().inter_broker_protocol())
    }
}

/// The same, of a configuration at hand.
pub(crate) fn partition_settings(
    config: &TopicConfig,
    inter_broker: ProtocolVersion,
) -> partitions::TopicConfig {
    let unsigned = |value: i32| u32::try_from(value).unwrap_or(0);
    let codec = config.get(topic::COMPRESSION_TYPE);
    let level = match codec {
        // -1 is the codec's own default.
        "gzip" => Some(config.get(topic::COMPRESSION_GZIP_LEVEL)).filter(|level| *level >= 0),
        "lz4" => Some(config.get(topic::COMPRESSION_LZ4_LEVEL)),
        "zstd" => Some(config.get(topic::COMPRESSION_ZSTD_LEVEL)),
        _ => None,
    };
    let log = LogConfig {
        segment_bytes: unsigned(config.get(topic::SEGMENT_BYTES)),
        segment_ms: config.get(topic::SEGMENT_MS),
        segment_jitter_ms: config.get(topic::SEGMENT_JITTER_MS),
        segment_index_bytes: unsigned(config.get(topic::SEGMENT_INDEX_BYTES)),
        index_interval_bytes: unsigned(config.get(topic::INDEX_INTERVAL_BYTES)),
        retention_ms: config.get(topic::RETENTION_MS),
        retention_bytes: config.get(topic::RETENTION_BYTES),
        cleanup_policy: CleanupPolicy { delete: config.is_deleted(), compact: config.is_compacted() },
        delete_retention_ms: config.get(topic::DELETE_RETENTION_MS),
        file_delete_delay_ms: config.get(topic::FILE_DELETE_DELAY_MS),
        flush_messages: config.get(topic::FLUSH_MESSAGES),
        flush_ms: config.get(topic::FLUSH_MS),
        max_message_bytes: unsigned(config.get(topic::MAX_MESSAGE_BYTES)),
        log_append_time: config.get(topic::MESSAGE_TIMESTAMP_TYPE) == "LogAppendTime",
        message_timestamp_before_max_ms: config.timestamp_before_max_ms(),
        message_timestamp_after_max_ms: config.timestamp_after_max_ms(),
        compression_type: codec.to_owned(),
        unclean_leader_election: config.get(topic::UNCLEAN_LEADER_ELECTION_ENABLE),
        min_compaction_lag_ms: config.get(topic::MIN_COMPACTION_LAG_MS),
        max_compaction_lag_ms: config.get(topic::MAX_COMPACTION_LAG_MS),
        min_cleanable_dirty_ratio: config.get(topic::MIN_CLEANABLE_DIRTY_RATIO),
    };
    let min_insync = usize::try_from(config.get(topic::MIN_INSYNC_REPLICAS)).unwrap_or(1);
    let mut settings = partitions::TopicConfig::new(log, min_insync, level);
    settings.down_conversion = config.get(topic::MESSAGE_DOWNCONVERSION_ENABLE);
    if inter_broker < ProtocolVersion::V3_0_IV1 {
        // From 3.0-IV1 on `message.format.version` is ignored.
        let format = ProtocolVersion::parse(config.get(topic::MESSAGE_FORMAT_VERSION));
        settings.rules.target_magic = format.map_or(2, ProtocolVersion::record_magic);
    }
    settings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use vltava_settings::{BrokerConfig, Properties};

    use super::*;

    #[test]
    fn an_old_message_format_is_obeyed_until_3_0_iv1() {
        let properties = Properties::parse("zookeeper.connect=z:1", "p").expect("properties");
        let broker =
            BrokerConfig::from_properties(&properties, &Properties::default()).expect("a configuration");
        let own = BTreeMap::from([("message.format.version".to_owned(), "0.10.0".to_owned())]);
        let (topic, _) = TopicConfig::defaults(&broker).with_overrides(&own);
        for (version, magic) in [("2.8", 1), ("3.0-IV0", 1), ("3.0-IV1", 2), ("3.9", 2)] {
            let inter_broker = ProtocolVersion::parse(version).expect(version);
            assert_eq!(partition_settings(&topic, inter_broker).rules.target_magic, magic, "{version}");
        }
    }
}
