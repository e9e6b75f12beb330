//! Watches: which connection waits for which change of which path. Pure.
//!
//! A standard watch fires once. A persistent one (3.6) stays; a recursive one also hears of everything below its path, but never of
//! a change in a set of children, because it hears of each child.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::path;
use crate::proto::EventType;

/// A connection, as its server numbers it.
pub type ConnectionId = u64;

/// What kinds of watch one connection has on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Modes {
    /// From getData, and from exists.
    data: bool,
    /// From getChildren.
    child: bool,
    persistent: bool,
    recursive: bool,
}

impl Modes {
    fn is_empty(self) -> bool {
        self == Modes::default()
    }
}

/// A kind of watch to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Once, for the node's data, creation and deletion.
    Data,
    /// Once, for its children and deletion.
    Child,
    /// Again and again, for all of these.
    Persistent,
    /// Again and again, for it and all below.
    Recursive,
}

/// Which watches removeWatches and checkWatches mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Standard ones on children.
    Children,
    /// Standard ones on data.
    Data,
    /// All of them, persistent and recursive ones too.
    Any,
}

impl Kind {
    /// The kind of a number on the wire.
    #[must_use]
    pub fn from_i32(value: i32) -> Option<Kind> {
        match value {
            1 => Some(Kind::Children),
            2 => Some(Kind::Data),
            3 => Some(Kind::Any),
            _ => None,
        }
    }
}

/// What one connection watches.
#[derive(Debug, Default)]
struct Watched {
    paths: BTreeSet<String>,
    /// See [`weight`].
    bytes: usize,
}

/// Memory of a watched path without the path's own bytes: a place in each of the two indexes, and the map of the path's connections.
const BYTES_BESIDE_PATH: usize = 300;

/// About how much memory it takes that a connection watches a path, which is kept in both indexes.
fn weight(path: &str) -> usize {
    2 * path.len() + BYTES_BESIDE_PATH
}

/// All watches of all connections.
#[derive(Debug, Default)]
pub struct Watches {
    by_path: HashMap<String, BTreeMap<ConnectionId, Modes>>,
    by_connection: HashMap<ConnectionId, Watched>,
    /// Recursive watches are looked for on all ancestors, so it pays to know that there are none.
    recursive: usize,
}

impl Watches {
    /// Sets a watch; one that is there already stays as it is.
    pub fn add(&mut self, connection: ConnectionId, path: &str, mode: Mode) {
        let modes = match self.by_path.get_mut(path) {
            Some(connections) => connections.entry(connection).or_default(),
            None => self.by_path.entry(path.to_owned()).or_default().entry(connection).or_default(),
        };
        if modes.is_empty() {
            let watched = self.by_connection.entry(connection).or_default();
            watched.bytes += weight(path);
            watched.paths.insert(path.to_owned());
        }
        match mode {
            Mode::Data => modes.data = true,
            Mode::Child => modes.child = true,
            Mode::Persistent => modes.persistent = true,
            Mode::Recursive => {
                self.recursive += usize::from(!modes.recursive);
                modes.recursive = true;
            }
        }
    }

    /// Who hears of this event, in the order of connections; standard watches are spent by it.
    pub fn trigger(&mut self, event: EventType, path: &str) -> Vec<ConnectionId> {
        let mut heard = BTreeSet::new();
        let (data, child) = match event {
            EventType::NodeCreated | EventType::NodeDataChanged => (true, false),
            EventType::NodeDeleted => (true, true),
            EventType::NodeChildrenChanged => (false, true),
        };
        let mut emptied = Vec::new();
        if let Some(connections) = self.by_path.get_mut(path) {
            for (connection, modes) in connections.iter_mut() {
                if (data && modes.data)
                    || (child && modes.child)
                    || modes.persistent
                    || (data && modes.recursive)
                {
                    heard.insert(*connection);
                }
                modes.data &= !data;
                modes.child &= !child;
                if modes.is_empty() {
                    emptied.push(*connection);
                }
            }
        }
        for connection in emptied {
            self.forget(connection, path);
        }
        if self.recursive > 0 && data {
            for above in path::with_ancestors(path).skip(1) {
                let connections = self.by_path.get(above).into_iter().flatten();
                heard.extend(
                    connections.filter(|(_, modes)| modes.recursive).map(|(connection, _)| *connection),
                );
            }
        }
        heard.into_iter().collect()
    }

    /// Whether the connection has such a watch on the path.
    #[must_use]
    pub fn contains(&self, connection: ConnectionId, path: &str, kind: Kind) -> bool {
        let modes = self.by_path.get(path).and_then(|connections| connections.get(&connection));
        modes.is_some_and(|modes| match kind {
            Kind::Children => modes.child,
            Kind::Data => modes.data,
            Kind::Any => !modes.is_empty(),
        })
    }

    /// Removes such watches of the connection on the path; says whether there were any.
    pub fn remove(&mut self, connection: ConnectionId, path: &str, kind: Kind) -> bool {
        let Some(modes) = self.by_path.get_mut(path).and_then(|connections| connections.get_mut(&connection))
        else {
            return false;
        };
        let before = *modes;
        match kind {
            Kind::Children => modes.child = false,
            Kind::Data => modes.data = false,
            Kind::Any => *modes = Modes::default(),
        }
        let (after, changed) = (*modes, *modes != before);
        self.recursive -= usize::from(before.recursive && !after.recursive);
        if after.is_empty() {
            self.forget(connection, path);
        }
        changed
    }

