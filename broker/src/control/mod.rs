//! The ZooKeeper session, the controller's shell and the metadata cache.

pub mod metadata_cache;
pub mod registration;
pub mod session;
pub mod startup;
pub mod znodes;

pub use metadata_cache::{LiveBroker, MetadataCache, PartitionMetadata, Snapshot, TopicMetadata};

/// The handle to the ZooKeeper session's supervisor and to the controller.
#[derive(Debug, Default)]
pub struct Control {}
