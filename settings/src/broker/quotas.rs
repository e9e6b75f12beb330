//! Windows of quotas.

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
    /// A class that decides the quotas of clients.
    CLIENT_QUOTA_CALLBACK_CLASS: Option<String> = optional_class("client.quota.callback.class")
        .low()
        .refused(reason::QUOTA_CALLBACK);
}
