//! What writes on their way to the disk will have done: later writes are checked against this, reads are not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::proto::{Acl, StatPersisted};
use crate::tree::Tree;

/// What checking a write needs to know of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NodeView {
    pub(super) stat: StatPersisted,
    pub(super) children: usize,
    pub(super) data_len: usize,
    pub(super) acl: Arc<[Acl]>,
}

#[derive(Debug, Clone)]
struct Change {
    zxid: i64,
    /// `None`: deleted.
    node: Option<NodeView>,
}

/// Changes by path, newest first to be found, oldest first to be forgotten.
#[derive(Debug, Default)]
pub(super) struct Pending {
    by_path: HashMap<Arc<str>, Change>,
    order: VecDeque<(i64, Arc<str>)>,
    /// While a multi is prepared: what each of its changes replaced.
    undo: Option<Vec<(Arc<str>, Option<Change>)>>,
}

impl Pending {
    /// The node as it will be once everything accepted so far is done.
    pub(super) fn get(&self, tree: &Tree, path: &str) -> Option<NodeView> {
        match self.by_path.get(path) {
            Some(change) => change.node.clone(),
            None => tree.get(path).map(|node| NodeView {
                stat: node.stat,
                children: node.children.len(),
                data_len: node.data_len(),
                acl: node.acl.clone(),
            }),
        }
    }

    /// The node will be so after `zxid`.
    pub(super) fn set(&mut self, zxid: i64, path: &str, node: Option<NodeView>) {
        let key: Arc<str> = path.into();
        let before = self.by_path.insert(key.clone(), Change { zxid, node });
        if let Some(undo) = &mut self.undo {
            undo.push((key.clone(), before));
        }
        self.order.push_back((zxid, key));
    }

    /// Ephemeral nodes that the session will have.
    pub(super) fn ephemerals_of(&self, tree: &Tree, session: i64) -> Vec<String> {
        let mut paths: Vec<String> = tree
            .ephemerals_of(session)
            .filter(|path| !self.by_path.contains_key(*path))
            .map(str::to_owned)
            .collect();
        let pending = self.by_path.iter().filter(|(_, change)| {
            change.node.as_ref().is_some_and(|node| node.stat.ephemeral_owner == session)
        });
        paths.extend(pending.map(|(path, _)| path.to_string()));
        paths.sort_unstable();
        paths
    }

    /// From here on, changes can be taken back.
    pub(super) fn begin(&mut self) {
        self.undo = Some(Vec::new());
    }

    /// Ends what [`Pending::begin`] began; unless `keep`, takes its changes back.
    pub(super) fn end(&mut self, keep: bool) {
        let undo = self.undo.take().unwrap_or_default();
        if keep {
            return;
        }
        self.order.truncate(self.order.len() - undo.len());
        for (path, before) in undo.into_iter().rev() {
            match before {
                Some(change) => self.by_path.insert(path, change),
                None => self.by_path.remove(&path),
            };
        }
    }

    /// Everything up to `zxid` is in the tree.
    pub(super) fn committed(&mut self, zxid: i64) {
        while let Some((at, path)) = self.order.pop_front_if(|(at, _)| *at <= zxid) {
            if self.by_path.get(&path).is_some_and(|change| change.zxid == at) {
                self.by_path.remove(&path);
            }
        }
    }

    /// Nothing of it will happen.
    pub(super) fn clear(&mut self) {
        *self = Pending::default();
    }
}
