//! Making records durable, away from the writer: what a roll, `flush.messages` or a checkpoint leave to do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

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
}

impl FlushJob {
    /// The recovery point once the job is done.
    pub fn up_to(&self) -> i64 {
        self.up_to
    }

    /// Flushes segments, indexes, producer snapshots and leader epochs, then moves the recovery point. Waits for the disk.
    pub fn run(self) -> Result<()> {
        let shared = &self.shared;
        shared.check_open()?;
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
                    return Err(crate::error::LogError::io(&snapshot, "flush", error));
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
        self.unflushed_since = None;
        let end = self.shared.end();
        self.flush_job_to(end)
    }

    /// Whether `flush.ms` has passed since the oldest unflushed record came.
    pub fn is_flush_due(&self, now: i64) -> bool {
        self.unflushed_since.is_some_and(|since| now.saturating_sub(since) >= self.config.flush_ms)
    }

    /// Flushes everything, waiting for the disk.
    pub fn flush(&mut self) -> Result<()> {
        self.flush_job().map_or(Ok(()), FlushJob::run)
    }

    /// A job that has nothing to do.
    pub(crate) fn empty_job(&self, up_to: i64) -> FlushJob {
        let truncations = self.shared.recovery.lock().truncations;
        FlushJob { shared: self.shared.clone(), segments: Vec::new(), up_to, truncations }
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
        Some(FlushJob { shared: self.shared.clone(), segments, up_to, truncations: recovery.truncations })
    }
}
