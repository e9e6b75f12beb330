//! Records inside a batch of magic 2.
//!
//! Lengths and deltas are zigzag varints: length, attributes (one unused byte), timestamp delta, offset delta, key, value
//! and headers. A length of -1 is null.

use super::RecordsError;
use crate::wire::varint;

/// One record, borrowed. Offset and timestamp are absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Offset in the partition (in a produce request: counted from the batch's base offset).
    pub offset: i64,
    /// Milliseconds; the batch's where that is `LogAppendTime`.
    pub timestamp: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value; null is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers; empty in magic 0 and 1.
    pub headers: Headers<'a>,
}

/// The headers of a record, checked when the record was parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<'a> {
    count: usize,
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Keys and values, in order. A key should be UTF-8, but nothing has checked that.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut fields = Fields(self.bytes);
        (0..self.count).map_while(move |_| fields.header().ok())
    }

    /// The encoded headers without their count.
    pub(super) fn encoded(&self) -> &'a [u8] {
        self.bytes
    }
}

/// What every record of a batch counts from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Base {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    /// The timestamp of every record, with `LogAppendTime`.
    pub(super) append_time: Option<i64>,
}

impl<'a> Record<'a> {
    /// Parses what follows the length varint; `body` is exactly the record.
    pub(super) fn parse(body: &'a [u8], base: &Base) -> Result<Self, RecordsError> {
        let mut fields = Fields(body);
        fields.byte()?;
        let timestamp_delta = fields.i64()?;
        let offset_delta = fields.i32()?;
        let key = fields.nullable_bytes()?;
        let value = fields.nullable_bytes()?;
        let count = fields.i32()?;
        // A header takes two bytes at least, so the count is bounded by what is left.
        let count = usize::try_from(count)
            .map_err(|_| RecordsError::Malformed("a record has a negative header count"))?;
        if count > fields.0.len() / 2 {
            return Err(RecordsError::Malformed("a record counts more headers than it has bytes"));
        }
        let bytes = fields.0;
        for _ in 0..count {
            fields.header()?;
        }
        if !fields.0.is_empty() {
            return Err(RecordsError::Malformed("a record is longer than its fields"));
        }
        Ok(Self {
            offset: base.offset.wrapping_add(i64::from(offset_delta)),
            timestamp: base.append_time.unwrap_or_else(|| base.timestamp.wrapping_add(timestamp_delta)),
            key,
            value,
            headers: Headers { count, bytes },
        })
    }
}

/// Reads fields off the front of a record.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn byte(&mut self) -> Result<u8, RecordsError> {
        let (&first, rest) = self.0.split_first().ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(first)
    }

    fn i32(&mut self) -> Result<i32, RecordsError> {
        let (value, size) = varint::decode_i32(self.0).map_err(|_| ENDS_EARLY)?;
        self.0 = &self.0[size..];
        Ok(value)
    }

    fn i64(&mut self) -> Result<i64, RecordsError> {
        let (value, size) = varint::decode_i64(self.0).map_err(|_| ENDS_EARLY)?;
        self.0 = &self.0[size..];
        Ok(value)
    }

    fn bytes(&mut self, length: i32) -> Result<&'a [u8], RecordsError> {
        let length = usize::try_from(length)
            .map_err(|_| RecordsError::Malformed("a record has a field of negative length"))?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(ENDS_EARLY)?;
        self.0 = rest;
        Ok(bytes)
    }

    /// Any negative length is null, as Kafka reads it.
    fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, RecordsError> {
        let length = self.i32()?;
        if length < 0 { Ok(None) } else { self.bytes(length).map(Some) }
    }

    fn header(&mut self) -> Result<(&'a [u8], Option<&'a [u8]>), RecordsError> {
        let length = self.i32()?;
        Ok((self.bytes(length)?, self.nullable_bytes()?))
    }
}

const ENDS_EARLY: RecordsError = RecordsError::Malformed("a record ends before its fields do");
