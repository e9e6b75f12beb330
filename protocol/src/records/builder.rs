//! Building batches of magic 2.

use super::batch::{BATCH_OVERHEAD, CHECKSUMMED_FROM, LOG_OVERHEAD, crc32c};
use super::compression::Compressor;
use super::record::Record;
use super::{
    Attributes, BatchHeader, Codec, NO_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE,
    NO_TIMESTAMP, RecordsError, TimestampType,
};
use crate::wire::varint;

/// What a batch is built with; the default is an uncompressed batch of a plain producer, at offset 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchOptions {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Epoch of the leader, or -1.
    pub leader_epoch: i32,
    /// Codec of the body.
    pub codec: Codec,
    /// The codec's level; `None` is the codec's default (KIP-390).
    pub level: Option<i32>,
    /// Milliseconds: with `Some`, the batch is `LogAppendTime` and this is its max timestamp.
    pub log_append_time: Option<i64>,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence of the first record, or -1.
    pub base_sequence: i32,
    /// Whether the batch is part of a transaction.
    pub transactional: bool,
    /// Whether its records are control records.
    pub control: bool,
    /// The delete horizon (KIP-534), stored as the base timestamp.
    pub delete_horizon: Option<i64>,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            base_offset: 0,
            leader_epoch: NO_LEADER_EPOCH,
            codec: Codec::None,
            level: None,
            log_append_time: None,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            transactional: false,
            control: false,
            delete_horizon: None,
        }
    }
}

/// A header of a record to be built.
pub type Header<'a> = (&'a [u8], Option<&'a [u8]>);

/// Builds one batch of magic 2 at the end of a buffer, which may hold others before it.
///
/// No allocation beyond the buffer's growth, if it is not compressed: hand in one that is reused.
#[derive(Debug)]
pub struct BatchBuilder {
    body: Compressor,
    /// A record on its way to the compressor.
    record: Vec<u8>,
    start: usize,
    options: BatchOptions,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    last_offset: Option<i64>,
    count: i32,
}

impl BatchBuilder {
    /// A builder that appends to `out`.
    pub fn new(mut out: Vec<u8>, options: BatchOptions) -> Result<Self, RecordsError> {
        let start = out.len();
        out.resize(start + BATCH_OVERHEAD, 0);
        Ok(Self {
            body: Compressor::new(options.codec, 2, options.level, out)?,
            record: Vec::new(),
            start,
            base_timestamp: options.delete_horizon,
            options,
            max_timestamp: NO_TIMESTAMP,
            last_offset: None,
            count: 0,
        })
    }

    /// Appends a record at the offset that follows the last.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> Result<(), RecordsError> {
        let offset = self.last_offset.map_or(self.options.base_offset, |last| last + 1);
        let size = headers.iter().map(|(key, value)| field_size(Some(key)) + field_size(*value)).sum();
        self.write_record(offset, timestamp, key, value, (headers.len(), size), |out| {
            for (key, value) in headers {
                write_field(out, Some(key));
                write_field(out, *value);
            }
        })
    }

    /// Appends a record as it is, at its own offset, which must be beyond the last.
    pub fn append_record(&mut self, record: &Record<'_>) -> Result<(), RecordsError> {
        let encoded = record.headers.encoded();
        let headers = (record.headers.len(), encoded.len());
        self.write_record(record.offset, record.timestamp, record.key, record.value, headers, |out| {
            out.extend_from_slice(encoded);
        })
    }

    /// Records so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// Bytes of the batch so far, without what the compressor holds back.
    pub fn size(&self) -> usize {
        self.body.written().len() - self.start
    }

    fn write_record(
        &mut self,
        offset: i64,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        (headers, headers_size): (usize, usize),
        write_headers: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), RecordsError> {
        let delta = offset.wrapping_sub(self.options.base_offset);
        if i32::try_from(delta).is_err() || delta < 0 || self.last_offset.is_some_and(|last| offset <= last) {
            return Err(RecordsError::Overflow {
                what: "the offset of a record in its batch",
                value: offset,
            });
        }
        let timestamp_delta = timestamp.wrapping_sub(*self.base_timestamp.get_or_insert(timestamp));
        let length = 1
            + varint::size_i64(timestamp_delta)
            + varint::size_i64(delta)
            + field_size(key)
            + field_size(value)
            + varint::size_i64(headers as i64)
            + headers_size;
        if i32::try_from(self.size() + length).is_err() {
            return Err(RecordsError::Overflow { what: "the size of a batch", value: length as i64 });
        }
        let out = self.body.plain().unwrap_or(&mut self.record);
        varint::encode_i64(length as i64, out);
        out.push(0);
        varint::encode_i64(timestamp_delta, out);
        varint::encode_i64(delta, out);
        write_field(out, key);
        write_field(out, value);
        varint::encode_i64(headers as i64, out);
        write_headers(out);
        if !self.record.is_empty() {
            self.body.write(&self.record)?;
            self.record.clear();
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset = Some(offset);
        self.count += 1;
        Ok(())
    }

    /// Finishes the batch: the buffer with the batch at its end, and the batch's header.
    ///
    /// A batch without records is what compaction leaves behind; its last offset is the base offset less one, so give it
    /// one with [`finish_through`](Self::finish_through).
    pub fn finish(self) -> Result<(Vec<u8>, BatchHeader), RecordsError> {
        let last = self.last_offset.unwrap_or(self.options.base_offset);
        self.finish_through(last)
    }

    /// As [`finish`](Self::finish), with `last_offset` as the batch's last offset: compaction keeps that of the original.
    pub fn finish_through(self, last_offset: i64) -> Result<(Vec<u8>, BatchHeader), RecordsError> {
        let delta = last_offset.wrapping_sub(self.options.base_offset);
        let last_offset_delta = i32::try_from(delta)
            .ok()
            .filter(|delta| *delta >= 0 && self.last_offset.is_none_or(|last| last <= last_offset))
            .ok_or(RecordsError::Overflow { what: "the last offset of a batch", value: last_offset })?;
        let mut out = self.body.finish()?;
        let batch = &mut out[self.start..];
        let length = i32::try_from(batch.len() - LOG_OVERHEAD)
            .map_err(|_| RecordsError::Overflow { what: "the size of a batch", value: batch.len() as i64 })?;
        let options = &self.options;
        let timestamp_type = match options.log_append_time {
            Some(_) => TimestampType::LogAppendTime,
            None => TimestampType::CreateTime,
        };
        let mut header = BatchHeader {
            base_offset: options.base_offset,
            length,
            leader_epoch: options.leader_epoch,
            crc: 0,
            attributes: Attributes::default()
                .with_codec(options.codec)
                .with_timestamp_type(timestamp_type)
                .with_transactional(options.transactional)
                .with_control(options.control)
                .with_delete_horizon(options.delete_horizon.is_some()),
            last_offset_delta,
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: options.log_append_time.unwrap_or(self.max_timestamp),
            producer_id: options.producer_id,
            producer_epoch: options.producer_epoch,
            base_sequence: options.base_sequence,
            count: self.count,
        };
        batch[..BATCH_OVERHEAD].copy_from_slice(&header.to_bytes());
        header.crc = crc32c(&batch[CHECKSUMMED_FROM..]);
        batch[..BATCH_OVERHEAD].copy_from_slice(&header.to_bytes());
        Ok((out, header))
    }
}

