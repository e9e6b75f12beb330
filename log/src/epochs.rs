//! Which leader epoch wrote which offsets: `leader-epoch-checkpoint` (KIP-101, KIP-279).
//!
//! The file is text: a version (0), the number of entries, and a line `epoch start-offset` for each. Epochs and start
//! offsets both grow from line to line.

use std::path::Path;
use std::sync::atomic::Ordering;

use crate::checkpoint;
use crate::disk::{self, Durable, Result};
use crate::error::LogError;
use crate::shared::Shared;

/// The file's name.
pub(crate) const FILE: &str = "leader-epoch-checkpoint";

/// An epoch and the first offset written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    /// The leader's epoch.
    pub epoch: i32,
    /// The first offset of that epoch.
    pub start_offset: i64,
}

/// What OffsetForLeaderEpoch answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The largest epoch known that is not above the one asked for; -1 where there is none.
    pub epoch: i32,
    /// The offset after the last of that epoch; -1 where there is none.
    pub end_offset: i64,
}

impl EpochEnd {
    /// Nothing is known.
    pub const UNDEFINED: Self = Self { epoch: -1, end_offset: -1 };
}

/// The epochs of one log, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochHistory {
    entries: Vec<EpochStart>,
}

impl EpochHistory {
    /// The entries, oldest first.
    pub fn entries(&self) -> &[EpochStart] {
        &self.entries
    }

    /// The latest epoch.
    pub fn latest(&self) -> Option<EpochStart> {
        self.entries.last().copied()
    }

    /// The epoch that wrote `offset`, if it is known.
    pub fn epoch_at(&self, offset: i64) -> Option<i32> {
        let n = self.entries.partition_point(|entry| entry.start_offset <= offset);
        n.checked_sub(1).map(|i| self.entries[i].epoch)
    }

    /// Notes that `epoch` starts at `start_offset`. Entries that contradict it (a later epoch or offset, from a divergent
    /// history) go. Says whether anything changed.
    pub fn assign(&mut self, epoch: i32, start_offset: i64) -> bool {
        if epoch < 0 || start_offset < 0 {
            return false;
        }
        if let Some(last) = self.latest()
            && last.epoch == epoch
            && last.start_offset <= start_offset
        {
            return false;
        }
        let keep =
            self.entries.partition_point(|entry| entry.epoch < epoch && entry.start_offset < start_offset);
        self.entries.truncate(keep);
        self.entries.push(EpochStart { epoch, start_offset });
        true
    }

    /// The end of `epoch` in a log that ends at `log_end`, by Kafka's rules.
    pub fn end_of(&self, epoch: i32, log_end: i64) -> EpochEnd {
        if epoch < 0 {
            return EpochEnd::UNDEFINED;
        }
        let above = self.entries.partition_point(|entry| entry.epoch <= epoch);
        match (above.checked_sub(1).map(|i| self.entries[i]), self.entries.get(above)) {
            (Some(entry), None) if entry.epoch == epoch => EpochEnd { epoch, end_offset: log_end },
            // Asked for an epoch after all that are known here.
            (_, None) => EpochEnd::UNDEFINED,
            (Some(entry), Some(next)) => EpochEnd { epoch: entry.epoch, end_offset: next.start_offset },
            // Before all that are known: everything of that epoch is gone, and the next one's start is the bound.
            (None, Some(next)) => EpochEnd { epoch, end_offset: next.start_offset },
        }
    }

    /// Forgets epochs that start at `end_offset` or later: the log was truncated there. Says whether anything changed.
    pub fn truncate_from_end(&mut self, end_offset: i64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.start_offset < end_offset);
        self.entries.len() != before
    }

    /// Forgets epochs that end before `start_offset`, the log's new start; the epoch of that offset itself starts there now.
    /// Says whether anything changed.
    pub fn truncate_from_start(&mut self, start_offset: i64) -> bool {
        let covering = self.entries.partition_point(|entry| entry.start_offset <= start_offset);
        let Some(last) = covering.checked_sub(1) else { return false };
        let changed = last > 0 || self.entries[last].start_offset != start_offset;
        self.entries.drain(..last);
        self.entries[0].start_offset = start_offset;
        changed
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Reads the file; an absent one is an empty history. Lines that contradict the ones before are dropped with what
    /// follows: recovery learns the rest from the batches.
    pub(crate) fn load(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let Some(bytes) = disk::read_small(&path, checkpoint::MAX_BYTES)? else { return Ok(Self::default()) };
        let entries = checkpoint::parse(&bytes, |line| {
            let (epoch, start) = line.split_once(' ')?;
            Some(EpochStart { epoch: epoch.parse().ok()?, start_offset: start.trim().parse().ok()? })
        })
        .map_err(|reason| LogError::corrupt(&path, 0, reason))?;
        let mut history = Self::default();
        for entry in entries {
            history.assign(entry.epoch, entry.start_offset);
        }
        Ok(history)
    }

    /// Replaces the file.
    pub(crate) fn store(&self, directory: &Path, durable: Durable) -> Result<()> {
        let text = checkpoint::format(self.entries.iter().map(|e| format!("{} {}", e.epoch, e.start_offset)));
        disk::replace(&directory.join(FILE), text.as_bytes(), durable)
    }
}

