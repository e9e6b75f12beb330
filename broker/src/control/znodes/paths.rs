//! Where things are.

/// The registrations of live brokers.
pub const BROKER_IDS: &str = "/brokers/ids";
/// Counts generated broker ids by its data version.
pub const BROKER_SEQUENCE: &str = "/brokers/seqid";
/// The topics.
pub const TOPICS: &str = "/brokers/topics";
/// The cluster id.
pub const CLUSTER_ID: &str = "/cluster/id";
/// Who the controller is.
pub const CONTROLLER: &str = "/controller";
/// How often there has been a new controller; its data version fences the controller's writes.
pub const CONTROLLER_EPOCH: &str = "/controller_epoch";
/// Finalized features.
pub const FEATURE: &str = "/feature";
/// Topics to delete.
pub const DELETE_TOPICS: &str = "/admin/delete_topics";
/// A request of preferred leaders.
pub const PREFERRED_ELECTION: &str = "/admin/preferred_replica_election";
/// A request of other replicas.
pub const REASSIGN_PARTITIONS: &str = "/admin/reassign_partitions";
/// Configuration overrides, by type and name of the entity.
pub const CONFIG: &str = "/config";
/// Notifications of changed overrides.
pub const CONFIG_CHANGES: &str = "/config/changes";
/// Leaders' notifications of changed ISRs.
pub const ISR_CHANGES: &str = "/isr_change_notification";
/// What every sequential node in [`ISR_CHANGES`] is called.
pub const ISR_CHANGE_PREFIX: &str = "/isr_change_notification/isr_change_";
/// Brokers' notifications of failed log directories.
pub const LOG_DIR_EVENTS: &str = "/log_dir_event_notification";
/// What every sequential node in [`LOG_DIR_EVENTS`] is called.
pub const LOG_DIR_EVENT_PREFIX: &str = "/log_dir_event_notification/log_dir_event_";
/// The last block of producer ids that was given out.
pub const PRODUCER_IDS: &str = "/latest_producer_id_block";
/// Literal ACLs.
pub const ACLS: &str = "/kafka-acl";
/// Prefixed ACLs.
pub const EXTENDED_ACLS: &str = "/kafka-acl-extended";
/// SCRAM credentials and quotas of users.
pub const CONFIG_USERS: &str = "/config/users";
/// Whose entities may be held to quotas, or have to prove who they are.
pub const HELD_TO_LIMITS: [&str; 3] = [CONFIG_USERS, CONFIG_CLIENTS, CONFIG_IPS];
/// Quotas of clients.
pub const CONFIG_CLIENTS: &str = "/config/clients";
/// Quotas of addresses.
pub const CONFIG_IPS: &str = "/config/ips";
/// What every sequential node in [`CONFIG_CHANGES`] is called.
pub const CONFIG_CHANGE_PREFIX: &str = "/config/changes/config_change_";

/// The persistent paths that a broker makes at its start, each after its parents.
pub const PERSISTENT: &[&str] = &[
    "/consumers",
    "/brokers",
    BROKER_IDS,
    TOPICS,
    "/admin",
    DELETE_TOPICS,
    BROKER_SEQUENCE,
    CONFIG,
    CONFIG_CHANGES,
    "/config/topics",
    CONFIG_CLIENTS,
    CONFIG_USERS,
    "/config/brokers",
    CONFIG_IPS,
    ISR_CHANGES,
    LOG_DIR_EVENTS,
];

/// A broker's registration.
#[must_use]
pub fn broker(id: i32) -> String {
    format!("{BROKER_IDS}/{id}")
}

/// A topic's assignment.
#[must_use]
pub fn topic(topic: &str) -> String {
    format!("{TOPICS}/{topic}")
}

/// The parent of a topic's partitions.
#[must_use]
pub fn partitions(topic: &str) -> String {
    format!("{TOPICS}/{topic}/partitions")
}

/// The parent of a partition's state.
#[must_use]
pub fn partition(topic: &str, partition: i32) -> String {
    format!("{TOPICS}/{topic}/partitions/{partition}")
}

/// A partition's leader and ISR.
#[must_use]
pub fn state(topic: &str, partition: i32) -> String {
    format!("{TOPICS}/{topic}/partitions/{partition}/state")
}

/// A request to delete a topic.
#[must_use]
pub fn delete_topic(topic: &str) -> String {
    format!("{DELETE_TOPICS}/{topic}")
}

/// A topic's overrides.
#[must_use]
pub fn topic_config(topic: &str) -> String {
    format!("{CONFIG}/topics/{topic}")
}
