//! What keys and values mean.

use serde_json::{Value, json};
use vltava_protocol::{
    consumer::{ConsumerProtocolAssignment, PROTOCOL_TYPE},
    group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue},
    records::Record,
    transaction_records::{TransactionLogKey, TransactionLogValue},
};

use super::{super::deserializer::Deserializer, Era};
use crate::tools::failure::Failure;

/// How to read records.
#[derive(Debug)]
pub(super) enum Decoder {
    Plain { key: Deserializer, value: Deserializer },
    Offsets,
    Transactions,
}

/// Key and payload as they are written; without one nothing is.
pub(super) type Decoded = (Option<String>, Option<String>);

impl Decoder {
    pub(super) fn decode(&self, record: &Record<'_>, era: Era) -> Result<Decoded, Failure> {
        match self {
            Self::Plain { key, value } => Ok((text(*key, record.key)?, text(*value, record.value)?)),
            Self::Offsets => offsets(record, era),
            Self::Transactions => transactions(record),
        }
    }
}

fn text(deserializer: Deserializer, bytes: Option<&[u8]>) -> Result<Option<String>, Failure> {
    let Some(bytes) = bytes else { return Ok(None) };
    let mut out = Vec::new();
    deserializer.show(bytes, &mut out)?;
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}

const DELETED: &str = "<DELETE>";

fn offsets(record: &Record<'_>, era: Era) -> Result<Decoded, Failure> {
    let key = record.key.ok_or_else(|| {
        let text = format!(
            "Failed to decode message at offset {} using offset topic decoder (message had a missing key)",
            record.offset
        );
        Failure::new("java.lang.RuntimeException", text)
    })?;
    let wrong = |error: &dyn std::fmt::Display| {
        let text = format!("Error at offset {}: {error}", record.offset);
        Failure::new("org.apache.kafka.common.protocol.types.SchemaException", text)
    };
    let parsed = GroupRecordKey::parse(key).map_err(|error| wrong(&error))?;
    let kind = key.first_chunk().map_or(0, |version| i16::from_be_bytes(*version));
    let version =
        record.value.and_then(<[u8]>::first_chunk).map_or(0, |version| i16::from_be_bytes(*version));
    let deleted = || Some(DELETED.to_owned());
    Ok(match parsed {
        GroupRecordKey::Offset(key) => {
            let value =
                record.value.map(OffsetCommitValue::parse).transpose().map_err(|error| wrong(&error))?;
            match era {
                Era::Old => (
                    Some(format!("offset::{}:{}:{}", key.group, key.topic, key.partition)),
                    value.map_or_else(deleted, |value| Some(old_offset(&value))),
                ),
                Era::New => (
                    Some(typed(
                        kind,
                        &json!({"group": key.group, "topic": key.topic, "partition": key.partition}),
                    )),
                    value.map_or_else(deleted, |value| Some(new_offset(version, &value))),
                ),
            }
        }
        GroupRecordKey::Group(key) => {
            let value =
                record.value.map(GroupMetadataValue::parse).transpose().map_err(|error| wrong(&error))?;
            match era {
                Era::Old => (
                    Some(format!("metadata::{}", key.group)),
                    value.map_or_else(deleted, |value| Some(old_group(&value))),
                ),
                Era::New => (
                    Some(typed(kind, &json!({"group": key.group}))),
                    value.map_or_else(deleted, |value| Some(new_group(version, &value))),
                ),
            }
        }
        GroupRecordKey::Other(version) => {
            (Some(format!("Unknown record type {version} at offset {}, skipping.", record.offset)), None)
        }
    })
}

fn typed(kind: i16, data: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"data\":{data}}}")
}

fn versioned(version: i16, data: &Value) -> String {
    format!("{{\"version\":\"{version}\",\"data\":{data}}}")
}

fn old_offset(value: &OffsetCommitValue<'_>) -> String {
    if value.metadata.is_empty() {
        value.offset.to_string()
    } else {
        format!("{}:{}", value.offset, value.metadata)
    }
}

