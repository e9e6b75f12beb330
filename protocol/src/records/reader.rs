//! Reading the records of a batch or message, one at a time.

use super::message_set::{Message, Messages};
use super::record::{Base, Record};
use super::source::Source;
use super::{Batch, RecordsError, TimestampType};
use crate::wire::varint;

/// Reads the records of one batch, plain message or wrapper in order.
///
/// Each record borrows from the reader until the next call. Nothing is allocated for an uncompressed batch; a compressed one
/// is decompressed as it is read.
#[derive(Debug)]
pub struct RecordReader<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    Batch { source: Source<'a>, base: Base, declared: i32, read: i32 },
    Messages(Messages<'a>),
}

impl<'a> Batch<'a> {
    /// The batch's records. At most `output_limit` bytes are decompressed.
    pub fn records(&self, output_limit: usize) -> Result<RecordReader<'a>, RecordsError> {
        let header = &self.header;
        if header.count < 0 {
            return Err(RecordsError::CountMismatch { declared: header.count, found: 0 });
        }
        // A batch that compaction emptied has no body, whatever its codec bits say.
        let source = match self.body() {
            [] => Source::Slice(&[]),
            body => Source::new(self.codec()?, 2, body, output_limit)?,
        };
        let append_time =
            (header.timestamp_type() == TimestampType::LogAppendTime).then_some(header.max_timestamp);
        let base = Base { offset: header.base_offset, timestamp: header.base_timestamp, append_time };
        Ok(RecordReader(Kind::Batch { source, base, declared: header.count, read: 0 }))
    }
}

impl<'a> Message<'a> {
    /// The message's record or, of a wrapper, the records inside; see [`messages`](Self::messages).
    pub fn records(&self, output_limit: usize) -> Result<RecordReader<'a>, RecordsError> {
        Ok(RecordReader(Kind::Messages(self.messages(output_limit)?)))
    }
}

impl RecordReader<'_> {
    /// The next record; `None` after the last. In a batch, bytes after the last record are an error, as are too few.
    #[allow(clippy::should_implement_trait)] // It lends: the record lives until the next call.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, RecordsError> {
        match &mut self.0 {
            Kind::Messages(messages) => Ok(messages.next()?.map(Record::from)),
            Kind::Batch { source, base, declared, read } => {
                let mismatch = |found| RecordsError::CountMismatch { declared: *declared, found };
                if read == declared {
                    let rest = source.peek(1)?;
                    return if rest.is_empty() { Ok(None) } else { Err(mismatch(read.saturating_add(1))) };
                }
                let (length, size) = varint::decode_i32(source.peek(5)?).map_err(|_| mismatch(*read))?;
                let length = usize::try_from(length)
                    .map_err(|_| RecordsError::Malformed("a record has a negative length"))?;
                let body = source.take(size + length)?.ok_or_else(|| mismatch(*read))?;
                *read += 1;
                Record::parse(&body[size..], base).map(Some)
            }
        }
    }
}
