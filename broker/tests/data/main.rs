//! The data path of one broker in process: real requests, encoded and decoded by the real codec in every version, over real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod fetch;
mod harness;
mod keeping;
mod offsets;
mod old_readers;
mod old_topics;
mod produce;
mod repeats;
mod transactions;
