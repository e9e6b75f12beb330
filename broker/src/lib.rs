//! The broker: listeners, request handlers, partitions, the ZooKeeper session and metrics.
//!
//! This crate is the shell around pure parts: `log` owns bytes, `cluster` decides, `protocol` speaks. Here they meet sockets,
//! threads and clocks. [`Broker`] is what every request handler sees; [`net`] turns connections into requests and responses
//! into bytes; [`api`] is the table of what is served.

pub mod api;
pub mod broker;
pub mod control;
pub mod fetchers;
pub mod groups;
pub mod http;
pub mod lifecycle;
pub mod loggers;
pub mod metrics;
pub mod net;
pub mod partitions;
pub mod server;
mod status;

pub use broker::Broker;
