//! Clusters of several brokers under load: Vltava's alone, and together with Apache Kafka's. What was acknowledged by all in-sync replicas is there once and
//! in order, whoever was killed.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod alone;
mod load;
mod members;
mod mixed;
