//! The decisions of a cluster as pure state machines: controller, replication and consumer groups.

pub mod replication;
