//! The time of all groups: one task, one queue of calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Groups;
use super::slot::{Slot, moment};
use crate::partitions::steady_ms;

/// Slots that are called before other tasks of the thread get their turn.
const AT_ONCE: usize = 32;

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
    /// When, milliseconds of the steady clock.
    pub(super) at: i64,
    number: u64,
}

impl Timer {
    /// Calls `slot` at `at`, milliseconds of the steady clock, instead of at another time.
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
    let mut check_at = steady_ms().saturating_add(check_every);
    loop {
        let wait = timer.next().min(check_at).saturating_sub(steady_ms()).max(0);
        tokio::select! {
            () = stopping.cancelled() => return,
            () = timer.0.earlier.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())) => {}
        }
        let now = moment();
        let due: Vec<_> = timer.due(now.steady).iter().filter_map(Weak::upgrade).collect();
        for some in due.chunks(AT_ONCE) {
            some.iter().for_each(|slot| slot.on_time(now));
            tokio::task::yield_now().await;
        }
        if now.steady >= check_at {
            check_at = now.steady.saturating_add(check_every);
            for some in groups.slots().chunks(AT_ONCE) {
                some.iter().for_each(|slot| slot.expire(now));
                tokio::task::yield_now().await;
            }
        }
    }
}
