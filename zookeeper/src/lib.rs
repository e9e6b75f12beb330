//! The ZooKeeper protocol and an embedded, persistent, one-node server.
