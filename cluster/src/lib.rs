//! The decisions of a cluster as pure state machines: replication, controller and consumer groups.
//!
//! Events in, actions out: no I/O, no clock, no tasks. What needs the time takes it as an argument.

pub mod controller;
pub mod replication;
