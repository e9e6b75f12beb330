//! Formatters of `__transaction_state`: of `TransactionLog`, which Kafka had from 0.11 to 3.9, and in JSON, of 3.9.

use vltava_protocol::transaction_records::{TransactionLogKey, TransactionLogValue};

use super::super::{
    era::Era,
    failure::Failure,
    transaction_records::{Id, Transaction, partitions, state},
};
use super::json::{self, Data, Line, Versioned};
use super::record::{Record, corrupt};

/// The latest versions that 3.9 knows.
const NEWEST_KEY: i16 = 0;
const NEWEST_VALUE: i16 = 1;

/// `id::TransactionMetadata(...)`; nothing for a record without a key.
pub(super) fn write_text(record: &Record<'_>, era: Era, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(key) = record.key else { return Ok(()) };
    let version = json::version(key);
    if version > NEWEST_KEY {
        out.extend_from_slice(format!("unknown::version={version}\n").as_bytes());
        return Ok(());
    }
    let id = TransactionLogKey::parse(key).map_err(|error| corrupt(record, &error))?.transactional_id;
    let value = match record.value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let value = TransactionLogValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
            format!(
                "TransactionMetadata(transactionalId={id}, producerId={}, producerEpoch={}, txnTimeoutMs={}, state={}, pendingState=None, \
                 topicPartitions={}, txnStartTimestamp={}, txnLastUpdateTimestamp={})",
                value.producer_id,
                value.producer_epoch,
                value.transaction_timeout_ms,
                state(value.transaction_status),
                set(&value, era),
                value.transaction_start_timestamp_ms,
                value.transaction_last_update_timestamp_ms
            )
        }
    };
    out.extend_from_slice(format!("{id}::{value}\n").as_bytes());
    Ok(())
}

/// A Scala set of the partitions: 2.11 and 2.13 call theirs differently.
fn set(value: &TransactionLogValue<'_>, era: Era) -> String {
    let names: Vec<String> =
        partitions(value, era).into_iter().map(|(topic, partition)| format!("{topic}-{partition}")).collect();
    let name = match era {
        Era::Old => "Set",
        Era::New => "HashSet",
    };
    format!("{name}({})", names.join(", "))
}

/// The object.
pub(super) fn write_json(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let key = record.key.map(|bytes| match json::version(bytes) {
        version @ 0..=NEWEST_KEY => {
            TransactionLogKey::parse(bytes).map(|key| (version, Some(key))).map_err(|e| corrupt(record, &e))
        }
        version => Ok((version, None)),
    });
    let key = key.transpose()?;
    let value = record.value.map(|bytes| match json::version(bytes) {
        version @ 0..=NEWEST_VALUE => TransactionLogValue::parse(bytes)
            .map(|value| (version, Some(value)))
            .map_err(|e| corrupt(record, &e)),
        version => Ok((version, None)),
    });
    let value = value.transpose()?;
    let key = key.as_ref().map(|(version, key)| match key {
        Some(key) => Versioned { version: *version, data: Data::Known(Id::of(key)) },
        None => json::unknown(*version),
    });
    let value = value.as_ref().map(|(version, value)| match value {
        Some(value) => Versioned { version: *version, data: Data::Known(Transaction::of(value)) },
        None => json::unknown(*version),
    });
    json::write(record, &Line { key, value }, out)
}
