//! The partitions of this broker: appends, reads, waiting requests, fetch sessions and the read pool.

pub mod fetch_sessions;
pub mod file_work;
mod residency;
pub mod waiting;

/// All partitions that have a replica on this broker.
#[derive(Debug, Default)]
pub struct Replicas {}
