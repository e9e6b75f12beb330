//! What stays of one batch: the records that are their keys' latest, written again only where something goes.

use vltava_protocol::records::{
    Batch, BatchBuilder, BatchHeader, BatchOptions, Codec, Entry, MessageSetBuilder, MessageSetOptions,
    NO_TIMESTAMP, Record, RecordsError, TimestampType,
};

use super::offset_map::OffsetMap;

/// Bytes that a batch may come to when it is decompressed.
pub(crate) const DECOMPRESSION_LIMIT: usize = 256 << 20;

/// By what a pass decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) map: &'a OffsetMap,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
    /// `delete.retention.ms`
    pub(crate) delete_retention_ms: i64,
    /// Whether tombstones of magic 0 and 1, which can't say since when they may go, are still kept.
    pub(crate) keeps_old_tombstones: bool,
}

/// What is known of a batch besides its records.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Fate {
    /// Nothing in it is to be read any more: an aborted transaction's, or a marker of one that is gone whose time is over.
    pub(crate) discards_records: bool,
    /// It is a marker of a transaction of which nothing is left: from now on its time runs.
    pub(crate) is_idle_marker: bool,
    /// It stays without records too: the last one of its producer, or of the pass.
    pub(crate) stays_empty: bool,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It was copied as it is.
    Whole,
    /// It was written with fewer records, or with a delete horizon.
    Changed,
    /// Nothing was written.
    Nothing,
}

impl Rules<'_> {
    fn keeps(&self, record: &Record<'_>, horizon: Option<i64>, is_old: bool) -> bool {
        if record.offset > self.map.latest() {
            return true;
        }
        // Kafka refuses records without keys in compacted topics; those from before go.
        let Some(key) = record.key else { return false };
        if self.map.get(key).is_some_and(|latest| latest > record.offset) {
            return false;
        }
        let keeps_tombstones =
            if is_old { self.keeps_old_tombstones } else { horizon.is_none_or(|horizon| self.now < horizon) };
        record.value.is_some() || keeps_tombstones
    }

    /// Writes what stays of an entry to `out`.
    pub(crate) fn filter(
        &self,
        entry: &Entry<'_>,
        fate: Fate,
        out: &mut Vec<u8>,
    ) -> Result<Kept, RecordsError> {
        match entry {
            Entry::Batch(batch) => self.filter_batch(batch, fate, out),
            Entry::Message(_) => self.filter_messages(entry, out),
        }
    }

    fn filter_batch(&self, batch: &Batch<'_>, fate: Fate, out: &mut Vec<u8>) -> Result<Kept, RecordsError> {
        let header = &batch.header;
        let horizon = header.delete_horizon();
        let is_control = header.attributes.is_control();
        let (mut kept, mut has_tombstone) = (0, false);
        let keeps = |record: &Record<'_>| {
            !fate.discards_records && (is_control || self.keeps(record, horizon, false))
        };
        let mut records = batch.records(DECOMPRESSION_LIMIT)?;
        while let Some(record) = records.next()? {
            if keeps(&record) {
                kept += 1;
                has_tombstone |= record.value.is_none();
            }
        }
        if kept == 0 {
            if !fate.stays_empty {
                return Ok(Kept::Nothing);
            }
            if header.count == 0 {
                out.extend_from_slice(batch.bytes());
                return Ok(Kept::Whole);
            }
            write_empty(header, out);
            return Ok(Kept::Changed);
        }
        let begins_to_run = horizon.is_none() && (fate.is_idle_marker || (has_tombstone && !is_control));
        if kept == header.count && !begins_to_run {
            out.extend_from_slice(batch.bytes());
            return Ok(Kept::Whole);
        }
        let horizon =
            if begins_to_run { Some(self.now.saturating_add(self.delete_retention_ms)) } else { horizon };
        let mut builder = BatchBuilder::new(std::mem::take(out), options_of(batch, horizon)?)?;
        let mut records = batch.records(DECOMPRESSION_LIMIT)?;
        while let Some(record) = records.next()? {
            if keeps(&record) {
                builder.append_record(&record)?;
            }
        }
        *out = builder.finish_through(header.last_offset())?.0;
        Ok(Kept::Changed)
    }

    /// A message, or a wrapper, which is then built again. Empty ones can't be kept.
    fn filter_messages(&self, entry: &Entry<'_>, out: &mut Vec<u8>) -> Result<Kept, RecordsError> {
        let (mut all, mut kept) = (0, 0);
        let mut records = entry.records(DECOMPRESSION_LIMIT)?;
        while let Some(record) = records.next()? {
            all += 1;
            kept += i32::from(self.keeps(&record, None, true));
        }
        if kept == 0 {
            return Ok(Kept::Nothing);
        }
        if kept == all {
            out.extend_from_slice(entry.bytes());
            return Ok(Kept::Whole);
        }
        let log_append_time =
            (entry.timestamp_type() == TimestampType::LogAppendTime).then(|| entry.max_timestamp());
        let options =
            MessageSetOptions { magic: entry.magic(), codec: entry.codec()?, level: None, log_append_time };
        let mut builder = MessageSetBuilder::new(std::mem::take(out), options)?;
        let mut records = entry.records(DECOMPRESSION_LIMIT)?;
        while let Some(record) = records.next()? {
            if self.keeps(&record, None, true) {
                builder.append_record(&record)?;
            }
        }
        *out = builder.finish()?;
        Ok(Kept::Changed)
    }
}

