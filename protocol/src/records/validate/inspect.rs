//! The checks of single records.

use super::{InvalidRecords, RecordErrors, Rejection, Rules};
use crate::records::{Entry, NO_TIMESTAMP, Record, RecordsError, TimestampType};

/// Reads every record of an entry, notes those at fault, and shows each that is not to `visit`.
///
/// `first_index` is the position of the entry's first record in the request. Fails where the entry cannot be read.
pub(super) fn inspect(
    entry: &Entry<'_>,
    first_index: i32,
    rules: &Rules,
    errors: &mut RecordErrors,
    mut visit: impl FnMut(&Record<'_>) -> Result<(), RecordsError>,
) -> Result<i32, InvalidRecords> {
    let mut count = 0;
    let timestamp_type = entry.timestamp_type();
    let mut each = |record: &Record<'_>| {
        let index = first_index.saturating_add(count);
        count += 1;
        if check(record, index, timestamp_type, rules, errors) { visit(record) } else { Ok(()) }
    };
    match entry {
        Entry::Batch(batch) => {
            let mut records = batch.records(rules.output_limit)?;
            while let Some(record) = records.next()? {
                each(&record)?;
            }
        }
        Entry::Message(message) => {
            let mut messages = message.messages(rules.output_limit)?;
            while let Some(inner) = messages.next()? {
                // A wrapper's checksum says nothing of those inside.
                if message.is_wrapper() {
                    inner.verify_checksum()?;
                }
                each(&inner.into())?;
            }
        }
    }
    Ok(count)
}

/// Whether the record may be appended.
fn check(
    record: &Record<'_>,
    index: i32,
    claimed: TimestampType,
    rules: &Rules,
    errors: &mut RecordErrors,
) -> bool {
    if rules.compacted && record.key.is_none() {
        errors.push(Rejection::InvalidRecord, index, || {
            "Compacted topic cannot accept message without key".to_owned()
        });
        return false;
    }
    if rules.timestamp_type == TimestampType::CreateTime && record.timestamp != NO_TIMESTAMP {
        if rules.allows_timestamp(record.timestamp) {
            return true;
        }
        errors.push(Rejection::InvalidTimestamp, index, || {
            format!(
                "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                record.timestamp,
                record.offset,
                rules.now.saturating_sub(rules.before_max_ms),
                rules.now.saturating_add(rules.after_max_ms)
            )
        });
        return false;
    }
    if claimed == TimestampType::LogAppendTime {
        errors.push(Rejection::InvalidTimestamp, index, || {
            format!(
                "Invalid timestamp type in message with offset {}. Producer should not set timestamp type to LogAppendTime.",
                record.offset
            )
        });
        return false;
    }
    true
}
