//! The primitives of the wire: how numbers, strings, arrays, records and tagged fields lie in a frame.
//!
//! [`Reader`] borrows from a frame, [`Writer`] fills a buffer and notes the gaps that file data will fill. [`Message`] is what
//! `#[derive(Message)]` implements; [`Value`] is the same for one field. Everything read is bounded by the bytes that are left
//! before memory is taken for it, and no input can panic.

mod array;
mod error;
mod message;
mod owned;
mod reader;
mod records;
mod schema;
mod string;
mod tagged;
mod uuid;
mod value;
pub mod varint;
mod writer;

pub use error::{DecodeError, DecodeReason, EncodeError};
pub use message::{Message, Request};
#[doc(hidden)]
pub use message::{
    decode_message, encode_message, message_size, read_nullable_struct, write_nullable_struct,
};
pub use owned::IntoOwned;
pub use reader::Reader;
pub use records::Records;
pub use schema::{Described, FieldSchema, Schema, Type, Typed, Versions};
pub use string::{Bytes, Str};
pub use tagged::{TaggedField, TaggedFields};
pub use uuid::{InvalidUuid, Uuid};
pub use value::{Layout, Nullable, Value};
pub use writer::{Gap, Writer};
