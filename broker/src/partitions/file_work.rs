//! Threads for file work that may block: cold reads, flushes, deletions. Network threads never wait for a disk; these do.
//!
//! Two lanes: *reads*, for which a client waits, and *upkeep*, for which nobody does. Reads go first, but neither lane shuts the other out:
//! upkeep never takes the last thread, so a slow flush does not stop cold readers, and where no upkeep runs the next free thread takes the
//! one that waits, so readers of old records do not stop retention. Both queues are bounded: a reader waits for a place, upkeep that finds
//! none is told so and comes again with its next round. Threads are made when there is work and end when there was none for a while: an idle
//! broker has none.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};
use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};

/// How long a thread without work stays.
const LINGER: Duration = Duration::from_secs(10);

/// File work needs little stack; the default of 2 MiB would be address space for nothing.
const STACK: usize = 256 * 1024;

/// How long a stop waits for the next job to end. A disk that answers ends one sooner, a slow flush of much data included.
const STALLED: Duration = Duration::from_secs(120);

type Job = Box<dyn FnOnce() + Send>;

/// The work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotDone {
    /// The queue of upkeep is full.
    #[error("the queue of background file work is full")]
    Full,
    /// The broker stops.
    #[error("the broker is stopping")]
    Stopping,
    /// The work panicked; the thread that did it goes on.
    #[error("file work was cut short")]
    CutShort,
}

/// What a stop gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{running} jobs of file work did not end, and {queued} did not begin")]
pub struct Left {
    /// Jobs that wait for their disk.
    pub running: usize,
    /// Upkeep that was queued.
    pub queued: usize,
}

/// The pool. Cloning it clones a handle.
#[derive(Clone)]
pub struct FileWork {
    shared: Arc<Shared>,
}

struct Shared {
    threads: AtomicUsize,
    queued_upkeep: usize,
    places: Arc<Semaphore>,
    lanes: Mutex<Lanes>,
    work: Condvar,
}

#[derive(Default)]
struct Lanes {
    reads: VecDeque<Job>,
    upkeep: VecDeque<Job>,
    upkeep_running: usize,
    /// Jobs that have ended.
    done: u64,
    alive: usize,
    idle: usize,
    stopping: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Reads,
    Upkeep,
}

impl FileWork {
    /// A pool of at most `threads` threads (two at least, so that upkeep leaves one to readers) and at most `queued` waiting jobs in each lane.
    pub fn new(threads: usize, queued: usize) -> Self {
        let shared = Shared {
            threads: AtomicUsize::new(threads.max(2)),
            queued_upkeep: queued.max(1),
            places: Arc::new(Semaphore::new(queued.max(1))),
            lanes: Mutex::default(),
            work: Condvar::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Changes the most threads there may be: more are started when there is work, and those that are too many end after the job at hand.
    pub fn set_threads(&self, threads: usize) {
        self.shared.threads.store(threads.max(2), Ordering::Relaxed);
        self.shared.work.notify_all();
    }

    /// Does what a client waits for. Waits for a place in the queue first: that is the back-pressure on cold readers.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let place = self.shared.places.clone().acquire_owned().await.map_err(|_| NotDone::Stopping)?;
        let (done, outcome) = oneshot::channel();
        // A reader that went away (its connection closed) is not worth a seek. Its job keeps the place until its turn: it is in the queue.
        let job = move || {
            let _place = place;
            if !done.is_closed() {
                let _ = done.send(work());
            }
        };
        self.shared.clone().enqueue(Lane::Reads, Box::new(job))?;
        outcome.await.map_err(|_| NotDone::CutShort)
    }

    /// Queues what nobody waits for.
    pub fn upkeep(&self, work: impl FnOnce() + Send + 'static) -> Result<(), NotDone> {
        self.shared.clone().enqueue(Lane::Upkeep, Box::new(work))
    }

    /// Takes no new work, drops cold reads that have not begun, and waits until what runs is done and queued upkeep too. Answers what is left if a disk does
    /// not answer any more: nobody else could end the broker then.
    pub fn stop(&self) -> Option<Left> {
        self.stop_unless_stalled(STALLED)
    }

    fn stop_unless_stalled(&self, patience: Duration) -> Option<Left> {
        self.shared.places.close();
        let mut lanes = self.shared.lanes.lock();
        lanes.stopping = true;
        lanes.reads.clear();
        self.shared.work.notify_all();
        let (mut done, mut deadline) = (lanes.done, Instant::now() + patience);
        while lanes.alive > 0 {
            let timed_out = self.shared.work.wait_until(&mut lanes, deadline).timed_out();
            if lanes.done != done {
                (done, deadline) = (lanes.done, Instant::now() + patience);
            } else if timed_out && lanes.alive > 0 {
                // What comes back later finds nothing more to do.
                let queued = std::mem::take(&mut lanes.upkeep).len();
                return Some(Left { running: lanes.alive, queued });
            }
        }
        None
    }
}

impl fmt::Debug for FileWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lanes = self.shared.lanes.lock();
        f.debug_struct("FileWork")
            .field("threads", &lanes.alive)
            .field("queued_reads", &lanes.reads.len())
            .field("queued_upkeep", &lanes.upkeep.len())
            .finish()
    }
}

