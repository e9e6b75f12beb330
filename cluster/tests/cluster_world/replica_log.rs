//! One replica's disk: records with their leader epochs, what of them is flushed, and the checkpoint of the high watermark.

use vltava_cluster::replication::EpochAndEnd;
use vltava_log::EpochHistory;

use super::lot::Lot;

/// A record: who wrote it, and what it says. Values are never written twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) epoch: i32,
    pub(crate) value: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ReplicaLog {
    records: Vec<Record>,
    epochs: EpochHistory,
    flushed: usize,
    /// The high watermark as it was last written down.
    pub(crate) checkpoint: i64,
}

impl ReplicaLog {
    pub(crate) fn end(&self) -> i64 {
        self.records.len() as i64
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(crate) fn from(&self, offset: i64, most: usize) -> Vec<Record> {
        self.records.iter().skip(offset as usize).take(most).copied().collect()
    }

    pub(crate) fn latest_epoch(&self) -> Option<i32> {
        self.epochs.latest().map(|latest| latest.epoch)
    }

    pub(crate) fn end_of_epoch(&self, epoch: i32) -> EpochAndEnd {
        let end = self.epochs.end_of(epoch, self.end());
        EpochAndEnd { epoch: end.epoch, end: end.end_offset }
    }

    pub(crate) fn assign_epoch(&mut self, epoch: i32) {
        self.epochs.assign(epoch, self.end());
    }

    pub(crate) fn append(&mut self, record: Record) {
        if self.latest_epoch() != Some(record.epoch) {
            self.epochs.assign(record.epoch, self.end());
        }
        self.records.push(record);
    }

    pub(crate) fn truncate(&mut self, offset: i64) {
        self.records.truncate(offset as usize);
        self.epochs.truncate_from_end(offset);
        self.flushed = self.flushed.min(offset as usize);
    }

    pub(crate) fn flush(&mut self) {
        self.flushed = self.records.len();
    }

    /// The machine stops: of what was not flushed a part may be lost. Whether anything was.
    pub(crate) fn lose_tail(&mut self, lot: &mut Lot) -> bool {
        let unflushed = self.records.len() - self.flushed;
        let kept = self.flushed + lot.draw(unflushed as u64 + 1) as usize;
        let is_lost = kept < self.records.len();
        self.truncate(kept as i64);
        is_lost
    }

    /// The broker starts again on what is on its disk.
    pub(crate) fn recover(&mut self) {
        let end = self.end();
        self.epochs.truncate_from_end(end);
        self.flush();
        self.checkpoint = self.checkpoint.min(end);
    }
}