fn new_offset(version: i16, value: &OffsetCommitValue<'_>) -> String {
    let mut data = serde_json::Map::new();
    data.insert("offset".into(), value.offset.into());
    if version >= 3 {
        data.insert("leaderEpoch".into(), value.leader_epoch.into());
    }
    data.insert("metadata".into(), value.metadata.as_ref().into());
    data.insert("commitTimestamp".into(), value.commit_timestamp.into());
    if version == 1 {
        data.insert("expireTimestamp".into(), value.expire_timestamp.into());
    }
    versioned(version, &data.into())
}

fn old_group(value: &GroupMetadataValue<'_>) -> String {
    let members: Vec<_> = value
        .members
        .iter()
        .map(|member| {
            let partitions = ConsumerProtocolAssignment::parse(&member.assignment)
                .ok()
                .filter(|_| value.protocol_type == PROTOCOL_TYPE)
                .map(|assignment| partitions(&assignment).join(", "));
            match partitions {
                Some(partitions) => format!("{}=[{partitions}]", member.member_id),
                None => format!("{}={}", member.member_id, hex(&member.assignment)),
            }
        })
        .collect();
    format!(
        "{{\"protocolType\":{},\"protocol\":{},\"generationId\":{},\"assignment\":{}}}",
        json!(value.protocol_type),
        json!(value.protocol),
        value.generation,
        json!(format!("{{{}}}", members.join(",")))
    )
}

fn new_group(version: i16, value: &GroupMetadataValue<'_>) -> String {
    let members: Vec<_> = value
        .members
        .iter()
        .map(|member| {
            json!({
                "memberId": member.member_id,
                "groupInstanceId": member.group_instance_id,
                "clientId": member.client_id,
                "clientHost": member.client_host,
                "rebalanceTimeout": member.rebalance_timeout,
                "sessionTimeout": member.session_timeout,
                "assignment": ConsumerProtocolAssignment::parse(&member.assignment).map_or_else(
                    |_| json!(hex(&member.assignment)),
                    |assignment| json!(partitions(&assignment)),
                ),
            })
        })
        .collect();
    let data = json!({
        "protocolType": value.protocol_type,
        "generation": value.generation,
        "protocol": value.protocol,
        "leader": value.leader,
        "currentStateTimestamp": value.current_state_timestamp,
        "members": members,
    });
    versioned(version, &data)
}

fn partitions(assignment: &ConsumerProtocolAssignment<'_>) -> Vec<String> {
    let topics = assignment.assigned_partitions.iter();
    topics.flat_map(|topic| topic.partitions.iter().map(|p| format!("{}-{p}", topic.topic))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Names of the states of a transaction, by their numbers.
const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

fn transactions(record: &Record<'_>) -> Result<Decoded, Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        let text = format!("Error at offset {}: {error}", record.offset);
        Failure::new("org.apache.kafka.common.protocol.types.SchemaException", text)
    };
    let Some(key) = record.key else { return Ok((None, None)) };
    let key = TransactionLogKey::parse(key).map_err(|error| wrong(&error))?;
    let value = record.value.map(TransactionLogValue::parse).transpose().map_err(|error| wrong(&error))?;
    let value = value.map_or_else(
        || DELETED.to_owned(),
        |value| {
            let state = usize::try_from(value.transaction_status).ok().and_then(|state| STATES.get(state).copied());
            let topics = value.transaction_partitions.unwrap_or_default();
            let partitions: Vec<_> = topics
                .iter()
                .flat_map(|topic| topic.partition_ids.iter().map(|p| format!("{}-{p}", topic.topic)))
                .collect();
            format!(
                "producerId:{},producerEpoch:{},state={},partitions=[{}],txnLastUpdateTimestamp={},txnTimeoutMs={}",
                value.producer_id,
                value.producer_epoch,
                state.unwrap_or("Unknown"),
                partitions.join(","),
                value.transaction_last_update_timestamp_ms,
                value.transaction_timeout_ms
            )
        },
    );
    Ok((Some(format!("transaction_metadata::transactionalId={}", key.transactional_id)), Some(value)))
}