    /// Removes all of a connection that is gone.
    pub fn drop_connection(&mut self, connection: ConnectionId) {
        for path in self.by_connection.remove(&connection).unwrap_or_default().paths {
            if let Some(connections) = self.by_path.get_mut(&path) {
                if let Some(modes) = connections.remove(&connection) {
                    self.recursive -= usize::from(modes.recursive);
                }
                if connections.is_empty() {
                    self.by_path.remove(&path);
                }
            }
        }
    }

    fn forget(&mut self, connection: ConnectionId, path: &str) {
        if let Some(connections) = self.by_path.get_mut(path) {
            connections.remove(&connection);
            if connections.is_empty() {
                self.by_path.remove(path);
            }
        }
        if let Some(watched) = self.by_connection.get_mut(&connection) {
            if watched.paths.remove(path) {
                watched.bytes -= weight(path);
            }
            if watched.paths.is_empty() {
                self.by_connection.remove(&connection);
            }
        }
    }

    /// About how many bytes of memory a connection's watches take.
    #[must_use]
    pub fn bytes_of(&self, connection: ConnectionId) -> usize {
        self.by_connection.get(&connection).map_or(0, |watched| watched.bytes)
    }

    /// Watching connections with their paths.
    pub fn by_connection(&self) -> impl Iterator<Item = (ConnectionId, &BTreeSet<String>)> {
        self.by_connection.iter().map(|(connection, watched)| (*connection, &watched.paths))
    }

    /// Watched paths with their connections.
    pub fn by_path(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = ConnectionId>)> {
        self.by_path.iter().map(|(path, connections)| (path.as_str(), connections.keys().copied()))
    }

    /// Number of paths and of watches, where one connection's watches on one path's data and children count apart.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let count = |modes: &Modes| {
            usize::from(modes.data || modes.persistent || modes.recursive)
                + usize::from(modes.child || modes.persistent)
        };
        (self.by_path.len(), self.by_path.values().flat_map(BTreeMap::values).map(count).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use EventType::*;

    #[test]
    fn a_standard_watch_fires_once() {
        let mut watches = Watches::default();
        watches.add(1, "/a", Mode::Data);
        watches.add(2, "/a", Mode::Child);
        assert_eq!(watches.trigger(NodeDataChanged, "/a"), [1]);
        assert_eq!(watches.trigger(NodeDataChanged, "/a"), []);
        assert_eq!(watches.trigger(NodeChildrenChanged, "/a"), [2]);
        assert_eq!(watches.counts(), (0, 0));
    }

    #[test]
    fn a_deletion_is_told_once_even_to_who_watches_twice() {
        let mut watches = Watches::default();
        watches.add(1, "/a", Mode::Data);
        watches.add(1, "/a", Mode::Child);
        watches.add(1, "/a", Mode::Persistent);
        assert_eq!(watches.trigger(NodeDeleted, "/a"), [1]);
        assert_eq!(watches.trigger(NodeCreated, "/a"), [1]);
    }

    #[test]
    fn a_recursive_watch_hears_of_nodes_below_but_not_of_sets_of_children() {
        let mut watches = Watches::default();
        watches.add(1, "/a", Mode::Recursive);
        assert_eq!(watches.trigger(NodeCreated, "/a/b/c"), [1]);
        assert_eq!(watches.trigger(NodeChildrenChanged, "/a"), []);
        assert_eq!(watches.trigger(NodeDataChanged, "/ab"), []);
        assert!(watches.remove(1, "/a", Kind::Any));
        assert_eq!(watches.trigger(NodeDeleted, "/a/b/c"), []);
        watches.add(1, "/", Mode::Recursive);
        assert_eq!(watches.trigger(NodeDeleted, "/x"), [1]);
        watches.drop_connection(1);
        assert_eq!(watches.recursive, 0);
    }

    #[test]
    fn what_a_connection_watches_is_weighed() {
        let mut watches = Watches::default();
        watches.add(1, "/abc", Mode::Data);
        watches.add(1, "/abc", Mode::Child);
        watches.add(1, "/d", Mode::Data);
        watches.add(2, "/d", Mode::Data);
        assert_eq!((watches.bytes_of(1), watches.bytes_of(2)), (12 + 2 * 300, 4 + 300));
        watches.trigger(NodeDataChanged, "/abc");
        assert_eq!(watches.bytes_of(1), 12 + 2 * 300, "its children are watched still");
        watches.trigger(NodeDeleted, "/abc");
        assert_eq!((watches.bytes_of(1), watches.bytes_of(2)), (4 + 300, 4 + 300));
        watches.drop_connection(1);
        assert_eq!(watches.bytes_of(1), 0);
    }

    #[test]
    fn removing_asks_for_the_kind() {
        let mut watches = Watches::default();
        watches.add(1, "/a", Mode::Data);
        assert!(!watches.remove(1, "/a", Kind::Children));
        assert!(!watches.remove(2, "/a", Kind::Any));
        assert!(watches.contains(1, "/a", Kind::Data) && !watches.contains(1, "/a", Kind::Children));
        assert!(watches.remove(1, "/a", Kind::Data));
        assert!(!watches.contains(1, "/a", Kind::Any));
    }
}