fn field_size(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varint::size_i64(bytes.len() as i64) + bytes.len())
}

fn write_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    match field {
        Some(bytes) => {
            varint::encode_i64(bytes.len() as i64, out);
            out.extend_from_slice(bytes);
        }
        None => varint::encode_i64(-1, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Batch, Batches};

    #[test]
    fn what_is_built_is_read() {
        let options = BatchOptions {
            base_offset: 7,
            producer_id: 5,
            producer_epoch: 1,
            base_sequence: 3,
            ..Default::default()
        };
        let mut builder = BatchBuilder::new(Vec::new(), options.clone()).unwrap();
        builder.append(1000, Some(b"k"), Some(b"v"), &[(b"h", None), (b"i", Some(b"x"))]).unwrap();
        builder.append(990, None, None, &[]).unwrap();
        let (bytes, header) = builder.finish().unwrap();
        let (bytes, _) = {
            let mut second = BatchBuilder::new(bytes, BatchOptions { base_offset: 9, ..options }).unwrap();
            second.append(1, None, Some(b"z"), &[]).unwrap();
            second.finish().unwrap()
        };

        let mut batches = Batches::new(&bytes, 1 << 20);
        let batch = batches.next().unwrap().unwrap();
        batch.verify_checksum().unwrap();
        assert_eq!(batch.header, header);
        assert_eq!(
            (header.last_offset(), header.max_timestamp, header.count, header.last_sequence()),
            (8, 1000, 2, 4)
        );
        let mut records = batch.records(1000).unwrap();
        let first = records.next().unwrap().unwrap();
        assert_eq!(
            (first.offset, first.timestamp, first.key, first.value),
            (7, 1000, Some(&b"k"[..]), Some(&b"v"[..]))
        );
        let headers: Vec<_> = first.headers.iter().collect();
        assert_eq!(headers, [(&b"h"[..], None), (&b"i"[..], Some(&b"x"[..]))]);
        let second = records.next().unwrap().unwrap();
        assert_eq!((second.offset, second.timestamp, second.key, second.value), (8, 990, None, None));
        assert!(records.next().unwrap().is_none());
        assert_eq!(batches.next().unwrap().unwrap().header.base_offset, 9);
        assert!(batches.next().is_none());

        let cut = &bytes[..bytes.len() - 1];
        let mut batches = Batches::new(cut, 1 << 20);
        assert!(batches.next().unwrap().is_ok());
        assert!(batches.next().is_none());
        assert_eq!(batches.remainder(), &cut[header.size()..]);
        assert!(matches!(Batch::parse(&cut[header.size()..]), Err(RecordsError::Truncated { .. })));
    }

    #[test]
    fn stamping_keeps_the_checksum_and_append_time_renews_it() {
        let mut builder = BatchBuilder::new(Vec::new(), BatchOptions::default()).unwrap();
        builder.append(1000, None, Some(b"v"), &[]).unwrap();
        let (mut bytes, header) = builder.finish().unwrap();
        crate::records::stamp(&mut bytes, 42, 6).unwrap();
        assert_eq!(bytes[..16], crate::records::stamped_prefix(&header, 42, 6));
        let batch = Batch::parse_checked(&bytes).unwrap();
        assert_eq!((batch.header.base_offset, batch.header.leader_epoch), (42, 6));
        crate::records::stamp_append_time(&mut bytes, 5000).unwrap();
        let batch = Batch::parse_checked(&bytes).unwrap();
        assert_eq!(batch.records(1000).unwrap().next().unwrap().unwrap().timestamp, 5000);
        bytes[65] ^= 1;
        assert!(matches!(Batch::parse_checked(&bytes), Err(RecordsError::Checksum { .. })));
    }
}
