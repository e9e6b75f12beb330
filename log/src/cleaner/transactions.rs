//! Which transactions the cleaner is in, as it passes over batches in their order: what was aborted goes, and a marker goes when nothing of its
//! transaction is left.

use std::collections::{HashMap, HashSet};

use vltava_protocol::records::{BatchHeader, EndTxnMarker};

use crate::txn_index::AbortedTxn;

/// The transactions of one pass. A pass may begin in the midst of some: what it has not seen of them is not there any more.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    /// Not begun yet, the first last.
    coming: Vec<AbortedTxn>,
    /// Begun, by producer; and whether a batch of it was seen.
    aborted: HashMap<i64, (AbortedTxn, bool)>,
    /// Producers of whose present transaction, which is not aborted, a batch was seen.
    committed: HashSet<i64>,
}

/// What a marker ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Nothing that is left: the marker may go.
    Nothing,
    /// A transaction of which there are batches.
    Present,
    /// An aborted one of which there were batches until now; readers need to know of it as long as there may be others.
    Aborted(AbortedTxn),
}

impl Transactions {
    /// Notes aborted transactions that have records in what comes.
    pub(crate) fn add_aborted(&mut self, aborted: impl IntoIterator<Item = AbortedTxn>) {
        for txn in aborted {
            let is_known = self.coming.contains(&txn)
                || self.aborted.get(&txn.producer_id).is_some_and(|(known, _)| *known == txn);
            if !is_known {
                self.coming.push(txn);
            }
        }
        self.coming.sort_unstable_by_key(|txn| std::cmp::Reverse(txn.first_offset));
    }

    /// A batch of records: whether its transaction was aborted.
    pub(crate) fn is_aborted(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.attributes.is_transactional() {
            return false;
        }
        match self.aborted.get_mut(&header.producer_id) {
            Some((_, is_seen)) => {
                *is_seen = true;
                true
            }
            None => {
                self.committed.insert(header.producer_id);
                false
            }
        }
    }

    /// A control batch, and the marker in it: what that ends.
    pub(crate) fn end(&mut self, header: &BatchHeader, marker: Option<EndTxnMarker>) -> Ended {
        self.begin_up_to(header.last_offset());
        match marker {
            // One that was emptied before.
            None if header.count == 0 => Ended::Nothing,
            // Another kind of control record is none of ours.
            None => Ended::Present,
            Some(EndTxnMarker { committed: true, .. }) => {
                if self.committed.remove(&header.producer_id) {
                    Ended::Present
                } else {
                    Ended::Nothing
                }
            }
            Some(EndTxnMarker { committed: false, .. }) => match self.aborted.remove(&header.producer_id) {
                Some((txn, true)) => Ended::Aborted(txn),
                _ => Ended::Nothing,
            },
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(txn) = self.coming.pop_if(|txn| txn.first_offset <= offset) {
            self.aborted.insert(txn.producer_id, (txn, false));
        }
    }
}

#[cfg(test)]
mod tests {
    use vltava_protocol::records::{Attributes, BatchBuilder, BatchOptions};

    use super::*;

    fn header(base_offset: i64, producer_id: i64) -> BatchHeader {
        let options =
            BatchOptions { base_offset, producer_id, transactional: true, ..BatchOptions::default() };
        let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
        builder.append(0, Some(b"k"), None, &[]).unwrap();
        builder.finish().unwrap().1
    }

    fn control(base_offset: i64, producer_id: i64) -> BatchHeader {
        let header = header(base_offset, producer_id);
        BatchHeader { attributes: Attributes(header.attributes.0).with_control(true), ..header }
    }

    #[test]
    fn markers_go_when_nothing_is_left_of_their_transactions() {
        let aborted =
            AbortedTxn { producer_id: 7, first_offset: 10, last_offset: 13, last_stable_offset: 14 };
        let marker = |committed| Some(EndTxnMarker { committed, coordinator_epoch: 0 });
        let mut passing = Transactions::default();
        passing.add_aborted([aborted, aborted]);
        assert!(!passing.is_aborted(&header(5, 7)), "an earlier transaction, which was committed");
        assert_eq!(passing.end(&control(6, 7), marker(true)), Ended::Present);
        assert_eq!(passing.end(&control(7, 8), marker(true)), Ended::Nothing, "nothing is left of it");
        assert!(passing.is_aborted(&header(10, 7)));
        assert!(!passing.is_aborted(&header(11, 9)), "another's in between");
        assert_eq!(passing.end(&control(13, 7), marker(false)), Ended::Aborted(aborted));
        assert_eq!(passing.end(&control(20, 7), marker(false)), Ended::Nothing);
        assert_eq!(passing.end(&BatchHeader { count: 0, ..control(21, 7) }, None), Ended::Nothing);
        assert_eq!(passing.end(&control(22, 7), None), Ended::Present, "a kind that is not known");
    }
}
