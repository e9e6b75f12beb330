//! Numbers about the machine, for the four letter words.

use std::net::IpAddr;

use super::{Engine, Now, ReplyTo};
use crate::proto::{ReplyHeader, op};
use crate::watches::ConnectionId;

/// How long requests took, in milliseconds, and how many packets there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// The longest.
    pub max: i64,
    /// The shortest.
    pub min: i64,
    total: i64,
    count: i64,
    /// Packets received.
    pub received: u64,
    /// Packets sent.
    pub sent: u64,
    /// Bytes of the requests received, their lengths included.
    pub received_bytes: u64,
    /// Bytes of responses; `None` before the first.
    pub response_bytes: Option<ResponseBytes>,
}

/// How long responses were, without their lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ResponseBytes {
    pub last: i64,
    pub min: i64,
    pub max: i64,
}

impl Latency {
    pub(super) fn record_response(&mut self, length: i64) {
        let before = self.response_bytes.unwrap_or(ResponseBytes { last: length, min: length, max: length });
        self.response_bytes =
            Some(ResponseBytes { last: length, min: before.min.min(length), max: before.max.max(length) });
    }

    pub(super) fn record(&mut self, millis: i64) {
        self.min = if self.count == 0 { millis } else { self.min.min(millis) };
        self.max = self.max.max(millis);
        self.total = self.total.saturating_add(millis);
        self.count += 1;
    }

    /// The mean; 0 before the first request.
    #[must_use]
    pub fn average(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.total as f64 / self.count as f64 }
    }
}

/// From when to when a request was worked on, by the steady clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    received: i64,
    answered: i64,
}

impl Took {
    pub(super) fn of(reply: &ReplyTo, now: Now) -> Took {
        Took { received: reply.received, answered: now.steady }
    }

    pub(super) fn nothing(now: Now) -> Took {
        Took { received: now.steady, answered: now.steady }
    }

    pub(super) fn millis(self) -> i64 {
        self.answered - self.received
    }
}

/// What one connection did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ConnectionStats {
    pub(super) received: u64,
    sent: u64,
    established: i64,
    last_op: i32,
    last_cxid: i32,
    last_zxid: i64,
    last_response: i64,
    latency: ConnectionLatency,
}

/// How long the requests of one connection took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ConnectionLatency {
    pub last: i64,
    pub min: i64,
    pub max: i64,
    total: i64,
    count: i64,
}

impl ConnectionLatency {
    fn record(&mut self, millis: i64) {
        self.last = millis;
        self.min = if self.count == 0 { millis } else { self.min.min(millis) };
        self.max = self.max.max(millis);
        self.total = self.total.saturating_add(millis);
        self.count += 1;
    }

    /// The mean, in whole milliseconds as Apache tells it.
    #[must_use]
    pub fn average(&self) -> i64 {
        self.total.checked_div(self.count).unwrap_or_default()
    }
}

impl ConnectionStats {
    pub(super) fn new(now: i64) -> ConnectionStats {
        ConnectionStats { established: now, ..ConnectionStats::default() }
    }

    /// A session has begun, which is no packet in Apache's count.
    pub(super) fn began(&mut self, zxid: i64, took: Took) {
        self.last_op = op::CREATE_SESSION;
        self.last_zxid = zxid;
        self.last_response = took.answered;
        self.latency.record(took.millis());
    }

    pub(super) fn replied(&mut self, header: &ReplyHeader, kind: i32, took: Took) {
        self.sent += 1;
        self.last_op = kind;
        self.last_cxid = header.xid;
        self.last_zxid = header.zxid;
        self.last_response = took.answered;
        self.latency.record(took.millis());
    }
}

/// One connection, for `cons`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ConnectionReport {
    pub id: ConnectionId,
    pub address: IpAddr,
    pub session: i64,
    pub timeout: i32,
    pub received: u64,
    pub sent: u64,
    pub queued: usize,
    /// Milliseconds of Unix time.
    pub established: i64,
    /// Apache's four letters for the last request's type.
    pub last_op: &'static str,
    pub last_cxid: i32,
    pub last_zxid: i64,
    /// Milliseconds of the steady clock.
    pub last_response: i64,
    pub latency: ConnectionLatency,
}

impl Engine {
    /// All connections, in order.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionReport> {
        let mut reports: Vec<ConnectionReport> = (self.connections.iter())
            .map(|(id, connection)| ConnectionReport {
                id: *id,
                address: connection.address,
                session: connection.session,
                timeout: connection.timeout,
                received: connection.stats.received,
                sent: connection.stats.sent,
                queued: connection.outstanding,
                established: connection.stats.established,
                last_op: op_name(connection.stats.last_op),
                last_cxid: connection.stats.last_cxid,
                last_zxid: connection.stats.last_zxid,
                last_response: connection.stats.last_response,
                latency: connection.stats.latency,
            })
            .collect();
        reports.sort_by_key(|report| report.id);
        reports
    }

    /// The session of a connection, 0 before it has one.
    #[must_use]
    pub fn session_of(&self, id: ConnectionId) -> i64 {
        self.connections.get(&id).map_or(0, |connection| connection.session)
    }

    /// Latencies and packets since the start or the last reset.
    #[must_use]
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// Forgets the server's latencies and packets (`srst`).
    pub fn reset_latency(&mut self) {
        self.latency = Latency::default();
    }

    /// Forgets the connections' counts (`crst`).
    pub fn reset_connections(&mut self) {
        for connection in self.connections.values_mut() {
            connection.stats =
                ConnectionStats { established: connection.stats.established, ..ConnectionStats::new(0) };
        }
    }
}

fn op_name(kind: i32) -> &'static str {
    match kind {
        op::PING => "PING",
        op::CREATE_SESSION => "SESS",
        op::MULTI => "MULT",
        op::MULTI_READ => "MLTR",
        op::CREATE | op::CREATE2 | op::CREATE_CONTAINER | op::CREATE_TTL => "CREA",
        op::DELETE | op::DELETE_CONTAINER => "DELE",
        op::SET_DATA => "SETD",
        op::RECONFIG => "RECO",
        op::SET_ACL => "SETA",
        op::CLOSE_SESSION => "CLOS",
        op::SYNC => "SYNC",
        op::EXISTS => "EXIS",
        op::GET_DATA => "GETD",
        op::SET_WATCHES => "SETW",
        op::SET_WATCHES2 => "STW2",
        op::ADD_WATCH => "ADDW",
        op::GET_ACL => "GETA",
        op::GET_CHILDREN | op::GET_CHILDREN2 => "GETC",
        op::GET_ALL_CHILDREN_NUMBER => "GETACN",
        op::CHECK_WATCHES => "CHKW",
        op::REMOVE_WATCHES => "REMW",
        op::WHO_AM_I => "HOMI",
        op::GET_EPHEMERALS => "GETE",
        _ => "NA",
    }
}
