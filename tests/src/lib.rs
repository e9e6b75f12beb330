//! Whole-system tests: real clients, real ZooKeeper, real Kafka brokers.
//!
//! A test program is started for each client library; every program takes the same commands and prints the same lines (see
//! `tests/java/clients/shared/clients/Client.java`), so that one judge reads them all.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

pub mod client;
pub mod content;
pub mod judge;
pub mod line;
pub mod member;
