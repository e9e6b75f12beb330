//! What [`Replicas`](super::Replicas) begins with.

use std::sync::Arc;

use super::{Storage, Surroundings, TopicConfigs, fetch_sessions::Limits};
use crate::metrics::Metrics;

/// What [`Replicas::new`](super::Replicas::new) needs.
pub struct Setup {
    /// What all partitions share.
    pub surroundings: Surroundings,
    /// The log directories.
    pub storage: Storage,
    /// Bounds of the fetch sessions.
    pub sessions: Limits,
    /// Where settings of topics come from.
    pub configs: TopicConfigs,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}
