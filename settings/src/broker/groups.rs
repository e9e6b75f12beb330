//! Consumer groups and their offsets.

use crate::definition::*;
use crate::reason;

keys! {
    /// The shortest session time-out, in milliseconds, that a member may ask for.
    GROUP_MIN_SESSION_TIMEOUT_MS: i32 = int("group.min.session.timeout.ms", 6000).medium();
    /// The longest session time-out, in milliseconds, that a member may ask for.
    GROUP_MAX_SESSION_TIMEOUT_MS: i32 = int("group.max.session.timeout.ms", 1_800_000).medium();
    /// Milliseconds that the first rebalance of an empty group waits for more members.
    GROUP_INITIAL_REBALANCE_DELAY_MS: i32 = int("group.initial.rebalance.delay.ms", 3000).medium();
    /// Members that a group may have.
    GROUP_MAX_SIZE: i32 = int("group.max.size", i32::MAX).at_least(1).medium();
    /// Bytes of metadata that a commit may carry.
    OFFSET_METADATA_MAX_BYTES: i32 = int("offset.metadata.max.bytes", 4096).high();
    /// Milliseconds that a commit waits to be replicated.
    OFFSETS_COMMIT_TIMEOUT_MS: i32 = int("offsets.commit.timeout.ms", 5000).at_least(1).high();
    /// The acknowledgements a commit needs; anything but -1 is unsafe.
    OFFSETS_COMMIT_REQUIRED_ACKS: i16 = short("offsets.commit.required.acks", -1).high().accepted(reason::ALL_IN_SYNC);
    /// Bytes of `__consumer_offsets` read at once when groups are loaded.
    OFFSETS_LOAD_BUFFER_SIZE: i32 = int("offsets.load.buffer.size", 5_242_880).at_least(1).high();
    /// Minutes that offsets outlive their group's last member, or their last commit.
    OFFSETS_RETENTION_MINUTES: i32 = int("offsets.retention.minutes", 10_080).at_least(1).high();
    /// Milliseconds between two looks for expired offsets.
    OFFSETS_RETENTION_CHECK_INTERVAL_MS: i64 = long("offsets.retention.check.interval.ms", 600_000)
        .at_least(1)
        .high();
    /// Partitions of `__consumer_offsets`; not to be changed once it exists.
    OFFSETS_TOPIC_NUM_PARTITIONS: i32 = int("offsets.topic.num.partitions", 50).at_least(1).high();
    /// Replicas of `__consumer_offsets`; its creation waits for that many brokers. Where the key is not given there are no more than live brokers, as in
    /// Kafka until 0.10.2.
    OFFSETS_TOPIC_REPLICATION_FACTOR: i16 = short("offsets.topic.replication.factor", 3).at_least(1).high();
    /// Segment size of `__consumer_offsets`, in bytes: small, so that loading is quick.
    OFFSETS_TOPIC_SEGMENT_BYTES: i32 = int("offsets.topic.segment.bytes", 104_857_600).at_least(1).high();
    /// The codec of `__consumer_offsets`, by number: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    OFFSETS_TOPIC_COMPRESSION_CODEC: i32 = int("offsets.topic.compression.codec", 0).high();
    /// Whether Apache Kafka's newer group coordinator runs.
    GROUP_COORDINATOR_NEW_ENABLE: bool = boolean("group.coordinator.new.enable", false)
        .medium()
        .internal()
        .accepted(reason::KIP848);
    /// The rebalance protocols that are served.
    GROUP_COORDINATOR_REBALANCE_PROTOCOLS: Vec<String> = list("group.coordinator.rebalance.protocols", &["classic"])
        .one_of(&["consumer", "classic", "share", "unknown"])
        .medium()
        .accepted(reason::KIP848);
    /// Threads of Apache Kafka's newer group coordinator.
    GROUP_COORDINATOR_THREADS: i32 = int("group.coordinator.threads", 1)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// Milliseconds that Apache Kafka's newer group coordinator gathers records before it appends.
    GROUP_COORDINATOR_APPEND_LINGER_MS: i32 = int("group.coordinator.append.linger.ms", 10)
        .at_least(0)
        .medium()
        .accepted(reason::KIP848);
    /// Assignors of the consumer protocol (KIP-848), the default first.
    GROUP_CONSUMER_ASSIGNORS: Vec<String> = list("group.consumer.assignors", &["org.apache.kafka.coordinator.group.assignor.UniformAssignor", "org.apache.kafka.coordinator.group.assignor.RangeAssignor"])
        .medium()
        .accepted(reason::KIP848);
    /// Milliseconds between heartbeats of a member.
    GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS: i32 = int("group.consumer.heartbeat.interval.ms", 5000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// The longest heartbeat interval, in milliseconds, that a group may ask for.
    GROUP_CONSUMER_MAX_HEARTBEAT_INTERVAL_MS: i32 = int("group.consumer.max.heartbeat.interval.ms", 15_000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// The shortest heartbeat interval, in milliseconds, that a group may ask for.
    GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS: i32 = int("group.consumer.min.heartbeat.interval.ms", 5000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// Milliseconds of silence after which a member is out.
    GROUP_CONSUMER_SESSION_TIMEOUT_MS: i32 = int("group.consumer.session.timeout.ms", 45_000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// The longest session time-out, in milliseconds, that a group may ask for.
    GROUP_CONSUMER_MAX_SESSION_TIMEOUT_MS: i32 = int("group.consumer.max.session.timeout.ms", 60_000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// The shortest session time-out, in milliseconds, that a group may ask for.
    GROUP_CONSUMER_MIN_SESSION_TIMEOUT_MS: i32 = int("group.consumer.min.session.timeout.ms", 45_000)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// Members that a group of the consumer protocol may have.
    GROUP_CONSUMER_MAX_SIZE: i32 = int("group.consumer.max.size", i32::MAX)
        .at_least(1)
        .medium()
        .accepted(reason::KIP848);
    /// Which way groups may move between the classic and the consumer protocol.
    GROUP_CONSUMER_MIGRATION_POLICY: String = string("group.consumer.migration.policy", "disabled")
        .one_of_ignoring_case(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"])
        .medium()
        .internal()
        .accepted(reason::KIP848);
}
