//! Record data as a log holds it: batches and messages of every magic, one after another.

use super::batch::{LOG_OVERHEAD, PREFIX_SIZE};
use super::{Batch, Entry, RecordsError};

/// The least that a length field of any magic covers: a message of magic 0 with neither key nor value.
pub const MINIMUM_LENGTH: usize = 14;

/// The 17 bytes that batches and messages of every magic begin with: enough to step from one to the next in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryPrefix {
    /// Base offset of a batch; the last offset of a compressed message; the offset of a plain one.
    pub offset: i64,
    /// Bytes that follow the length field.
    pub length: i32,
    /// 0, 1 or 2.
    pub magic: i8,
}

impl EntryPrefix {
    /// Reads the prefix at the front of `bytes`. `None` where fewer than 17 bytes are left.
    ///
    /// `maximum` bounds the length field, as the reader's `max.message.bytes` does in Kafka.
    pub fn parse(bytes: &[u8], maximum: usize) -> Result<Option<Self>, RecordsError> {
        let Some(b) = bytes.first_chunk::<LOG_OVERHEAD>() else { return Ok(None) };
        let [o0, o1, o2, o3, o4, o5, o6, o7, l0, l1, l2, l3] = *b;
        let length = i32::from_be_bytes([l0, l1, l2, l3]);
        if length < MINIMUM_LENGTH as i32 {
            return Err(RecordsError::TooSmall { size: length, minimum: MINIMUM_LENGTH });
        }
        if length as usize > maximum {
            return Err(RecordsError::TooLarge { size: length, maximum });
        }
        let Some(&magic) = bytes.get(PREFIX_SIZE - 1) else { return Ok(None) };
        if magic > 2 {
            return Err(RecordsError::UnknownMagic(magic as i8));
        }
        let offset = i64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]);
        Ok(Some(Self { offset, length, magic: magic as i8 }))
    }

    /// Bytes of the whole entry.
    pub fn size(&self) -> usize {
        LOG_OVERHEAD + self.length.max(0) as usize
    }
}

/// Iterates over batches and shallow messages of mixed magics, as a log is read: structure only, no checksums.
///
/// Ends before a last entry that is cut off, as a fetch response may have one; [`remainder`](Self::remainder) is then not
/// empty. Garbage is an error, which ends it too.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    rest: &'a [u8],
    maximum: usize,
    failed: bool,
}

impl<'a> Entries<'a> {
    /// Over `bytes`; an entry whose length field exceeds `maximum` is an error.
    pub fn new(bytes: &'a [u8], maximum: usize) -> Self {
        Self { rest: bytes, maximum, failed: false }
    }

    /// The bytes not yet iterated over: at the end, a cut-off entry.
    pub fn remainder(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let parsed = match EntryPrefix::parse(self.rest, self.maximum) {
            Ok(Some(prefix)) if prefix.size() <= self.rest.len() => Entry::parse(self.rest),
            Ok(_) => return None,
            Err(error) => Err(error),
        };
        match parsed {
            Ok(entry) => {
                self.rest = &self.rest[entry.bytes().len()..];
                Some(Ok(entry))
            }
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// As [`Entries`], of data that has magic 2 only: anything older is an error.
#[derive(Debug, Clone)]
pub struct Batches<'a>(Entries<'a>);

impl<'a> Batches<'a> {
    /// Over `bytes`; a batch whose length field exceeds `maximum` is an error.
    pub fn new(bytes: &'a [u8], maximum: usize) -> Self {
        Self(Entries::new(bytes, maximum))
    }

    /// The bytes not yet iterated over: at the end, a cut-off batch.
    pub fn remainder(&self) -> &'a [u8] {
        self.0.remainder()
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, RecordsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.0.rest;
        match self.0.next()? {
            Ok(Entry::Batch(batch)) => Some(Ok(batch)),
            Ok(Entry::Message(message)) => {
                self.0 = Entries { rest: before, failed: true, ..self.0 };
                Some(Err(RecordsError::UnexpectedMagic { expected: 2, found: message.magic }))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
