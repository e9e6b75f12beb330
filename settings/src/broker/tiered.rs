//! Remote storage of older segments (KIP-405).

use crate::definition::*;
use crate::reason;

keys! {
    /// Whether older segments are moved to remote storage.
    REMOTE_LOG_STORAGE_SYSTEM_ENABLE: bool = boolean("remote.log.storage.system.enable", false)
        .medium()
        .refused(reason::TIERED);
    /// Bytes kept per partition on local disks; -2 is as `log.retention.bytes`.
    LOG_LOCAL_RETENTION_BYTES: i64 = long("log.local.retention.bytes", -2)
        .at_least(-2)
        .cluster_wide()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Milliseconds kept on local disks; -2 is as `log.retention.ms`.
    LOG_LOCAL_RETENTION_MS: i64 = long("log.local.retention.ms", -2)
        .at_least(-2)
        .cluster_wide()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Milliseconds that a remote fetch may take.
    REMOTE_FETCH_MAX_WAIT_MS: i32 = int("remote.fetch.max.wait.ms", 500)
        .at_least(1)
        .cluster_wide()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Bytes on local disks for indexes of remote segments.
    REMOTE_LOG_INDEX_FILE_CACHE_TOTAL_SIZE_BYTES: i64 = long("remote.log.index.file.cache.total.size.bytes", 1_073_741_824)
        .at_least(1)
        .cluster_wide()
        .low()
        .accepted(reason::TIERED_OFF);
    /// Threads that copy segments.
    REMOTE_LOG_MANAGER_COPIER_THREAD_POOL_SIZE: i32 = int("remote.log.manager.copier.thread.pool.size", -1)
        .thread_pool()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Bytes copied in a second.
    REMOTE_LOG_MANAGER_COPY_MAX_BYTES_PER_SECOND: i64 = long("remote.log.manager.copy.max.bytes.per.second", i64::MAX)
        .at_least(1)
        .cluster_wide()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Samples kept for that limit.
    REMOTE_LOG_MANAGER_COPY_QUOTA_WINDOW_NUM: i32 = int("remote.log.manager.copy.quota.window.num", 11)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Seconds of one such sample.
    REMOTE_LOG_MANAGER_COPY_QUOTA_WINDOW_SIZE_SECONDS: i32 = int("remote.log.manager.copy.quota.window.size.seconds", 1)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Threads that delete remote segments.
    REMOTE_LOG_MANAGER_EXPIRATION_THREAD_POOL_SIZE: i32 = int("remote.log.manager.expiration.thread.pool.size", -1)
        .thread_pool()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Bytes fetched in a second.
    REMOTE_LOG_MANAGER_FETCH_MAX_BYTES_PER_SECOND: i64 = long("remote.log.manager.fetch.max.bytes.per.second", i64::MAX)
        .at_least(1)
        .cluster_wide()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Samples kept for that limit.
    REMOTE_LOG_MANAGER_FETCH_QUOTA_WINDOW_NUM: i32 = int("remote.log.manager.fetch.quota.window.num", 11)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Seconds of one such sample.
    REMOTE_LOG_MANAGER_FETCH_QUOTA_WINDOW_SIZE_SECONDS: i32 = int("remote.log.manager.fetch.quota.window.size.seconds", 1)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Milliseconds between two rounds of copying and deleting.
    REMOTE_LOG_MANAGER_TASK_INTERVAL_MS: i64 = long("remote.log.manager.task.interval.ms", 30_000)
        .at_least(1)
        .low()
        .accepted(reason::TIERED_OFF);
    /// Milliseconds before the first retry of a round.
    REMOTE_LOG_MANAGER_TASK_RETRY_BACKOFF_MS: i64 = long("remote.log.manager.task.retry.backoff.ms", 500)
        .at_least(1)
        .low()
        .internal()
        .accepted(reason::TIERED_OFF);
    /// The longest wait, in milliseconds, between retries.
    REMOTE_LOG_MANAGER_TASK_RETRY_BACKOFF_MAX_MS: i64 = long("remote.log.manager.task.retry.backoff.max.ms", 30_000)
        .at_least(1)
        .low()
        .internal()
        .accepted(reason::TIERED_OFF);
    /// How much that wait varies at random.
    REMOTE_LOG_MANAGER_TASK_RETRY_JITTER: f64 = double("remote.log.manager.task.retry.jitter", 0.2)
        .between_real(0.0, 0.5)
        .low()
        .internal()
        .accepted(reason::TIERED_OFF);
    /// Threads for both copying and deleting.
    REMOTE_LOG_MANAGER_THREAD_POOL_SIZE: i32 = int("remote.log.manager.thread.pool.size", 10)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Bytes of a plug-in's own metadata per segment.
    REMOTE_LOG_METADATA_CUSTOM_METADATA_MAX_BYTES: i32 = int("remote.log.metadata.custom.metadata.max.bytes", 128)
        .at_least(0)
        .low()
        .accepted(reason::TIERED_OFF);
    /// The class that keeps the metadata of remote segments.
    REMOTE_LOG_METADATA_MANAGER_CLASS_NAME: String = string("remote.log.metadata.manager.class.name", "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager")
        .non_empty()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Where that class is found.
    REMOTE_LOG_METADATA_MANAGER_CLASS_PATH: Option<String> = optional_string("remote.log.metadata.manager.class.path")
        .medium()
        .accepted(reason::TIERED_OFF);
    /// The prefix of that class's own keys.
    REMOTE_LOG_METADATA_MANAGER_IMPL_PREFIX: String = string("remote.log.metadata.manager.impl.prefix", "rlmm.config.")
        .non_empty()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// The listener that class connects to.
    REMOTE_LOG_METADATA_MANAGER_LISTENER_NAME: Option<String> = optional_string("remote.log.metadata.manager.listener.name")
        .non_empty()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Remote reads that may wait.
    REMOTE_LOG_READER_MAX_PENDING_TASKS: i32 = int("remote.log.reader.max.pending.tasks", 100)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Threads that read remote segments.
    REMOTE_LOG_READER_THREADS: i32 = int("remote.log.reader.threads", 10)
        .at_least(1)
        .medium()
        .accepted(reason::TIERED_OFF);
    /// The class that stores remote segments.
    REMOTE_LOG_STORAGE_MANAGER_CLASS_NAME: Option<String> = optional_string("remote.log.storage.manager.class.name")
        .non_empty()
        .medium()
        .accepted(reason::TIERED_OFF);
    /// Where that class is found.
    REMOTE_LOG_STORAGE_MANAGER_CLASS_PATH: Option<String> = optional_string("remote.log.storage.manager.class.path")
        .medium()
        .accepted(reason::TIERED_OFF);
    /// The prefix of that class's own keys.
    REMOTE_LOG_STORAGE_MANAGER_IMPL_PREFIX: String = string("remote.log.storage.manager.impl.prefix", "rsm.config.")
        .non_empty()
        .medium()
        .accepted(reason::TIERED_OFF);
}
