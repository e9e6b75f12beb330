//! What is fuzzed, one file a target: plain functions of bytes that panic where a law is broken.
//!
//! libFuzzer runs them by `bin/`, and the protocol crate's own tests by seeds and mutations.

pub mod conversion;
pub mod embedded;
pub mod messages;
pub mod records;
pub mod requests;