fn options_of(batch: &Batch<'_>, delete_horizon: Option<i64>) -> Result<BatchOptions, RecordsError> {
    let header = &batch.header;
    Ok(BatchOptions {
        base_offset: header.base_offset,
        leader_epoch: header.leader_epoch,
        codec: batch.codec()?,
        level: None,
        log_append_time: (header.timestamp_type() == TimestampType::LogAppendTime)
            .then_some(header.max_timestamp),
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        transactional: header.attributes.is_transactional(),
        control: header.attributes.is_control(),
        delete_horizon,
    })
}

/// A batch without records, as Kafka's `writeEmptyHeader`: offsets, producer and sequences stay, and the largest timestamp.
fn write_empty(header: &BatchHeader, out: &mut Vec<u8>) {
    use vltava_protocol::records::{Attributes, BATCH_OVERHEAD, CHECKSUMMED_FROM, LOG_OVERHEAD, crc32c};
    let attributes = Attributes::default()
        .with_codec(Codec::None)
        .with_timestamp_type(header.timestamp_type())
        .with_transactional(header.attributes.is_transactional())
        .with_control(header.attributes.is_control());
    let mut empty = BatchHeader {
        length: (BATCH_OVERHEAD - LOG_OVERHEAD) as i32,
        crc: 0,
        attributes,
        base_timestamp: NO_TIMESTAMP,
        count: 0,
        ..*header
    };
    empty.crc = crc32c(&empty.to_bytes()[CHECKSUMMED_FROM..]);
    out.extend_from_slice(&empty.to_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offset and value of each record of a magic 0 or 1 set, wrapped or not.
    fn set(magic: i8, codec: Codec, records: &[(i64, Option<&str>, Option<&str>)]) -> Vec<u8> {
        let options = MessageSetOptions { magic, codec, level: None, log_append_time: None };
        let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
        for (offset, key, value) in records {
            builder.append(*offset, 1000 + offset, key.map(str::as_bytes), value.map(str::as_bytes)).unwrap();
        }
        builder.finish().unwrap()
    }

    fn filtered(rules: &Rules<'_>, mut bytes: &[u8]) -> Vec<(i64, Option<String>)> {
        let mut out = Vec::new();
        while !bytes.is_empty() {
            let entry = Entry::parse(bytes).unwrap();
            rules.filter(&entry, Fate::default(), &mut out).unwrap();
            bytes = &bytes[entry.bytes().len()..];
        }
        let (mut found, mut rest) = (Vec::new(), &out[..]);
        while !rest.is_empty() {
            let entry = Entry::parse(rest).unwrap();
            entry.verify_checksum().unwrap();
            let mut records = entry.records(1 << 20).unwrap();
            while let Some(record) = records.next().unwrap() {
                let value = record.value.map(|value| String::from_utf8(value.to_vec()).unwrap());
                assert!(entry.magic() == 0 || record.timestamp == 1000 + record.offset);
                found.push((record.offset, value));
            }
            rest = &rest[entry.bytes().len()..];
        }
        found
    }

    #[test]
    fn messages_and_wrappers_of_old_formats_are_filtered_in_their_own() {
        let records = [
            (10, Some("a"), Some("old")),
            (11, None, Some("without key")),
            (13, Some("b"), Some("kept")),
            (14, Some("c"), None),
            (15, Some("a"), Some("new")),
            (20, Some("a"), Some("not looked at")),
        ];
        let mut map = OffsetMap::new(1 << 16, 1.0);
        for (offset, key, _) in records.iter().take(5) {
            if let Some(key) = key {
                map.put(key.as_bytes(), *offset);
            }
        }
        map.set_latest(15);
        let rules =
            |keeps_old_tombstones| Rules { map: &map, now: 0, delete_retention_ms: 0, keeps_old_tombstones };
        let kept = |offsets: &[i64]| -> Vec<(i64, Option<String>)> {
            let kept = records.iter().filter(|(offset, ..)| offsets.contains(offset));
            kept.map(|(offset, _, value)| (*offset, value.map(str::to_owned))).collect()
        };
        for magic in [0, 1] {
            for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
                let bytes = set(magic, codec, &records);
                assert_eq!(filtered(&rules(true), &bytes), kept(&[13, 14, 15, 20]), "{magic} {codec}");
                assert_eq!(filtered(&rules(false), &bytes), kept(&[13, 15, 20]), "{magic} {codec}");
            }
        }
    }
}
