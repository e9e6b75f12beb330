//! What a log knows of idempotent and transactional producers (KIP-98, KIP-360): their last five batches, their epochs,
//! their open transactions.
//!
//! Kept in memory for every producer that wrote within `producer.id.expiration.ms`; written to `.snapshot` files when a
//! segment is rolled and when the log is closed ([`snapshot`](crate::snapshot)).

use std::collections::{BTreeMap, HashMap, VecDeque};

use vltava_protocol::records::{
    BatchHeader, EndTxnMarker, NO_PRODUCER_EPOCH, NO_SEQUENCE, increment_sequence,
};

use crate::error::AppendError;

/// Batches remembered of each producer: so many may be in flight.
pub(crate) const REMEMBERED_BATCHES: usize = 5;

/// A batch as it is remembered to recognise it when it is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RememberedBatch {
    /// Sequence of the last record.
    pub last_sequence: i32,
    /// Offset of the last record.
    pub last_offset: i64,
    /// Last offset less first.
    pub offset_delta: i32,
    /// The batch's largest timestamp, milliseconds.
    pub timestamp: i64,
}

impl RememberedBatch {
    /// Sequence of the first record.
    pub fn first_sequence(&self) -> i32 {
        let first = i64::from(self.last_sequence) - i64::from(self.offset_delta);
        // Sequences wrap after `i32::MAX` to 0.
        (if first < 0 { first + i64::from(i32::MAX) + 1 } else { first }) as i32
    }

    /// Offset of the first record.
    pub fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// One producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerEntry {
    /// The producer's id.
    pub producer_id: i64,
    /// Its current epoch.
    pub epoch: i16,
    /// Epoch of the coordinator that wrote the last marker; -1 before the first.
    pub coordinator_epoch: i32,
    /// When it last wrote, milliseconds.
    pub last_timestamp: i64,
    /// The first offset of its open transaction.
    pub txn_first_offset: Option<i64>,
    /// Its latest batches of this epoch, oldest first; at most five.
    pub batches: VecDeque<RememberedBatch>,
}

