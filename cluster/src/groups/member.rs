//! One member of a group.

use super::action::Waiter;

/// A member: what it told us, and what it waits for.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) instance_id: Option<String>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    /// Milliseconds without a heartbeat after which the member is gone.
    pub(super) session_timeout: i32,
    /// Milliseconds that a rebalance waits for the member to join again.
    pub(super) rebalance_timeout: i32,
    /// The protocols it speaks in its order of preference, each with its subscription.
    pub(super) protocols: Vec<(String, Vec<u8>)>,
    pub(super) assignment: Vec<u8>,
    /// The JoinGroup that waits for the rebalance to finish.
    pub(super) joining: Option<Waiter>,
    /// The SyncGroup that waits for the leader's assignment.
    pub(super) syncing: Option<Waiter>,
    /// When the member is gone unless it is heard of. `None` while the group holds one of its requests: it can't send heartbeats then.
    pub(super) expires_at: Option<i64>,
    /// Whether the member has never completed a join: it may not know its id, so it expires sooner than a long session would allow.
    pub(super) is_new: bool,
}

impl Member {
    pub(super) fn is_static(&self) -> bool {
        self.instance_id.is_some()
    }

    /// The subscription in `protocol`.
    pub(super) fn metadata(&self, protocol: &str) -> &[u8] {
        self.protocols.iter().find(|(name, _)| name == protocol).map_or(&[], |(_, metadata)| metadata)
    }

    /// The first of the member's protocols that every member speaks.
    pub(super) fn vote(&self, spoken_by_all: impl Fn(&str) -> bool) -> Option<&str> {
        self.protocols.iter().map(|(name, _)| name.as_str()).find(|name| spoken_by_all(name))
    }
}
