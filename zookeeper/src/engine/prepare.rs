//! Writes checked and made transactions. The order of checks is part of the protocol: it decides which of two errors a client sees.

use super::pending::NodeView;
use super::{Engine, Now, Output};
use crate::ErrorCode;
use crate::acl;
use crate::jute::{DecodeError, Decoder, Record};
use crate::path;
use crate::proto::{
    CreateRequest, CreateTtlRequest, MultiOp, MultiRequest, PathOnly, PathVersion, RequestHeader,
    SetAclRequest, SetDataRequest, StatPersisted, op, perms,
};
use crate::tree::{MAX_TTL, Owner};
use crate::txn::{CreateContainerTxn, CreateTtlTxn, CreateTxn, SetAclTxn, SetDataTxn, Txn, TxnHeader};
use crate::watches::ConnectionId;

/// What the checks of one request share.
#[derive(Clone, Copy)]
struct Asker {
    connection: ConnectionId,
    session: i64,
    zxid: i64,
    time: i64,
}

/// The meaning of a create request's flags.
struct Flags {
    ephemeral: bool,
    sequential: bool,
    ttl: bool,
}

impl Flags {
    fn from_i32(flags: i32) -> Result<Flags, ErrorCode> {
        match flags {
            0..=6 => Ok(Flags {
                ephemeral: matches!(flags, 1 | 3),
                sequential: matches!(flags, 2 | 3 | 6),
                ttl: matches!(flags, 5 | 6),
            }),
            _ => Err(ErrorCode::BadArguments),
        }
    }
}

impl From<DecodeError> for ErrorCode {
    fn from(_: DecodeError) -> ErrorCode {
        ErrorCode::MarshallingError
    }
}

impl Engine {
    /// Makes a write a transaction. A refused one becomes an error transaction: it takes a zxid too. Only one that can not be read
    /// takes none.
    pub(super) fn prepare(
        &mut self,
        connection: ConnectionId,
        header: RequestHeader,
        mut from: Decoder<'_>,
        now: Now,
    ) -> Result<(TxnHeader, Txn), ErrorCode> {
        if self.log_lost {
            return Err(ErrorCode::SystemError);
        }
        let session = self.connections.get(&connection).map_or(0, |connection| connection.session);
        // Read before a zxid is taken.
        let from = &mut from;
        let request = match header.op {
            op::CREATE | op::CREATE2 | op::CREATE_CONTAINER => {
                Request::Op(MultiOp::Create(header.op, CreateRequest::decode(from)?))
            }
            op::CREATE_TTL => Request::Op(MultiOp::CreateTtl(CreateTtlRequest::decode(from)?)),
            op::DELETE => Request::Op(MultiOp::Delete(PathVersion::decode(from)?)),
            op::SET_DATA => Request::Op(MultiOp::SetData(SetDataRequest::decode(from)?)),
            op::DELETE_CONTAINER => Request::DeleteContainer(PathOnly::decode(from)?),
            op::SET_ACL => Request::SetAcl(SetAclRequest::decode(from)?),
            op::MULTI => match MultiRequest::decode(from) {
                Ok(request) if !request.ops.iter().any(MultiOp::spoils_multi) => Request::Multi(request),
                // The one malformed request that takes a zxid.
                _ => Request::MalformedMulti,
            },
            op::RECONFIG => Request::Reconfig,
            op::CLOSE_SESSION => Request::CloseSession,
            _ => return Err(ErrorCode::Unimplemented),
        };
        let txn_header = self.new_header(session, header.xid, header.op, now);
        let asker = Asker { connection, session, zxid: txn_header.zxid, time: txn_header.time };
        let result = match request {
            Request::Op(operation) => self.prepare_op(asker, &operation),
            Request::DeleteContainer(request) => self.prepare_delete_container(asker.zxid, &request.path),
            Request::SetAcl(request) => self.prepare_set_acl(asker, request),
            Request::Multi(request) => Ok(self.prepare_multi(asker, &request)),
            Request::MalformedMulti => Err(ErrorCode::MarshallingError),
            Request::Reconfig => Err(ErrorCode::ReconfigDisabled),
            Request::CloseSession => Ok(self.prepare_close_session(asker.zxid, session)),
        };
        Ok(match result {
            Ok(txn) => (txn_header, txn),
            Err(code) => (TxnHeader { op: op::ERROR, ..txn_header }, Txn::Error(code.to_i32())),
        })
    }

