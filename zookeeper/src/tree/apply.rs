//! Transactions applied to the tree. Applying one twice does no harm, which the log relies on when a snapshot already holds it.

use std::sync::Arc;

use super::{Owner, Tree};
use crate::ErrorCode;
use crate::jute::Buffer;
use crate::path;
use crate::proto::{Acl, Stat, StatPersisted};
use crate::txn::{Txn, TxnHeader};

/// A change that watches may wait for, with the access list of each node that an event would name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Change {
    Created { path: String, acl: Arc<[Acl]>, parent_acl: Arc<[Acl]> },
    Deleted { path: String, acl: Arc<[Acl]>, parent_acl: Arc<[Acl]> },
    Data { path: String, acl: Arc<[Acl]> },
}

/// What a transaction did, for the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// Nothing to tell but success.
    Done,
    /// A node was created.
    Created {
        /// Its path.
        path: String,
        /// Its stat.
        stat: Stat,
    },
    /// A node's data or ACL was set.
    Stat(Stat),
    /// It was, or became, an error; 0 inside a multi whose failure lies further on.
    Failed(i32),
    /// The results of a multi, in order, each with its type.
    Multi(Vec<(i32, Applied)>),
}

impl Tree {
    /// Applies a transaction and says what changed. Errors are possible only when replaying over a snapshot that is newer.
    pub fn apply(&mut self, header: &TxnHeader, txn: &Txn, changes: &mut Vec<Change>) -> Applied {
        let applied = self.apply_body(header, txn, changes);
        self.last_zxid = self.last_zxid.max(header.zxid);
        applied
    }

    fn apply_body(&mut self, header: &TxnHeader, txn: &Txn, changes: &mut Vec<Change>) -> Applied {
        let stat = |owner: Owner| StatPersisted {
            czxid: header.zxid,
            mzxid: header.zxid,
            pzxid: header.zxid,
            ctime: header.time,
            mtime: header.time,
            ephemeral_owner: owner.to_field(),
            ..StatPersisted::default()
        };
        let result = match txn {
            Txn::Create(txn) => {
                let owner = if txn.ephemeral { Owner::Session(header.session_id) } else { Owner::None };
                self.create(&txn.path, &txn.data, &txn.acl, stat(owner), txn.parent_cversion, changes)
            }
            Txn::CreateContainer(txn) => self.create(
                &txn.path,
                &txn.data,
                &txn.acl,
                stat(Owner::Container),
                txn.parent_cversion,
                changes,
            ),
            Txn::CreateTtl(txn) => self.create(
                &txn.path,
                &txn.data,
                &txn.acl,
                stat(Owner::Ttl(txn.ttl)),
                txn.parent_cversion,
                changes,
            ),
            Txn::Delete { path } => self.delete(path, header.zxid, changes),
            Txn::SetData(txn) => self.set_data(&txn.path, &txn.data, txn.version, header, changes),
            Txn::SetAcl(txn) => {
                let acl = self.intern(&txn.acl);
                self.node_mut(&txn.path).ok_or(ErrorCode::NoNode).map(|node| {
                    node.acl = acl;
                    node.stat.aversion = txn.version;
                    Applied::Stat(node.stat())
                })
            }
            Txn::Check { .. } | Txn::CreateSession { .. } => Ok(Applied::Done),
            Txn::CloseSession { paths } => {
                let mut doomed: Vec<String> = paths.clone().unwrap_or_default();
                doomed.extend(self.ephemerals_of(header.session_id).map(str::to_owned));
                doomed.sort_unstable();
                doomed.dedup();
                for path in doomed {
                    // Already gone when the snapshot was newer.
                    let _ = self.delete(&path, header.zxid, changes);
                }
                self.ephemerals.remove(&header.session_id);
                Ok(Applied::Done)
            }
            Txn::Error(code) => Ok(Applied::Failed(*code)),
            Txn::Multi(subs) => Ok(Applied::Multi(self.apply_multi(header, subs, changes))),
        };
        result.unwrap_or_else(|code| Applied::Failed(code.to_i32()))
    }

    fn apply_multi(
        &mut self,
        header: &TxnHeader,
        subs: &[(i32, Txn)],
        changes: &mut Vec<Change>,
    ) -> Vec<(i32, Applied)> {
        let failed = subs.iter().position(|(_, txn)| matches!(txn, Txn::Error(_)));
        let apply = |(index, (kind, txn)): (usize, &(i32, Txn))| match (failed, txn) {
            (Some(_), Txn::Error(code)) => (crate::proto::op::ERROR, Applied::Failed(*code)),
            (Some(at), _) => {
                let code = if index < at { 0 } else { ErrorCode::RuntimeInconsistency.to_i32() };
                (crate::proto::op::ERROR, Applied::Failed(code))
            }
            (None, _) => (*kind, self.apply_body(header, txn, changes)),
        };
        subs.iter().enumerate().map(apply).collect()
    }

