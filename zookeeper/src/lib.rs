//! The `ZooKeeper` protocol, and an embedded server of it: one node, persistent, for laptops and tests.
//!
//! The layers, each below the next: [`jute`] and [`proto`] (bytes), [`txn`], [`tree`], [`watches`], [`sessions`] and [`acl`] (pure),
//! [`engine`] (pure: requests in, transactions and replies out), [`storage`] (the log and snapshots, in Apache's own formats), and
//! [`server`] (sockets).

pub mod acl;
pub mod config;
pub mod engine;
mod error_code;
pub mod jute;
pub mod path;
pub mod proto;
pub mod server;
pub mod sessions;
pub mod storage;
pub mod tree;
pub mod txn;
pub mod watches;

pub use config::ZooKeeperConfig;
pub use error_code::ErrorCode;
pub use server::Server;
