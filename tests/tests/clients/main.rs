//! Real client libraries of every era, one by one and all at once, against one broker.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod alone;
mod together;

/// The executable of `src/bin/librdkafka.rs`.
const LIBRDKAFKA: &str = env!("CARGO_BIN_EXE_librdkafka");
