//! A follower's side of an incremental fetch session (KIP-227): the leader remembers what was asked, and only changes are sent.

use std::collections::BTreeMap;

use vltava_protocol::Uuid;

use crate::partitions::Position;

/// A partition's place in a request: topic and number.
pub(super) type Key = (std::sync::Arc<str>, i32);

/// What is asked of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// Where the follower stands.
    pub(super) position: Position,
    /// The leader epoch that it follows in.
    pub(super) leader_epoch: i32,
    /// The topic's id; zero where it has none.
    pub(super) topic_id: Uuid,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    known: BTreeMap<Key, Asked>,
}

/// What to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) session_id: i32,
    pub(super) session_epoch: i32,
    /// The partitions whose lines go along.
    pub(super) changed: Vec<(Key, Asked)>,
    /// Those that the leader is to forget.
    pub(super) forgotten: Vec<(Key, Uuid)>,
}

impl Session {
    /// The next request, by which `wanted` is what the leader looks at.
    pub(super) fn next(&mut self, wanted: BTreeMap<Key, Asked>) -> Next {
        let is_whole = self.id == 0;
        let changed = wanted
            .iter()
            .filter(|(key, asked)| is_whole || self.known.get(*key) != Some(asked))
            .map(|(key, asked)| (key.clone(), *asked))
            .collect();
        let forgotten = if is_whole {
            Vec::new()
        } else {
            let gone = self.known.iter().filter(|(key, _)| !wanted.contains_key(*key));
            gone.map(|(key, asked)| (key.clone(), asked.topic_id)).collect()
        };
        self.known = wanted;
        Next { session_id: self.id, session_epoch: self.epoch, changed, forgotten }
    }

    /// The leader answered, and calls the session `id`; 0 where it keeps none.
    pub(super) fn answered(&mut self, id: i32) {
        if id == 0 || (self.id != 0 && id != self.id) {
            return self.end();
        }
        self.id = id;
        // After the largest comes 1: 0 begins a new session.
        self.epoch = if self.epoch == i32::MAX { 1 } else { self.epoch + 1 };
    }

    /// The session is over: the next request names everything.
    pub(super) fn end(&mut self) {
        *self = Self::default();
    }

    /// What was asked of a partition in the last request.
    pub(super) fn asked(&self, key: &Key) -> Option<Asked> {
        self.known.get(key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: i64) -> Asked {
        Asked {
            position: Position { offset, last_epoch: 1, log_start: 0 },
            leader_epoch: 1,
            topic_id: Uuid::ZERO,
        }
    }

    fn wanted(all: &[(&str, i64)]) -> BTreeMap<Key, Asked> {
        all.iter().map(|(name, offset)| (((*name).into(), 0), at(*offset))).collect()
    }

    #[test]
    fn only_what_changed_goes_along() {
        let mut session = Session::default();
        let first = session.next(wanted(&[("a", 1), ("b", 2)]));
        assert_eq!((first.session_id, first.session_epoch, first.changed.len()), (0, 0, 2));
        session.answered(77);
        let second = session.next(wanted(&[("a", 1), ("b", 5), ("c", 0)]));
        assert_eq!((second.session_id, second.session_epoch), (77, 1));
        let names: Vec<&str> = second.changed.iter().map(|((name, _), _)| &**name).collect();
        assert_eq!((names, second.forgotten.len()), (vec!["b", "c"], 0));
        session.answered(77);
        let third = session.next(wanted(&[("b", 5)]));
        assert_eq!((third.session_epoch, third.changed.len(), third.forgotten.len()), (2, 0, 2));
        session.end();
        assert_eq!(session.next(wanted(&[("b", 5)])).changed.len(), 1);
    }

    #[test]
    fn a_leader_that_keeps_no_session_is_told_everything_each_time() {
        let mut session = Session::default();
        for _ in 0..3 {
            let next = session.next(wanted(&[("a", 1)]));
            assert_eq!((next.session_id, next.session_epoch, next.changed.len()), (0, 0, 1));
            session.answered(0);
        }
    }
}
