//! Messages of magic 0 and 1, plain or as the wrapper of a compressed set of them.
//!
//! ```text
//!  0  offset                 i64      17  attributes              i8
//!  8  length, after itself   i32      18  timestamp, magic 1 only i64
//! 12  CRC-32 of all after    u32      ..  key length i32, or -1; key
//! 16  magic, 0 or 1          i8       ..  value length i32, or -1; value
//! ```
//!
//! A wrapper has a codec in its attributes, and its value is a compressed set of messages of the same magic. Its offset is that
//! of its last message. Inside, magic 0 counts offsets absolutely; magic 1 counts them from the wrapper's first message
//! (KIP-31), so that a leader stamps the wrapper alone. The checksum does not cover the offset.

use super::batch::LOG_OVERHEAD;
use super::record::{Headers, Record};
use super::source::Source;
use super::{Attributes, Codec, NO_TIMESTAMP, RecordsError, TimestampType};

/// Bytes before the checksummed part of a message.
const CHECKSUMMED_FROM: usize = 16;

/// The CRC-32 (IEEE) of magic 0 and 1.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iso_hdlc(bytes)
}

/// Bytes of a message with neither key nor value, offset and length included.
pub fn message_overhead(magic: i8) -> usize {
    if magic == 0 { LOG_OVERHEAD + 14 } else { LOG_OVERHEAD + 22 }
}

/// One whole message of magic 0 or 1, borrowed; `bytes` is exactly the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its offset; of a wrapper, that of its last message.
    pub offset: i64,
    /// 0 or 1.
    pub magic: i8,
    /// CRC-32 as stored.
    pub crc: u32,
    /// Codec and, in magic 1, timestamp type.
    pub attributes: Attributes,
    /// Milliseconds; of a wrapper, the largest inside. -1 in magic 0.
    pub timestamp: i64,
    /// The key, or null. Wrappers have none.
    pub key: Option<&'a [u8]>,
    /// The value, or null. A wrapper's is the compressed set.
    pub value: Option<&'a [u8]>,
    bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// The message at the front of `bytes`, its checksum not verified. Bytes may follow it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let truncated =
            |needed| RecordsError::Truncated { what: "a message", needed, available: bytes.len() };
        let overhead = message_overhead(0);
        let head = bytes.first_chunk::<18>().ok_or_else(|| truncated(overhead))?;
        let [offset @ .., _, _, _, _, _, _, _, _, _, _] = *head;
        let [.., l0, l1, l2, l3, c0, c1, c2, c3, magic, attributes] = *head;
        let (length, magic) = (i32::from_be_bytes([l0, l1, l2, l3]), magic as i8);
        if !(0..=1).contains(&magic) {
            return Err(match magic {
                2 => RecordsError::UnexpectedMagic { expected: 1, found: 2 },
                _ => RecordsError::UnknownMagic(magic),
            });
        }
        let minimum = message_overhead(magic) - LOG_OVERHEAD;
        let size = usize::try_from(length)
            .ok()
            .filter(|length| *length >= minimum)
            .ok_or(RecordsError::TooSmall { size: length, minimum })?
            + LOG_OVERHEAD;
        let bytes = bytes.get(..size).ok_or_else(|| truncated(size))?;
        let mut rest = &bytes[18..];
        let mut timestamp = NO_TIMESTAMP;
        if magic == 1 {
            let (stored, after) = rest.split_first_chunk::<8>().ok_or_else(|| truncated(size))?;
            timestamp = i64::from_be_bytes(*stored);
            rest = after;
        }
        let key = field(&mut rest)?;
        let value = field(&mut rest)?;
        Ok(Self {
            offset: i64::from_be_bytes(offset),
            magic,
            crc: u32::from_be_bytes([c0, c1, c2, c3]),
            attributes: Attributes(i16::from(attributes)),
            timestamp,
            key,
            value,
            bytes,
        })
    }

    /// Compares the stored CRC-32 with that of the bytes.
    pub fn verify_checksum(&self) -> Result<(), RecordsError> {
        let computed = crc32(&self.bytes[CHECKSUMMED_FROM..]);
        if computed == self.crc { Ok(()) } else { Err(RecordsError::Checksum { stored: self.crc, computed }) }
    }

    /// The whole message.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The codec; a message that has one is a wrapper. Magic 0 and 1 have no zstd.
    pub fn codec(&self) -> Result<Codec, RecordsError> {
        match self.attributes.codec()? {
            Codec::Zstd => Err(RecordsError::Unsupported { magic: self.magic, what: "zstd" }),
            codec => Ok(codec),
        }
    }

    /// Whether the message wraps a compressed set.
    pub fn is_wrapper(&self) -> bool {
        self.attributes.is_compressed()
    }

    /// Who gave the timestamp; magic 0 has none, and reads as `CreateTime`.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.magic == 0 { TimestampType::CreateTime } else { self.attributes.timestamp_type() }
    }

    /// The messages inside a wrapper, or this one if it is plain. At most `output_limit` bytes are decompressed, twice for a
    /// wrapper of magic 1: offsets inside count from the first, and only the last is known before.
    pub fn messages(&self, output_limit: usize) -> Result<Messages<'a>, RecordsError> {
        if !self.is_wrapper() {
            return Ok(Messages { source: Source::Slice(self.bytes), wrapper: None, magic: self.magic });
        }
        let codec = self.codec()?;
        let value = self
            .value
            .ok_or(RecordsError::Malformed("Found invalid compressed record set with null value"))?;
        let open = || Source::new(codec, self.magic, value, output_limit);
        let append_time = (self.timestamp_type() == TimestampType::LogAppendTime).then_some(self.timestamp);
        let mut messages = Messages {
            source: open()?,
            wrapper: Some(Wrapper { base_offset: 0, append_time }),
            magic: self.magic,
        };
        if self.magic == 1 {
            let mut last = None;
            while let Some(message) = messages.next()? {
                last = Some(message.offset);
            }
            let last = last.ok_or(RecordsError::Malformed("a compressed message set holds no messages"))?;
            let base_offset = self.offset.wrapping_sub(last);
            messages.source = open()?;
            messages.wrapper = Some(Wrapper { base_offset, append_time });
        }
        Ok(messages)
    }
}

