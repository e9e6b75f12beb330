//! KRaft mode and what only it serves.

use crate::definition::*;
use crate::reason;

keys! {
    /// The roles of a KRaft node. Empty is ZooKeeper mode.
    PROCESS_ROLES: Vec<String> = list("process.roles", &[])
        .one_of(&["broker", "controller"])
        .high()
        .refused(reason::KRAFT);
    /// Listeners of KRaft controllers.
    CONTROLLER_LISTENER_NAMES: Option<String> = optional_string("controller.listener.names")
        .high()
        .refused(reason::KRAFT);
    /// The KRaft quorum, as `id@host:port` items.
    CONTROLLER_QUORUM_VOTERS: Vec<String> = list("controller.quorum.voters", &[])
        .high()
        .refused(reason::KRAFT);
    /// Addresses where the KRaft quorum is found.
    CONTROLLER_QUORUM_BOOTSTRAP_SERVERS: Vec<String> = list("controller.quorum.bootstrap.servers", &[])
        .high()
        .refused(reason::KRAFT);
    /// Milliseconds that a quorum leader gathers writes.
    CONTROLLER_QUORUM_APPEND_LINGER_MS: i32 = int("controller.quorum.append.linger.ms", 25)
        .medium()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds without a leader after which an election begins.
    CONTROLLER_QUORUM_ELECTION_TIMEOUT_MS: i32 = int("controller.quorum.election.timeout.ms", 1000)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// The longest wait, in milliseconds, between elections.
    CONTROLLER_QUORUM_ELECTION_BACKOFF_MAX_MS: i32 = int("controller.quorum.election.backoff.max.ms", 1000)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds without a fetch after which a leader is given up.
    CONTROLLER_QUORUM_FETCH_TIMEOUT_MS: i32 = int("controller.quorum.fetch.timeout.ms", 2000)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds that a quorum member waits for an answer.
    CONTROLLER_QUORUM_REQUEST_TIMEOUT_MS: i32 = int("controller.quorum.request.timeout.ms", 2000)
        .medium()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds before a request to the quorum is repeated.
    CONTROLLER_QUORUM_RETRY_BACKOFF_MS: i32 = int("controller.quorum.retry.backoff.ms", 20)
        .low()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds between heartbeats to the quorum.
    BROKER_HEARTBEAT_INTERVAL_MS: i32 = int("broker.heartbeat.interval.ms", 2000)
        .medium()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds without heartbeat after which a KRaft broker is fenced.
    BROKER_SESSION_TIMEOUT_MS: i32 = int("broker.session.timeout.ms", 9000)
        .medium()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds that a KRaft broker's registration may take.
    INITIAL_BROKER_REGISTRATION_TIMEOUT_MS: i32 = int("initial.broker.registration.timeout.ms", 60_000)
        .medium()
        .accepted(reason::KRAFT_ONLY);
    /// Directory of the KRaft metadata log.
    METADATA_LOG_DIR: Option<String> = optional_string("metadata.log.dir")
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Bytes of metadata between snapshots.
    METADATA_LOG_MAX_RECORD_BYTES_BETWEEN_SNAPSHOTS: i64 = long("metadata.log.max.record.bytes.between.snapshots", 20_971_520)
        .at_least(1)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds between snapshots of metadata.
    METADATA_LOG_MAX_SNAPSHOT_INTERVAL_MS: i64 = long("metadata.log.max.snapshot.interval.ms", 3_600_000)
        .at_least(0)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Segment size of the metadata log, in bytes.
    METADATA_LOG_SEGMENT_BYTES: i32 = int("metadata.log.segment.bytes", 1_073_741_824)
        .at_least(12)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// The least segment size of the metadata log, in bytes.
    METADATA_LOG_SEGMENT_MIN_BYTES: i32 = int("metadata.log.segment.min.bytes", 8_388_608)
        .at_least(12)
        .high()
        .internal()
        .accepted(reason::KRAFT_ONLY);
    /// Age, in milliseconds, at which a segment of the metadata log is closed.
    METADATA_LOG_SEGMENT_MS: i64 = long("metadata.log.segment.ms", 604_800_000)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds after which an idle quorum leader writes a no-op.
    METADATA_MAX_IDLE_INTERVAL_MS: i32 = int("metadata.max.idle.interval.ms", 500)
        .at_least(0)
        .low()
        .accepted(reason::KRAFT_ONLY);
    /// Bytes of metadata log and snapshots that are kept.
    METADATA_MAX_RETENTION_BYTES: i64 = long("metadata.max.retention.bytes", 104_857_600)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Milliseconds that metadata log and snapshots are kept.
    METADATA_MAX_RETENTION_MS: i64 = long("metadata.max.retention.ms", 604_800_000)
        .high()
        .accepted(reason::KRAFT_ONLY);
    /// Whether share groups (KIP-932) are served.
    GROUP_SHARE_ENABLE: bool = boolean("group.share.enable", false)
        .medium()
        .internal()
        .accepted(reason::SHARE);
    /// Times that a record is delivered to a share group at most.
    GROUP_SHARE_DELIVERY_COUNT_LIMIT: i32 = int("group.share.delivery.count.limit", 5)
        .between(2, 10)
        .medium()
        .accepted(reason::SHARE);
    /// Milliseconds between heartbeats of a share group's member.
    GROUP_SHARE_HEARTBEAT_INTERVAL_MS: i32 = int("group.share.heartbeat.interval.ms", 5000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
    /// Share groups at most.
    GROUP_SHARE_MAX_GROUPS: i16 = short("group.share.max.groups", 10)
        .between(1, 100)
        .medium()
        .accepted(reason::SHARE);
    /// The longest heartbeat interval, in milliseconds, of a share group.
    GROUP_SHARE_MAX_HEARTBEAT_INTERVAL_MS: i32 = int("group.share.max.heartbeat.interval.ms", 15_000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
    /// The longest lock, in milliseconds, on a record.
    GROUP_SHARE_MAX_RECORD_LOCK_DURATION_MS: i32 = int("group.share.max.record.lock.duration.ms", 60_000)
        .between(30_000, 3_600_000)
        .medium()
        .accepted(reason::SHARE);
    /// The longest session time-out, in milliseconds, of a share group.
    GROUP_SHARE_MAX_SESSION_TIMEOUT_MS: i32 = int("group.share.max.session.timeout.ms", 60_000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
    /// Members that a share group may have.
    GROUP_SHARE_MAX_SIZE: i16 = short("group.share.max.size", 200)
        .between(10, 1000)
        .medium()
        .accepted(reason::SHARE);
    /// The shortest heartbeat interval, in milliseconds, of a share group.
    GROUP_SHARE_MIN_HEARTBEAT_INTERVAL_MS: i32 = int("group.share.min.heartbeat.interval.ms", 5000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
    /// The shortest lock, in milliseconds, on a record.
    GROUP_SHARE_MIN_RECORD_LOCK_DURATION_MS: i32 = int("group.share.min.record.lock.duration.ms", 15_000)
        .between(1000, 30_000)
        .medium()
        .accepted(reason::SHARE);
    /// The shortest session time-out, in milliseconds, of a share group.
    GROUP_SHARE_MIN_SESSION_TIMEOUT_MS: i32 = int("group.share.min.session.timeout.ms", 45_000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
    /// Locks on records of one partition at most.
    GROUP_SHARE_PARTITION_MAX_RECORD_LOCKS: i32 = int("group.share.partition.max.record.locks", 200)
        .between(100, 10_000)
        .medium()
        .accepted(reason::SHARE);
    /// Milliseconds that a record stays locked.
    GROUP_SHARE_RECORD_LOCK_DURATION_MS: i32 = int("group.share.record.lock.duration.ms", 30_000)
        .between(1000, 60_000)
        .medium()
        .accepted(reason::SHARE);
    /// Milliseconds of silence after which a share group's member is out.
    GROUP_SHARE_SESSION_TIMEOUT_MS: i32 = int("group.share.session.timeout.ms", 45_000)
        .at_least(1)
        .medium()
        .accepted(reason::SHARE);
}
