//! Requests that wait on partitions: long polls for bytes, produces with acks=all for a high watermark.
//!
//! A [`Waiter`] is one waiting request. It is registered in the [`WaitList`] of exactly the partitions it asked for, sleeps, and is woken once.
//! What an append pays: one atomic load where nobody waits; else a short lock and a walk over those who wait on *this* partition, of whom
//! only those who have enough are woken. A poll for `min_bytes` is not woken before that many bytes arrived over all its
//! partitions together, so small appends do not make a large poll look again and again.
//!
//! No wake-up is lost: the waiter registers first and looks at the partition after; the partition publishes first and looks at the list
//! after; both sides order the two by a sequentially consistent fence, so at least one sees the other.
//!
//! A list is bounded by the requests in flight, which the connections bound. Leaving is constant work for each partition: a registration is a slot.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering, fence},
    },
    time::Duration,
};

use parking_lot::Mutex;
use smallvec::SmallVec;
use tokio::sync::Notify;

/// What a registration waits for on its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Each byte that becomes readable to consumers counts towards what the waiter still lacks.
    Bytes,
    /// Each byte that is appended counts, committed or not: a follower's fetch.
    Appended,
    /// The high watermark reaching this offset counts one towards what the waiter still lacks.
    HighWatermark(i64),
}

/// One request that waits.
#[derive(Debug)]
pub struct Waiter {
    lacks: AtomicI64,
    woken: AtomicBool,
    bell: Notify,
}

impl Waiter {
    /// A waiter that is woken when `lacks` bytes (or offsets, see [`Until`]) have come.
    pub fn new(lacks: i64) -> Arc<Self> {
        Arc::new(Self { lacks: AtomicI64::new(lacks), woken: AtomicBool::new(false), bell: Notify::new() })
    }

    /// Counts what came and wakes at zero; answers whether the waiter is done with waiting.
    fn credit(&self, amount: i64) -> bool {
        let left = self.lacks.fetch_sub(amount, Ordering::AcqRel) - amount;
        if left <= 0 {
            self.wake();
        }
        left <= 0
    }

    /// Wakes it whatever it lacks: leadership moved, the partition went away, the broker stops.
    pub fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.bell.notify_one();
        }
    }

    /// Sleeps until woken; `false` when the time ran out first.
    pub async fn sleep(&self, at_most: Duration) -> bool {
        if self.woken.load(Ordering::Acquire) {
            return true;
        }
        tokio::time::timeout(at_most, self.bell.notified()).await.is_ok()
    }
}

/// A place in a list: the slot, and how often it had been given away, so that an old ticket takes nobody else's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    slot: usize,
    generation: u64,
}

/// Who waits on one partition.
#[derive(Debug, Default)]
pub struct WaitList {
    waiting: AtomicUsize,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    taken: Vec<Slot>,
    free: Vec<usize>,
    generation: u64,
}

#[derive(Debug)]
struct Slot {
    generation: u64,
    registration: Option<(Arc<Waiter>, Until)>,
}

impl Slots {
    fn vacate(&mut self, slot: usize) {
        if self.taken[slot].registration.take().is_some() {
            self.free.push(slot);
        }
        if self.free.len() == self.taken.len() {
            // Nobody waits: give the memory back where a crowd has been.
            self.taken.clear();
            self.free.clear();
            self.taken.shrink_to(8);
            self.free.shrink_to(8);
        }
    }
}

impl WaitList {
    /// Registers a waiter. The caller looks at the partition *after* this, and leaves or sleeps.
    pub fn enter(&self, waiter: &Arc<Waiter>, until: Until) -> Ticket {
        let mut slots = self.slots.lock();
        slots.generation += 1;
        let generation = slots.generation;
        let taken = Slot { generation, registration: Some((waiter.clone(), until)) };
        let slot = match slots.free.pop() {
            Some(slot) => {
                slots.taken[slot] = taken;
                slot
            }
            None => {
                slots.taken.push(taken);
                slots.taken.len() - 1
            }
        };
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(slots);
        fence(Ordering::SeqCst);
        Ticket { slot, generation }
    }

