//! The Kafka wire protocol: messages, record batches, old message sets and compression; no I/O.

extern crate self as vltava_protocol;

pub mod api_key;
pub mod consumer;
pub mod frame;
pub mod messages;
pub mod records;
pub mod wire;

pub use api_key::{ApiKey, UnknownApiKey};
pub use vltava_protocol_derive::Message;
pub use wire::{Bytes, Message, Records, Str, Uuid};
