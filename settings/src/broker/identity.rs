//! Who this broker is, and what it does on its own account.

use crate::definition::*;
use crate::reason;

keys! {
    /// The number of this broker in its cluster, unique and kept for life. -1 lets ZooKeeper hand out one above
    /// `reserved.broker.max.id`.
    BROKER_ID: i32 = int("broker.id", -1).high();
    /// Another name for `broker.id`, from the KRaft years; if both are given they must agree.
    NODE_ID: i32 = int("node.id", -1).high();
    /// Whether a broker without `broker.id` may get one from ZooKeeper.
    BROKER_ID_GENERATION_ENABLE: bool = boolean("broker.id.generation.enable", true).medium();
    /// The highest number that may be given by hand in `broker.id`; generated numbers start above it.
    RESERVED_BROKER_MAX_ID: i32 = int("reserved.broker.max.id", 1000).at_least(0).medium();
    /// The rack or availability zone of this broker. Replicas of a partition are spread over racks.
    BROKER_RACK: Option<String> = optional_string("broker.rack").medium();
    /// Whether asking for the metadata of a topic that does not exist creates it.
    AUTO_CREATE_TOPICS_ENABLE: bool = boolean("auto.create.topics.enable", true).high();
    /// Whether topics may be deleted at all.
    DELETE_TOPIC_ENABLE: bool = boolean("delete.topic.enable", true).high();
    /// Partitions of a topic that is created without saying how many.
    NUM_PARTITIONS: i32 = int("num.partitions", 1).at_least(1).medium();
    /// Replicas of a topic that is created without saying how many.
    DEFAULT_REPLICATION_FACTOR: i32 = int("default.replication.factor", 1).medium();
    /// Threads for housekeeping.
    BACKGROUND_THREADS: i32 = int("background.threads", 10)
        .at_least(1)
        .cluster_wide()
        .high()
        .accepted(reason::POOL);
    /// The most threads for what may wait for a disk: reads of old data, flushes, deletions; two at least. They are
    /// started when there is such work and end when there is none.
    NUM_IO_THREADS: i32 = int("num.io.threads", 8).at_least(1).cluster_wide().high();
    /// Threads that read requests, handle them and send the answers, for all listeners together. With 3, which every
    /// properties file of Apache Kafka says, there is one for each processor, which serves best. Read at the start.
    NUM_NETWORK_THREADS: i32 = int("num.network.threads", 3)
        .at_least(1)
        .cluster_wide()
        .by_restart()
        .high();
    /// How long, in milliseconds, a producer's request for an id waits until ZooKeeper gives this broker a block of them.
    REQUEST_TIMEOUT_MS: i32 = int("request.timeout.ms", 30_000).high();
    /// The codec batches are stored with. `producer` keeps what the producer chose.
    COMPRESSION_TYPE: String = string("compression.type", "producer")
        .one_of(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"])
        .cluster_wide()
        .high();
    /// The level used when this broker compresses with gzip; -1 is the codec's default.
    COMPRESSION_GZIP_LEVEL: i32 = int("compression.gzip.level", -1).gzip_level().cluster_wide().medium();
    /// The level used when this broker compresses with lz4.
    COMPRESSION_LZ4_LEVEL: i32 = int("compression.lz4.level", 9).between(1, 17).cluster_wide().medium();
    /// The level used when this broker compresses with zstd.
    COMPRESSION_ZSTD_LEVEL: i32 = int("compression.zstd.level", 3)
        .between(-131_072, 22)
        .cluster_wide()
        .medium();
    /// The largest batch, in bytes after compression, that a topic accepts.
    MESSAGE_MAX_BYTES: i32 = int("message.max.bytes", 1_048_588).at_least(0).cluster_wide().high();
    /// A class that may veto AlterConfigs.
    ALTER_CONFIG_POLICY_CLASS_NAME: Option<String> = optional_class("alter.config.policy.class.name")
        .low()
        .refused(reason::POLICY);
    /// Whether an AlterConfigs policy sees requests as in KRaft mode.
    ALTER_CONFIG_POLICY_KRAFT_COMPATIBILITY_ENABLE: bool = boolean("alter.config.policy.kraft.compatibility.enable", false)
        .low()
        .accepted(reason::POLICY_OFF);
    /// A class that may veto CreateTopics.
    CREATE_TOPIC_POLICY_CLASS_NAME: Option<String> = optional_class("create.topic.policy.class.name")
        .low()
        .refused(reason::POLICY);
    /// Whether API versions that are not final yet are served.
    UNSTABLE_API_VERSIONS_ENABLE: bool = boolean("unstable.api.versions.enable", false)
        .high()
        .internal()
        .accepted(reason::UNSTABLE);
    /// Whether feature versions that are not final yet are usable.
    UNSTABLE_FEATURE_VERSIONS_ENABLE: bool = boolean("unstable.feature.versions.enable", false)
        .high()
        .internal()
        .accepted(reason::UNSTABLE);
    /// Whether the JMX reporter is loaded although it is not named.
    AUTO_INCLUDE_JMX_REPORTER: bool = boolean("auto.include.jmx.reporter", true)
        .low()
        .accepted(reason::JMX);
    /// Classes that report Yammer metrics.
    KAFKA_METRICS_REPORTERS: Vec<String> = list("kafka.metrics.reporters", &[]).low().accepted(reason::JMX);
    /// Seconds between two runs of `kafka.metrics.reporters`.
    KAFKA_METRICS_POLLING_INTERVAL_SECS: i32 = int("kafka.metrics.polling.interval.secs", 10)
        .at_least(1)
        .low()
        .accepted(reason::JMX);
    /// Classes that report metrics.
    METRIC_REPORTERS: Vec<String> = list("metric.reporters", &[])
        .cluster_wide()
        .low()
        .accepted(reason::JMX);
    /// Samples kept for a windowed metric.
    METRICS_NUM_SAMPLES: i32 = int("metrics.num.samples", 2).at_least(1).low().accepted(reason::JMX);
    /// The most detailed level of metrics that is recorded.
    METRICS_RECORDING_LEVEL: String = string("metrics.recording.level", "INFO").low().accepted(reason::JMX);
    /// The window, in milliseconds, of one sample of a metric.
    METRICS_SAMPLE_WINDOW_MS: i64 = long("metrics.sample.window.ms", 30_000)
        .at_least(1)
        .low()
        .accepted(reason::JMX);
    /// The largest push of client metrics (KIP-714), in bytes.
    TELEMETRY_MAX_BYTES: i32 = int("telemetry.max.bytes", 1_048_576)
        .at_least(1)
        .low()
        .accepted(reason::TELEMETRY);
    /// How long, in milliseconds, a KRaft broker may take to start.
    SERVER_MAX_STARTUP_TIME_MS: i64 = long("server.max.startup.time.ms", i64::MAX)
        .at_least(0)
        .medium()
        .internal()
        .accepted(reason::KRAFT_ONLY);
}