    fn prepare_op(&mut self, asker: Asker, operation: &MultiOp) -> Result<Txn, ErrorCode> {
        match operation {
            MultiOp::Create(kind, request) => self.prepare_create(asker, *kind, request, -1),
            MultiOp::CreateTtl(CreateTtlRequest { path, data, acl, flags, ttl }) => {
                let request =
                    CreateRequest { path: path.clone(), data: data.clone(), acl: acl.clone(), flags: *flags };
                self.prepare_create(asker, op::CREATE_TTL, &request, *ttl)
            }
            MultiOp::Delete(request) => self.prepare_delete(asker, request),
            MultiOp::SetData(request) => self.prepare_set_data(asker, request),
            MultiOp::Check(request) => self.prepare_check(asker, request),
            // Never asked: a multi with reads is malformed.
            MultiOp::GetData(_) | MultiOp::GetChildren(_) => Err(ErrorCode::MarshallingError),
        }
    }

    /// All or nothing: at the first error the changes of those before are taken back, and those behind are not tried.
    fn prepare_multi(&mut self, asker: Asker, request: &MultiRequest) -> Txn {
        self.pending.begin();
        let mut failed = false;
        let subs = request.ops.iter().map(|operation| {
            let operation = &operation.as_apache_takes_it();
            if failed {
                return (op::ERROR, Txn::Error(ErrorCode::RuntimeInconsistency.to_i32()));
            }
            match self.prepare_op(asker, operation) {
                Ok(txn) => (operation.kind(), txn),
                Err(code) => {
                    failed = true;
                    (op::ERROR, Txn::Error(code.to_i32()))
                }
            }
        });
        let subs = subs.collect();
        self.pending.end(!failed);
        Txn::Multi(subs)
    }

