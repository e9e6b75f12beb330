//! The Kafka wire protocol: messages, record batches, old message sets and compression; no I/O.

pub mod records;
