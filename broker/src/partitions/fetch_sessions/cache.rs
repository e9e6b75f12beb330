//! The bounded cache of sessions, and who has to go when it is full.

use std::{collections::HashMap, sync::Arc};

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
}

impl Default for Limits {
    fn default() -> Self {
        Self { slots: 1_000, eviction_ms: 120_000 }
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

    /// Makes room for a newcomer, if somebody has to give way to it: first whoever has been silent for the eviction time, then whoever had its
    /// time and is worth less; to a follower any consumer gives way. One walk over the cache, which only a full cache pays for a new session.
    fn make_room(&mut self, limits: Limits, privileged: bool, size: usize, now: i64) -> bool {
        if self.sessions.len() < limits.slots {
            return true;
        }
        let silent = self
            .sessions
            .values()
            .min_by_key(|entry| entry.used_at)
            .filter(|entry| now - entry.used_at > limits.eviction_ms)
            .map(|entry| entry.session.id);
        let outbid = || {
            self.sessions
                .values()
                .filter(|entry| {
                    now - entry.created_at > limits.eviction_ms || (privileged && !entry.session.privileged)
                })
                .map(Entry::worth)
                .min()
                .filter(|worth| (privileged, size, 0) >= *worth)
                .map(|(_, _, id)| id)
        };
        let Some(loser) = silent.or_else(outbid) else { return false };
        self.remove(loser);
        self.evictions += 1;
        true
    }
}

impl FetchSessions {
    /// An empty cache.
    pub fn new(limits: Limits) -> Self {
        Self { limits, cache: Mutex::default() }
    }

    /// Takes the session part of a Fetch request: `id` and `epoch` as sent, `requested` and `forgotten` partitions, whether a follower asks
    /// (`privileged`) and whether the version names topics by id.
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
        let cache = &mut *cache;
        if let Some(entry) = cache.sessions.get_mut(&id) {
            cache.partitions = cache.partitions + wanted.len() - entry.size;
            entry.size = wanted.len();
            entry.used_at = now;
        }
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
