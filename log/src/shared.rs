//! What a log's writer publishes for its readers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::{Mutex, RwLock};

use crate::disk::Result;
use crate::epochs::{EpochHistory, StoredEpochs};
use crate::error::LogError;
use crate::open_files::{Directory, OpenFiles};
use crate::segment::Segment;

/// The state that readers see. The writer, who has the partition's lock, is the only one to change it, but for the recovery
/// point, which a flush job moves.
///
/// Order of publication: a segment enters the list before the end offset passes its base offset; a segment's size covers
/// bytes before the end offset covers their records. So a reader that takes the end offset first finds everything below.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) directory: Arc<Directory>,
    pub(crate) partition: String,
    pub(crate) files: Arc<OpenFiles>,
    segments: ArcSwap<Vec<Arc<Segment>>>,
    start: AtomicI64,
    end: AtomicI64,
    /// Odd while an append publishes its size and its end, which readers must take of one moment.
    publishing: AtomicU64,
    pub(crate) epochs: RwLock<EpochHistory>,
    pub(crate) epochs_dirty: AtomicBool,
    /// What the file of the epochs holds: whoever replaces it keeps this lock.
    pub(crate) stored_epochs: Mutex<Option<StoredEpochs>>,
    transactions: Mutex<Transactions>,
    has_transactions: AtomicBool,
    pub(crate) recovery: Mutex<Recovery>,
    closed: AtomicBool,
    /// Whether the partition's own name is known to be on disk.
    pub(crate) name_is_durable: AtomicBool,
}

/// The recovery point: what is before it is on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Recovery {
    pub(crate) point: i64,
    /// Counts truncations, so that a flush begun before one does not claim what was truncated.
    pub(crate) truncations: u64,
}

/// Where a log begins, ends, and is known to be on disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) recovery_point: i64,
}

/// What holds the last stable offset back.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// First offset of the oldest open transaction.
    first_open: Option<i64>,
    /// Transactions that are over but whose marker may not be replicated: first offset to marker's offset.
    unreplicated: BTreeMap<i64, i64>,
}

impl Shared {
    pub(crate) fn new(
        directory: Arc<Directory>,
        partition: String,
        files: Arc<OpenFiles>,
        segments: Vec<Arc<Segment>>,
        bounds: Bounds,
        epochs: EpochHistory,
    ) -> Self {
        Self {
            directory,
            partition,
            files,
            segments: ArcSwap::from_pointee(segments),
            start: AtomicI64::new(bounds.start),
            end: AtomicI64::new(bounds.end),
            publishing: AtomicU64::new(0),
            epochs: RwLock::new(epochs),
            epochs_dirty: AtomicBool::new(false),
            stored_epochs: Mutex::new(None),
            transactions: Mutex::new(Transactions::default()),
            has_transactions: AtomicBool::new(false),
            recovery: Mutex::new(Recovery { point: bounds.recovery_point, truncations: 0 }),
            closed: AtomicBool::new(false),
            name_is_durable: AtomicBool::new(bounds.recovery_point > 0),
        }
    }

    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        self.segments.load_full()
    }

    pub(crate) fn set_segments(&self, segments: Vec<Arc<Segment>>) {
        self.segments.store(Arc::new(segments));
    }

    pub(crate) fn start(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    pub(crate) fn set_start(&self, offset: i64) {
        self.start.store(offset, Ordering::Release);
    }

    pub(crate) fn end(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    pub(crate) fn set_end(&self, offset: i64) {
        self.end.store(offset, Ordering::Release);
    }

    /// Runs what publishes an append: a segment's size, then the end offset. By the one who appends.
    pub(crate) fn publish(&self, append: impl FnOnce()) {
        self.publishing.fetch_add(1, Ordering::SeqCst);
        append();
        self.publishing.fetch_add(1, Ordering::SeqCst);
    }

    /// Changes with every append; `None` while one is being published.
    pub(crate) fn published(&self) -> Option<u64> {
        Some(self.publishing.load(Ordering::SeqCst)).filter(|count| count % 2 == 0)
    }

    pub(crate) fn check_open(&self) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            Err(LogError::Closed { directory: self.path() })
        } else {
            Ok(())
        }
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// What closed it did not happen.
    pub(crate) fn reopen(&self) {
        self.closed.store(false, Ordering::Release);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().to_path_buf()
    }

    /// Publishes the oldest open transaction.
    pub(crate) fn set_first_open(&self, first_open: Option<i64>) {
        if first_open.is_none() && !self.has_transactions.load(Ordering::Relaxed) {
            return;
        }
        let mut transactions = self.transactions.lock();
        transactions.first_open = first_open;
        self.note(&transactions);
    }

    /// A transaction ended at `marker`; it counts as unstable until the marker is replicated.
    pub(crate) fn txn_completed(&self, first_offset: i64, marker: i64) {
        let mut transactions = self.transactions.lock();
        transactions.unreplicated.insert(first_offset, marker);
        self.note(&transactions);
    }

    /// Forgets completed transactions, after a truncation or when a log is opened.
    pub(crate) fn forget_completed_from(&self, offset: i64) {
        let mut transactions = self.transactions.lock();
        transactions.unreplicated.retain(|_, marker| *marker < offset);
        self.note(&transactions);
    }

    fn note(&self, transactions: &Transactions) {
        let any = transactions.first_open.is_some() || !transactions.unreplicated.is_empty();
        self.has_transactions.store(any, Ordering::Release);
    }

    /// The last stable offset: below it every transaction is decided, and the decision replicated.
    ///
    /// Cost: an atomic load where there are no transactions, else a short lock.
    pub(crate) fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        if !self.has_transactions.load(Ordering::Acquire) {
            return high_watermark;
        }
        let mut transactions = self.transactions.lock();
        transactions.unreplicated.retain(|_, marker| *marker >= high_watermark);
        let completed = transactions.unreplicated.keys().next().copied();
        let first_unstable = completed.into_iter().chain(transactions.first_open).min();
        self.note(&transactions);
        first_unstable.map_or(high_watermark, |first| first.min(high_watermark))
    }
}