    /// Takes a registration back; nothing happens if it was served already.
    pub fn leave(&self, ticket: Ticket) {
        let mut slots = self.slots.lock();
        let present = slots
            .taken
            .get(ticket.slot)
            .is_some_and(|slot| slot.generation == ticket.generation && slot.registration.is_some());
        if present {
            slots.vacate(ticket.slot);
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// `appended` bytes were written; `readable` bytes became readable below `high_watermark`, where that moved. Called after all was published.
    pub fn advanced(&self, appended: i64, readable: i64, high_watermark: Option<i64>) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.serve(|waiter, until| match (until, high_watermark) {
            (Until::Appended, _) => appended > 0 && waiter.credit(appended),
            (Until::Bytes, Some(_)) => waiter.credit(readable),
            (Until::HighWatermark(offset), Some(mark)) => {
                offset <= mark && {
                    waiter.credit(1);
                    true
                }
            }
            (Until::Bytes | Until::HighWatermark(_), None) => false,
        });
    }

    /// Something changed that everybody has to look at: leadership, deletion, a failed directory.
    pub fn wake_all(&self) {
        fence(Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.serve(|waiter, _| {
            waiter.wake();
            true
        });
    }

    /// How many registrations there are.
    pub fn len(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows every registration to `is_done` and takes out those that are.
    fn serve(&self, mut is_done: impl FnMut(&Waiter, Until) -> bool) {
        let mut slots = self.slots.lock();
        let done: SmallVec<[usize; 8]> = slots
            .taken
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.registration.as_ref().is_some_and(|(w, until)| is_done(w, *until)))
            .map(|(index, _)| index)
            .collect();
        self.waiting.fetch_sub(done.len(), Ordering::SeqCst);
        for slot in done {
            slots.vacate(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn a_poll_sleeps_until_enough_bytes_came_over_all_its_partitions() {
        let (one, two) = (WaitList::default(), WaitList::default());
        let waiter = Waiter::new(100);
        one.enter(&waiter, Until::Bytes);
        let second = two.enter(&waiter, Until::Bytes);
        one.advanced(60, 60, Some(1));
        assert!(!waiter.sleep(SHORT).await, "60 of 100 bytes are not enough");
        two.advanced(40, 40, Some(1));
        assert!(waiter.sleep(LONG).await);
        assert!(two.is_empty(), "who was served is taken out");
        two.leave(second);
        assert_eq!(one.len(), 1, "who waits elsewhere leaves by itself");
    }

    #[tokio::test]
    async fn a_produce_sleeps_until_every_high_watermark_covers_it() {
        let (one, two) = (WaitList::default(), WaitList::default());
        let waiter = Waiter::new(2);
        one.enter(&waiter, Until::HighWatermark(10));
        two.enter(&waiter, Until::HighWatermark(5));
        one.advanced(1, 1, Some(9));
        one.advanced(1, 1, Some(10));
        one.advanced(1, 1, Some(11));
        assert!(!waiter.sleep(SHORT).await, "one partition counts once");
        two.advanced(1, 1, Some(6));
        assert!(waiter.sleep(LONG).await);
    }

    #[tokio::test]
    async fn waking_all_empties_the_list() {
        let list = WaitList::default();
        let waiters: Vec<_> = (0..100).map(|_| Waiter::new(i64::MAX)).collect();
        for waiter in &waiters {
            list.enter(waiter, Until::Bytes);
        }
        list.wake_all();
        assert!(list.is_empty());
        for waiter in &waiters {
            assert!(waiter.sleep(LONG).await);
        }
    }

    #[test]
    fn an_old_ticket_takes_nobody_elses_place() {
        let list = WaitList::default();
        let (first, second) = (Waiter::new(1), Waiter::new(1));
        let old = list.enter(&first, Until::Bytes);
        list.leave(old);
        let new = list.enter(&second, Until::Bytes);
        list.leave(old);
        assert_eq!(list.len(), 1);
        list.leave(new);
        assert_eq!(list.len(), 0);
    }

    #[test]
    fn a_crowd_that_left_keeps_no_memory() {
        let list = WaitList::default();
        let tickets: Vec<_> = (0..10_000).map(|_| list.enter(&Waiter::new(1), Until::Bytes)).collect();
        for ticket in tickets {
            list.leave(ticket);
        }
        let slots = list.slots.lock();
        assert!(slots.taken.capacity() <= 8 && slots.free.capacity() <= 8);
    }

    /// The race that loses wake-ups: data appears between looking and sleeping.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_up_is_lost_between_looking_and_sleeping() {
        let list = Arc::new(WaitList::default());
        let (end, looked) = (Arc::new(AtomicI64::new(0)), Arc::new(AtomicI64::new(-1)));
        let rounds = 2_000;
        let writer = {
            let (list, end, looked) = (list.clone(), end.clone(), looked.clone());
            tokio::task::spawn_blocking(move || {
                for round in 1..=rounds {
                    // One append for each poll, as near as can be to the moment at which the poll looks.
                    while looked.load(Ordering::Acquire) < round - 1 {
                        std::hint::spin_loop();
                    }
                    end.store(round, Ordering::Release);
                    list.advanced(1, 1, Some(round));
                }
            })
        };
        for seen in 0..rounds {
            let waiter = Waiter::new(1);
            looked.store(seen, Ordering::Release);
            let ticket = list.enter(&waiter, Until::Bytes);
            if end.load(Ordering::Acquire) == seen {
                assert!(waiter.sleep(LONG).await, "slept through the append after {seen}");
            }
            list.leave(ticket);
            while end.load(Ordering::Acquire) == seen {
                std::hint::spin_loop();
            }
        }
        writer.await.unwrap();
        assert!(list.is_empty());
    }
}
