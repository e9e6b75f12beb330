//! The ZooKeeper session, the controller's shell and the metadata cache.

/// What clients are told about brokers, topics and leaders; fed by UpdateMetadata alone.
#[derive(Debug, Default)]
pub struct MetadataCache {}

/// The handle to the ZooKeeper session's supervisor and to the controller.
#[derive(Debug, Default)]
pub struct Control {}
