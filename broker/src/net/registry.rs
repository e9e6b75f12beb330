//! All open connections: who is idle too long, and whom to tell when the broker stops.
//!
//! One sweep for all replaces a timer for each. A connection notes when it last moved a byte; the sweep compares.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed, Ordering::SeqCst},
    },
    task::Context,
    time::Duration,
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::memory::RequestMemory;

/// What a connection is told from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Told {
    /// Go on.
    Nothing = 0,
    /// End if nothing is being answered.
    Idle = 1,
    /// End if a request has come in part and nothing more of it is there to be read, or if a response has left in part and nothing more of it is taken.
    Stalled = 2,
    /// Read nothing more, answer what has come, end.
    Drain = 3,
    /// End now.
    End = 4,
}

/// One connection as others see it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) id: u64,
    /// Whether it keeps its place when others need one.
    protected: bool,
    /// Milliseconds of the registry's clock.
    last_active: AtomicU64,
    holds_for_request: AtomicBool,
    holds_for_response: AtomicBool,
    told: AtomicU8,
    waker: AtomicWaker,
}

impl Handle {
    /// What this connection has been told; later calls wake the task of `cx`.
    pub(crate) fn poll_told(&self, cx: &Context<'_>) -> Told {
        self.waker.register(cx.waker());
        match self.told.load(SeqCst) {
            0 => Told::Nothing,
            1 => Told::Idle,
            2 => Told::Stalled,
            3 => Told::Drain,
            _ => Told::End,
        }
    }

    pub(crate) fn tell(&self, told: Told) {
        self.told.fetch_max(told as u8, SeqCst);
        self.waker.wake();
    }

    /// The connection was told that it is idle or stalled, and is not, or has noted it.
    pub(crate) fn deny(&self, told: Told) {
        let _ = self.told.compare_exchange(told as u8, Told::Nothing as u8, SeqCst, SeqCst);
    }

    /// Notes whether a request has come in part and holds memory.
    pub(crate) fn holds_for_request(&self, holds: bool) {
        self.holds_for_request.store(holds, Relaxed);
    }

    /// Notes whether a response that has not left holds memory of a budget.
    pub(crate) fn holds_for_response(&self, holds: bool) {
        self.holds_for_response.store(holds, Relaxed);
    }

    /// Whether it holds memory that is meant for `what`.
    fn holds(&self, what: Holding) -> bool {
        match what {
            Holding::Request => self.holds_for_request.load(Relaxed),
            Holding::Response => self.holds_for_response.load(Relaxed),
        }
    }
}

/// What the memory of a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// A request that has come in part.
    Request,
    /// A response that has not left.
    Response,
}

/// All open connections.
#[derive(Debug)]
pub(crate) struct Registry {
    started: Instant,
    next_id: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Handle>>>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), next_id: AtomicU64::new(1), open: Mutex::default() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn register(&self, protected: bool) -> Arc<Handle> {
        let handle = Arc::new(Handle {
            id: self.next_id.fetch_add(1, Relaxed),
            protected,
            last_active: AtomicU64::new(self.now()),
            holds_for_request: AtomicBool::new(false),
            holds_for_response: AtomicBool::new(false),
            told: AtomicU8::new(Told::Nothing as u8),
            waker: AtomicWaker::new(),
        });
        self.open.lock().insert(handle.id, handle.clone());
        handle
    }

    pub(crate) fn unregister(&self, id: u64) {
        self.open.lock().remove(&id);
    }

    /// The connection has moved a byte.
    pub(crate) fn touch(&self, handle: &Handle) {
        handle.last_active.store(self.now(), Relaxed);
    }

    /// How many connections are open.
    pub(crate) fn len(&self) -> usize {
        self.open.lock().len()
    }

    pub(crate) fn tell_all(&self, told: Told) {
        for handle in self.open.lock().values() {
            handle.tell(told);
        }
    }

    /// Ends the unprotected connection that has been silent for longest, for one that must have a place.
    pub(crate) fn end_longest_silent(&self) {
        let open = self.open.lock();
        let unprotected = open.values().filter(|handle| {
            // One that has been told already makes room for another newcomer.
            !handle.protected && handle.told.load(SeqCst) != Told::End as u8
        });
        if let Some(handle) = unprotected.min_by_key(|handle| handle.last_active.load(Relaxed)) {
            handle.tell(Told::End);
        }
    }

    /// Ends connections that have been idle for `limit`, for ever. A connection ends at most an eighth of the limit (and half a minute) late.
    pub(crate) async fn sweep(&self, limit: Duration) {
        let period = (limit / 8).clamp(Duration::from_millis(10), Duration::from_secs(30));
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        loop {
            tokio::time::sleep(period).await;
            let now = self.now();
            for handle in self.open.lock().values() {
                if now.saturating_sub(handle.last_active.load(Relaxed)) >= limit {
                    handle.tell(Told::Idle);
                }
            }
        }
    }

    /// While connections wait for memory, ends those that hold some of it for a request that has come in part, or a response that has not left, and have moved
    /// nothing more of it for `limit`; for ever. Wakes nobody while nobody waits.
    pub(crate) async fn end_stalled(&self, memory: &RequestMemory, what: Holding, limit: Duration) {
        let period = (limit / 4).max(Duration::from_millis(10));
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        loop {
            memory.shortage().await;
            tokio::time::sleep(period).await;
            let now = self.now();
            let silent = |handle: &Handle| now.saturating_sub(handle.last_active.load(Relaxed)) >= limit;
            for handle in self.open.lock().values() {
                if handle.holds(what) && silent(handle) {
                    handle.tell(Told::Stalled);
                }
            }
        }
    }
}