/// What is known of the file: what it holds, and whether that survives a power failure.
#[derive(Debug)]
pub(crate) struct StoredEpochs {
    history: EpochHistory,
    durable: Durable,
}

impl StoredEpochs {
    /// Whether storing `history` would change nothing.
    fn serves(&self, history: &EpochHistory, durable: Durable) -> bool {
        self.history == *history && (self.durable == Durable::Now || durable == Durable::Later)
    }
}

impl Shared {
    /// Replaces the file, unless it holds these epochs as durably as is asked for.
    ///
    /// A flush comes here from the file pool, an append, a truncation or a new leader under the partition's lock: one at a time,
    /// since they all write beside the file under one name. Who comes with an older history than the file's writes none: it
    /// takes the history once it is alone.
    pub(crate) fn store_epochs(&self, durable: Durable) -> Result<()> {
        let mut stored = self.stored_epochs.lock();
        self.epochs_dirty.store(false, Ordering::Relaxed);
        let history = self.epochs.read().clone();
        if stored.as_ref().is_some_and(|stored| stored.serves(&history, durable)) {
            return Ok(());
        }
        // Until it is done nothing is known of the file.
        *stored = None;
        history
            .store(&self.directory.path(), durable)
            .inspect_err(|_| self.epochs_dirty.store(true, Ordering::Relaxed))?;
        *stored = Some(StoredEpochs { history, durable });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(entries: &[(i32, i64)]) -> EpochHistory {
        let mut history = EpochHistory::default();
        for &(epoch, start) in entries {
            history.assign(epoch, start);
        }
        history
    }

    fn pairs(history: &EpochHistory) -> Vec<(i32, i64)> {
        history.entries().iter().map(|e| (e.epoch, e.start_offset)).collect()
    }

    #[test]
    fn the_end_of_an_epoch_is_the_start_of_the_next() {
        let h = history(&[(2, 10), (4, 20), (5, 30)]);
        let table = [
            (-1, (-1, -1)),
            (1, (1, 10)),
            (2, (2, 20)),
            (3, (2, 20)),
            (4, (4, 30)),
            (5, (5, 42)),
            (6, (-1, -1)),
        ];
        for (epoch, (e, end)) in table {
            assert_eq!(h.end_of(epoch, 42), EpochEnd { epoch: e, end_offset: end }, "epoch {epoch}");
        }
        assert_eq!(EpochHistory::default().end_of(0, 5), EpochEnd::UNDEFINED);
    }

    #[test]
    fn assigning_removes_what_contradicts() {
        type Pairs = &'static [(i32, i64)];
        let table: [(Pairs, Pairs); 5] = [
            (&[(0, 0), (0, 5)], &[(0, 0)]),
            (&[(0, 0), (2, 5), (1, 7)], &[(0, 0), (1, 7)]),
            (&[(0, 0), (1, 5), (2, 5)], &[(0, 0), (2, 5)]),
            (&[(0, 0), (1, 5), (2, 3)], &[(0, 0), (2, 3)]),
            (&[(3, 10), (3, 4)], &[(3, 4)]),
        ];
        for (assigned, expected) in table {
            assert_eq!(pairs(&history(assigned)), expected, "{assigned:?}");
        }
    }

    #[test]
    fn truncation_at_either_end_keeps_what_is_left_explained() {
        let full = history(&[(0, 0), (1, 10), (2, 20)]);
        let mut h = full.clone();
        assert!(h.truncate_from_end(20));
        assert_eq!(pairs(&h), [(0, 0), (1, 10)]);
        assert!(!h.truncate_from_end(11));
        let mut h = full.clone();
        assert!(h.truncate_from_start(15));
        assert_eq!(pairs(&h), [(1, 15), (2, 20)]);
        assert!(!h.truncate_from_start(15));
        let mut h = full;
        assert!(h.truncate_from_start(25));
        assert_eq!(pairs(&h), [(2, 25)]);
    }

    #[test]
    fn the_file_is_read_back_and_reads_as_kafka_writes_it() {
        let tmp = tempfile::tempdir().unwrap();
        let h = history(&[(0, 0), (3, 17)]);
        h.store(tmp.path(), Durable::Now).unwrap();
        assert_eq!(std::fs::read_to_string(tmp.path().join(FILE)).unwrap(), "0\n2\n0 0\n3 17\n");
        assert_eq!(EpochHistory::load(tmp.path()).unwrap(), h);
        std::fs::write(tmp.path().join(FILE), "1\n0\n").unwrap();
        assert!(EpochHistory::load(tmp.path()).is_err());
    }
}
