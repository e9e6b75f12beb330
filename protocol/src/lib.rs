//! The Kafka wire protocol: messages, record batches, old message sets and compression; no I/O.

extern crate self as vltava_protocol;

pub mod api_key;
pub mod catalog;
pub mod consumer;
pub mod error_code;
pub mod frame;
pub mod group_records;
pub mod messages;
pub mod principal;
pub mod records;
pub mod transaction_records;
pub mod versioned;
pub mod wire;

pub use api_key::{ApiKey, UnknownApiKey};
pub use error_code::ErrorCode;
pub use vltava_protocol_derive::Message;
pub use wire::{Bytes, Message, Records, Str, Uuid};
