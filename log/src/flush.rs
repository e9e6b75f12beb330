//! Making records durable, away from the writer: what a roll, `flush.messages` or a checkpoint leave to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::disk::{self, Durable, Result};
use crate::log::Log;
use crate::segment::Segment;
use crate::shared::Shared;

/// Work that waits for the disk: run it on a thread that may wait, without the partition's lock. Dropped, it is lost, but
/// no data is: the recovery point stays where it is, and a later flush covers the same.
#[derive(Debug)]
#[must_use]
pub struct FlushJob {
    shared: Arc<Shared>,
    segments: Vec<Arc<Segment>>,
    /// Segments in the job that will not grow any more.
    up_to: i64,
    truncations: u64,
    _asked: Option<Asked>,
}

/// Counts flushes of everything that were asked for and are neither done nor dropped.
#[derive(Debug)]
struct Asked(Arc<AtomicUsize>);

impl Asked {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Since when records wait for a flush. That one was asked for ends no wait: it may fail, or find no place; that it moved
/// the recovery point does.
///
/// Appends are told the time that people read, which may be set; a wait is counted by the clock of who looks whether it is over.
#[derive(Debug, Default)]
pub(crate) struct Unflushed {
    /// When the oldest record came that may not be on disk.
    since: Option<Came>,
    /// Up to where a flush was last asked for, and when the first record after it came.
    asked: Option<(i64, Option<Came>)>,
    /// When somebody last looked.
    looked: Option<i64>,
    running: Arc<AtomicUsize>,
}

/// When a record came, by the clock of who looks.
#[derive(Debug, Clone, Copy)]
enum Came {
    /// Nobody has looked since.
    SinceLook,
    At(i64),
}

impl Unflushed {
    pub(crate) fn after_recovery(is_flushed: bool) -> Self {
        Self { since: (!is_flushed).then_some(Came::SinceLook), ..Self::default() }
    }

    pub(crate) fn appended(&mut self) {
        match &mut self.asked {
            Some((_, since)) => since.get_or_insert(Came::SinceLook),
            None => self.since.get_or_insert(Came::SinceLook),
        };
    }

    /// How long the oldest record has waited. What came since the last look is taken to have come just after that.
    fn waited(&mut self, now: i64) -> Option<i64> {
        let before = self.looked.replace(now).unwrap_or(now);
        let asked = self.asked.as_mut().and_then(|(_, since)| since.as_mut());
        for came in self.since.as_mut().into_iter().chain(asked) {
            if let Came::SinceLook = came {
                *came = Came::At(before);
            }
        }
        match self.since {
            Some(Came::At(since)) => Some(now.saturating_sub(since)),
            _ => None,
        }
    }

    fn reached(&mut self, recovery_point: i64) {
        if let Some((up_to, since)) = self.asked
            && recovery_point >= up_to
        {
            (self.since, self.asked) = (since, None);
        }
    }
}

impl FlushJob {
    /// The recovery point once the job is done.
    pub fn up_to(&self) -> i64 {
        self.up_to
    }

    /// Flushes segments, indexes, producer snapshots and leader epochs, then moves the recovery point. Waits for the disk. A log
    /// that is deleted before or meanwhile is closed.
    pub fn run(self) -> Result<()> {
        self.shared.check_open()?;
        match self.flush() {
            // Its directory has another name now.
            Err(error) if error.is_not_found() => Err(self.shared.check_open().err().unwrap_or(error)),
            other => other,
        }
    }

    fn flush(&self) -> Result<()> {
        let shared = &self.shared;
        for segment in &self.segments {
            match segment.sync() {
                // Deleted meanwhile: there is nothing to keep.
                Err(error) if error.is_not_found() && !is_listed(shared, segment) => {}
                other => other?,
            }
            let snapshot =
                shared.directory.file(&crate::names::Kind::Snapshot.file_name(segment.base_offset()));
            match std::fs::File::open(&snapshot).and_then(|file| file.sync_data()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(crate::error::LogError::flush(&snapshot, error));
                }
                _ => {}
            }
        }
        // Batches before the recovery point are not read again for their epochs.
        shared.store_epochs(Durable::Now)?;
        let directory = shared.directory.path();
        disk::sync_directory(&directory)?;
        if let Some(log_dir) = directory.parent().filter(|_| !shared.name_is_durable.load(Ordering::Relaxed))
        {
            disk::sync_directory(log_dir)?;
            shared.name_is_durable.store(true, Ordering::Relaxed);
        }
        let mut recovery = shared.recovery.lock();
        if recovery.truncations == self.truncations {
            recovery.point = recovery.point.max(self.up_to);
        }
        Ok(())
    }
}

fn is_listed(shared: &Shared, segment: &Arc<Segment>) -> bool {
    shared.segments().iter().any(|listed| Arc::ptr_eq(listed, segment))
}

impl Log {
    /// Everything up to the log end offset, to be made durable; `None` where it is already.
    pub fn flush_job(&mut self) -> Option<FlushJob> {
        let end = self.shared.end();
        self.unflushed.reached(self.recovery_point());
        let Some(job) = self.flush_job_to(end) else {
            (self.unflushed.since, self.unflushed.asked) = (None, None);
            return None;
        };
        self.unflushed.asked = Some((end, None));
        Some(FlushJob { _asked: Some(Asked::new(&self.unflushed.running)), ..job })
    }

    /// Whether `flush.ms` has passed since the oldest unflushed record came, and no flush is on its way. `now` is of a clock that nobody sets; records are
    /// taken to have come right after the look before.
    pub fn is_flush_due(&mut self, now: i64) -> bool {
        let running = self.unflushed.running.load(Ordering::Acquire) > 0;
        self.unflushed.reached(self.recovery_point());
        let is_over = self.unflushed.waited(now).is_some_and(|waited| waited >= self.config.flush_ms);
        is_over && !running
    }

    /// Flushes everything, waiting for the disk.
    pub fn flush(&mut self) -> Result<()> {
        self.flush_job().map_or(Ok(()), FlushJob::run)
    }

    /// A job that has nothing to do.
    pub(crate) fn empty_job(&self, up_to: i64) -> FlushJob {
        let truncations = self.shared.recovery.lock().truncations;
        FlushJob { shared: self.shared.clone(), segments: Vec::new(), up_to, truncations, _asked: None }
    }

    pub(crate) fn flush_job_to(&self, up_to: i64) -> Option<FlushJob> {
        let recovery = *self.shared.recovery.lock();
        if up_to <= recovery.point {
            return None;
        }
        let segments = self.shared.segments();
        let from =
            segments.partition_point(|segment| segment.base_offset() <= recovery.point).saturating_sub(1);
        let segments =
            segments[from..].iter().filter(|segment| segment.base_offset() < up_to).cloned().collect();
        Some(FlushJob {
            shared: self.shared.clone(),
            segments,
            up_to,
            truncations: recovery.truncations,
            _asked: None,
        })
    }
}