    fn create(
        &mut self,
        path: &str,
        data: &Buffer,
        acl: &[Acl],
        stat: StatPersisted,
        parent_cversion: i32,
        changes: &mut Vec<Change>,
    ) -> Result<Applied, ErrorCode> {
        let (parent_path, name) = path::split(path).ok_or(ErrorCode::NoNode)?;
        let acl = self.intern(acl);
        let exists = self.nodes.contains_key(path);
        let parent = self.node_mut(parent_path).ok_or(ErrorCode::NoNode)?;
        let parent_cversion =
            if parent_cversion == -1 { parent.stat.cversion.wrapping_add(1) } else { parent_cversion };
        // A snapshot taken later may count further than this.
        if parent_cversion > parent.stat.cversion {
            parent.stat.cversion = parent_cversion;
            parent.stat.pzxid = stat.czxid;
        }
        if exists {
            if let Some(node) = self.node_mut(path) {
                node.acl = acl;
            }
            return Err(ErrorCode::NodeExists);
        }
        let parent_acl = parent.acl.clone();
        self.insert(path, data.clone(), &acl, stat);
        let stat = self.get(path).map(super::Node::stat).unwrap_or_default();

        if let Some(limited) = parent_path.strip_prefix(path::QUOTA) {
            if name == path::LIMITS_NODE {
                self.quotas.insert(limited.to_owned());
            } else if name == path::STATS_NODE {
                self.recount_quota(limited);
            }
        }
        self.charge_quota(path, 1, data.as_ref().map_or(0, |data| data.len() as i64));
        changes.push(Change::Created { path: path.to_owned(), acl, parent_acl });
        Ok(Applied::Created { path: path.to_owned(), stat })
    }

    fn delete(&mut self, path: &str, zxid: i64, changes: &mut Vec<Change>) -> Result<Applied, ErrorCode> {
        let (parent_path, name) = path::split(path).ok_or(ErrorCode::NoNode)?;
        let parent = self.node_mut(parent_path).ok_or(ErrorCode::NoNode)?;
        parent.children.remove(name);
        parent.stat.pzxid = parent.stat.pzxid.max(zxid);
        let parent_acl = parent.acl.clone();
        let node = self.nodes.remove(path).ok_or(ErrorCode::NoNode)?;
        match self.owner(node.stat.ephemeral_owner) {
            Owner::None => {}
            Owner::Session(session) => {
                if let Some(paths) = self.ephemerals.get_mut(&session) {
                    paths.remove(path);
                    if paths.is_empty() {
                        self.ephemerals.remove(&session);
                    }
                }
            }
            Owner::Container => {
                self.containers.remove(path);
            }
            Owner::Ttl(_) => {
                self.ttls.remove(path);
            }
        }
        self.bytes = self.bytes.saturating_sub((path.len() + node.data_len()) as u64);
        if name == path::LIMITS_NODE
            && let Some(limited) = parent_path.strip_prefix(path::QUOTA)
        {
            self.quotas.remove(limited);
        }
        self.charge_quota(path, -1, -(node.data_len() as i64));
        changes.push(Change::Deleted { path: path.to_owned(), acl: node.acl.clone(), parent_acl });
        Ok(Applied::Done)
    }

    fn set_data(
        &mut self,
        path: &str,
        data: &Buffer,
        version: i32,
        header: &TxnHeader,
        changes: &mut Vec<Change>,
    ) -> Result<Applied, ErrorCode> {
        let path = if path.is_empty() { path::ROOT } else { path };
        let node = self.node_mut(path).ok_or(ErrorCode::NoNode)?;
        let before = node.data_len() as i64;
        node.data.clone_from(data);
        node.stat.mtime = header.time;
        node.stat.mzxid = header.zxid;
        node.stat.version = version;
        let (stat, acl, grown) = (node.stat(), node.acl.clone(), node.data_len() as i64 - before);
        self.bytes = self.bytes.saturating_add_signed(grown);
        self.charge_quota(path, 0, grown);
        changes.push(Change::Data { path: path.to_owned(), acl });
        Ok(Applied::Stat(stat))
    }
}
