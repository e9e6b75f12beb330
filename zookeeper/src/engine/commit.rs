//! Steps that are on disk: applied, answered, and told to those who watch.

use super::read::encode_result;
use super::report::Took;
use super::{Engine, Now, Output, ReplyTo, Step};
use crate::ErrorCode;
use crate::jute::Record;
use crate::path;
use crate::proto::{EventType, MULTI_END, PathStat, ReplyHeader, op};
use crate::tree::{Applied, Change};
use crate::txn::{Txn, TxnHeader};

impl Engine {
    /// The steps' transactions are durable: applies them in order.
    pub fn commit(&mut self, steps: Vec<Step>, now: Now) {
        for step in steps {
            let Step { txn, reply } = step;
            if let Some(connection) =
                reply.as_ref().and_then(|reply| self.connections.get_mut(&reply.connection))
            {
                connection.outstanding = connection.outstanding.saturating_sub(1);
            }
            match (txn, reply) {
                (Some((header, txn)), reply) => self.commit_txn(&header, &txn, reply.as_ref(), now),
                (None, Some(reply)) => self.answer_read(&reply, &reply.body, now),
                (None, None) => {}
            }
        }
    }

    fn commit_txn(&mut self, header: &TxnHeader, txn: &Txn, reply: Option<&ReplyTo>, now: Now) {
        let mut changes = Vec::new();
        let applied = self.tree.apply(header, txn, &mut changes);
        self.pending.committed(header.zxid);
        for change in changes {
            self.tell(change, header.zxid);
        }
        if header.op == op::CREATE_SESSION {
            if let Some(reply) = reply {
                self.welcome(reply.connection, true);
                if let Some(connection) = self.connections.get_mut(&reply.connection) {
                    connection.stats.began(header.zxid, Took::of(reply, now));
                }
            }
            return;
        }
        if let Some(reply) = reply {
            let err = match &applied {
                Applied::Failed(code) => *code,
                _ => 0,
            };
            let header = ReplyHeader { xid: reply.header.xid, zxid: self.tree.last_zxid, err };
            self.send(reply.connection, header, reply.header.op, Took::of(reply, now), |frame| {
                encode_applied(reply.header.op, &applied, frame);
            });
        }
        if header.op == op::CLOSE_SESSION
            && let Some(connection) = self.sessions.remove(header.session_id)
        {
            if let Some(connection) = self.connections.get_mut(&connection) {
                connection.closing = true;
            }
            self.watches.drop_connection(connection);
            self.outputs.push(Output::Close(connection));
        }
    }

    /// The log can not take the steps, nor what is queued behind them: all are refused, and nothing of them happened.
    ///
    /// Only for steps that are certainly not on disk.
    pub fn abort(&mut self, steps: Vec<Step>, now: Now) {
        let mut queue: Vec<Step> = steps;
        queue.extend(self.queue.drain(..));
        self.pending.clear();
        self.next_zxid = self.tree.last_zxid;
        for Step { txn, reply } in queue {
            if let Some((header, _)) = &txn
                && header.op == op::CLOSE_SESSION
            {
                self.sessions.reprieve(header.session_id, now.steady);
            }
            let Some(mut reply) = reply else { continue };
            if let Some(connection) = self.connections.get_mut(&reply.connection) {
                connection.outstanding = connection.outstanding.saturating_sub(1);
            }
            if reply.header.op == op::CREATE_SESSION {
                if let Some((header, _)) = &txn {
                    self.sessions.remove(header.session_id);
                }
                self.outputs.push(Output::Close(reply.connection));
                continue;
            }
            if txn.is_some() {
                reply.refused = Some(ErrorCode::SystemError);
            }
            self.answer_read(&reply, &reply.body, now);
        }
    }

    /// The disk failed, and what it holds of the steps is unknown. Who waits for one of them is disconnected, which is how a client
    /// learns of an unknown end; every write from now on is refused. Reads go on, from what is certain.
    pub fn lose_log(&mut self, steps: Vec<Step>, now: Now) {
        for reply in steps.into_iter().filter_map(|step| step.reply) {
            if let Some(connection) = self.connections.get_mut(&reply.connection) {
                connection.closing = true;
            }
            self.outputs.push(Output::Close(reply.connection));
        }
        self.log_lost = true;
        self.abort(Vec::new(), now);
    }

    /// Whether [`Engine::lose_log`] happened.
    #[must_use]
    pub fn log_lost(&self) -> bool {
        self.log_lost
    }

    fn tell(&mut self, change: Change, zxid: i64) {
        let (path, acl, event, parent_acl) = match change {
            Change::Created { path, acl, parent_acl } => {
                (path, acl, EventType::NodeCreated, Some(parent_acl))
            }
            Change::Deleted { path, acl, parent_acl } => {
                (path, acl, EventType::NodeDeleted, Some(parent_acl))
            }
            Change::Data { path, acl } => (path, acl, EventType::NodeDataChanged, None),
        };
        for connection in self.watches.trigger(event, &path) {
            self.notify(connection, event, &path, zxid, &acl);
        }
        if let (Some(parent_acl), Some((parent, _))) = (parent_acl, path::split(&path)) {
            for connection in self.watches.trigger(EventType::NodeChildrenChanged, parent) {
                self.notify(connection, EventType::NodeChildrenChanged, parent, zxid, &parent_acl);
            }
        }
    }
}

/// A write's result as the record that its type of request is answered with.
fn encode_applied(kind: i32, applied: &Applied, to: &mut Vec<u8>) {
    match applied {
        Applied::Done | Applied::Failed(_) => {}
        Applied::Created { path, .. } if kind == op::CREATE => path.encode(to),
        Applied::Created { path, stat } => PathStat { path: path.clone(), stat: *stat }.encode(to),
        Applied::Stat(stat) => stat.encode(to),
        Applied::Multi(results) => {
            for (kind, result) in results {
                let mut body = Vec::new();
                encode_applied(*kind, result, &mut body);
                let (kind, failed) = match (kind, result) {
                    (_, Applied::Failed(code)) => (op::ERROR, Some(*code)),
                    // Whatever creates with a stat answers as create2.
                    (&(op::CREATE_TTL | op::CREATE_CONTAINER), _) => (op::CREATE2, None),
                    (kind, _) => (*kind, None),
                };
                encode_result(kind, failed, &body, to);
            }
            MULTI_END.encode(to);
        }
    }
}
