//! The time of all groups: one task, one queue of calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Groups;
use super::slot::Slot;
use crate::partitions::now_ms;

/// The longest sleep, so that a change of the wall clock is noticed.
const LONGEST: i64 = 10_000;

/// Calls slots at the times they asked for. A slot has one entry at most: an earlier one takes the place of a later.
#[derive(Debug, Clone, Default)]
pub(super) struct Timer(Arc<Calls>);

#[derive(Debug, Default)]
struct Calls {
    queue: Mutex<Queue>,
    earlier: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    calls: BTreeMap<(i64, u64), Weak<Slot>>,
    next: u64,
}

/// A call that is to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    /// When, milliseconds.
    pub(super) at: i64,
    number: u64,
}

impl Timer {
    /// Calls `slot` at `at`, milliseconds, instead of at another time.
    pub(super) fn call(&self, at: i64, slot: &Arc<Slot>, instead_of: Option<Call>) -> Call {
        let mut queue = self.0.queue.lock();
        if let Some(other) = instead_of {
            queue.calls.remove(&(other.at, other.number));
        }
        let first = queue.calls.first_key_value().map_or(i64::MAX, |((at, _), _)| *at);
        let number = queue.next;
        queue.next += 1;
        queue.calls.insert((at, number), Arc::downgrade(slot));
        drop(queue);
        if at < first {
            self.0.earlier.notify_one();
        }
        Call { at, number }
    }

    pub(super) fn due(&self, now: i64) -> Vec<Weak<Slot>> {
        let mut queue = self.0.queue.lock();
        let later = queue.calls.split_off(&(now + 1, 0));
        std::mem::replace(&mut queue.calls, later).into_values().collect()
    }

    /// How many calls are to come.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.0.queue.lock().calls.len()
    }

    fn next(&self) -> i64 {
        self.0.queue.lock().calls.first_key_value().map_or(i64::MAX, |((at, _), _)| *at)
    }
}

/// Keeps time until `stopping`.
pub(super) async fn keep(groups: Groups, stopping: CancellationToken) {
    let timer = groups.0.timer.clone();
    let check_every = groups.0.settings.retention_check.max(1);
    let mut check_at = now_ms().saturating_add(check_every);
    loop {
        let now = now_ms();
        let wait = timer.next().min(check_at).saturating_sub(now).clamp(0, LONGEST);
        tokio::select! {
            () = stopping.cancelled() => return,
            () = timer.0.earlier.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
        }
        let now = now_ms();
        for slot in timer.due(now) {
            if let Some(slot) = slot.upgrade() {
                slot.on_time(now);
            }
        }
        if now >= check_at {
            check_at = now.saturating_add(check_every);
            for slot in groups.slots() {
                slot.expire(now);
            }
        }
    }
}
