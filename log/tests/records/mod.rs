//! Batches to append, and what a log gives back, for all tests of the log.

#![allow(dead_code, reason = "each test uses what it needs of it")]

use std::os::unix::fs::FileExt;

use vltava_log::{AppendError, Appended, FetchData, Log, LogReader};
use vltava_protocol::records::validate::Origin;
use vltava_protocol::records::validate::Rules;
use vltava_protocol::records::{
    BatchBuilder, BatchOptions, Batches, Codec, EndTxnMarker, Entry, EntryPrefix, validate,
};

/// The clock of the tests.
pub(crate) const NOW: i64 = 1_700_000_000_000;

/// A batch of as many records as values, at successive milliseconds.
pub(crate) fn batch(timestamp: i64, values: &[&str]) -> Vec<u8> {
    batch_with(BatchOptions::default(), timestamp, values)
}

/// A compressed batch.
pub(crate) fn compressed(codec: Codec, timestamp: i64, values: &[&str]) -> Vec<u8> {
    batch_with(BatchOptions { codec, ..BatchOptions::default() }, timestamp, values)
}

pub(crate) fn batch_with(options: BatchOptions, timestamp: i64, values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (i, value) in values.iter().enumerate() {
        builder.append(timestamp + i as i64, Some(b"key"), Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().0
}

/// What an idempotent producer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) transactional: bool,
}

impl Producer {
    pub(crate) fn batch(self, sequence: i32, timestamp: i64, values: &[&str]) -> Vec<u8> {
        let options = BatchOptions {
            producer_id: self.id,
            producer_epoch: self.epoch,
            base_sequence: sequence,
            transactional: self.transactional,
            ..BatchOptions::default()
        };
        batch_with(options, timestamp, values)
    }

    /// The marker that its coordinator writes.
    pub(crate) fn marker(self, committed: bool, timestamp: i64) -> Vec<u8> {
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        marker.write_batch(Vec::new(), 0, -1, timestamp, (self.id, self.epoch)).unwrap().0
    }
}

/// Appends as a leader, through validation, as the broker does.
pub(crate) fn append(log: &mut Log, bytes: &[u8], epoch: i32, now: i64) -> Result<Appended, AppendError> {
    let rules = Rules { origin: Origin::Coordinator, now, ..Rules::default() };
    let valid = validate(bytes, &rules).unwrap();
    log.append(&valid, epoch, now)
}

/// Appends as a follower what a leader's log holds.
pub(crate) fn follow(log: &mut Log, bytes: &[u8], now: i64) -> Result<Appended, AppendError> {
    let rules = Rules { origin: Origin::Replication, now, ..Rules::default() };
    let valid = validate(bytes, &rules).unwrap();
    log.append_as_follower(&valid, now)
}

/// The bytes that a read found.
pub(crate) fn bytes(data: &FetchData) -> Vec<u8> {
    let Some(slice) = &data.slice else { return Vec::new() };
    let mut bytes = vec![0; slice.length as usize];
    slice.file.read_exact_at(&mut bytes, slice.position).unwrap();
    bytes
}

/// A record as a consumer sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) control: bool,
    pub(crate) producer_id: i64,
}

impl Seen {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.value.clone().unwrap_or_default()).unwrap()
    }
}

/// Every record from `from` up to `bound`, fetched a few hundred bytes at a time; control records too.
pub(crate) fn read(reader: &LogReader, from: i64, bound: i64) -> Vec<Seen> {
    let mut found = Vec::new();
    let mut at = from;
    let bound = bound.min(reader.log_end_offset());
    while at < bound {
        let data = reader.read(at, 300, bound, true).unwrap();
        let bytes = bytes(&data);
        let before = at;
        let mut rest = &bytes[..];
        while let Ok(Some(prefix)) = EntryPrefix::parse(rest, usize::MAX >> 1) {
            if prefix.size() > rest.len() {
                break;
            }
            let entry = Entry::parse(rest).unwrap();
            rest = &rest[prefix.size()..];
            entry.verify_checksum().unwrap();
            let producer_id = match &entry {
                Entry::Batch(batch) => batch.header.producer_id,
                Entry::Message(_) => -1,
            };
            let mut records = entry.records(64 << 20).unwrap();
            while let Some(record) = records.next().unwrap() {
                if record.offset >= at {
                    found.push(Seen {
                        offset: record.offset,
                        timestamp: record.timestamp,
                        key: record.key.map(<[u8]>::to_vec),
                        value: record.value.map(<[u8]>::to_vec),
                        control: entry.is_control(),
                        producer_id,
                    });
                }
            }
            at = entry.last_offset() + 1;
        }
        if at == before {
            // Compaction, or a follower's first fetch, leaves gaps at the end.
            assert!(data.slice.is_none(), "no progress at offset {at}");
            break;
        }
    }
    found
}

/// Every record's offset and value, markers left out.
pub(crate) fn contents(log: &Log) -> Vec<(i64, String)> {
    let reader = log.reader();
    let all = read(&reader, reader.log_start_offset(), i64::MAX);
    all.iter().filter(|seen| !seen.control).map(|seen| (seen.offset, seen.text())).collect()
}

/// `value i` for each offset of a range.
pub(crate) fn numbered(range: std::ops::Range<i64>) -> Vec<(i64, String)> {
    range.map(|i| (i, format!("value {i}"))).collect()
}

/// Appends single records `value i` for the offsets of the range, a millisecond apart.
pub(crate) fn fill(log: &mut Log, range: std::ops::Range<i64>) {
    for i in range {
        let appended = append(log, &batch(NOW + i, &[&format!("value {i}")]), 0, NOW).unwrap();
        assert_eq!((appended.first_offset, appended.last_offset), (i, i));
    }
}

/// Base offset and leader epoch of each batch in `bytes`.
pub(crate) fn stamps(bytes: &[u8]) -> Vec<(i64, i32)> {
    Batches::new(bytes, 1 << 30).map(|b| b.unwrap().header).map(|h| (h.base_offset, h.leader_epoch)).collect()
}