impl Shared {
    fn enqueue(self: Arc<Self>, lane: Lane, job: Job) -> Result<(), NotDone> {
        let mut lanes = self.lanes.lock();
        if lanes.stopping {
            return Err(NotDone::Stopping);
        }
        match lane {
            Lane::Reads => lanes.reads.push_back(job),
            Lane::Upkeep if lanes.upkeep.len() >= self.queued_upkeep => return Err(NotDone::Full),
            Lane::Upkeep => lanes.upkeep.push_back(job),
        }
        let queued = lanes.reads.len() + lanes.upkeep.len();
        if queued > lanes.idle && lanes.alive < self.threads.load(Ordering::Relaxed) {
            self.clone().spawn(&mut lanes);
        }
        self.work.notify_one();
        Ok(())
    }

    /// One more thread. If the system gives none, those that live do the work; if none lives, the next job tries again.
    fn spawn(self: Arc<Self>, lanes: &mut Lanes) {
        let shared = self.clone();
        let builder = thread::Builder::new().name("file-work".into()).stack_size(STACK);
        match builder.spawn(move || shared.run()) {
            Ok(_) => lanes.alive += 1,
            Err(error) => tracing::warn!(%error, "cannot start a thread for file work"),
        }
    }

    fn run(&self) {
        let mut lanes = self.lanes.lock();
        loop {
            if lanes.alive > self.threads.load(Ordering::Relaxed) {
                // What waits is for those that stay.
                self.work.notify_one();
                break;
            }
            if let Some((lane, job)) = lanes.next(self.threads.load(Ordering::Relaxed)) {
                drop(lanes);
                // A panic inside a job is a bug; it must not take the pool along.
                if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
                    tracing::error!("file work panicked");
                }
                lanes = self.lanes.lock();
                lanes.done += 1;
                if lane == Lane::Upkeep {
                    lanes.upkeep_running -= 1;
                    self.work.notify_one();
                }
                continue;
            }
            if lanes.stopping {
                break;
            }
            lanes.idle += 1;
            let deadline = Instant::now() + LINGER;
            let timed_out = self.work.wait_until(&mut lanes, deadline).timed_out();
            lanes.idle -= 1;
            if timed_out && lanes.reads.is_empty() && lanes.upkeep.is_empty() {
                break;
            }
        }
        lanes.alive -= 1;
        self.work.notify_all();
    }
}

