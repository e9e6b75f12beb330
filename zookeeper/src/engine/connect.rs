//! How a connection gets its session: a new one through the log, or one that exists by its password.

use super::{Engine, Now, Output, ReplyTo, Step};
use crate::jute::Record;
use crate::proto::{ConnectRequest, ConnectResponse, RequestHeader, op};
use crate::sessions::password;
use crate::txn::Txn;
use crate::watches::ConnectionId;

/// Why a connection gets no session and no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectRefused {
    /// It has seen a future that this server does not know: it belongs to another, or the data directory was replaced.
    #[error("the client has seen zxid {seen:#x}, this server is at {ours:#x}; it must try another server")]
    ZxidAhead {
        /// What it has seen.
        seen: i64,
        /// The newest here.
        ours: i64,
    },
    /// A new session would have to be written.
    #[error("the log can not be written")]
    NoLog,
}

impl Engine {
    /// The first request of a connection.
    pub fn connect(
        &mut self,
        id: ConnectionId,
        request: &ConnectRequest,
        now: Now,
    ) -> Result<(), ConnectRefused> {
        if request.last_zxid_seen > self.tree.last_zxid {
            return Err(ConnectRefused::ZxidAhead {
                seen: request.last_zxid_seen,
                ours: self.tree.last_zxid,
            });
        }
        if self.log_lost && request.session_id == 0 {
            return Err(ConnectRefused::NoLog);
        }
        let timeout = request.timeout.max(self.rules.min_session_timeout).min(self.rules.max_session_timeout);
        let Some(connection) = self.connections.get_mut(&id) else { return Ok(()) };
        connection.modern = request.read_only.is_some();
        connection.timeout = timeout;
        if request.session_id == 0 {
            let session = self.sessions.new_id();
            connection.session = session;
            self.sessions.track(session, timeout, now.steady);
            self.sessions.attach(session, id);
            let header = self.new_header(session, 0, op::CREATE_SESSION, now);
            let reply = ReplyTo {
                connection: id,
                header: RequestHeader { xid: 0, op: op::CREATE_SESSION },
                body: Vec::new(),
                refused: None,
                received: now.steady,
            };
            self.enqueue(
                Step { txn: Some((header, Txn::CreateSession { timeout })), reply: Some(reply) },
                &[],
                now,
            );
            return Ok(());
        }
        let session = request.session_id;
        let known =
            request.password.as_deref() == Some(&password(session)[..]) && self.sessions.is_alive(session);
        if known {
            self.sessions.track(session, timeout, now.steady);
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.session = session;
            }
            if let Some(before) = self.sessions.attach(session, id) {
                // The client has moved here; what it left there must hear of nothing more.
                self.watches.drop_connection(before);
                if let Some(before) = self.connections.get_mut(&before) {
                    before.closing = true;
                }
                self.outputs.push(Output::Close(before));
            }
        }
        self.welcome(id, known);
        Ok(())
    }

    /// Answers the connect request: welcome, or the session is gone and the connection with it.
    pub(super) fn welcome(&mut self, id: ConnectionId, valid: bool) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let mut response = ConnectResponse { password: Some([0; 16].into()), ..ConnectResponse::default() };
        if valid {
            response.timeout = connection.timeout;
            response.session_id = connection.session;
            response.password = Some(password(connection.session).into());
        }
        response.read_only = connection.modern.then_some(false);
        self.outputs.push(Output::Send(id, response.to_bytes()));
        if !valid {
            connection.closing = true;
            self.outputs.push(Output::Close(id));
        }
    }

    /// Whether the connection has a session, or will have.
    #[must_use]
    pub fn has_session(&self, id: ConnectionId) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.session != 0)
    }
}
