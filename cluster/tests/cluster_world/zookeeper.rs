//! A model of what ZooKeeper holds for one partition: sessions, registrations that go with them, the office, its epoch as a fence, and the
//! partition's state with its version.

use std::collections::BTreeMap;

use vltava_cluster::controller::{Broker, StateNode, Write, WriteOutcome};

/// How long a session lives without a word.
pub(crate) const SESSION_TIMEOUT: i64 = 400;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) broker: i32,
    /// Since when nothing has been heard of it.
    pub(crate) silent_since: Option<i64>,
}

/// What a broker asks.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Register,
    Stand,
    ReadBrokers,
    ReadOffice,
    ReadTopics,
    ReadTopic,
    ReadDeletions,
    ReadState,
    Write { write: Write, epoch_version: i32 },
}

/// What it is answered.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Registered {
        epoch: i64,
    },
    Elected {
        epoch: i32,
    },
    /// Another holds the office; the broker is told when it is free.
    Beaten,
    Brokers(Vec<Broker>),
    Office {
        is_mine: bool,
    },
    Topics,
    Topic,
    Deletions,
    State(Option<StateNode>),
    Written {
        write: Write,
        outcome: WriteOutcome,
    },
}

/// What a watch tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    Brokers,
    Office,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ZooKeeper {
    zxid: i64,
    pub(crate) sessions: BTreeMap<u64, Session>,
    next_session: u64,
    /// By broker: the session that registered it, and the zxid.
    pub(crate) registrations: BTreeMap<i32, (u64, i64)>,
    /// The session that holds it.
    pub(crate) office: Option<u64>,
    pub(crate) controller_epoch: i32,
    pub(crate) state: Option<StateNode>,
    /// Sessions that are to be told of a change, once.
    watches: BTreeMap<Watched, Vec<u64>>,
}

impl ZooKeeper {
    pub(crate) fn open(&mut self, broker: i32) -> u64 {
        self.next_session += 1;
        self.sessions.insert(self.next_session, Session { broker, silent_since: None });
        self.next_session
    }

    pub(crate) fn watch(&mut self, what: Watched, session: u64) {
        let watches = self.watches.entry(what).or_default();
        if !watches.contains(&session) {
            watches.push(session);
        }
    }

    /// Ends a session; says who is to be told what.
    pub(crate) fn expire(&mut self, session: u64) -> Vec<(u64, Watched)> {
        self.sessions.remove(&session);
        let mut told = Vec::new();
        let before = self.registrations.len();
        self.registrations.retain(|_, (owner, _)| *owner != session);
        if self.registrations.len() < before {
            told.extend(self.changed(Watched::Brokers));
        }
        if self.office == Some(session) {
            self.office = None;
            told.extend(self.changed(Watched::Office));
        }
        told
    }

    /// Takes the registration and the office away that a former session of the broker left.
    pub(crate) fn remove_former(&mut self, session: u64) -> Vec<(u64, Watched)> {
        let Some(broker) = self.sessions.get(&session).map(|session| session.broker) else {
            return Vec::new();
        };
        let mut told = Vec::new();
        if self.registrations.get(&broker).is_some_and(|(owner, _)| *owner != session) {
            self.registrations.remove(&broker);
            told.extend(self.changed(Watched::Brokers));
        }
        told
    }

    pub(crate) fn register(&mut self, session: u64) -> (i64, Vec<(u64, Watched)>) {
        let broker = self.sessions[&session].broker;
        self.zxid += 1;
        self.registrations.insert(broker, (session, self.zxid));
        (self.zxid, self.changed(Watched::Brokers))
    }

    /// The new controller epoch, if the office was free, or held by a former session of the same broker.
    pub(crate) fn stand(&mut self, session: u64) -> (Option<i32>, Vec<(u64, Watched)>) {
        let broker = self.sessions[&session].broker;
        let mut told = Vec::new();
        if let Some(owner) = self.office.filter(|owner| *owner != session) {
            if self.sessions.get(&owner).is_none_or(|owner| owner.broker != broker) {
                self.watch(Watched::Office, session);
                return (None, told);
            }
            told = self.changed(Watched::Office);
        }
        self.zxid += 1;
        self.office = Some(session);
        self.controller_epoch += 1;
        (Some(self.controller_epoch), told)
    }

    pub(crate) fn brokers(&self) -> Vec<Broker> {
        let broker =
            |(&id, &(_, epoch)): (&i32, &(u64, i64))| Broker { id, epoch, endpoints: Vec::new(), rack: None };
        self.registrations.iter().map(broker).collect()
    }

    /// One transaction behind the fence.
    pub(crate) fn write(&mut self, write: &Write, epoch_version: i32) -> WriteOutcome {
        if epoch_version != self.controller_epoch {
            return WriteOutcome::Fenced;
        }
        let version = match (write, &self.state) {
            (Write::CreateState { .. }, None) => 0,
            (Write::UpdateState { expected, .. }, Some(held)) if held.version == *expected => expected + 1,
            _ => return WriteOutcome::Conflict,
        };
        let (Write::CreateState { state, .. } | Write::UpdateState { state, .. }) = write else {
            return WriteOutcome::Conflict;
        };
        self.zxid += 1;
        self.state = Some(StateNode { state: state.clone(), version, modified: self.zxid });
        WriteOutcome::Done(version)
    }

    pub(crate) fn is_in_sync(&self, broker: i32) -> bool {
        self.state.as_ref().is_some_and(|node| node.state.isr.contains(&broker))
    }

    /// Whether the broker is registered by a session that is being heard of.
    pub(crate) fn is_well(&self, broker: i32) -> bool {
        let owner = self.registrations.get(&broker).and_then(|(owner, _)| self.sessions.get(owner));
        owner.is_some_and(|session| session.silent_since.is_none())
    }

    fn changed(&mut self, what: Watched) -> Vec<(u64, Watched)> {
        let told = self.watches.remove(&what).unwrap_or_default();
        told.into_iter().map(|session| (session, what)).collect()
    }
}
