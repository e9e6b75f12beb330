//! Sessions: who lives until when. Pure: time is passed in, in milliseconds of any clock that only goes forward.
//!
//! Deadlines are rounded up to the next tick, so that keeping a session alive moves it at most once a tick, as in Apache.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::watches::ConnectionId;

#[derive(Debug)]
struct Session {
    timeout: i32,
    deadline: i64,
    closing: bool,
    connection: Option<ConnectionId>,
}

/// All sessions.
#[derive(Debug)]
pub struct Sessions {
    sessions: HashMap<i64, Session>,
    deadlines: BTreeMap<i64, BTreeSet<i64>>,
    tick: i64,
    next_id: i64,
}

impl Sessions {
    /// No session yet. `tick`: the granularity of expiry, in milliseconds. `seed`: milliseconds of Unix time, from which ids start.
    #[must_use]
    pub fn new(tick: i32, seed: i64) -> Sessions {
        // The layout of Apache's ids with server number 0: 40 bits of time, then 16 of counter.
        let next_id = ((seed << 24) as u64 >> 8) as i64;
        Sessions {
            sessions: HashMap::new(),
            deadlines: BTreeMap::new(),
            tick: i64::from(tick.max(1)),
            next_id,
        }
    }

    /// An id that no session has.
    pub fn new_id(&mut self) -> i64 {
        loop {
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
            if id != 0 && !self.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Starts to track a session, or takes it as living with a new time-out in milliseconds.
    pub fn track(&mut self, id: i64, timeout: i32, now: i64) {
        self.sessions
            .entry(id)
            .or_insert(Session { timeout, deadline: i64::MIN, closing: false, connection: None })
            .timeout = timeout;
        self.touch(id, now);
    }

    /// The session gave a sign of life. Says whether it is one that lives.
    pub fn touch(&mut self, id: i64, now: i64) -> bool {
        let Some(session) = self.sessions.get_mut(&id).filter(|session| !session.closing) else {
            return false;
        };
        let deadline = (now.saturating_add(i64::from(session.timeout)) / self.tick + 1) * self.tick;
        if deadline > session.deadline {
            remove_deadline(&mut self.deadlines, session.deadline, id);
            session.deadline = deadline;
            self.deadlines.entry(deadline).or_default().insert(id);
        }
        true
    }

    /// Sessions whose time is over; they are closing from now on.
    pub fn expire(&mut self, now: i64) -> Vec<i64> {
        let mut expired = Vec::new();
        while let Some(entry) = self.deadlines.first_entry().filter(|entry| *entry.key() <= now) {
            expired.extend(entry.remove());
        }
        for id in &expired {
            if let Some(session) = self.sessions.get_mut(id) {
                session.closing = true;
            }
        }
        expired
    }

    /// The session will be closed: from now on it is refused.
    pub fn set_closing(&mut self, id: i64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.closing = true;
            remove_deadline(&mut self.deadlines, session.deadline, id);
        }
    }

    /// The session could not be closed after all: it gets another time-out to live.
    pub fn reprieve(&mut self, id: i64, now: i64) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.closing = false;
            session.deadline = i64::MIN;
            self.touch(id, now);
        }
    }

    /// The session is closed. Returns the connection that it was on.
    pub fn remove(&mut self, id: i64) -> Option<ConnectionId> {
        let session = self.sessions.remove(&id)?;
        remove_deadline(&mut self.deadlines, session.deadline, id);
        session.connection
    }

    /// Whether the session lives and is not closing.
    #[must_use]
    pub fn is_alive(&self, id: i64) -> bool {
        self.sessions.get(&id).is_some_and(|session| !session.closing)
    }

    /// Puts a session on a connection; returns the one that it was on before.
    pub fn attach(&mut self, id: i64, connection: ConnectionId) -> Option<ConnectionId> {
        self.sessions.get_mut(&id)?.connection.replace(connection).filter(|before| *before != connection)
    }

    /// The connection is gone; the session lives on until its deadline.
    pub fn detach(&mut self, id: i64, connection: ConnectionId) {
        if let Some(session) = self.sessions.get_mut(&id)
            && session.connection == Some(connection)
        {
            session.connection = None;
        }
    }

    /// All sessions with their time-outs, in milliseconds.
    pub fn iter(&self) -> impl Iterator<Item = (i64, i32)> {
        self.sessions.iter().map(|(id, session)| (*id, session.timeout))
    }

    /// Deadlines with the sessions that go then.
    pub fn deadlines(&self) -> impl Iterator<Item = (i64, &BTreeSet<i64>)> {
        self.deadlines.iter().map(|(deadline, ids)| (*deadline, ids))
    }

    /// Number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}

fn remove_deadline(deadlines: &mut BTreeMap<i64, BTreeSet<i64>>, deadline: i64, id: i64) {
    if let Some(ids) = deadlines.get_mut(&deadline) {
        ids.remove(&id);
        if ids.is_empty() {
            deadlines.remove(&deadline);
        }
    }
}

/// The password of a session: 16 bytes that Apache derives from the id, so that a data directory moved between the two keeps its
/// sessions. (Apache's are no secret from somebody who knows the id; neither are these.)
#[must_use]
pub fn password(id: i64) -> [u8; 16] {
    // java.util.Random, seeded with the id and the constant of SessionTrackerImpl's owner.
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = ((id as u64) ^ 0xB341_5C00 ^ MULTIPLIER) & MASK;
    let mut password = [0; 16];
    for word in password.chunks_exact_mut(4) {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        word.copy_from_slice(&((state >> 16) as u32).to_le_bytes());
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_session_lives_its_timeout_and_at_most_a_tick_longer() {
        let mut sessions = Sessions::new(100, 1);
        sessions.track(7, 1000, 0);
        assert_eq!(sessions.expire(1000), []);
        assert_eq!(sessions.expire(1100), [7]);
        assert!(!sessions.is_alive(7) && !sessions.touch(7, 1100));
        sessions.remove(7);
        assert!(sessions.is_empty());
    }

    #[test]
    fn a_sign_of_life_moves_the_deadline() {
        let mut sessions = Sessions::new(100, 1);
        sessions.track(7, 1000, 0);
        assert!(sessions.touch(7, 950));
        assert_eq!(sessions.expire(1900), []);
        assert_eq!(sessions.expire(2000), [7]);
    }

    #[test]
    fn a_session_is_on_one_connection() {
        let mut sessions = Sessions::new(100, 1);
        sessions.track(7, 1000, 0);
        assert_eq!(sessions.attach(7, 1), None);
        assert_eq!(sessions.attach(7, 2), Some(1));
        sessions.detach(7, 1);
        assert_eq!(sessions.remove(7), Some(2));
    }

    proptest! {
        #[test]
        fn nobody_is_forgotten_and_nobody_goes_early(tick in 1..3000i32, steps in prop::collection::vec((0..5i64, 0..4000i64), 1..80)) {
            let mut sessions = Sessions::new(tick, 1);
            let mut last = [None; 5];
            let mut now = 0;
            for (id, pause) in steps {
                now += pause;
                for gone in sessions.expire(now) {
                    let seen: i64 = last[gone as usize - 1].take().unwrap();
                    prop_assert!(now > seen + 4000);
                    sessions.remove(gone);
                }
                for (index, seen) in last.iter().enumerate() {
                    prop_assert_eq!(sessions.is_alive(index as i64 + 1), seen.is_some());
                    if let Some(seen) = seen {
                        prop_assert!(now <= seen + 4000 + i64::from(tick));
                    }
                }
                sessions.track(id + 1, 4000, now);
                last[id as usize] = Some(now);
            }
        }
    }
}
