//! One session: the partitions a client asks for, in the order of their turn, and what it was last told of each.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use thiserror::Error;
use vltava_protocol::Uuid;

use super::{NO_SESSION, cache::FetchSessions, next_epoch};

/// A topic as the request named it: by name up to version 12, by id from 13 on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TopicRef {
    /// By name.
    Name(Arc<str>),
    /// By id.
    Id(Uuid),
}

/// One partition that a fetch wants, as its request or its session states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The topic.
    pub topic: TopicRef,
    /// The partition's number.
    pub partition: i32,
    /// From where.
    pub fetch_offset: i64,
    /// At most so many bytes of it, but for the first batch.
    pub max_bytes: i32,
    /// The leader epoch the client holds, -1 for none.
    pub current_leader_epoch: i32,
    /// The epoch of the last record the client has, -1 for none: asks whether the logs diverged (KIP-595).
    pub last_fetched_epoch: i32,
    /// The log start of a follower that fetches; -1 from a consumer.
    pub log_start_offset: i64,
}

/// What a response is going to say about one [`Wanted`] partition, as far as the session cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it carries records.
    pub has_records: bool,
    /// The high watermark told.
    pub high_watermark: i64,
    /// The log start offset told.
    pub log_start_offset: i64,
    /// Whether it carries an error.
    pub is_error: bool,
    /// Whether it carries something else that a client must see: a diverging epoch, a preferred read replica.
    pub is_notable: bool,
}

/// The session cannot serve this request; the whole response carries this error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionError {
    /// FETCH_SESSION_ID_NOT_FOUND: evicted, or of another life of this broker. The client begins anew with a full fetch.
    #[error("no fetch session has this id")]
    NotFound,
    /// INVALID_FETCH_SESSION_EPOCH: a request was lost, or sent twice.
    #[error("the fetch session's epoch is another")]
    WrongEpoch,
    /// FETCH_SESSION_TOPIC_ID_ERROR: the session names topics the other way.
    #[error("the fetch session names topics by {}", if *.0 { "id" } else { "name" })]
    TopicIds(bool),
}

/// One client's session.
#[derive(Debug)]
pub struct FetchSession {
    /// Unique among the sessions of this broker.
    pub id: i32,
    /// Whether it belongs to a follower: those are kept before consumers'.
    pub privileged: bool,
    uses_topic_ids: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    epoch: i32,
    /// By turn: who was served goes to the end, so that no partition starves behind a busy one.
    turns: BTreeMap<u64, Remembered>,
    places: HashMap<(TopicRef, i32), u64>,
    next_turn: u64,
}

#[derive(Debug)]
struct Remembered {
    wanted: Wanted,
    told_high_watermark: i64,
    told_log_start: i64,
}

impl State {
    fn want(&mut self, wanted: Wanted) -> u64 {
        let key = (wanted.topic.clone(), wanted.partition);
        if let Some(&turn) = self.places.get(&key)
            && let Some(known) = self.turns.get_mut(&turn)
        {
            known.wanted = wanted;
            return turn;
        }
        let turn = self.next_turn;
        self.next_turn += 1;
        self.places.insert(key, turn);
        self.turns.insert(turn, Remembered { wanted, told_high_watermark: -1, told_log_start: -1 });
        turn
    }

    fn forget(&mut self, topic: &TopicRef, partition: i32) {
        if let Some(turn) = self.places.remove(&(topic.clone(), partition)) {
            self.turns.remove(&turn);
        }
    }

    /// Notes what is told of a partition and answers whether an incremental response has to tell it.
    fn tell(&mut self, turn: u64, outcome: Outcome) -> bool {
        let Some(known) = self.turns.get_mut(&turn) else { return false };
        let is_news = outcome.has_records
            || outcome.is_error
            || outcome.is_notable
            || known.told_high_watermark != outcome.high_watermark
            || known.told_log_start != outcome.log_start_offset;
        // After an error the client must be told again once it is over, whatever the numbers are by then.
        known.told_high_watermark = if outcome.is_error { -1 } else { outcome.high_watermark };
        known.told_log_start = outcome.log_start_offset;
        if outcome.has_records {
            self.move_to_end(turn);
        }
        is_news
    }

