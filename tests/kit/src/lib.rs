//! What the tests of every crate share: Java libraries fetched by Maven, Java programs compiled against them, real Apache Kafka
//! and Vltava processes, and waiting on conditions.
//!
//! Tests only: a failure here panics with what went wrong and where the logs are, because a test can do nothing better with it.
//! Everything that is downloaded or compiled is kept in [`cache::dir`], outside the checkout, behind file locks, so that tests
//! of several crates can run at the same time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

pub mod apache;
pub mod cache;
pub mod disk;
pub mod go;
pub mod java;
pub mod maven;
pub mod process;
pub mod python;
pub mod skip;
pub mod tools;
pub mod vltava;
pub mod wait;
pub mod zookeeper;
