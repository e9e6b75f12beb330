//! What a leader knows of one follower, from its fetches alone.

/// No offset is known yet.
pub(super) const UNKNOWN: i64 = -1;

/// Before any time that a clock tells.
const NEVER: i64 = i64::MIN;

/// A follower's progress. Kafka's `ReplicaState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The follower.
    pub id: i32,
    /// The registration of it that last fetched (KIP-903); -1 while unknown.
    pub broker_epoch: i64,
    /// Its log end offset, which is the offset it last fetched from; -1 before its first fetch in this leader epoch.
    pub log_end: i64,
    /// Its log start offset, -1 while unknown.
    pub log_start: i64,
    /// The last time at which it is known to have had everything, in milliseconds.
    pub caught_up_at: i64,
    fetched_at: i64,
    leader_log_end_at_fetch: i64,
}

impl Progress {
    /// A follower when leadership begins. A member of the ISR is given the whole lag time before it is judged.
    pub(super) fn new(id: i32, in_sync: bool, now: i64) -> Self {
        let caught_up_at = if in_sync { now } else { NEVER };
        Self {
            id,
            broker_epoch: -1,
            log_end: UNKNOWN,
            log_start: UNKNOWN,
            caught_up_at,
            fetched_at: NEVER,
            leader_log_end_at_fetch: 0,
        }
    }

    /// A fetch from `log_end` arrived. A follower that reads a busy partition never sees the very end, so one that asks for what was
    /// the end at its previous fetch counts as caught up at the time of that previous fetch.
    pub(super) fn fetched(&mut self, log_end: i64, log_start: i64, leader_log_end: i64, now: i64) {
        if log_end >= leader_log_end {
            self.caught_up_at = self.caught_up_at.max(now);
        } else if log_end >= self.leader_log_end_at_fetch {
            self.caught_up_at = self.caught_up_at.max(self.fetched_at);
        }
        self.log_end = log_end;
        self.log_start = log_start;
        self.leader_log_end_at_fetch = leader_log_end;
        self.fetched_at = now;
    }

    /// Whether it has everything, or had it within the last `lag_ms`.
    pub(super) fn is_caught_up(&self, leader_log_end: i64, now: i64, lag_ms: i64) -> bool {
        self.log_end == leader_log_end || now.saturating_sub(self.caught_up_at) <= lag_ms
    }
}
