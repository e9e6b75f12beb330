//! Formatters of `__consumer_offsets` in JSON: those of Kafka 3.9, in the package `org.apache.kafka.tools.consumer`.

use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue};

use super::super::{
    failure::Failure,
    group_records::{Group, GroupKey, Offset, OffsetKey, Parts},
};
use super::json::{self, Data, Line, Versioned, version, write};
use super::record::{Record, corrupt};

/// `OffsetsMessageFormatter`: nothing for a record about something else.
pub(super) fn write_offset(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let found = key(record)?;
    let key = match &found {
        None => None,
        Some((_, GroupRecordKey::Group(_))) => return Ok(()),
        Some((version, GroupRecordKey::Offset(key))) => {
            Some(Versioned { version: *version, data: Data::Known(OffsetKey::of(key)) })
        }
        Some((version, GroupRecordKey::Other(_))) => Some(json::unknown(*version)),
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
        Some((version, GroupRecordKey::Other(_))) => Some(json::unknown(*version)),
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
