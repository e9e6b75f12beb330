//! What connections, the committer and the clock share: the machine under one short lock, which is never held across an await.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::{Condvar, Mutex};

use super::outbox::Outbox;
use crate::ZooKeeperConfig;
use crate::engine::{Engine, Now, Output};
use crate::watches::ConnectionId;

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: ZooKeeperConfig,
    pub(super) local_addr: SocketAddr,
    pub(super) started: Instant,
    pub(super) state: Mutex<State>,
    pub(super) quota_warnings: Pacer,
    pub(super) refusal_warnings: Pacer,
    /// Woken when there are steps for the log, or the server stops.
    pub(super) work: Condvar,
}

/// Lets one warning of a kind through in a while, since others may cause as many as they like.
#[derive(Debug, Default)]
pub(super) struct Pacer(Mutex<Option<Instant>>);

impl Pacer {
    const EVERY: Duration = Duration::from_secs(10);

    pub(super) fn may_warn(&self) -> bool {
        let mut last = self.0.lock();
        let due = last.is_none_or(|last| last.elapsed() >= Self::EVERY);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

/// What the lock protects.
#[derive(Debug)]
pub(super) struct State {
    pub(super) engine: Engine,
    pub(super) outboxes: HashMap<ConnectionId, (SocketAddr, Arc<Outbox>)>,
    per_address: HashMap<IpAddr, usize>,
    next_connection: ConnectionId,
    /// Connections that asked to come in, and those of them that did not.
    pub(super) connections_asked: u64,
    pub(super) connections_rejected: u64,
    /// No more steps will come.
    pub(super) stopping: bool,
}

impl State {
    pub(super) fn new(engine: Engine) -> State {
        State {
            engine,
            outboxes: HashMap::new(),
            per_address: HashMap::new(),
            next_connection: 1,
            connections_asked: 0,
            connections_rejected: 0,
            stopping: false,
        }
    }
}

impl Shared {
    pub(super) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Now {
            wall: i64::try_from(wall).unwrap_or(i64::MAX),
            steady: i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX),
        }
    }

    /// Runs something on the machine, then hands out what it has to say. Frames reach each outbox in the order in which the machine
    /// made them, because that happens under the lock.
    pub(super) fn with<T>(&self, f: impl FnOnce(&mut Engine, Now) -> T) -> T {
        let now = self.now();
        let mut state = self.state.lock();
        let result = f(&mut state.engine, now);
        self.deliver(&mut state);
        result
    }

    /// Hands out what the machine has to say, and wakes the committer if there is work.
    pub(super) fn deliver(&self, state: &mut State) {
        let State { engine, outboxes, .. } = state;
        for output in engine.take_outputs() {
            match output {
                Output::Send(id, frame) => {
                    if let Some((_, outbox)) = outboxes.get(&id) {
                        outbox.push(frame);
                    }
                }
                Output::Close(id) => {
                    if let Some((_, outbox)) = outboxes.get(&id) {
                        outbox.close();
                    }
                }
                Output::OverQuota { path, limits, used } => {
                    if self.quota_warnings.may_warn() {
                        tracing::warn!(%path, %limits, %used, "a quota is exceeded; there may be more of it than is told");
                    }
                }
            }
        }
        if state.engine.has_steps() {
            self.work.notify_one();
        }
    }

    /// Lets a connection in, unless there are too many.
    pub(super) fn admit(&self, peer: SocketAddr) -> Option<(ConnectionId, Arc<Outbox>)> {
        let now = self.now();
        let mut state = self.state.lock();
        state.connections_asked += 1;
        let limit = |limit: usize, is: usize| limit != 0 && is >= limit;
        let address = peer.ip().to_canonical();
        let of_address = state.per_address.get(&address).copied().unwrap_or(0);
        if limit(self.config.max_connections, state.outboxes.len())
            || limit(self.config.max_client_connections, of_address)
        {
            state.connections_rejected += 1;
            return None;
        }
        *state.per_address.entry(address).or_default() += 1;
        let id = state.next_connection;
        state.next_connection += 1;
        let outbox = Arc::new(Outbox::default());
        state.outboxes.insert(id, (peer, outbox.clone()));
        state.engine.open(id, address, now);
        Some((id, outbox))
    }

    /// Forgets a connection that ended.
    pub(super) fn dismiss(&self, id: ConnectionId) {
        let mut state = self.state.lock();
        state.engine.closed(id);
        let Some((peer, _)) = state.outboxes.remove(&id) else { return };
        let address = peer.ip().to_canonical();
        if let Some(count) = state.per_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&address);
            }
        }
    }
}
