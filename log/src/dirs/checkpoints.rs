//! What a log directory writes down of its logs: recovery points, log start offsets, high watermarks, and that a stop was clean.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;

use super::LogDir;
use crate::checkpoint::OffsetCheckpoint;
use crate::disk::{self, Durable, Result};
use crate::error::LogError;
use crate::names::TopicPartition;

/// The file that says that the last stop was a clean one.
pub(super) const CLEAN_SHUTDOWN: &str = ".kafka_cleanshutdown";

/// What the checkpoints say of one partition.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) recovery_point: Option<i64>,
    pub(super) log_start: Option<i64>,
    pub(super) high_watermark: Option<i64>,
}

impl LogDir {
    /// Writes recovery points and log start offsets, durably.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let _one = self.checkpoint.lock();
        let mut recovery = self.of_broken(|known| known.recovery_point);
        for (partition, reader) in self.logs.lock().iter() {
            recovery.insert(partition.clone(), reader.shared.recovery.lock().point);
        }
        OffsetCheckpoint::RecoveryPoint.write(&self.path, &recovery)?;
        self.write_log_starts()
    }

    /// Writes log start offsets, durably.
    pub(super) fn checkpoint_log_starts(&self) -> Result<()> {
        let _one = self.checkpoint.lock();
        self.write_log_starts()
    }

    fn write_log_starts(&self) -> Result<()> {
        let mut starts = self.of_broken(|known| known.log_start);
        for (partition, reader) in self.logs.lock().iter() {
            // A start that is a segment's base offset needs no entry.
            let start = reader.log_start_offset();
            if reader.shared.segments().first().is_some_and(|first| first.base_offset() < start) {
                starts.insert(partition.clone(), start);
            }
        }
        OffsetCheckpoint::LogStart.write(&self.path, &starts)
    }

    /// Writes the high watermarks of its partitions, durably.
    pub(super) fn checkpoint_high_watermarks(&self, watermarks: &HashMap<TopicPartition, i64>) -> Result<()> {
        let _one = self.checkpoint.lock();
        let mut table = self.of_broken(|known| known.high_watermark);
        let ours = |partition: &TopicPartition| Some((partition.clone(), *watermarks.get(partition)?));
        table.extend(self.logs.lock().keys().filter_map(ours));
        OffsetCheckpoint::HighWatermark.write(&self.path, &table)
    }

    /// Writes down to where logs have been cleaned, durably.
    pub(super) fn checkpoint_cleaned(&self) -> Result<()> {
        let _one = self.checkpoint.lock();
        let table = self.cleaned.lock().clone();
        OffsetCheckpoint::Cleaner.write(&self.path, &table)
    }

    /// Says that the stop was clean, if it was for every log: one that was not opened or not closed has to be recovered.
    pub(super) fn mark_clean_shutdown(&self, broker_epoch: i64) -> Result<()> {
        self.checkpoint()?;
        if self.unclean.load(Ordering::Acquire) {
            tracing::warn!(directory = %self.path.display(),
                "not every log was opened and closed: the next start recovers those of this directory");
            return Ok(());
        }
        let text = format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}");
        disk::replace(&self.path.join(CLEAN_SHUTDOWN), text.as_bytes(), Durable::Now)
    }

    /// Removes what the checkpoints say of logs that are gone, before another is made that may have the name of one: the old
    /// one's log start offset would cost it its records at the next recovery. Kafka does so when it deletes; here many deletions
    /// cost one writing.
    pub(super) fn forget_the_gone(&self) -> Result<()> {
        let _one = self.checkpoint.lock();
        if !self.outdated.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        let kinds = [
            OffsetCheckpoint::RecoveryPoint,
            OffsetCheckpoint::LogStart,
            OffsetCheckpoint::HighWatermark,
            OffsetCheckpoint::Cleaner,
        ];
        kinds
            .into_iter()
            .try_for_each(|kind| self.prune(kind))
            .inspect_err(|_| self.outdated.store(true, Ordering::Release))
    }

    fn prune(&self, kind: OffsetCheckpoint) -> Result<()> {
        let mut table = self.read(kind)?;
        let before = table.len();
        {
            let (logs, broken) = (self.logs.lock(), self.broken.lock());
            table.retain(|partition, _| logs.contains_key(partition) || broken.contains_key(partition));
        }
        if table.len() == before { Ok(()) } else { kind.write(&self.path, &table) }
    }

    /// A checkpoint that can't be read is one that was never written: recovery takes longer, nothing is lost.
    pub(super) fn read(&self, kind: OffsetCheckpoint) -> Result<BTreeMap<TopicPartition, i64>> {
        match kind.read(&self.path) {
            Err(error @ LogError::Corrupt { .. }) => {
                tracing::warn!(%error, "the checkpoint is left out");
                Ok(BTreeMap::new())
            }
            other => other,
        }
    }

    /// What was known of the logs that could not be opened, so that it is still known when they can.
    fn of_broken(&self, part: impl Fn(&Known) -> Option<i64>) -> BTreeMap<TopicPartition, i64> {
        let broken = self.broken.lock();
        broken.iter().filter_map(|(partition, known)| Some((partition.clone(), part(known)?))).collect()
    }
}
