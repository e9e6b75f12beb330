//! The tree of nodes, and how transactions change it. Pure: it checks nothing, waits for nothing and reads no clock; time comes
//! with each transaction.

mod apply;
mod node;
mod quota;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use self::apply::{Applied, Change};
pub use self::node::{MAX_TTL, Node, Owner};
pub use self::quota::Usage;
use crate::jute::Buffer;
use crate::path;
use crate::proto::{Acl, StatPersisted, perms};

/// All nodes, and where to find those that the server itself must find.
///
/// A clone shares the nodes: it costs a pointer and a key per node, which is what a snapshot waits for.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: HashMap<Arc<str>, Arc<Node>>,
    ephemerals: BTreeMap<i64, BTreeSet<Arc<str>>>,
    containers: BTreeSet<Arc<str>>,
    ttls: BTreeSet<Arc<str>>,
    /// Paths that a quota limits.
    quotas: HashSet<String>,
    acls: HashSet<Arc<[Acl]>>,
    acls_purged_at: usize,
    bytes: u64,
    ttl_enabled: bool,
    /// The newest transaction applied.
    pub last_zxid: i64,
}

impl Tree {
    /// The tree of a new server: the root and the server's own nodes. `ttl_enabled`: see [`Owner::from_field`].
    #[must_use]
    pub fn new(ttl_enabled: bool) -> Tree {
        let mut tree = Tree::empty(ttl_enabled);
        let open: Arc<[Acl]> = crate::acl::open().into();
        let read_only: Arc<[Acl]> = [crate::acl::world(perms::READ)].into();
        for (path, acl) in
            [(path::ROOT, &open), (path::ZOOKEEPER, &open), (path::QUOTA, &open), (path::CONFIG, &read_only)]
        {
            // Setting the ACL of the configuration's node counted down to -1 in Apache; its clients see that.
            let aversion = if path == path::CONFIG { -1 } else { 0 };
            let stat = StatPersisted { aversion, ..StatPersisted::default() };
            tree.insert(path, Some(Arc::from([])), acl, stat);
        }
        tree
    }

    /// No node at all, for a snapshot to fill.
    #[must_use]
    pub fn empty(ttl_enabled: bool) -> Tree {
        Tree {
            nodes: HashMap::new(),
            ephemerals: BTreeMap::new(),
            containers: BTreeSet::new(),
            ttls: BTreeSet::new(),
            quotas: HashSet::new(),
            acls: HashSet::new(),
            acls_purged_at: 64,
            bytes: 0,
            ttl_enabled,
            last_zxid: 0,
        }
    }

