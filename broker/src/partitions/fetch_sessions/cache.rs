//! The bounded cache of sessions, and who has to go when it is full.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    FINAL_EPOCH, INITIAL_EPOCH, NO_SESSION,
    session::{FetchSession, Fetching, Outcome, SessionError, TopicRef, Wanted},
};

/// The bounds of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `max.incremental.fetch.session.cache.slots`; 0 turns sessions off.
    pub slots: usize,
    /// `min.incremental.fetch.session.eviction.ms`: how long a session is safe from a better one.
    pub eviction_ms: i64,
    /// How many partitions all sessions remember together. Kafka has no such limit: there a session is as large as its requests.
    pub partitions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { slots: 1_000, eviction_ms: 120_000, partitions: 500_000 }
    }
}

/// All sessions of this broker.
#[derive(Debug, Default)]
pub struct FetchSessions {
    limits: Limits,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    sessions: HashMap<i32, Entry>,
    partitions: usize,
    evictions: u64,
}

#[derive(Debug)]
struct Entry {
    session: Arc<FetchSession>,
    created_at: i64,
    used_at: i64,
    size: usize,
}

impl Entry {
    /// What is worth least goes first: a consumer's before a follower's, then the smaller.
    fn worth(&self) -> (bool, usize, i32) {
        (self.session.privileged, self.size, self.session.id)
    }
}

impl Cache {
    fn remove(&mut self, id: i32) {
        if let Some(gone) = self.sessions.remove(&id) {
            self.partitions -= gone.size;
        }
    }

    /// Makes room for a newcomer, in slots and in partitions, if enough others have to give way to it: first who has been silent for the
    /// eviction time, then who had its time and is worth less; to a follower any consumer gives way. If that is not enough, nobody goes.
    /// One walk over the cache, which only a full cache pays for a new session.
    fn make_room(&mut self, limits: Limits, privileged: bool, size: usize, now: i64) -> bool {
        let fits = |sessions: usize, partitions: usize| {
            sessions < limits.slots && partitions.saturating_add(size) <= limits.partitions
        };
        let (mut sessions, mut partitions) = (self.sessions.len(), self.partitions);
        if fits(sessions, partitions) {
            return true;
        }
        if !fits(0, 0) {
            return false;
        }
        let turn = |entry: &Entry| {
            let (silent, worth) = (now - entry.used_at > limits.eviction_ms, entry.worth());
            if silent {
                return Some(Reverse((0, entry.used_at, worth)));
            }
            let had_its_time =
                now - entry.created_at > limits.eviction_ms || (privileged && !entry.session.privileged);
            (had_its_time && (privileged, size, 0) >= worth).then_some(Reverse((1, 0, worth)))
        };
        let mut in_turn: BinaryHeap<_> = self.sessions.values().filter_map(turn).collect();
        let mut losers = Vec::new();
        while !fits(sessions, partitions) {
            let Some(Reverse((_, _, (_, size, id)))) = in_turn.pop() else { return false };
            sessions -= 1;
            partitions -= size;
            losers.push(id);
        }
        for id in losers {
            self.remove(id);
            self.evictions += 1;
        }
        true
    }

    /// A session was used and remembers `size` partitions now. One for whose growth there is no room goes: this request is still answered,
    /// and the client's next begins anew.
    fn used(&mut self, limits: Limits, id: i32, size: usize, now: i64) {
        let Some(entry) = self.sessions.get_mut(&id) else { return };
        entry.used_at = now;
        let others = self.partitions - entry.size;
        if size <= entry.size || others + size <= limits.partitions {
            self.partitions = others + size;
            entry.size = size;
            return;
        }
        let Some(mut entry) = self.sessions.remove(&id) else { return };
        self.partitions = others;
        entry.size = size;
        if self.make_room(limits, entry.session.privileged, size, now) {
            self.partitions += size;
            self.sessions.insert(id, entry);
        } else {
            self.evictions += 1;
        }
    }
}

impl FetchSessions {
    /// An empty cache.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: Mutex::default() }
    }

    /// Takes the session part of a Fetch request: `id` and `epoch` as sent, `requested` and `forgotten` partitions, whether a follower asks
    /// (`privileged`) and whether the version names topics by id. `now` is of a clock that nobody sets, here and in the others.
    #[expect(clippy::too_many_arguments, reason = "the fields of one request")]
    pub fn begin(
        &self,
        id: i32,
        epoch: i32,
        requested: Vec<Wanted>,
        forgotten: &[(TopicRef, i32)],
        privileged: bool,
        uses_topic_ids: bool,
        now: i64,
    ) -> Result<Fetching, SessionError> {
        if epoch == INITIAL_EPOCH || epoch == FINAL_EPOCH {
            if id != NO_SESSION {
                self.cache.lock().remove(id);
            }
            return Ok(if epoch == FINAL_EPOCH {
                Fetching::sessionless(requested)
            } else {
                Fetching::full(requested, privileged, uses_topic_ids)
            });
        }
        let session = match self.cache.lock().sessions.get(&id) {
            Some(entry) => entry.session.clone(),
            None => return Err(SessionError::NotFound),
        };
        let wanted = session.advance(epoch, uses_topic_ids, requested, forgotten)?;
        let mut cache = self.cache.lock();
        if wanted.is_empty() {
            // A session that wants nothing any more is over.
            cache.remove(id);
            return Ok(Fetching::sessionless(Vec::new()));
        }
        cache.used(self.limits, id, wanted.len(), now);
        Ok(Fetching::incremental(session, epoch, wanted))
    }

    /// Remembers a full fetch as a session, if there is room for it; answers its id, or 0.
    pub(super) fn create(
        &self,
        privileged: bool,
        uses_topic_ids: bool,
        told: &[(Wanted, Outcome)],
        now: i64,
    ) -> i32 {
        let mut cache = self.cache.lock();
        if self.limits.slots == 0
            || told.is_empty()
            || !cache.make_room(self.limits, privileged, told.len(), now)
        {
            return NO_SESSION;
        }
        let id = loop {
            let id = rand::random_range(1..=i32::MAX);
            if !cache.sessions.contains_key(&id) {
                break id;
            }
        };
        let session = Arc::new(FetchSession::new(id, privileged, uses_topic_ids, told));
        let size = session.size();
        cache.sessions.insert(id, Entry { session, created_at: now, used_at: now, size });
        cache.partitions += size;
        id
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.cache.lock().sessions.len()
    }

    /// How many partitions all sessions remember together.
    pub fn partitions(&self) -> usize {
        self.cache.lock().partitions
    }

    /// How many sessions had to give way.
    pub fn evictions(&self) -> u64 {
        self.cache.lock().evictions
    }
}