    fn prepare_create(
        &mut self,
        asker: Asker,
        kind: i32,
        request: &CreateRequest,
        ttl: i64,
    ) -> Result<Txn, ErrorCode> {
        let flags = Flags::from_i32(request.flags)?;
        if flags.ttl && !self.tree.ttl_enabled() {
            return Err(ErrorCode::Unimplemented);
        }
        // Apache lets a createTTL pass that names neither a TTL mode nor a TTL, and its server ends with it.
        let ttl_fits =
            if flags.ttl { (1..=MAX_TTL).contains(&ttl) } else { ttl < 0 && kind != op::CREATE_TTL };
        if !ttl_fits {
            return Err(ErrorCode::BadArguments);
        }
        self.check_session(asker)?;
        let (parent_path, _) = split(&request.path)?;
        let acl = acl::resolve(&request.acl, self.identities(asker.connection))?;
        let mut parent = self.node(parent_path)?;
        self.check_acl(&parent.acl, perms::CREATE, asker.connection)?;
        let path = if flags.sequential {
            format!("{}{:010}", request.path, parent.stat.cversion)
        } else {
            request.path.clone()
        };
        if !path::is_valid(&path) {
            return Err(ErrorCode::BadArguments);
        }
        if self.node(&path).is_ok() {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(self.tree.owner(parent.stat.ephemeral_owner), Owner::Session(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        let data_len = request.data.as_ref().map_or(0, |data| data.len());
        self.check_quota(&path, 1, data_len as i64)?;
        let owner = match kind {
            op::CREATE_CONTAINER => Owner::Container,
            op::CREATE_TTL => Owner::Ttl(ttl),
            _ if flags.ephemeral => Owner::Session(asker.session),
            _ => Owner::None,
        };
        let parent_cversion = parent.stat.cversion.wrapping_add(1);
        parent.children += 1;
        parent.stat.cversion = parent_cversion;
        parent.stat.pzxid = asker.zxid;
        let stat = StatPersisted {
            czxid: asker.zxid,
            mzxid: asker.zxid,
            pzxid: asker.zxid,
            ctime: asker.time,
            mtime: asker.time,
            ephemeral_owner: owner.to_field(),
            ..StatPersisted::default()
        };
        let shared = self.tree.intern(&acl);
        self.pending.set(asker.zxid, parent_path, Some(parent));
        self.pending.set(asker.zxid, &path, Some(NodeView { stat, children: 0, data_len, acl: shared }));
        let data = request.data.clone();
        Ok(match kind {
            op::CREATE_CONTAINER => {
                Txn::CreateContainer(CreateContainerTxn { path, data, acl, parent_cversion })
            }
            op::CREATE_TTL => Txn::CreateTtl(CreateTtlTxn { path, data, acl, parent_cversion, ttl }),
            _ => Txn::Create(CreateTxn { path, data, acl, ephemeral: flags.ephemeral, parent_cversion }),
        })
    }

    fn prepare_delete(&mut self, asker: Asker, request: &PathVersion) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        let (parent_path, _) = split(&request.path)?;
        if path::is_special(&request.path) {
            return Err(ErrorCode::BadArguments);
        }
        let parent = self.node(parent_path)?;
        self.check_acl(&parent.acl, perms::DELETE, asker.connection)?;
        let node = self.node(&request.path)?;
        next_version(node.stat.version, request.version)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        self.pend_delete(asker.zxid, &request.path, Some(parent));
        Ok(Txn::Delete { path: request.path.clone() })
    }

    /// Deletes a container or TTL node without children.
    pub(super) fn prepare_delete_container(&mut self, zxid: i64, path: &str) -> Result<Txn, ErrorCode> {
        let (parent_path, _) = split(path)?;
        if path::is_special(path) {
            return Err(ErrorCode::BadArguments);
        }
        let node = self.node(path)?;
        if node.children > 0 {
            return Err(ErrorCode::NotEmpty);
        }
        match self.tree.owner(node.stat.ephemeral_owner) {
            Owner::Session(_) => return Err(ErrorCode::BadVersion),
            // Apache lets any client delete any childless node so, without asking its ACL (CVE-2025-58457 is a cousin). We do not.
            Owner::None => return Err(ErrorCode::BadVersion),
            Owner::Container | Owner::Ttl(_) => {}
        }
        let parent = self.node(parent_path)?;
        self.pend_delete(zxid, path, Some(parent));
        Ok(Txn::Delete { path: path.to_owned() })
    }

    fn pend_delete(&mut self, zxid: i64, path: &str, parent: Option<NodeView>) {
        if let (Some(mut parent), Some((parent_path, _))) = (parent, path::split(path)) {
            parent.children = parent.children.saturating_sub(1);
            parent.stat.pzxid = zxid;
            self.pending.set(zxid, parent_path, Some(parent));
        }
        self.pending.set(zxid, path, None);
    }

    /// Refuses what a hard limit forbids, where limits are enforced; what breaks a soft one is told, and done.
    fn check_quota(&mut self, path: &str, count: i64, bytes: i64) -> Result<(), ErrorCode> {
        let Some((limited, limits, used)) = self.tree.quota_of(path) else { return Ok(()) };
        if self.rules.enforce_quota && limits.forbids(&used, count, bytes) {
            return Err(ErrorCode::QuotaExceeded);
        }
        if limits.warns(&used, count, bytes) {
            let (path, used) = (limited.to_owned(), used.plus(count, bytes));
            self.outputs.push(Output::OverQuota { path, limits, used });
        }
        Ok(())
    }

    fn prepare_set_data(&mut self, asker: Asker, request: &SetDataRequest) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        if !path::is_valid(&request.path) {
            return Err(ErrorCode::BadArguments);
        }
        let mut node = self.node(&request.path)?;
        self.check_acl(&node.acl, perms::WRITE, asker.connection)?;
        let data_len = request.data.as_ref().map_or(0, |data| data.len());
        self.check_quota(&request.path, 0, data_len as i64 - node.data_len as i64)?;
        let version = next_version(node.stat.version, request.version)?;
        node.stat.version = version;
        node.stat.mtime = asker.time;
        node.stat.mzxid = asker.zxid;
        node.data_len = data_len;
        self.pending.set(asker.zxid, &request.path, Some(node));
        Ok(Txn::SetData(SetDataTxn { path: request.path.clone(), data: request.data.clone(), version }))
    }

    fn prepare_set_acl(&mut self, asker: Asker, request: SetAclRequest) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        if !path::is_valid(&request.path) {
            return Err(ErrorCode::BadArguments);
        }
        let acl = acl::resolve(&request.acl, self.identities(asker.connection))?;
        let mut node = self.node(&request.path)?;
        self.check_acl(&node.acl, perms::ADMIN, asker.connection)?;
        let version = next_version(node.stat.aversion, request.version)?;
        node.stat.aversion = version;
        // Unlike Apache, whose writes on their way are still checked against the old list.
        node.acl = self.tree.intern(&acl);
        self.pending.set(asker.zxid, &request.path, Some(node));
        Ok(Txn::SetAcl(SetAclTxn { path: request.path, acl, version }))
    }

