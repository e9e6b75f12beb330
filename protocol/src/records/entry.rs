//! One batch or shallow message, whatever its magic: what a log stores under one range of offsets.

use super::{Batch, Codec, Message, RecordReader, RecordsError, TimestampType};

/// A batch of magic 2, or a message or wrapper of magic 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'a> {
    /// Magic 2.
    Batch(Batch<'a>),
    /// Magic 0 or 1.
    Message(Message<'a>),
}

impl<'a> Entry<'a> {
    /// The entry at the front of `bytes`, checked for structure only. Bytes may follow it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        match bytes.get(super::PREFIX_SIZE - 1) {
            Some(0 | 1) => Message::parse(bytes).map(Self::Message),
            _ => Batch::parse(bytes).map(Self::Batch),
        }
    }

    /// 0, 1 or 2.
    pub fn magic(&self) -> i8 {
        match self {
            Self::Batch(_) => 2,
            Self::Message(message) => message.magic,
        }
    }

    /// The whole entry.
    pub fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Batch(batch) => batch.bytes(),
            Self::Message(message) => message.bytes(),
        }
    }

    /// Compares the stored checksum with that of the bytes.
    pub fn verify_checksum(&self) -> Result<(), RecordsError> {
        match self {
            Self::Batch(batch) => batch.verify_checksum(),
            Self::Message(message) => message.verify_checksum(),
        }
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> i64 {
        match self {
            Self::Batch(batch) => batch.header.last_offset(),
            Self::Message(message) => message.offset,
        }
    }

    /// Offset of the first record, as far as the entry says without being opened: a wrapper says only its last.
    pub fn base_offset(&self) -> i64 {
        match self {
            Self::Batch(batch) => batch.header.base_offset,
            Self::Message(message) => message.offset,
        }
    }

    /// Milliseconds; -1 in magic 0.
    pub fn max_timestamp(&self) -> i64 {
        match self {
            Self::Batch(batch) => batch.header.max_timestamp,
            Self::Message(message) => message.timestamp,
        }
    }

    /// Who gave the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        match self {
            Self::Batch(batch) => batch.header.timestamp_type(),
            Self::Message(message) => message.timestamp_type(),
        }
    }

    /// The codec of the body.
    pub fn codec(&self) -> Result<Codec, RecordsError> {
        match self {
            Self::Batch(batch) => batch.codec(),
            Self::Message(message) => message.codec(),
        }
    }

    /// Whether the entry is a control batch.
    pub fn is_control(&self) -> bool {
        matches!(self, Self::Batch(batch) if batch.header.attributes.is_control())
    }

    /// The records inside. At most `output_limit` bytes are decompressed.
    pub fn records(&self, output_limit: usize) -> Result<RecordReader<'a>, RecordsError> {
        match self {
            Self::Batch(batch) => batch.records(output_limit),
            Self::Message(message) => message.records(output_limit),
        }
    }
}
