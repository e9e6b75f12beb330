//! The server as a pure machine: connections' requests and time go in, transactions for the log and frames for connections come out.
//!
//! A write takes three steps. `prepare` checks it against the tree and all writes before it and makes it a transaction in the
//! queue. The shell takes the queue, writes it to the log and makes it durable. `commit` applies it, answers, and fires watches. So what
//! anybody reads is on disk.
//!
//! A read is answered at once from the tree, unless its own connection has something in the queue: then it takes its place there,
//! behind it. So a connection's requests are answered in order, and nobody waits for the writes of others.

mod commit;
mod connect;
mod pending;
mod prepare;
mod read;
mod report;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

use self::pending::Pending;
use self::report::Took;
pub use self::report::{ConnectionLatency, ConnectionReport, Latency, ResponseBytes};
use crate::ErrorCode;
use crate::jute::{Decoder, Record};
use crate::proto::{AuthPacket, Id, ReplyHeader, RequestHeader, op};
use crate::sessions::Sessions;
use crate::tree::{Tree, Usage};
use crate::txn::{Txn, TxnHeader};
use crate::watches::{ConnectionId, Watches};

/// What the machine must know of its configuration. Times are in milliseconds.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Granularity of session expiry.
    pub tick: i32,
    /// The shortest session time-out that a client gets.
    pub min_session_timeout: i32,
    /// The longest.
    pub max_session_timeout: i32,
    /// `user:hash` of the super user.
    pub super_digest: Option<String>,
    /// Whether access lists are not looked at.
    pub skip_acl: bool,
    /// Whether hard quotas refuse writes.
    pub enforce_quota: bool,
}

/// The two clocks, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Of Unix time, for the times of nodes.
    pub wall: i64,
    /// Since some moment, never going back, for deadlines and latencies.
    pub steady: i64,
}

/// What the shell must do. In order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this frame, its length not yet before it.
    Send(ConnectionId, Vec<u8>),
    /// Close the connection once what was sent to it is out.
    Close(ConnectionId),
    /// A write goes beyond a soft quota: tell the owner.
    OverQuota {
        /// Where the quota is set.
        path: String,
        /// Its limits.
        limits: Usage,
        /// What is in use with it.
        used: Usage,
    },
}

/// A step of the queue between `prepare` and `commit`.
#[derive(Debug)]
pub struct Step {
    /// The transaction and its header, unless this is a read that waits its turn.
    pub txn: Option<(TxnHeader, Txn)>,
    reply: Option<ReplyTo>,
}

#[derive(Debug)]
struct ReplyTo {
    connection: ConnectionId,
    header: RequestHeader,
    /// The request's bytes behind its header, for a read.
    body: Vec<u8>,
    /// An error that was known before there was a transaction.
    refused: Option<ErrorCode>,
    received: i64,
}

#[derive(Debug)]
struct Connection {
    address: IpAddr,
    session: i64,
    /// Whether the client knows of read-only servers, and so of the byte in the answer.
    modern: bool,
    timeout: i32,
    identities: Vec<Id>,
    /// Steps in the queue, or taken from it and not committed.
    outstanding: usize,
    closing: bool,
    stats: report::ConnectionStats,
}

/// The machine.
#[derive(Debug)]
pub struct Engine {
    rules: Rules,
    /// The tree, as far as it is on disk.
    pub tree: Tree,
    /// All sessions.
    pub sessions: Sessions,
    /// All watches.
    pub watches: Watches,
    connections: HashMap<ConnectionId, Connection>,
    pending: Pending,
    queue: VecDeque<Step>,
    /// The newest zxid given out.
    next_zxid: i64,
    outputs: Vec<Output>,
    latency: Latency,
    /// What the log holds is unknown: nothing is written any more.
    log_lost: bool,
}

impl Engine {
    /// A machine over what was recovered. `sessions` get a full time-out from now.
    #[must_use]
    pub fn new(rules: Rules, tree: Tree, sessions: &HashMap<i64, i32>, now: Now) -> Engine {
        let mut engine = Engine {
            sessions: Sessions::new(rules.tick, now.wall),
            next_zxid: tree.last_zxid,
            rules,
            tree,
            watches: Watches::default(),
            connections: HashMap::new(),
            pending: Pending::default(),
            queue: VecDeque::new(),
            outputs: Vec::new(),
            latency: Latency::default(),
            log_lost: false,
        };
        for (id, timeout) in sessions {
            engine.sessions.track(*id, *timeout, now.steady);
        }
        // Ephemeral nodes whose session is unknown can only come from a damaged snapshot; they would stay for ever.
        let orphans: Vec<i64> = engine
            .tree
            .ephemerals()
            .map(|(session, _)| session)
            .filter(|id| !sessions.contains_key(id))
            .collect();
        for session in orphans {
            engine.close_session(session, now);
        }
        engine
    }