impl ProducerEntry {
    fn new(producer_id: i64) -> Self {
        Self {
            producer_id,
            epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: -1,
            txn_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    /// Sequence of the last record; -1 where no batch of this epoch is known.
    pub fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    /// Offset of the last record; -1 where no batch of this epoch is known.
    pub fn last_offset(&self) -> i64 {
        self.batches.back().map_or(-1, |batch| batch.last_offset)
    }

    fn move_to_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    fn remember(&mut self, batch: RememberedBatch) {
        if self.batches.len() == REMEMBERED_BATCHES {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }
}

/// A transaction that its marker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompletedTxn {
    pub(crate) producer_id: i64,
    pub(crate) first_offset: i64,
    /// The marker's offset.
    pub(crate) last_offset: i64,
    pub(crate) aborted: bool,
}

/// All producers of one log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Producers {
    by_id: HashMap<i64, ProducerEntry>,
    /// First offsets of open transactions, and whose they are.
    open: BTreeMap<i64, i64>,
}

impl Producers {
    pub(crate) fn entry(&self, producer_id: i64) -> Option<&ProducerEntry> {
        self.by_id.get(&producer_id)
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = &ProducerEntry> {
        self.by_id.values()
    }

    /// The first offset of the oldest open transaction.
    pub(crate) fn first_open(&self) -> Option<i64> {
        self.open.keys().next().copied()
    }

    /// The first offset of the oldest open transaction that is not this producer's.
    pub(crate) fn first_open_of_others(&self, producer_id: i64) -> Option<i64> {
        self.open.iter().find(|(_, id)| **id != producer_id).map(|(first, _)| *first)
    }

    /// Takes over an entry from a snapshot.
    pub(crate) fn load(&mut self, entry: ProducerEntry) {
        if let Some(first) = entry.txn_first_offset {
            self.open.insert(first, entry.producer_id);
        }
        self.by_id.insert(entry.producer_id, entry);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The remembered batch of which this one is a repetition.
    pub(crate) fn duplicate_of(&self, header: &BatchHeader) -> Option<RememberedBatch> {
        let entry =
            self.by_id.get(&header.producer_id).filter(|entry| entry.epoch == header.producer_epoch)?;
        let last = header.last_sequence();
        entry
            .batches
            .iter()
            .find(|batch| batch.last_sequence == last && batch.first_sequence() == header.base_sequence)
            .copied()
    }

    /// Checks a batch that would be appended at `offset`, after the `earlier` batches of the same append.
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        marker: Option<EndTxnMarker>,
        offset: i64,
        earlier: Option<&ProducerEntry>,
    ) -> Result<(), AppendError> {
        let producer_id = header.producer_id;
        let Some(entry) = earlier.or_else(|| self.by_id.get(&producer_id)) else { return Ok(()) };
        if header.producer_epoch < entry.epoch {
            return Err(AppendError::InvalidProducerEpoch {
                producer_id,
                offset,
                epoch: header.producer_epoch,
                current: entry.epoch,
            });
        }
        if let Some(marker) = marker {
            if marker.coordinator_epoch < entry.coordinator_epoch {
                return Err(AppendError::CoordinatorFenced {
                    producer_id,
                    offset,
                    epoch: marker.coordinator_epoch,
                    current: entry.coordinator_epoch,
                });
            }
            return Ok(());
        }
        if header.base_sequence != NO_SEQUENCE {
            check_sequence(entry, header, offset)?;
        }
        if entry.txn_first_offset.is_some() && !header.attributes.is_transactional() {
            return Err(AppendError::InvalidTxnState { producer_id, offset });
        }
        Ok(())
    }

    /// Takes an appended batch into account. Answers the transaction that it ended, if it did.
    pub(crate) fn update(
        &mut self,
        header: &BatchHeader,
        marker: Option<EndTxnMarker>,
        base_offset: i64,
    ) -> Option<CompletedTxn> {
        let last_offset = base_offset + i64::from(header.last_offset_delta);
        let producer_id = header.producer_id;
        let entry = self.by_id.entry(producer_id).or_insert_with(|| ProducerEntry::new(producer_id));
        entry.move_to_epoch(header.producer_epoch);
        entry.last_timestamp = header.max_timestamp;
        if let Some(marker) = marker {
            entry.coordinator_epoch = marker.coordinator_epoch;
            let first_offset = entry.txn_first_offset.take()?;
            return Some(CompletedTxn { producer_id, first_offset, last_offset, aborted: !marker.committed });
        }
        if header.attributes.is_control() {
            return None;
        }
        if header.base_sequence != NO_SEQUENCE {
            entry.remember(RememberedBatch {
                last_sequence: header.last_sequence(),
                last_offset,
                offset_delta: header.last_offset_delta,
                timestamp: header.max_timestamp,
            });
        }
        if header.attributes.is_transactional() && entry.txn_first_offset.is_none() {
            entry.txn_first_offset = Some(base_offset);
            self.open.insert(base_offset, producer_id);
        }
        None
    }

    /// The entry as it would be after `header`, for checking the next batch of the same append.
    pub(crate) fn after(
        &self,
        header: &BatchHeader,
        base_offset: i64,
        earlier: Option<ProducerEntry>,
    ) -> ProducerEntry {
        let mut scratch = Self::default();
        if let Some(entry) = earlier.or_else(|| self.by_id.get(&header.producer_id).cloned()) {
            scratch.by_id.insert(entry.producer_id, entry);
        }
        scratch.update(header, None, base_offset);
        scratch.by_id.remove(&header.producer_id).unwrap_or_else(|| ProducerEntry::new(header.producer_id))
    }

    /// Closes a completed transaction; what it held back is now held back by replication alone.
    pub(crate) fn complete(&mut self, txn: &CompletedTxn) {
        self.open.remove(&txn.first_offset);
    }

    /// Those producers as they are now, unknown ones too, to be [put back](Self::put_back).
    pub(crate) fn of(&self, ids: impl Iterator<Item = i64>) -> Vec<(i64, Option<ProducerEntry>)> {
        ids.map(|id| (id, self.by_id.get(&id).cloned())).collect()
    }

    /// Makes the producers what they were.
    pub(crate) fn put_back(&mut self, earlier: Vec<(i64, Option<ProducerEntry>)>) {
        for (id, entry) in earlier {
            self.open.retain(|_, owner| *owner != id);
            self.by_id.remove(&id);
            if let Some(entry) = entry {
                self.load(entry);
            }
        }
    }

    /// Forgets producers that wrote nothing for `expiration_ms` and have no transaction open. Returns how many went.
    pub(crate) fn expire(&mut self, now: i64, expiration_ms: i64) -> usize {
        let before = self.by_id.len();
        self.by_id.retain(|_, entry| !is_expired(entry, now, expiration_ms));
        before - self.by_id.len()
    }
}

pub(crate) fn is_expired(entry: &ProducerEntry, now: i64, expiration_ms: i64) -> bool {
    entry.txn_first_offset.is_none() && now.saturating_sub(entry.last_timestamp) >= expiration_ms
}

/// A producer that is not known, or known only by its markers' epoch, may begin anywhere (KIP-360): its state may have been
/// lost with retention. A known one continues where it stopped; in a new epoch it begins with 0.
fn check_sequence(entry: &ProducerEntry, header: &BatchHeader, offset: i64) -> Result<(), AppendError> {
    let out_of_order = |expected| AppendError::OutOfOrderSequence {
        producer_id: header.producer_id,
        epoch: header.producer_epoch,
        offset,
        sequence: header.base_sequence,
        expected,
    };
    if entry.epoch == NO_PRODUCER_EPOCH {
        return Ok(());
    }
    if header.producer_epoch != entry.epoch {
        return if header.base_sequence == 0 { Ok(()) } else { Err(out_of_order(0)) };
    }
    let last = entry.last_sequence();
    let expected = if last == NO_SEQUENCE { 0 } else { increment_sequence(last, 1) };
    if header.base_sequence == expected { Ok(()) } else { Err(out_of_order(expected)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vltava_protocol::records::Attributes;

    fn header(
        producer_id: i64,
        epoch: i16,
        sequence: i32,
        count: i32,
        attributes: Attributes,
    ) -> BatchHeader {
        BatchHeader {
            base_offset: 0,
            length: 100,
            leader_epoch: 0,
            crc: 0,
            attributes,
            last_offset_delta: count - 1,
            base_timestamp: 0,
            max_timestamp: 1000,
            producer_id,
            producer_epoch: epoch,
            base_sequence: sequence,
            count,
        }
    }

    fn plain(sequence: i32, count: i32) -> BatchHeader {
        header(7, 0, sequence, count, Attributes(0))
    }

    #[test]
    fn producers_are_put_back_with_their_transactions() {
        let transactional = |id, sequence| header(id, 0, sequence, 1, Attributes(0).with_transactional(true));
        let mut producers = Producers::default();
        producers.update(&transactional(7, 0), None, 3);
        producers.update(&transactional(8, 0), None, 4);
        let (earlier, before) = (producers.of([7, 9].into_iter()), producers.clone());
        let abort = EndTxnMarker { committed: false, coordinator_epoch: 0 };
        let done = producers.update(&header(7, 0, -1, 1, Attributes(0)), Some(abort), 5).unwrap();
        producers.complete(&done);
        producers.update(&transactional(9, 0), None, 6);
        assert_eq!(producers.first_open(), Some(4));
        producers.put_back(earlier);
        assert_eq!(producers.first_open(), Some(3));
        assert_eq!((&producers.by_id, &producers.open), (&before.by_id, &before.open));
    }

    #[test]
    fn the_last_five_batches_are_recognised_when_sent_again() {
        let mut producers = Producers::default();
        for i in 0..7 {
            let batch = plain(i * 3, 3);
            producers.check(&batch, None, i64::from(i) * 3, None).unwrap();
            producers.update(&batch, None, i64::from(i) * 3);
        }
        for i in 0..7 {
            let found = producers.duplicate_of(&plain(i * 3, 3));
            assert_eq!(found.map(|b| b.first_offset()), (i >= 2).then_some(i64::from(i) * 3), "batch {i}");
        }
        assert_eq!(producers.duplicate_of(&plain(18, 2)), None);
    }

    #[test]
    fn sequences_follow_each_other_within_an_epoch() {
        let mut producers = Producers::default();
        // Unknown: any sequence.
        producers.check(&plain(40, 2), None, 0, None).unwrap();
        producers.update(&plain(40, 2), None, 0);
        for (batch, ok) in [
            (plain(42, 1), true),
            (plain(43, 1), false),
            (plain(0, 1), false),
            (header(7, 1, 0, 1, Attributes(0)), true),
            (header(7, 1, 42, 1, Attributes(0)), false),
            (header(8, 0, 9, 1, Attributes(0)), true),
        ] {
            let answer = producers.check(&batch, None, 2, None);
            assert_eq!(answer.is_ok(), ok, "{batch:?}: {answer:?}");
        }
        producers.update(&header(7, 1, 0, 1, Attributes(0)), None, 2);
        assert!(matches!(
            producers.check(&plain(42, 1), None, 3, None),
            Err(AppendError::InvalidProducerEpoch { epoch: 0, current: 1, .. })
        ));
    }

    #[test]
    fn sequences_wrap_after_the_largest() {
        let mut producers = Producers::default();
        let batch = plain(i32::MAX - 1, 4);
        producers.update(&batch, None, 100);
        assert_eq!(producers.entry(7).map(ProducerEntry::last_sequence), Some(1));
        assert_eq!(producers.duplicate_of(&batch).map(|b| b.first_offset()), Some(100));
        producers.check(&plain(2, 1), None, 104, None).unwrap();
    }

    #[test]
    fn a_marker_ends_the_transaction_and_fences_older_coordinators() {
        let transactional = Attributes(0).with_transactional(true);
        let control = transactional.with_control(true);
        let mut producers = Producers::default();
        producers.update(&header(7, 0, 0, 2, transactional), None, 10);
        producers.update(&header(7, 0, 2, 1, transactional), None, 12);
        assert_eq!(producers.first_open(), Some(10));
        assert!(matches!(
            producers.check(&plain(3, 1), None, 13, None),
            Err(AppendError::InvalidTxnState { .. })
        ));
        let marker = EndTxnMarker { committed: false, coordinator_epoch: 5 };
        let batch = header(7, 0, NO_SEQUENCE, 1, control);
        producers.check(&batch, Some(marker), 13, None).unwrap();
        let done = producers.update(&batch, Some(marker), 13).unwrap();
        assert_eq!(done, CompletedTxn { producer_id: 7, first_offset: 10, last_offset: 13, aborted: true });
        producers.complete(&done);
        assert_eq!(producers.first_open(), None);
        let zombie = EndTxnMarker { committed: true, coordinator_epoch: 4 };
        assert!(matches!(
            producers.check(&batch, Some(zombie), 14, None),
            Err(AppendError::CoordinatorFenced { epoch: 4, current: 5, .. })
        ));
        // The sequence goes on after the marker.
        producers.check(&header(7, 0, 3, 1, transactional), None, 14, None).unwrap();
    }

    #[test]
    fn a_silent_producer_is_forgotten_unless_its_transaction_is_open() {
        let mut producers = Producers::default();
        producers.update(&plain(0, 1), None, 0);
        producers.update(&header(8, 0, 0, 1, Attributes(0).with_transactional(true)), None, 1);
        assert_eq!(producers.expire(1999, 1000), 0);
        assert_eq!(producers.expire(2000, 1000), 1);
        assert!(producers.entry(7).is_none() && producers.entry(8).is_some());
    }
}