impl Lanes {
    /// What the next free one of `threads` threads does.
    fn next(&mut self, threads: usize) -> Option<(Lane, Job)> {
        let may_do_upkeep = self.upkeep_running + 1 < threads || self.stopping;
        let upkeep_first = self.upkeep_running == 0 && may_do_upkeep && !self.upkeep.is_empty();
        if !upkeep_first && let Some(job) = self.reads.pop_front() {
            return Some((Lane::Reads, job));
        }
        if !may_do_upkeep {
            return None;
        }
        let job = self.upkeep.pop_front()?;
        self.upkeep_running += 1;
        Some((Lane::Upkeep, job))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn work_comes_back_with_its_outcome() {
        let pool = FileWork::new(2, 4);
        assert_eq!(pool.read(|| 6 * 7).await, Ok(42));
        pool.stop();
        assert_eq!(pool.read(|| 1).await, Err(NotDone::Stopping));
    }

    #[tokio::test]
    async fn a_read_overtakes_upkeep_that_fills_the_pool() {
        let pool = FileWork::new(2, 4);
        let (release, held) = mpsc::channel::<()>();
        pool.upkeep(move || {
            let _ = held.recv();
        })
        .unwrap();
        pool.upkeep(|| {}).unwrap();
        assert_eq!(pool.read(|| "read").await, Ok("read"), "one thread is left to readers");
        drop(release);
        pool.stop();
    }

    #[test]
    fn neither_lane_shuts_the_other_out() {
        let mut lanes = Lanes::default();
        lanes.reads.extend((0..6).map(|_| Box::new(|| {}) as Job));
        lanes.upkeep.extend((0..3).map(|_| Box::new(|| {}) as Job));
        let next = |lanes: &mut Lanes| lanes.next(2).map(|(lane, _)| lane);
        assert!(next(&mut lanes) == Some(Lane::Upkeep), "readers wait, but no upkeep runs");
        assert!(next(&mut lanes) == Some(Lane::Reads), "the last thread is the readers'");
        lanes.upkeep_running -= 1;
        assert!(next(&mut lanes) == Some(Lane::Upkeep));
        for _ in 0..5 {
            assert!(next(&mut lanes) == Some(Lane::Reads), "while upkeep runs, readers come first");
        }
        assert!(next(&mut lanes).is_none(), "the last thread stays free for readers");
        lanes.stopping = true;
        assert!(next(&mut lanes) == Some(Lane::Upkeep), "what is queued is done before the end");
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_leaves_its_place_only_when_its_work_has_left_the_queue() {
        let pool = FileWork::new(2, 3);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let holding: Vec<_> = (0..2)
            .map(|_| {
                let (pool, held) = (pool.clone(), held.clone());
                tokio::spawn(async move { pool.read(move || held.lock().recv().is_err()).await })
            })
            .collect();
        while pool.shared.lanes.lock().alive < 2 || !pool.shared.lanes.lock().reads.is_empty() {
            tokio::task::yield_now().await;
        }
        let mut impatient = Box::pin(pool.read(|| ()));
        assert!((&mut impatient).now_or_never().is_none());
        drop(impatient);
        assert_eq!(pool.shared.places.available_permits(), 0);
        drop(release);
        for read in holding {
            read.await.unwrap().unwrap();
        }
        while pool.shared.places.available_permits() < 3 {
            tokio::task::yield_now().await;
        }
        pool.stop();
    }

    #[tokio::test]
    async fn the_pool_grows_and_shrinks_while_it_works() {
        let pool = FileWork::new(2, 16);
        let (release, held) = mpsc::channel::<()>();
        let held = Arc::new(Mutex::new(held));
        let hold = |pool: &FileWork| {
            let (pool, held) = (pool.clone(), held.clone());
            tokio::spawn(async move { pool.read(move || held.lock().recv().is_err()).await })
        };
        let alive = || pool.shared.lanes.lock().alive;
        pool.set_threads(4);
        let held_reads: Vec<_> = (0..4).map(|_| hold(&pool)).collect();
        while alive() < 4 {
            tokio::task::yield_now().await;
        }
        pool.set_threads(2);
        drop(release);
        for read in held_reads {
            read.await.unwrap().unwrap();
        }
        while alive() > 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.read(|| 1).await, Ok(1));
        pool.stop();
    }

    #[tokio::test]
    async fn a_full_queue_of_upkeep_says_so() {
        let pool = FileWork::new(2, 1);
        let (release, held) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel::<()>();
        pool.upkeep(move || {
            let _ = started.send(());
            let _ = held.recv();
        })
        .unwrap();
        start.recv().unwrap();
        pool.upkeep(|| {}).unwrap();
        assert_eq!(pool.upkeep(|| {}), Err(NotDone::Full));
        drop(release);
        pool.stop();
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_work_alone() {
        let pool = FileWork::new(2, 4);
        assert_eq!(pool.read(|| -> u8 { panic!("on purpose") }).await, Err(NotDone::CutShort));
        assert_eq!(pool.read(|| 1).await, Ok(1));
        pool.stop();
    }

    #[test]
    fn a_stop_gives_up_when_nothing_ends_any_more() {
        let pool = FileWork::new(2, 4);
        let (release, held) = mpsc::channel::<()>();
        let (started, start) = mpsc::channel::<()>();
        pool.upkeep(move || {
            let _ = started.send(());
            let _ = held.recv();
        })
        .unwrap();
        start.recv().unwrap();
        let hung = Arc::new(Mutex::new(release));
        let second = hung.clone();
        // The second thread takes it when the pool stops, and waits as well.
        pool.upkeep(move || drop(second.lock())).unwrap();
        pool.upkeep(|| panic!("it is not begun")).unwrap();
        let guard = hung.lock();
        let left = pool.stop_unless_stalled(Duration::from_millis(50));
        assert_eq!(left, Some(Left { running: 2, queued: 1 }));
        drop(guard);
        drop(hung);
        assert_eq!(pool.stop(), None, "the disk is back");
    }

    #[test]
    fn stopping_finishes_the_upkeep_that_is_queued() {
        let pool = FileWork::new(3, 100);
        let done = Arc::new(AtomicUsize::new(0));
        for _ in 0..50 {
            let done = done.clone();
            pool.upkeep(move || {
                done.fetch_add(1, Ordering::SeqCst);
            })
            .unwrap();
        }
        pool.stop();
        assert_eq!(done.load(Ordering::SeqCst), 50);
    }
}
