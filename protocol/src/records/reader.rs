//! Reading the records of a batch, one at a time.

use super::record::{Base, Record};
use super::{Batch, RecordsError, TimestampType, varint};

/// Reads the records of one batch of magic 2 in order.
///
/// Each record borrows from the reader until the next call.
#[derive(Debug)]
pub struct RecordReader<'a> {
    rest: &'a [u8],
    base: Base,
    declared: i32,
    read: i32,
}

impl<'a> Batch<'a> {
    /// The batch's records. At most `output_limit` bytes are decompressed.
    pub fn records(&self, _output_limit: usize) -> Result<RecordReader<'a>, RecordsError> {
        let header = &self.header;
        if header.attributes.is_compressed() {
            return Err(RecordsError::Unsupported { magic: 2, what: "compression yet" });
        }
        if header.count < 0 {
            return Err(RecordsError::CountMismatch { declared: header.count, found: 0 });
        }
        let append_time =
            (header.timestamp_type() == TimestampType::LogAppendTime).then_some(header.max_timestamp);
        let base = Base { offset: header.base_offset, timestamp: header.base_timestamp, append_time };
        Ok(RecordReader { rest: self.body(), base, declared: header.count, read: 0 })
    }
}

impl RecordReader<'_> {
    /// The next record; `None` after the last. Bytes after the last record are an error, as are too few.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, RecordsError> {
        if self.read == self.declared {
            return match self.rest {
                [] => Ok(None),
                _ => Err(RecordsError::CountMismatch {
                    declared: self.declared,
                    found: self.read.saturating_add(1),
                }),
            };
        }
        let ends_early = RecordsError::CountMismatch { declared: self.declared, found: self.read };
        let (length, size) = varint::read_i32(self.rest).ok_or_else(|| ends_early.clone())?;
        let length =
            usize::try_from(length).map_err(|_| RecordsError::Malformed("a record has a negative length"))?;
        let (record, rest) = self.rest[size..].split_at_checked(length).ok_or(ends_early)?;
        self.rest = rest;
        self.read += 1;
        Record::parse(record, &self.base).map(Some)
    }
}
