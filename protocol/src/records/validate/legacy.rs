//! Messages of magic 0 and 1 that stay what they are.

use std::borrow::Cow;

use super::{Facts, InvalidRecords, RecordErrors, Rules, Survey, ValidBatch, inspect, invalid};
use crate::records::{Codec, Entries, Entry, RecordsError, TimestampType};

/// The messages as one run, where nothing in them need be rewritten. `None` where something must.
pub(super) fn keep<'a>(
    records: &'a [u8],
    set: &Survey<'_>,
    rules: &Rules,
) -> Result<Option<ValidBatch<'a>>, InvalidRecords> {
    let magic = set.first.magic();
    let mut rewrite = magic == 1 && rules.timestamp_type == TimestampType::LogAppendTime;
    let mut facts: Option<Facts> = None;
    for entry in Entries::new(records, usize::MAX) {
        let entry = entry?;
        // Magic 1 inside a wrapper counts from the first; clients that did not are corrected, not refused.
        let first_offset = match (&entry, set.codec) {
            (Entry::Message(message), Codec::Gzip | Codec::Snappy | Codec::Lz4) if magic == 1 => {
                let mut messages = message.messages(rules.output_limit)?;
                messages.next()?.map_or(0, |first| first.offset)
            }
            _ => 0,
        };
        rewrite |= magic == 1 && entry.timestamp_type() == TimestampType::LogAppendTime;
        let index = facts.map_or(0, |facts| facts.count);
        let mut next_offset = first_offset;
        let mut largest_inside = i64::MIN;
        // As in Kafka, each plain old message is a batch of its own, and the first at fault is the one named.
        let mut errors = RecordErrors::default();
        inspect(&entry, index, rules, &mut errors, |record| {
            rewrite |= magic == 1 && set.codec != Codec::None && record.offset != next_offset;
            next_offset = record.offset.wrapping_add(1);
            largest_inside = largest_inside.max(record.timestamp);
            let facts =
                facts.get_or_insert(Facts { count: 0, first: record.timestamp, largest: record.timestamp });
            facts.largest = facts.largest.max(record.timestamp);
            facts.count = facts.count.checked_add(1).ok_or(RecordsError::Overflow {
                what: "the number of messages",
                value: i64::from(facts.count),
            })?;
            Ok(())
        })?;
        errors.into_result()?;
        // A wrapper's timestamp is the largest inside it.
        rewrite |= magic == 1 && set.codec != Codec::None && entry.max_timestamp() != largest_inside;
    }
    if rewrite {
        return Ok(None);
    }
    let facts = facts.ok_or_else(|| invalid("a compressed message set holds no messages"))?;
    let (Entry::Message(first), data) = (set.first, records) else { return Ok(None) };
    Ok(Some(ValidBatch {
        magic,
        header: facts.header(data.len(), first.attributes),
        keep_offsets: false,
        data: Cow::Borrowed(data),
    }))
}
