//! Ids that were given out by MEMBER_ID_REQUIRED (KIP-394), until their clients come back with them.

use std::collections::VecDeque;

/// How many a group keeps. A client comes back within one round trip, so even thousands that start together find theirs; one that does not is told
/// UNKNOWN_MEMBER_ID and asks for another. Without a bound anybody could fill the memory: an id may wait for half an hour.
const KEPT: usize = 1_000;

/// The promised ids of a group and when they lapse, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct Promises(VecDeque<(String, i64)>);

impl Promises {
    /// Promises an id; the oldest promise makes room.
    pub(super) fn give(&mut self, id: String, lapses_at: i64) {
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back((id, lapses_at));
    }

    /// Takes a promise back, since its client came or left. Whether there was one.
    pub(super) fn redeem(&mut self, id: &str) -> bool {
        let found = self.0.iter().position(|(promised, _)| promised == id);
        found.and_then(|at| self.0.remove(at)).is_some()
    }

    /// Forgets those whose time is up.
    pub(super) fn lapse(&mut self, now: i64) {
        self.0.retain(|(_, lapses_at)| *lapses_at > now);
    }

    /// When the next one lapses.
    pub(super) fn next_lapse(&self) -> Option<i64> {
        self.0.iter().map(|(_, lapses_at)| *lapses_at).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0 = VecDeque::new();
    }
}
