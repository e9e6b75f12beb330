//! Record data: batches of magic 2, message sets of magic 0 and 1, their compression, validation and conversion.
//!
//! Everything works on bytes in memory and borrows from them.

mod attributes;
mod batch;
mod builder;
pub mod compression;
mod control;
pub mod convert;
mod entry;
mod error;
mod iter;
mod message_builder;
mod message_set;
mod reader;
mod record;
mod source;
pub mod validate;

pub use attributes::{
    Attributes, Codec, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP,
    TimestampType,
};
pub use batch::{
    BATCH_OVERHEAD, Batch, BatchHeader, CHECKSUMMED_FROM, LOG_OVERHEAD, PREFIX_SIZE, crc32c,
    increment_sequence, stamp, stamp_append_time, stamped_prefix,
};
pub use builder::{BatchBuilder, BatchOptions, Header};
pub use control::{ControlType, EndTxnMarker};
pub use convert::{Converted, DownConversion, down_convert};
pub use entry::Entry;
pub use error::RecordsError;
pub use iter::{Batches, Entries, EntryPrefix, MINIMUM_LENGTH};
pub use message_builder::{MessageSetBuilder, MessageSetOptions};
pub use message_set::{Message, Messages, crc32, message_overhead};
pub use reader::RecordReader;
pub use record::{Headers, Record};
pub use validate::validate;