    fn prepare_check(&mut self, asker: Asker, request: &PathVersion) -> Result<Txn, ErrorCode> {
        self.check_session(asker)?;
        if !path::is_valid(&request.path) {
            return Err(ErrorCode::BadArguments);
        }
        let node = self.node(&request.path)?;
        self.check_acl(&node.acl, perms::READ, asker.connection)?;
        let version = next_version(node.stat.version, request.version)?;
        Ok(Txn::Check { path: request.path.clone(), version })
    }

    pub(super) fn prepare_close_session(&mut self, zxid: i64, session: i64) -> Txn {
        let paths = self.pending.ephemerals_of(&self.tree, session);
        for path in &paths {
            let parent = path::split(path).and_then(|(parent, _)| self.node(parent).ok());
            self.pend_delete(zxid, path, parent);
        }
        self.sessions.set_closing(session);
        Txn::CloseSession { paths: Some(paths) }
    }

    fn node(&self, path: &str) -> Result<NodeView, ErrorCode> {
        self.pending.get(&self.tree, path).ok_or(ErrorCode::NoNode)
    }

    fn check_session(&self, asker: Asker) -> Result<(), ErrorCode> {
        if self.sessions.is_alive(asker.session) { Ok(()) } else { Err(ErrorCode::SessionExpired) }
    }
}

enum Request {
    Op(MultiOp),
    DeleteContainer(PathOnly),
    SetAcl(SetAclRequest),
    Multi(MultiRequest),
    MalformedMulti,
    Reconfig,
    CloseSession,
}

impl MultiOp {
    pub(super) fn is_read(&self) -> bool {
        matches!(self, MultiOp::GetData(_) | MultiOp::GetChildren(_))
    }

    /// What makes a multi malformed: reads, and on a create a mode that does not exist or has no place for its TTL.
    fn spoils_multi(&self) -> bool {
        self.is_read() || matches!(self, MultiOp::Create(_, request) if !(0..=4).contains(&request.flags))
    }

    /// Inside a multi, the flags of a create say more than its type.
    fn as_apache_takes_it(&self) -> MultiOp {
        match self {
            MultiOp::Create(_, request) if request.flags == 4 => {
                MultiOp::Create(op::CREATE_CONTAINER, request.clone())
            }
            MultiOp::CreateTtl(CreateTtlRequest { path, data, acl, flags, .. })
                if !matches!(flags, 5 | 6) =>
            {
                let request =
                    CreateRequest { path: path.clone(), data: data.clone(), acl: acl.clone(), flags: *flags };
                MultiOp::Create(op::CREATE, request).as_apache_takes_it()
            }
            other => other.clone(),
        }
    }

    fn kind(&self) -> i32 {
        match self {
            MultiOp::Create(kind, _) => *kind,
            MultiOp::CreateTtl(_) => op::CREATE_TTL,
            MultiOp::Delete(_) => op::DELETE,
            MultiOp::SetData(_) => op::SET_DATA,
            MultiOp::Check(_) => op::CHECK,
            MultiOp::GetData(_) => op::GET_DATA,
            MultiOp::GetChildren(_) => op::GET_CHILDREN,
        }
    }
}

fn split(path: &str) -> Result<(&str, &str), ErrorCode> {
    if path.contains('\0') {
        return Err(ErrorCode::BadArguments);
    }
    path::split(path).ok_or(ErrorCode::BadArguments)
}

/// The version after this write, if the client expects the one before it. -1 is skipped: it means "any" in requests.
fn next_version(current: i32, expected: i32) -> Result<i32, ErrorCode> {
    if expected != -1 && expected != current {
        return Err(ErrorCode::BadVersion);
    }
    match current.wrapping_add(1) {
        -1 => Ok(0),
        next => Ok(next),
    }
}
