//! Requests that change nothing, answered from the tree.

use super::report::Took;
use super::{Engine, Now, Output, ReplyTo};
use crate::ErrorCode;
use crate::acl;
use crate::jute::{Decoder, Record, encode_len};
use crate::path;
use crate::proto::{
    AclStat, EventType, GetEphemeralsRequest, MULTI_END, MultiHeader, MultiOp, MultiRequest,
    NOTIFICATION_XID, PING_XID, PathOnly, PathType, PathWatch, PersistentWatches, ReplyHeader, SetWatches,
    WatcherEvent, op, perms,
};
use crate::tree::Node;
use crate::watches::{ConnectionId, Kind, Mode};

/// Bytes of the answer to one multiRead, half of what may wait for a connection.
const MOST_READ_AT_ONCE: usize = 32 << 20;
/// Bytes that the watches of one connection take, room for some 300,000 of them. Who watches more is disconnected: memory is for others too.
const MOST_WATCHED: usize = 128 << 20;

impl Engine {
    /// Answers a request that has no transaction: a read, or one refused before it became a write.
    pub(super) fn answer_read(&mut self, reply: &ReplyTo, body: &[u8], now: Now) {
        let mut answer = Vec::new();
        let result = match reply.refused {
            Some(code) => Err(code),
            None => self.read(reply, &mut Decoder::new(body), &mut answer),
        };
        let xid = if reply.header.op == op::PING { PING_XID } else { reply.header.xid };
        let err = result.map_or_else(ErrorCode::to_i32, |()| 0);
        let header = ReplyHeader { xid, zxid: self.tree.last_zxid, err };
        self.send(reply.connection, header, reply.header.op, Took::of(reply, now), |frame| {
            if err == 0 {
                frame.append(&mut answer);
            }
        });
        let too_much = self.watches.bytes_of(reply.connection) > MOST_WATCHED;
        if too_much || reply.refused == Some(ErrorCode::Unimplemented) {
            // A client that asks for what does not exist has lost the thread.
            if let Some(connection) = self.connections.get_mut(&reply.connection) {
                connection.closing = true;
            }
            self.outputs.push(Output::Close(reply.connection));
        }
    }

    fn read(&mut self, reply: &ReplyTo, from: &mut Decoder<'_>, to: &mut Vec<u8>) -> Result<(), ErrorCode> {
        let id = reply.connection;
        match reply.header.op {
            op::PING => {}
            op::EXISTS => {
                let request = PathWatch::decode(from)?;
                if request.path.contains('\0') {
                    return Err(ErrorCode::BadArguments);
                }
                let stat = match self.tree.get(&request.path) {
                    Some(node) => {
                        self.check_acl(&node.acl, perms::READ, id)?;
                        Ok(node.stat())
                    }
                    None => Err(ErrorCode::NoNode),
                };
                if request.watch {
                    self.watches.add(id, &request.path, Mode::Data);
                }
                stat?.encode(to);
            }
            op::GET_DATA => self.get_data(id, &PathWatch::decode(from)?, to, true)?,
            op::GET_CHILDREN => self.get_children(id, &PathWatch::decode(from)?, to, false)?,
            op::GET_CHILDREN2 => self.get_children(id, &PathWatch::decode(from)?, to, true)?,
            op::GET_ACL => {
                let request = PathOnly::decode(from)?;
                let node = self.readable(id, &request.path, perms::READ | perms::ADMIN)?;
                let acl = if self.check_acl(&node.acl, perms::ADMIN, id).is_ok() {
                    node.acl.to_vec()
                } else {
                    acl::masked(&node.acl)
                };
                AclStat { acl, stat: node.stat() }.encode(to);
            }
            op::SYNC => PathOnly::decode(from)?.path.encode(to),
            op::MULTI_READ => {
                let request = MultiRequest::decode(from)?;
                if !request.ops.iter().all(MultiOp::is_read) {
                    return Err(ErrorCode::MarshallingError);
                }
                self.multi_read(id, &request, to)?;
            }
            op::GET_EPHEMERALS => {
                let request = GetEphemeralsRequest::decode(from)?;
                let prefix = request.prefix.unwrap_or_default();
                let prefix = if matches!(prefix.trim(), "" | "/") { "" } else { &prefix };
                let session = self.connections.get(&id).map_or(0, |connection| connection.session);
                let paths: Vec<&str> =
                    self.tree.ephemerals_of(session).filter(|path| path.starts_with(prefix)).collect();
                encode_texts(&paths, to);
            }
            op::GET_ALL_CHILDREN_NUMBER => {
                let request = PathOnly::decode(from)?;
                self.readable(id, &request.path, perms::READ)?;
                i32::try_from(self.tree.count_below(&request.path)).unwrap_or(i32::MAX).encode(to);
            }
            op::WHO_AM_I => {
                let identities = self.identities(id);
                encode_len(identities.len(), to);
                for identity in identities {
                    identity.scheme.encode(to);
                    let user = identity.id.split(':').next().filter(|_| identity.scheme == "digest");
                    crate::jute::EncodeStr::encode(user.unwrap_or(&identity.id), to);
                }
            }
            op::ADD_WATCH => {
                let request = PathType::decode(from)?;
                let mode = match request.kind {
                    0 => Mode::Persistent,
                    1 => Mode::Recursive,
                    _ => return Err(ErrorCode::MarshallingError),
                };
                self.watches.add(id, &request.path, mode);
                0i32.encode(to);
            }
            op::CHECK_WATCHES | op::REMOVE_WATCHES => {
                let request = PathType::decode(from)?;
                let kind = Kind::from_i32(request.kind).ok_or(ErrorCode::MarshallingError)?;
                let found = if reply.header.op == op::CHECK_WATCHES {
                    self.watches.contains(id, &request.path, kind)
                } else {
                    self.watches.remove(id, &request.path, kind)
                };
                if !found {
                    return Err(ErrorCode::NoWatcher);
                }
            }
            op::SET_WATCHES => {
                self.set_watches(id, &SetWatches::decode(from)?, &PersistentWatches::default());
            }
            op::SET_WATCHES2 => {
                self.set_watches(id, &SetWatches::decode(from)?, &PersistentWatches::decode(from)?);
            }
            _ => return Err(ErrorCode::Unimplemented),
        }
        Ok(())
    }

