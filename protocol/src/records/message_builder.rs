//! Building message sets of magic 0 and 1.

use super::compression::Compressor;
use super::message_set::{crc32, message_overhead};
use super::record::Record;
use super::{Attributes, Codec, NO_TIMESTAMP, RecordsError, TimestampType};

/// What a message set is built with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageSetOptions {
    /// 0 or 1.
    pub magic: i8,
    /// With a codec, one wrapper is built; without, plain messages one after another.
    pub codec: Codec,
    /// The codec's level; `None` is the codec's default (KIP-390).
    pub level: Option<i32>,
    /// Milliseconds: with `Some`, messages are `LogAppendTime` and this is their timestamp. Ignored in magic 0.
    pub log_append_time: Option<i64>,
}

/// Builds plain messages, or one wrapper, at the end of a buffer, which may hold others before.
#[derive(Debug)]
pub struct MessageSetBuilder {
    body: Compressor,
    message: Vec<u8>,
    start: usize,
    options: MessageSetOptions,
    first_offset: Option<i64>,
    last_offset: i64,
    max_timestamp: i64,
}

impl MessageSetBuilder {
    /// A builder that appends to `out`.
    pub fn new(mut out: Vec<u8>, options: MessageSetOptions) -> Result<Self, RecordsError> {
        if !(0..=1).contains(&options.magic) {
            return Err(RecordsError::UnexpectedMagic { expected: 1, found: options.magic });
        }
        let start = out.len();
        if options.codec != Codec::None {
            out.resize(start + message_overhead(options.magic), 0);
        }
        Ok(Self {
            body: Compressor::new(options.codec, options.magic, options.level, out)?,
            message: Vec::new(),
            start,
            options,
            first_offset: None,
            last_offset: -1,
            max_timestamp: NO_TIMESTAMP,
        })
    }

    /// Appends a record at its offset, which must be beyond the last. Headers cannot be carried.
    pub fn append_record(&mut self, record: &Record<'_>) -> Result<(), RecordsError> {
        if !record.headers.is_empty() {
            return Err(RecordsError::Unsupported { magic: self.options.magic, what: "record headers" });
        }
        self.append(record.offset, record.timestamp, record.key, record.value)
    }

    /// Appends a message at `offset`, which must be beyond the last.
    pub fn append(
        &mut self,
        offset: i64,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<(), RecordsError> {
        let first = self.first_offset.unwrap_or(offset);
        if self.first_offset.is_some() && offset <= self.last_offset {
            return Err(RecordsError::Overflow { what: "the offset of a message in its set", value: offset });
        }
        let timestamp = self.options.log_append_time.unwrap_or(timestamp);
        let relative = self.options.codec != Codec::None && self.options.magic == 1;
        let stored_offset = if relative { offset - first } else { offset };
        let attributes = self.attributes(Codec::None);
        let magic = self.options.magic;
        let out = self.body.plain().unwrap_or(&mut self.message);
        write_message(out, stored_offset, magic, attributes, timestamp, key, value)?;
        if !self.message.is_empty() {
            self.body.write(&self.message)?;
            self.message.clear();
        }
        self.first_offset = Some(first);
        self.last_offset = offset;
        self.max_timestamp = self.max_timestamp.max(timestamp);
        Ok(())
    }

    /// Bytes so far, without what the compressor holds back.
    pub fn size(&self) -> usize {
        self.body.written().len() - self.start
    }

    /// Finishes the set: the buffer with the messages, or the wrapper, at its end. A set without messages is no bytes.
    pub fn finish(self) -> Result<Vec<u8>, RecordsError> {
        let attributes = self.attributes(self.options.codec);
        let mut out = self.body.finish()?;
        if self.options.codec == Codec::None {
            return Ok(out);
        }
        if self.first_offset.is_none() {
            out.truncate(self.start);
            return Ok(out);
        }
        let magic = self.options.magic;
        let wrapper = &mut out[self.start..];
        let value_length = int("the size of a wrapper", wrapper.len() - message_overhead(magic))?;
        wrapper[0..8].copy_from_slice(&self.last_offset.to_be_bytes());
        wrapper[16] = magic as u8;
        wrapper[17] = attributes.0 as u8;
        let mut at = 18;
        if magic == 1 {
            wrapper[18..26].copy_from_slice(&self.max_timestamp.to_be_bytes());
            at = 26;
        }
        wrapper[at..at + 4].copy_from_slice(&(-1_i32).to_be_bytes());
        wrapper[at + 4..at + 8].copy_from_slice(&value_length.to_be_bytes());
        seal(wrapper)?;
        Ok(out)
    }

    fn attributes(&self, codec: Codec) -> Attributes {
        let timestamp_type = match self.options.log_append_time {
            Some(_) if self.options.magic == 1 => TimestampType::LogAppendTime,
            _ => TimestampType::CreateTime,
        };
        Attributes::default().with_codec(codec).with_timestamp_type(timestamp_type)
    }
}

fn write_message(
    out: &mut Vec<u8>,
    offset: i64,
    magic: i8,
    attributes: Attributes,
    timestamp: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<(), RecordsError> {
    let start = out.len();
    out.extend_from_slice(&offset.to_be_bytes());
    out.extend_from_slice(&[0; 8]);
    out.push(magic as u8);
    out.push(attributes.0 as u8);
    if magic == 1 {
        out.extend_from_slice(&timestamp.to_be_bytes());
    }
    for field in [key, value] {
        match field {
            Some(bytes) => {
                out.extend_from_slice(&int("the size of a message", bytes.len())?.to_be_bytes());
                out.extend_from_slice(bytes);
            }
            None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
    }
    seal(&mut out[start..])
}

/// Writes length and checksum of a message whose other bytes are there.
pub(super) fn seal(message: &mut [u8]) -> Result<(), RecordsError> {
    let length = int("the size of a message", message.len() - super::LOG_OVERHEAD)?;
    message[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32(&message[16..]);
    message[12..16].copy_from_slice(&crc.to_be_bytes());
    Ok(())
}

fn int(what: &'static str, value: usize) -> Result<i32, RecordsError> {
    i32::try_from(value).map_err(|_| RecordsError::Overflow { what, value: value as i64 })
}
