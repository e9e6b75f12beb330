//! What the broker counts. Counting is a relaxed add to an atomic: no lock, no allocation, no formatting on the way of a request;
//! the one [`Collector`] reads all of it when it is asked.

mod broker;
mod collector;
mod counter;
mod exposition;
mod groups;
mod latency;
mod network;
mod process;
mod requests;
mod topic;

pub use collector::{Collector, SharedSource};
pub use counter::{Counter, Gauge};
pub use exposition::{Exposition, Samples, Source};
pub use latency::Latency;
pub use network::NetworkMetrics;
pub use requests::RequestCounts;
pub use topic::TopicMetrics;

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;

/// Everything that one broker counts.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Traffic of all topics together; it keeps what deleted topics have counted.
    pub all_topics: TopicMetrics,
    /// Bytes of records that this broker has fetched as a follower, and sent to followers.
    pub replicated: Replicated,
    /// Requests by API.
    pub requests: RequestCounts,
    topics: RwLock<HashMap<Arc<str>, Arc<TopicMetrics>>>,
}

/// Bytes of records between brokers.
#[derive(Debug, Default)]
pub struct Replicated {
    /// Fetched from leaders.
    pub bytes_in: Counter,
    /// Sent to followers.
    pub bytes_out: Counter,
}

impl Metrics {
    /// The counters of one topic, made at first use. A partition asks once, when it is created, and keeps them.
    pub fn topic(&self, name: &str) -> Arc<TopicMetrics> {
        if let Some(found) = self.topics.read().get(name) {
            return found.clone();
        }
        self.topics.write().entry(name.into()).or_default().clone()
    }

    /// Forgets a topic that has no partition here any more.
    pub fn forget_topic(&self, name: &str) {
        self.topics.write().remove(name);
    }
}
