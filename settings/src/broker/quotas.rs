//! Windows of quotas, and the rates that replication is throttled to.

use crate::definition::*;
use crate::reason;

keys! {
    /// Samples kept for a client's quota.
    QUOTA_WINDOW_NUM: i32 = int("quota.window.num", 11).at_least(1).low().accepted(reason::QUOTAS);
    /// Seconds of one such sample.
    QUOTA_WINDOW_SIZE_SECONDS: i32 = int("quota.window.size.seconds", 1)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Samples kept for the replication throttle.
    REPLICATION_QUOTA_WINDOW_NUM: i32 = int("replication.quota.window.num", 11)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Seconds of one such sample.
    REPLICATION_QUOTA_WINDOW_SIZE_SECONDS: i32 = int("replication.quota.window.size.seconds", 1)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Samples kept for the throttle of moves between directories.
    ALTER_LOG_DIRS_REPLICATION_QUOTA_WINDOW_NUM: i32 = int("alter.log.dirs.replication.quota.window.num", 11)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Seconds of one such sample.
    ALTER_LOG_DIRS_REPLICATION_QUOTA_WINDOW_SIZE_SECONDS: i32 = int("alter.log.dirs.replication.quota.window.size.seconds", 1)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Samples kept for the quota of topic changes.
    CONTROLLER_QUOTA_WINDOW_NUM: i32 = int("controller.quota.window.num", 11)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Seconds of one such sample.
    CONTROLLER_QUOTA_WINDOW_SIZE_SECONDS: i32 = int("controller.quota.window.size.seconds", 1)
        .at_least(1)
        .low()
        .accepted(reason::QUOTAS);
    /// Bytes per second that this broker, as a leader, sends of the replicas that `leader.replication.throttled.replicas` of their topics names.
    LEADER_REPLICATION_THROTTLED_RATE: i64 = long("leader.replication.throttled.rate", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .only_dynamic()
        .accepted(reason::ALONE);
    /// Bytes per second that this broker, as a follower, fetches of the replicas that `follower.replication.throttled.replicas` of their topics names.
    FOLLOWER_REPLICATION_THROTTLED_RATE: i64 = long("follower.replication.throttled.rate", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .only_dynamic()
        .accepted(reason::ALONE);
    /// Bytes per second that this broker moves between its log directories.
    REPLICA_ALTER_LOG_DIRS_IO_MAX_BYTES_PER_SECOND: i64 = long("replica.alter.log.dirs.io.max.bytes.per.second", i64::MAX)
        .at_least(0)
        .cluster_wide()
        .only_dynamic()
        .accepted(reason::ALTER_DIRS);
    /// A class that decides the quotas of clients.
    CLIENT_QUOTA_CALLBACK_CLASS: Option<String> = optional_class("client.quota.callback.class")
        .low()
        .refused(reason::QUOTA_CALLBACK);
}
