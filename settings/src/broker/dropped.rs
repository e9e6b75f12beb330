//! Keys that Apache Kafka knew once and dropped. Old properties files are read with them.

use crate::definition::*;
use crate::reason;

keys! {
    /// The host to listen on, when `listeners` is not given. Empty is every address.
    HOST_NAME: String = string("host.name", "").high().removed_in("3.0").instead("listeners");
    /// The port to listen on, when `listeners` is not given.
    PORT: i32 = int("port", 9092).high().removed_in("3.0").instead("listeners");
    /// The host that clients are told to connect to, when neither `listeners` nor `advertised.listeners` is given.
    ADVERTISED_HOST_NAME: Option<String> =
        optional_string("advertised.host.name").high().removed_in("3.0").instead("advertised.listeners");
    /// The port that clients are told to connect to, when neither `listeners` nor `advertised.listeners` is given.
    ADVERTISED_PORT: Option<i32> =
        optional_int("advertised.port").high().removed_in("3.0").instead("advertised.listeners");
    /// Bytes per second that a producer without a quota of its own may send.
    QUOTA_PRODUCER_DEFAULT: i64 = long("quota.producer.default", i64::MAX)
        .at_least(1).high().removed_in("3.0").refused(reason::QUOTA_DEFAULTS);
    /// Bytes per second that a consumer without a quota of its own may fetch.
    QUOTA_CONSUMER_DEFAULT: i64 = long("quota.consumer.default", i64::MAX)
        .at_least(1).high().removed_in("3.0").refused(reason::QUOTA_DEFAULTS);
    /// How far, in milliseconds, a ZooKeeper follower may lag its leader.
    ZOOKEEPER_SYNC_TIME_MS: i32 = int("zookeeper.sync.time.ms", 2000).low().removed_in("3.0").accepted(reason::UNUSED);
    /// Messages that a follower may lag before it left the in-sync set.
    REPLICA_LAG_MAX_MESSAGES: i64 = long("replica.lag.max.messages", 4000)
        .removed_in("0.9").instead("replica.lag.time.max.ms").accepted(reason::LAG_MESSAGES);
    /// Requests that may wait for a broker in the controller.
    CONTROLLER_MESSAGE_QUEUE_SIZE: i32 =
        int("controller.message.queue.size", i32::MAX).removed_in("0.9").accepted(reason::UNUSED);
    /// Minutes between two looks for segments to delete.
    LOG_CLEANUP_INTERVAL_MINS: i32 = int("log.cleanup.interval.mins", 5)
        .removed_in("0.8.1").instead("log.retention.check.interval.ms").accepted(reason::UNUSED);
    /// Milliseconds between taking a file out of a log and deleting it.
    LOG_DELETE_DELAY_MS: i64 = long("log.delete.delay.ms", 60_000)
        .removed_in("0.8.2").instead("log.segment.delete.delay.ms").accepted(reason::UNUSED);
    /// Megabytes of segments per topic.
    LOG_SEGMENT_BYTES_PER_TOPIC: String = string("log.segment.bytes.per.topic", "")
        .removed_in("0.8.1").instead("segment.bytes of the topic").refused(reason::PER_TOPIC);
    /// Hours to the next segment, per topic.
    LOG_ROLL_HOURS_PER_TOPIC: String = string("log.roll.hours.per.topic", "")
        .removed_in("0.8.1").instead("segment.ms of the topic").refused(reason::PER_TOPIC);
    /// Hours that records are kept, per topic.
    LOG_RETENTION_HOURS_PER_TOPIC: String = string("log.retention.hours.per.topic", "")
        .removed_in("0.8.1").instead("retention.ms of the topic").refused(reason::PER_TOPIC);
    /// Bytes that are kept, per topic.
    LOG_RETENTION_BYTES_PER_TOPIC: String = string("log.retention.bytes.per.topic", "")
        .removed_in("0.8.1").instead("retention.bytes of the topic").refused(reason::PER_TOPIC);
    /// Milliseconds to the next flush, per topic.
    LOG_FLUSH_INTERVAL_MS_PER_TOPIC: String = string("log.flush.interval.ms.per.topic", "")
        .removed_in("0.8.1").instead("flush.ms of the topic").refused(reason::PER_TOPIC);
    /// Directory of metrics written as CSV.
    KAFKA_CSV_METRICS_DIR: String = string("kafka.csv.metrics.dir", "kafka_metrics").low().removed_in("3.0").accepted(reason::JMX);
    /// Whether metrics are written as CSV.
    KAFKA_CSV_METRICS_REPORTER_ENABLED: bool =
        boolean("kafka.csv.metrics.reporter.enabled", false).low().removed_in("3.0").accepted(reason::JMX);
}
