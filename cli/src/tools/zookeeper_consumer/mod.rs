//! The high-level consumer of Kafka 0.8, whose group lives in ZooKeeper: the console consumer's and the performance test's.
//!
//! ```text
//! /consumers/G/ids/ID          ephemeral: what the member ID wants, as JSON
//! /consumers/G/owners/T/P      ephemeral: the thread that consumes partition P, `ID-0`
//! /consumers/G/offsets/T/P     persistent: the next offset to consume, a decimal number
//! ```
//!
//! Each member watches members, brokers, topics and their partitions; after each change it lets go of what it has, computes the range
//! assignment, which is the same at all, and takes what is its own, waiting for owners before it to let go.
//! [`registry`] reads and writes the znodes, [`assignment`] computes, [`member`] is the member's life, [`fetcher`] fetches, [`joined`] is
//! what a tool holds.

mod assignment;
mod fetcher;
mod joined;
mod member;
mod registry;

use std::sync::Arc;

use super::client::ClientProperties;

pub(crate) use self::{joined::Joined, registry::group};

/// Who wants to be a member, of what, and for what.
pub(crate) struct Membership<'a> {
    /// `host:port,...` with an optional chroot.
    pub(crate) zookeeper: &'a str,
    pub(crate) group: &'a str,
    /// The consumer's properties.
    pub(crate) client: &'a ClientProperties,
    pub(crate) topics: Wanted<'a>,
    /// How many threads share the member's partitions.
    pub(crate) threads: u32,
    /// Waits until what has been taken is safe, and says whether it is: only then are offsets committed.
    pub(crate) safe: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

/// The topics that a member wants.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// This one, also if it is not there yet.
    Topic(&'a str),
    /// Those whose whole name the pattern matches.
    Matching(&'a str),
    /// Those whose name it does not match.
    NotMatching(&'a str),
}
