//! The memory that requests may take: one budget for all connections (`queued.max.request.bytes`).
//!
//! As in Kafka's `SimpleMemoryPool` the budget is not strict: while anything is left a read may begin, and what a read brings is always granted, so
//! a frame larger than the budget still passes and a frame that has begun can always be completed. Connections that find nothing left stop reading;
//! TCP tells the clients. Taking and giving back is one atomic add; the lock below is touched only when somebody waits.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// The budget of request bytes.
#[derive(Debug)]
pub struct RequestMemory {
    /// Bytes left; negative when the last grant went beyond the budget.
    available: AtomicI64,
    budget: i64,
    /// Who waits, by connection, so that a connection that is polled often waits once.
    waiting: Mutex<HashMap<u64, Waker>>,
}

impl RequestMemory {
    /// A budget of `bytes`; `None` is no limit.
    pub fn new(bytes: Option<u64>) -> Arc<Self> {
        let budget = bytes.map_or(i64::MAX / 2, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX / 2).max(1));
        Arc::new(Self { available: AtomicI64::new(budget), budget, waiting: Mutex::default() })
    }

    /// Ready when a read may begin. One waiter per `connection`, the latest.
    pub(crate) fn poll_available(&self, connection: u64, cx: &Context<'_>) -> Poll<()> {
        if self.available.load(SeqCst) > 0 {
            return Poll::Ready(());
        }
        self.waiting.lock().insert(connection, cx.waker().clone());
        // What was given back before we were on the list has woken nobody: look again.
        if self.available.load(SeqCst) > 0 {
            self.waiting.lock().remove(&connection);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Takes `bytes`, beyond the budget if need be, until the reservation is dropped.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        let mut taken = Reservation { memory: self.clone(), bytes: 0 };
        taken.grow(bytes);
        taken
    }

    /// Forgets that a connection waits, because it ends.
    pub(crate) fn forget(&self, connection: u64) {
        self.waiting.lock().remove(&connection);
    }

    /// Bytes that requests hold now.
    pub fn used(&self) -> u64 {
        u64::try_from(self.budget - self.available.load(SeqCst)).unwrap_or(0)
    }

    fn give_back(&self, bytes: i64) {
        let before = self.available.fetch_add(bytes, SeqCst);
        if before <= 0 && before + bytes > 0 {
            for (_, waker) in self.waiting.lock().drain() {
                waker.wake();
            }
        }
    }
}

/// Bytes of the budget, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<RequestMemory>,
    bytes: i64,
}

impl Reservation {
    /// Takes more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 4);
        self.memory.available.fetch_sub(bytes, SeqCst);
        self.bytes += bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_reader_waits_while_nothing_is_left_and_is_woken_when_it_is() {
        let memory = RequestMemory::new(Some(100));
        let cx = Context::from_waker(Waker::noop());
        assert!(memory.poll_available(1, &cx).is_ready());
        let large = memory.take(250);
        assert!(memory.poll_available(1, &cx).is_pending());
        assert_eq!(memory.used(), 250);
        drop(large);
        assert!(memory.waiting.lock().is_empty(), "the waiter was woken");
        assert!(memory.poll_available(1, &cx).is_ready());
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn a_connection_waits_once_and_leaves_nothing_behind() {
        let memory = RequestMemory::new(Some(1));
        let cx = Context::from_waker(Waker::noop());
        let _all = memory.take(1);
        assert!(memory.poll_available(7, &cx).is_pending());
        assert!(memory.poll_available(7, &cx).is_pending());
        assert_eq!(memory.waiting.lock().len(), 1);
        memory.forget(7);
        assert!(memory.waiting.lock().is_empty());
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let memory = RequestMemory::new(None);
        let _much = memory.take(usize::MAX >> 8);
        assert!(memory.poll_available(1, &Context::from_waker(Waker::noop())).is_ready());
    }
}