    fn move_to_end(&mut self, turn: u64) {
        if let Some(served) = self.turns.remove(&turn) {
            let last = self.next_turn;
            self.next_turn += 1;
            self.places.insert((served.wanted.topic.clone(), served.wanted.partition), last);
            self.turns.insert(last, served);
        }
    }
}

impl FetchSession {
    /// A session that begins with what a full fetch wanted and was told.
    pub(super) fn new(id: i32, privileged: bool, uses_topic_ids: bool, told: &[(Wanted, Outcome)]) -> Self {
        let mut state = State { epoch: next_epoch(super::INITIAL_EPOCH), ..State::default() };
        for (wanted, outcome) in told {
            let turn = state.want(wanted.clone());
            state.tell(turn, *outcome);
        }
        Self { id, privileged, uses_topic_ids, state: Mutex::new(state) }
    }

    /// How many partitions it remembers.
    pub fn size(&self) -> usize {
        self.state.lock().turns.len()
    }

    /// Takes a request of `epoch`: what it changed is remembered, and everything that is wanted now comes back in order of turn.
    pub(super) fn advance(
        &self,
        epoch: i32,
        uses_topic_ids: bool,
        changed: Vec<Wanted>,
        forgotten: &[(TopicRef, i32)],
    ) -> Result<Vec<(u64, Wanted)>, SessionError> {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return Err(SessionError::WrongEpoch);
        }
        if self.uses_topic_ids != uses_topic_ids {
            return Err(SessionError::TopicIds(self.uses_topic_ids));
        }
        for wanted in changed {
            state.want(wanted);
        }
        for (topic, partition) in forgotten {
            state.forget(topic, *partition);
        }
        state.epoch = next_epoch(epoch);
        Ok(state.turns.iter().map(|(turn, known)| (*turn, known.wanted.clone())).collect())
    }

    /// Which of the outcomes an incremental response tells; an error if another request overtook this one meanwhile.
    fn tell(
        &self,
        request_epoch: i32,
        turns: &[u64],
        outcomes: &[Outcome],
    ) -> Result<Vec<bool>, SessionError> {
        let mut state = self.state.lock();
        if state.epoch != next_epoch(request_epoch) {
            return Err(SessionError::WrongEpoch);
        }
        Ok(turns.iter().zip(outcomes).map(|(turn, outcome)| state.tell(*turn, *outcome)).collect())
    }
}

/// A fetch on its way: what it wants, and what to do with the session when it is answered.
#[derive(Debug)]
pub struct Fetching {
    /// What to read, in this order.
    pub wanted: Vec<Wanted>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sessionless,
    Full { privileged: bool, uses_topic_ids: bool },
    Incremental { session: Arc<FetchSession>, epoch: i32, turns: Vec<u64> },
}

impl Fetching {
    pub(super) fn sessionless(wanted: Vec<Wanted>) -> Self {
        Self { wanted, kind: Kind::Sessionless }
    }

    pub(super) fn full(wanted: Vec<Wanted>, privileged: bool, uses_topic_ids: bool) -> Self {
        Self { wanted, kind: Kind::Full { privileged, uses_topic_ids } }
    }

    pub(super) fn incremental(session: Arc<FetchSession>, epoch: i32, turns: Vec<(u64, Wanted)>) -> Self {
        let (turns, wanted) = turns.into_iter().unzip();
        Self { wanted, kind: Kind::Incremental { session, epoch, turns } }
    }

    /// Settles what the response says: its session id, and for each of [`Self::wanted`] whether it appears. `outcomes` are in the order of `wanted`.
    pub fn finish(
        self,
        sessions: &FetchSessions,
        outcomes: &[Outcome],
        now: i64,
    ) -> Result<(i32, Option<Vec<bool>>), SessionError> {
        match self.kind {
            Kind::Sessionless => Ok((NO_SESSION, None)),
            Kind::Full { privileged, uses_topic_ids } => {
                let told: Vec<_> = self.wanted.into_iter().zip(outcomes.iter().copied()).collect();
                Ok((sessions.create(privileged, uses_topic_ids, &told, now), None))
            }
            Kind::Incremental { session, epoch, turns } => {
                session.tell(epoch, &turns, outcomes).map(|news| (session.id, Some(news)))
            }
        }
    }
}