/// What the messages of a wrapper take from it.
#[derive(Debug, Clone, Copy)]
struct Wrapper {
    /// What offsets inside count from: 0 in magic 0.
    base_offset: i64,
    append_time: Option<i64>,
}

/// Reads the messages of a wrapper one by one, with absolute offsets; see [`Message::messages`].
#[derive(Debug)]
pub struct Messages<'a> {
    source: Source<'a>,
    wrapper: Option<Wrapper>,
    magic: i8,
}

impl Messages<'_> {
    /// The next message; `None` after the last. Its bytes hold the offset as it is stored.
    #[allow(clippy::should_implement_trait)] // It lends: the message lives until the next call.
    pub fn next(&mut self) -> Result<Option<Message<'_>>, RecordsError> {
        let head = self.source.peek(LOG_OVERHEAD)?;
        let Some(&[_, _, _, _, _, _, _, _, l0, l1, l2, l3]) = head.first_chunk::<LOG_OVERHEAD>() else {
            return match head {
                [] => Ok(None),
                _ => Err(ENDS_EARLY),
            };
        };
        let length = i32::from_be_bytes([l0, l1, l2, l3]);
        let size = usize::try_from(length).unwrap_or(0) + LOG_OVERHEAD;
        let (wrapper, magic) = (self.wrapper, self.magic);
        let mut message = Message::parse(self.source.take(size)?.ok_or(ENDS_EARLY)?)?;
        if let Some(Wrapper { base_offset, append_time }) = wrapper {
            if message.is_wrapper() {
                return Err(RecordsError::Malformed("a compressed message set holds a compressed message"));
            }
            if message.magic != magic {
                return Err(RecordsError::UnexpectedMagic { expected: magic, found: message.magic });
            }
            message.offset = message.offset.wrapping_add(base_offset);
            if let Some(time) = append_time {
                message.timestamp = time;
            }
        }
        Ok(Some(message))
    }
}

impl<'a> From<Message<'a>> for Record<'a> {
    /// The record of a plain message.
    fn from(message: Message<'a>) -> Self {
        Self {
            offset: message.offset,
            timestamp: message.timestamp,
            key: message.key,
            value: message.value,
            headers: Headers::default(),
        }
    }
}

/// A length and that many bytes, off the front; any negative length is null, as Kafka reads it.
fn field<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, RecordsError> {
    let (length, after) = rest.split_first_chunk::<4>().ok_or(ENDS_EARLY)?;
    let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
        *rest = after;
        return Ok(None);
    };
    let (bytes, after) = after.split_at_checked(length).ok_or(ENDS_EARLY)?;
    *rest = after;
    Ok(Some(bytes))
}

const ENDS_EARLY: RecordsError = RecordsError::Malformed("a message ends before its fields do");
