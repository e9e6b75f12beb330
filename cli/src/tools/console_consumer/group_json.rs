//! Formatters of `__consumer_offsets` in JSON: those of Kafka 3.9, in the package `org.apache.kafka.tools.consumer`.
//!
//! One object follows another without a line break, as Kafka's writes them.

use base64::Engine as _;
use serde::Serialize;
use serde_json::{Value, json};
use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, MemberMetadata, OffsetCommitValue};

use super::super::failure::Failure;
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OffsetKey<'a> {
    group: &'a str,
    topic: &'a str,
    partition: i32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offset<'a> {
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader_epoch: Option<i32>,
    metadata: &'a str,
    commit_timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_timestamp: Option<i64>,
}

#[derive(Serialize)]
struct GroupKey<'a> {
    group: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    protocol_type: &'a str,
    generation: i32,
    protocol: Option<&'a str>,
    leader: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state_timestamp: Option<i64>,
    members: Vec<Member<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    member_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_instance_id: Option<Value>,
    client_id: &'a str,
    client_host: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rebalance_timeout: Option<i32>,
    session_timeout: i32,
    subscription: String,
    assignment: String,
}

/// `OffsetsMessageFormatter`: nothing for a record about something else.
pub(super) fn write_offset(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let found = key(record)?;
    let key = match &found {
        None => None,
        Some((_, GroupRecordKey::Group(_))) => return Ok(()),
        Some((version, GroupRecordKey::Offset(key))) => {
            let data = OffsetKey { group: &key.group, topic: &key.topic, partition: key.partition };
            Some(Versioned { version: *version, data: Data::Known(data) })
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
    let value = value.as_ref().map(|(version, value)| Versioned {
        version: *version,
        data: Offset {
            offset: value.offset,
            leader_epoch: (*version >= 3).then_some(value.leader_epoch),
            metadata: &value.metadata,
            commit_timestamp: value.commit_timestamp,
            expire_timestamp: (*version == 1).then_some(value.expire_timestamp),
        },
    });
    write(record, &Line { key, value }, out)
}

/// `GroupMetadataMessageFormatter`: nothing for a record about something else.
pub(super) fn write_group(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let found = key(record)?;
    let key = match &found {
        None => None,
        Some((_, GroupRecordKey::Offset(_))) => return Ok(()),
        Some((version, GroupRecordKey::Group(key))) => {
            Some(Versioned { version: *version, data: Data::Known(GroupKey { group: &key.group }) })
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
        data: Group {
            protocol_type: &value.protocol_type,
            generation: value.generation,
            protocol: value.protocol.as_deref(),
            leader: value.leader.as_deref(),
            current_state_timestamp: (*version >= 2).then_some(value.current_state_timestamp),
            members: value.members.iter().map(|found| member(*version, found)).collect(),
        },
    });
    write(record, &Line { key, value }, out)
}

fn member<'a>(version: i16, member: &'a MemberMetadata<'_>) -> Member<'a> {
    let encoded = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    Member {
        member_id: &member.member_id,
        group_instance_id: (version >= 3).then(|| json!(member.group_instance_id)),
        client_id: &member.client_id,
        client_host: &member.client_host,
        rebalance_timeout: (version >= 1).then_some(member.rebalance_timeout),
        session_timeout: member.session_timeout,
        subscription: encoded(&member.subscription),
        assignment: encoded(&member.assignment),
    }
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