    /// A connection was accepted.
    pub fn open(&mut self, id: ConnectionId, address: IpAddr, now: Now) {
        let identities = vec![crate::acl::ip_identity(address)];
        let stats = report::ConnectionStats::new(now.wall);
        let connection = Connection {
            address,
            session: 0,
            modern: true,
            timeout: 0,
            identities,
            outstanding: 0,
            closing: false,
            stats,
        };
        self.connections.insert(id, connection);
    }

    /// A connection is gone, by whoever's will.
    pub fn closed(&mut self, id: ConnectionId) {
        self.watches.drop_connection(id);
        if let Some(connection) = self.connections.remove(&id) {
            self.sessions.detach(connection.session, id);
        }
    }

    /// A request arrived on a connection whose session is established. Returns `false` when it is not one, and the connection must go.
    pub fn request(&mut self, id: ConnectionId, frame: &[u8], now: Now) -> bool {
        let mut from = Decoder::new(frame);
        let Ok(header) = RequestHeader::decode(&mut from) else { return false };
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        // A client that comes back sends its watches behind its connect request. If its session is gone, it must still be told so.
        if connection.session == 0 && !connection.closing {
            return false;
        }
        connection.stats.received += 1;
        self.latency.received += 1;
        self.latency.received_bytes += frame.len() as u64 + 4;
        if connection.closing {
            // Apache too stops to listen once it has said goodbye.
            return true;
        }
        let session = connection.session;
        self.sessions.touch(session, now.steady);
        if header.op == op::AUTH {
            return self.add_auth(id, header, from, now);
        }
        let mut reply =
            ReplyTo { connection: id, header, body: Vec::new(), refused: None, received: now.steady };
        let step = match header.op {
            op::CREATE
            | op::CREATE2
            | op::CREATE_CONTAINER
            | op::CREATE_TTL
            | op::DELETE
            | op::DELETE_CONTAINER
            | op::SET_DATA
            | op::SET_ACL
            | op::MULTI
            | op::RECONFIG
            | op::CLOSE_SESSION => match self.prepare(id, header, from.clone(), now) {
                Ok(txn) => Step { txn: Some(txn), reply: Some(reply) },
                Err(refused) => {
                    reply.refused = Some(refused);
                    Step { txn: None, reply: Some(reply) }
                }
            },
            op::EXISTS
            | op::GET_DATA
            | op::GET_ACL
            | op::GET_CHILDREN
            | op::GET_CHILDREN2
            | op::SYNC
            | op::PING
            | op::SET_WATCHES
            | op::SET_WATCHES2
            | op::CHECK_WATCHES
            | op::REMOVE_WATCHES
            | op::ADD_WATCH
            | op::MULTI_READ
            | op::WHO_AM_I
            | op::GET_EPHEMERALS
            | op::GET_ALL_CHILDREN_NUMBER => {
                if !self.sessions.is_alive(session) {
                    reply.refused = Some(ErrorCode::SessionExpired);
                }
                Step { txn: None, reply: Some(reply) }
            }
            _ => {
                reply.refused = Some(ErrorCode::Unimplemented);
                Step { txn: None, reply: Some(reply) }
            }
        };
        self.enqueue(step, from.rest(), now);
        true
    }

    /// Puts a step in the queue, or finishes it when it has no reason to wait.
    fn enqueue(&mut self, mut step: Step, body: &[u8], now: Now) {
        let outstanding = step
            .reply
            .as_ref()
            .and_then(|reply| self.connections.get_mut(&reply.connection))
            .map(|c| &mut c.outstanding);
        match (&step.txn, outstanding) {
            (None, Some(0)) => {
                if let Some(reply) = step.reply {
                    self.answer_read(&reply, body, now);
                }
            }
            (None, None) => {}
            (txn, outstanding) => {
                if let Some(outstanding) = outstanding {
                    *outstanding += 1;
                }
                if let (None, Some(reply)) = (txn, &mut step.reply) {
                    reply.body = body.to_vec();
                }
                self.queue.push_back(step);
            }
        }
    }