    /// The node, if it is there and the connection has one of the permissions.
    fn readable(&self, id: ConnectionId, path: &str, perm: i32) -> Result<&Node, ErrorCode> {
        let node = self.tree.get(path).ok_or(ErrorCode::NoNode)?;
        self.check_acl(&node.acl, perm, id)?;
        Ok(node)
    }

    fn get_data(
        &mut self,
        id: ConnectionId,
        request: &PathWatch,
        to: &mut Vec<u8>,
        stat: bool,
    ) -> Result<(), ErrorCode> {
        let node = self.readable(id, &request.path, perms::READ)?;
        node.data.encode(to);
        if stat {
            node.stat().encode(to);
        }
        if request.watch {
            self.watches.add(id, &request.path, Mode::Data);
        }
        Ok(())
    }

    fn get_children(
        &mut self,
        id: ConnectionId,
        request: &PathWatch,
        to: &mut Vec<u8>,
        stat: bool,
    ) -> Result<(), ErrorCode> {
        let node = self.readable(id, &request.path, perms::READ)?;
        encode_len(node.children.len(), to);
        for name in &node.children {
            crate::jute::EncodeStr::encode(&**name, to);
        }
        if stat {
            node.stat().encode(to);
        }
        if request.watch {
            self.watches.add(id, &request.path, Mode::Child);
        }
        Ok(())
    }

    /// Refused where the answer would be too large to hold: a request of a megabyte may ask for the largest node ten thousand times.
    fn multi_read(
        &mut self,
        id: ConnectionId,
        request: &MultiRequest,
        to: &mut Vec<u8>,
    ) -> Result<(), ErrorCode> {
        for operation in &request.ops {
            let mut body = Vec::new();
            let (kind, result) = match operation {
                MultiOp::GetData(request) => (op::GET_DATA, self.get_data(id, request, &mut body, true)),
                MultiOp::GetChildren(request) => {
                    (op::GET_CHILDREN, self.get_children(id, request, &mut body, false))
                }
                _ => (op::ERROR, Err(ErrorCode::MarshallingError)),
            };
            encode_result(kind, result.err().map(ErrorCode::to_i32), &body, to);
            if to.len() > MOST_READ_AT_ONCE {
                return Err(ErrorCode::MarshallingError);
            }
        }
        MULTI_END.encode(to);
        Ok(())
    }

    /// Sets watches again after a reconnect; those whose event was missed fire at once.
    fn set_watches(&mut self, id: ConnectionId, watches: &SetWatches, persistent: &PersistentWatches) {
        let since = watches.relative_zxid;
        let mut missed = Vec::new();
        for path in &watches.data {
            match self.tree.get(path) {
                None => missed.push((EventType::NodeDeleted, path)),
                Some(node) if node.stat.mzxid > since => missed.push((EventType::NodeDataChanged, path)),
                Some(_) => self.watches.add(id, path, Mode::Data),
            }
        }
        for path in &watches.exist {
            match self.tree.get(path) {
                Some(_) => missed.push((EventType::NodeCreated, path)),
                None => self.watches.add(id, path, Mode::Data),
            }
        }
        for path in &watches.child {
            match self.tree.get(path) {
                None => missed.push((EventType::NodeDeleted, path)),
                Some(node) if node.stat.pzxid > since => missed.push((EventType::NodeChildrenChanged, path)),
                Some(_) => self.watches.add(id, path, Mode::Child),
            }
        }
        for path in &persistent.persistent {
            self.watches.add(id, path, Mode::Persistent);
        }
        for path in &persistent.recursive {
            self.watches.add(id, path, Mode::Recursive);
        }
        for (event, path) in missed {
            // It had the watch, so it could read the node once; access is not asked again, as in Apache.
            self.notify(id, event, path, -1, &[]);
        }
    }

    /// Sends a watch event, unless the connection may not read the node it is about.
    pub(super) fn notify(
        &mut self,
        id: ConnectionId,
        event: EventType,
        path: &str,
        zxid: i64,
        acl: &[crate::proto::Acl],
    ) {
        if self.check_acl(acl, perms::READ, id).is_err() || !self.connections.contains_key(&id) {
            return;
        }
        let path = if path.is_empty() { path::ROOT } else { path };
        let mut frame = Vec::with_capacity(32 + path.len());
        ReplyHeader { xid: NOTIFICATION_XID, zxid, err: 0 }.encode(&mut frame);
        WatcherEvent { event: event as i32, state: 3, path: path.to_owned() }.encode(&mut frame);
        self.outputs.push(Output::Send(id, frame));
    }
}

/// One result of a multi: `body` where it succeeded, the code where not.
pub(super) fn encode_result(kind: i32, failed: Option<i32>, body: &[u8], to: &mut Vec<u8>) {
    match failed {
        None => {
            MultiHeader { op: kind, done: false, err: 0 }.encode(to);
            to.extend_from_slice(body);
        }
        Some(err) => {
            MultiHeader { op: op::ERROR, done: false, err }.encode(to);
            err.encode(to);
        }
    }
}

fn encode_texts(texts: &[&str], to: &mut Vec<u8>) {
    encode_len(texts.len(), to);
    for text in texts {
        crate::jute::EncodeStr::encode(*text, to);
    }
}
