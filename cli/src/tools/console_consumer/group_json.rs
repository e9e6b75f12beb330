//! Formatters of `__consumer_offsets` in JSON: those of Kafka 3.9, in the package `org.apache.kafka.tools.consumer`.
//!
//! One object follows another without a line break, as Kafka's writes them.

use serde::Serialize;
use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue};

use super::super::{
    failure::Failure,
    group_records::{Group, GroupKey, Offset, OffsetKey, Parts},
};
use super::{group_records::corrupt, record::Record};

/// What a version is that nobody knows here.
const UNKNOWN: &str = "unknown";

/// A key or a value.
#[derive(Serialize)]
struct Versioned<T> {
    version: i16,
    data: T,
}

/// A record.
#[derive(Serialize)]
struct Line<K, V> {
    key: Option<Versioned<K>>,
    value: Option<Versioned<V>>,
}

/// Either what it is, or [`UNKNOWN`].
#[derive(Serialize)]
#[serde(untagged)]
enum Data<T> {
    Known(T),
    Unknown(&'static str),
}

/// `OffsetsMessageFormatter`: nothing for a record about something else.
pub(super) fn write_offset(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let found = key(record)?;
    let key = match &found {
        None => None,
        Some((_, GroupRecordKey::Group(_))) => return Ok(()),
        Some((version, GroupRecordKey::Offset(key))) => {
            Some(Versioned { version: *version, data: Data::Known(OffsetKey::of(key)) })
        }
        Some((version, GroupRecordKey::Other(_))) => {
            Some(Versioned { version: *version, data: Data::Unknown(UNKNOWN) })
        }
    };
    let value = record.value.map(|bytes| {
        let parsed = OffsetCommitValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
        Ok::<_, Failure>((version(bytes), parsed))
    });
    let value = value.transpose()?;
    let value = value
        .as_ref()
        .map(|(version, value)| Versioned { version: *version, data: Offset::of(*version, value) });
    write(record, &Line { key, value }, out)
}

/// `GroupMetadataMessageFormatter`: nothing for a record about something else.
pub(super) fn write_group(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let found = key(record)?;
    let key = match &found {
        None => None,
        Some((_, GroupRecordKey::Offset(_))) => return Ok(()),
        Some((version, GroupRecordKey::Group(key))) => {
            Some(Versioned { version: *version, data: Data::Known(GroupKey::of(key)) })
        }
        Some((version, GroupRecordKey::Other(_))) => {
            Some(Versioned { version: *version, data: Data::Unknown(UNKNOWN) })
        }
    };
    let value = record.value.map(|bytes| {
        let parsed = GroupMetadataValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
        Ok::<_, Failure>((version(bytes), parsed))
    });
    let value = value.transpose()?;
    let value = value.as_ref().map(|(version, value)| Versioned {
        version: *version,
        data: Group::of(*version, value, Parts::Encoded),
    });
    write(record, &Line { key, value }, out)
}

fn key<'a>(record: &Record<'a>) -> Result<Option<(i16, GroupRecordKey<'a>)>, Failure> {
    let Some(bytes) = record.key else { return Ok(None) };
    let key = GroupRecordKey::parse(bytes).map_err(|error| corrupt(record, &error))?;
    Ok(Some((version(bytes), key)))
}

/// The version that keys and values begin with.
fn version(bytes: &[u8]) -> i16 {
    bytes.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes))
}

fn write(record: &Record<'_>, line: &impl Serialize, out: &mut Vec<u8>) -> Result<(), Failure> {
    serde_json::to_writer(out, line).map_err(|error| corrupt(record, &error))
}