    /// Time has passed: sessions may have expired.
    pub fn tick(&mut self, now: Now) {
        if self.log_lost {
            return;
        }
        for session in self.sessions.expire(now.steady) {
            tracing::info!(session = format_args!("{session:#x}"), "session expired");
            self.close_session(session, now);
        }
    }

    /// Deletes container and TTL nodes that have served their time, at most so many.
    pub fn collect_containers(&mut self, now: Now, most: usize) {
        if self.log_lost {
            return;
        }
        for path in self.tree.collectable(now.wall).into_iter().take(most) {
            let header = self.new_header(0, 0, op::DELETE_CONTAINER, now);
            // It may have got a child since; then it stays.
            let txn = self
                .prepare_delete_container(header.zxid, &path)
                .unwrap_or_else(|code| Txn::Error(code.to_i32()));
            let header =
                if matches!(txn, Txn::Error(_)) { TxnHeader { op: op::ERROR, ..header } } else { header };
            self.queue.push_back(Step { txn: Some((header, txn)), reply: None });
        }
    }

    fn close_session(&mut self, session: i64, now: Now) {
        let header = self.new_header(session, 0, op::CLOSE_SESSION, now);
        let txn = self.prepare_close_session(header.zxid, session);
        self.queue.push_back(Step { txn: Some((header, txn)), reply: None });
    }

    fn new_header(&mut self, session_id: i64, cxid: i32, op: i32, now: Now) -> TxnHeader {
        self.next_zxid += 1;
        TxnHeader { session_id, cxid, zxid: self.next_zxid, time: now.wall, op }
    }

    fn add_auth(&mut self, id: ConnectionId, header: RequestHeader, mut from: Decoder<'_>, now: Now) -> bool {
        let Ok(packet) = AuthPacket::decode(&mut from) else { return false };
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let auth = packet.auth.as_deref().unwrap_or_default();
        let result = crate::acl::authenticate(
            &packet.scheme,
            auth,
            connection.address,
            self.rules.super_digest.as_deref(),
        );
        let err = match result {
            Ok(identities) => {
                for identity in identities {
                    // A client that repeats itself, or many, must not grow this without end.
                    if !connection.identities.contains(&identity)
                        && connection.identities.len() < MAX_IDENTITIES
                    {
                        connection.identities.push(identity);
                    }
                }
                0
            }
            Err(code) => {
                connection.closing = true;
                code.to_i32()
            }
        };
        let closing = connection.closing;
        self.send(id, ReplyHeader { xid: header.xid, zxid: 0, err }, op::AUTH, Took::nothing(now), |_| {});
        if closing {
            self.outputs.push(Output::Close(id));
        }
        true
    }

    /// Sends a reply, unless its connection is gone.
    fn send(
        &mut self,
        id: ConnectionId,
        header: ReplyHeader,
        kind: i32,
        took: Took,
        body: impl FnOnce(&mut Vec<u8>),
    ) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let mut frame = Vec::with_capacity(64);
        header.encode(&mut frame);
        body(&mut frame);
        connection.stats.replied(&header, kind, took);
        self.latency.record(took.millis());
        self.latency.sent += 1;
        self.latency.record_response(frame.len() as i64);
        self.outputs.push(Output::Send(id, frame));
    }

    /// Takes what must be sent and closed.
    pub fn take_outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// Whether steps wait for the log.
    #[must_use]
    pub fn has_steps(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Number of steps that wait for the log.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Takes steps for the log, in order. They come back by [`Engine::commit`], or all that are out by [`Engine::abort`].
    pub fn take_steps(&mut self, most: usize) -> Vec<Step> {
        let n = self.queue.len().min(most);
        self.queue.drain(..n).collect()
    }

    /// Steps of this connection that are not answered.
    #[must_use]
    pub fn outstanding(&self, id: ConnectionId) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.outstanding)
    }

    fn identities(&self, id: ConnectionId) -> &[Id] {
        self.connections.get(&id).map_or(&[], |connection| &connection.identities)
    }

    fn check_acl(&self, acl: &[crate::proto::Acl], perm: i32, id: ConnectionId) -> Result<(), ErrorCode> {
        if self.rules.skip_acl { Ok(()) } else { crate::acl::check(acl, perm, self.identities(id)) }
    }
}

/// Identities that one connection can gather.
const MAX_IDENTITIES: usize = 128;
