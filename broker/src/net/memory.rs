//! The memory that requests may take: one budget for all connections (`queued.max.request.bytes`). Responses whose records had to be converted have
//! another one of the same kind (`OldReaders`).
//!
//! As in Kafka's `SimpleMemoryPool` the budget is not strict: while anything is left a read may begin, and what it takes at first is granted, so a
//! frame larger than the budget still passes. A large frame takes its memory in steps; when nothing is left, one frame in all goes on beyond the
//! budget, so that there is always one that can be completed, and the others wait. Small requests have a reserve of an eighth on top, so that heartbeats and
//! fetches pass large ones that wait for each other. Together requests hold at most the budget, the reserve, one frame, and the first step of those that began
//! at the same moment on the network threads. Connections that find nothing left stop reading; TCP tells the clients; and a client that holds memory
//! and sends nothing meanwhile loses its connection (`Registry::end_stalled`). Taking and giving back is one atomic add; the lock below is touched
//! only when somebody waits.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The budget of request bytes.
#[derive(Debug)]
pub struct RequestMemory {
    /// Bytes left; negative when the last grant went beyond the budget.
    available: AtomicI64,
    budget: i64,
    /// What frames that begin may take beyond the budget.
    reserve: i64,
    /// Whether one frame is growing beyond the budget, or has grown and is not done with.
    overdrawn: AtomicBool,
    /// Who waits, by connection, so that a connection that is polled often waits once.
    waiting: Mutex<HashMap<u64, Waker>>,
    /// Told when somebody begins to wait.
    shortage: Notify,
}

impl RequestMemory {
    /// A budget of `bytes`; `None` is no limit.
    pub fn new(bytes: Option<u64>) -> Arc<Self> {
        let budget = bytes.map_or(i64::MAX / 2, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX / 2).max(1));
        Arc::new(Self {
            available: AtomicI64::new(budget),
            budget,
            reserve: budget / 8,
            overdrawn: AtomicBool::new(false),
            waiting: Mutex::default(),
            shortage: Notify::new(),
        })
    }

    /// Whether a frame that begins may take a large step.
    pub(crate) fn has_room(&self) -> bool {
        self.available.load(SeqCst) > 0
    }

    /// Ready when a read may begin, also from the reserve. One waiter per `connection`, the latest.
    pub(crate) fn poll_available(&self, connection: u64, cx: &Context<'_>) -> Poll<()> {
        self.poll(connection, cx, || self.available.load(SeqCst) > -self.reserve)
    }

    /// Ready when a frame that has begun may take more: while anything is left, or as the one that goes on beyond the budget.
    pub(crate) fn poll_grow(&self, taken: &mut Reservation, connection: u64, cx: &Context<'_>) -> Poll<()> {
        self.poll(connection, cx, || {
            taken.overdraws |= !self.has_room()
                && !taken.overdraws
                && self.overdrawn.compare_exchange(false, true, SeqCst, SeqCst).is_ok();
            taken.overdraws || self.has_room()
        })
    }

    fn poll(&self, connection: u64, cx: &Context<'_>, mut is_ready: impl FnMut() -> bool) -> Poll<()> {
        if is_ready() {
            return Poll::Ready(());
        }
        self.waiting.lock().insert(connection, cx.waker().clone());
        self.shortage.notify_one();
        // What was given back before we were on the list has woken nobody: look again.
        if is_ready() {
            self.waiting.lock().remove(&connection);
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Takes `bytes` when a part of them is left, or of the reserve; as reads do.
    pub async fn take_in_turn(self: &Arc<Self>, connection: u64, bytes: usize) -> Reservation {
        let waiter = Waiter { memory: self, connection };
        let taken = std::future::poll_fn(|cx| self.poll_available(connection, cx).map(|()| self.take(bytes)));
        let taken = taken.await;
        drop(waiter);
        taken
    }

    /// Takes `bytes`, beyond the budget if need be, until the reservation is dropped.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        let mut taken = Reservation { memory: self.clone(), bytes: 0, overdraws: false };
        taken.grow(bytes);
        taken
    }

    /// Until somebody waits.
    pub(crate) async fn shortage(&self) {
        while self.waiting.lock().is_empty() {
            self.shortage.notified().await;
        }
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
        let passes = |level: i64| before <= level && before + bytes > level;
        if passes(0) || passes(-self.reserve) {
            self.wake_all();
        }
    }

    fn wake_all(&self) {
        for (_, waker) in self.waiting.lock().drain() {
            waker.wake();
        }
    }
}

/// Leaves no waker behind when a wait is over, also when it is dropped with its connection.
struct Waiter<'a> {
    memory: &'a RequestMemory,
    connection: u64,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.memory.forget(self.connection);
    }
}

/// Bytes of the budget, given back on drop.
#[derive(Debug)]
pub struct Reservation {
    memory: Arc<RequestMemory>,
    bytes: i64,
    /// Whether this is the one that goes on beyond the budget.
    overdraws: bool,
}

impl Reservation {
    /// Takes more.
    pub(crate) fn grow(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 4);
        self.memory.available.fetch_sub(bytes, SeqCst);
        self.bytes += bytes;
    }

    /// Takes more, or gives back, so that it is `bytes`.
    pub(crate) fn resize(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX / 4);
        let before = std::mem::replace(&mut self.bytes, bytes);
        self.memory.give_back(before - bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes);
        if self.overdraws {
            self.memory.overdrawn.store(false, SeqCst);
            self.memory.wake_all();
        }
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
    fn what_begins_has_a_reserve_that_what_grows_has_not() {
        let memory = RequestMemory::new(Some(800));
        let cx = Context::from_waker(Waker::noop());
        let mut large = memory.take(800);
        let mut other = memory.take(1);
        assert!(memory.poll_grow(&mut large, 1, &cx).is_ready(), "as the one beyond the budget");
        assert!(memory.poll_grow(&mut other, 2, &cx).is_pending());
        assert!(memory.poll_available(3, &cx).is_ready() && !memory.has_room());
        let small = memory.take(99);
        assert!(memory.poll_available(3, &cx).is_pending());
        memory.waiting.lock().clear();
        assert!(memory.poll_available(4, &cx).is_pending());
        drop(small);
        assert!(memory.waiting.lock().is_empty(), "there is a reserve again, and who waits for it is woken");
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
    fn one_frame_in_all_grows_beyond_the_budget() {
        let memory = RequestMemory::new(Some(100));
        let cx = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (memory.take(60), memory.take(60));
        assert!(memory.poll_grow(&mut first, 1, &cx).is_ready());
        first.grow(1_000);
        assert!(memory.poll_grow(&mut second, 2, &cx).is_pending());
        assert!(memory.poll_grow(&mut first, 1, &cx).is_ready(), "who has begun goes on to its end");
        drop(first);
        assert!(memory.waiting.lock().is_empty(), "the waiter was woken");
        assert!(memory.poll_grow(&mut second, 2, &cx).is_ready());
        second.grow(60);
        let mut third = memory.take(1);
        assert!(memory.poll_grow(&mut third, 3, &cx).is_ready(), "the place is free again");
        drop((second, third));
        assert_eq!(memory.used(), 0);
    }

    #[test]
    fn without_a_limit_nobody_waits() {
        let memory = RequestMemory::new(None);
        let _much = memory.take(usize::MAX >> 8);
        assert!(memory.poll_available(1, &Context::from_waker(Waker::noop())).is_ready());
    }
}
