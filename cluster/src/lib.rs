//! The decisions of a cluster as pure state machines: controller, replication and consumer groups.
//!
//! Events go in with the time, actions come out. Nothing here does I/O, reads a clock, spawns or logs, so that a simulation runs the
//! very types that the broker runs.

pub mod controller;
pub mod groups;
pub mod replication;