    /// A node. The empty path is the root too, as clients have always been able to say.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(if path.is_empty() { path::ROOT } else { path }).map(|node| &**node)
    }

    /// All nodes with their paths, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (&**path, &**node))
    }

    /// Number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node, not even the root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Bytes of paths and data.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of nodes below a node, itself not counted.
    #[must_use]
    pub fn count_below(&self, path: &str) -> usize {
        let mut count = 0;
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Some(node) = self.get(&path) else { continue };
            count += node.children.len();
            open.extend(node.children.iter().map(|name| path::join(&path, name)));
        }
        count
    }

    /// What a node's owner field says.
    #[must_use]
    pub fn owner(&self, field: i64) -> Owner {
        Owner::from_field(field, self.ttl_enabled)
    }

    /// Whether TTL nodes are enabled.
    #[must_use]
    pub fn ttl_enabled(&self) -> bool {
        self.ttl_enabled
    }

    /// Ephemeral nodes of a session, in order.
    pub fn ephemerals_of(&self, session: i64) -> impl Iterator<Item = &str> {
        self.ephemerals.get(&session).into_iter().flatten().map(|path| &**path)
    }

    /// Sessions that have ephemeral nodes, with those.
    pub fn ephemerals(&self) -> impl Iterator<Item = (i64, &BTreeSet<Arc<str>>)> {
        self.ephemerals.iter().map(|(session, paths)| (*session, paths))
    }

    /// Container and TTL nodes that have served their time at `now` (milliseconds of Unix time): no children left, and for a container
    /// that there ever was one, for a TTL node that its time is over.
    #[must_use]
    pub fn collectable(&self, now: i64) -> Vec<String> {
        let spent_container = |node: &Node| node.stat.cversion > 0;
        let spent_ttl = |node: &Node| match self.owner(node.stat.ephemeral_owner) {
            Owner::Ttl(ttl) => now.saturating_sub(node.stat.mtime) > ttl,
            _ => false,
        };
        let childless = |path: &&Arc<str>, spent: &dyn Fn(&Node) -> bool| {
            self.get(path).is_some_and(|node| node.children.is_empty() && spent(node))
        };
        let containers = self.containers.iter().filter(|path| childless(path, &spent_container));
        let ttls = self.ttls.iter().filter(|path| childless(path, &spent_ttl));
        containers.chain(ttls).map(ToString::to_string).collect()
    }

    /// The nearest limited path at or above a path, the root excepted.
    #[must_use]
    pub fn quota_above<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.quotas.is_empty() {
            return None;
        }
        path::with_ancestors(path).find(|above| *above != path::ROOT && self.quotas.contains(*above))
    }

    /// The quota that counts for a path, if there is one: where it is set, its limits, and what is in use.
    #[must_use]
    pub fn quota_of<'a>(&self, path: &'a str) -> Option<(&'a str, Usage, Usage)> {
        let limited = self.quota_above(path)?;
        let usage = |name: &str| {
            let node = self.get(&format!("{}{limited}/{name}", path::QUOTA))?;
            Some(Usage::parse(node.data.as_deref().unwrap_or_default()))
        };
        Some((limited, usage(path::LIMITS_NODE)?, usage(path::STATS_NODE)?))
    }

    /// Puts a node in place, as a snapshot says; its parent must be there unless it is the root.
    ///
    /// Returns whether it could: `false` means that the parent is missing.
    pub fn restore(&mut self, path: &str, data: Buffer, acl: &Arc<[Acl]>, stat: StatPersisted) -> bool {
        let fits =
            path == path::ROOT || path::split(path).is_some_and(|(parent, _)| self.get(parent).is_some());
        if fits {
            self.insert(path, data, acl, stat);
        }
        fits
    }

    /// Makes the quota of every limits node take effect, after a snapshot was read.
    pub fn restore_quotas(&mut self) {
        let suffix = format!("/{}", path::LIMITS_NODE);
        let limited: Vec<String> = (self.nodes.keys())
            .filter_map(|path| {
                Some(path.strip_prefix(path::QUOTA)?.strip_suffix(suffix.as_str())?.to_owned())
            })
            .collect();
        for path in limited {
            self.recount_quota(&path);
            self.quotas.insert(path);
        }
    }

    /// The shared form of an access list.
    pub fn intern(&mut self, acl: &[Acl]) -> Arc<[Acl]> {
        if let Some(known) = self.acls.get(acl) {
            return known.clone();
        }
        if self.acls.len() >= self.acls_purged_at {
            self.acls.retain(|acl| Arc::strong_count(acl) > 1);
            self.acls_purged_at = (self.acls.len() * 2).max(64);
        }
        let shared: Arc<[Acl]> = acl.into();
        self.acls.insert(shared.clone());
        shared
    }

    fn insert(&mut self, path: &str, data: Buffer, acl: &Arc<[Acl]>, stat: StatPersisted) {
        let acl = self.intern(acl);
        if let Some((parent, name)) = path::split(path)
            && path != path::ROOT
            && let Some(parent) = self.node_mut(parent)
        {
            parent.children.insert(name.into());
        }
        let key: Arc<str> = path.into();
        match self.owner(stat.ephemeral_owner) {
            Owner::None => {}
            Owner::Session(session) => {
                self.ephemerals.entry(session).or_default().insert(key.clone());
            }
            Owner::Container => {
                self.containers.insert(key.clone());
            }
            Owner::Ttl(_) => {
                self.ttls.insert(key.clone());
            }
        }
        let node = Node { data, acl, stat, children: BTreeSet::new() };
        self.bytes += (path.len() + node.data_len()) as u64;
        self.nodes.insert(key, Arc::new(node));
    }

    fn node_mut(&mut self, path: &str) -> Option<&mut Node> {
        self.nodes.get_mut(path).map(Arc::make_mut)
    }

    fn set_quiet(&mut self, path: &str, data: &str) {
        let Some(node) = self.node_mut(path) else { return };
        let before = node.data_len() as u64;
        node.data = Some(data.as_bytes().into());
        self.bytes = (self.bytes + data.len() as u64).saturating_sub(before);
    }

    /// Counts anew what a limited path uses, itself included.
    fn recount_quota(&mut self, limited: &str) {
        let (mut count, mut bytes) = (0, 0);
        let mut open = vec![limited.to_owned()];
        while let Some(path) = open.pop() {
            let Some(node) = self.get(&path) else { continue };
            count += 1;
            bytes += i64::try_from(node.data_len()).unwrap_or(i64::MAX);
            open.extend(node.children.iter().map(|name| path::join(&path, name)));
        }
        self.set_quiet(
            &format!("{}{limited}/{}", path::QUOTA, path::STATS_NODE),
            &Usage::new(count, bytes).to_string(),
        );
    }

    fn charge_quota(&mut self, path: &str, count: i64, bytes: i64) {
        let Some(limited) = self.quota_above(path) else { return };
        let stats = format!("{}{limited}/{}", path::QUOTA, path::STATS_NODE);
        let Some(node) = self.get(&stats) else { return };
        let usage = Usage::parse(node.data.as_deref().unwrap_or_default()).plus(count, bytes);
        self.set_quiet(&stats, &usage.to_string());
    }
}
