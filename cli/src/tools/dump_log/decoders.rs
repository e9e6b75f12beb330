//! What keys and values mean.

use serde_json::json;
use vltava_protocol::{
    consumer::{ConsumerProtocolAssignment, PROTOCOL_TYPE},
    group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue},
    records::Record,
    transaction_records::{TransactionLogKey, TransactionLogValue},
};

use super::{super::deserializer::Deserializer, Args, Era};
use crate::tools::{
    failure::Failure,
    group_records::{Group, GroupKey, Offset, OffsetKey, Parts},
    output,
    transaction_records::{partitions as partitions_of, state},
};

/// How to read records.
#[derive(Debug)]
pub(super) enum Decoder {
    Plain { key: Deserializer, value: Deserializer },
    Offsets,
    Transactions,
}

/// Key and payload as they are written; without one nothing is.
pub(super) type Decoded = (Option<String>, Option<String>);

/// Classes that 3.9's tool knows under the names that they had before.
const RENAMED: [&str; 4] = ["DefaultDecoder", "IntegerDecoder", "LongDecoder", "StringDecoder"];

impl Decoder {
    /// What the options name. In 3.9's output the old names of classes are answered with the new ones.
    pub(super) fn of(args: &Args, era: Era) -> Result<Self, Failure> {
        if args.offsets_decoder {
            return Ok(Self::Offsets);
        }
        if args.transaction_log_decoder {
            return Ok(Self::Transactions);
        }
        let named = |class: &Option<String>| {
            let Some(class) = class else { return Ok(Deserializer::Bytes) };
            let old = class.strip_prefix("kafka.serializer.").filter(|name| RENAMED.contains(name));
            if let Some(name) = old.filter(|_| era == Era::New) {
                output::line(format_args!(
                    "{class} is deprecated. Please use org.apache.kafka.tools.api.{name} instead"
                ));
            }
            Deserializer::named(class)
        };
        // In this order, as Kafka looks for them.
        let value = named(&args.value_decoder_class)?;
        Ok(Self::Plain { key: named(&args.key_decoder_class)?, value })
    }

    pub(super) fn decode(&self, record: &Record<'_>, era: Era) -> Result<Decoded, Failure> {
        match self {
            Self::Plain { key, value } => Ok((text(*key, record.key)?, text(*value, record.value)?)),
            Self::Offsets => offsets(record, era),
            Self::Transactions => transactions(record, era),
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
                    Some(labelled("type", kind, &OffsetKey::of(&key))?),
                    match value {
                        Some(value) => Some(labelled("version", version, &Offset::of(version, &value))?),
                        None => deleted(),
                    },
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
                    Some(labelled("type", kind, &GroupKey::of(&key))?),
                    match value {
                        Some(value) => {
                            let group = Group::of(version, &value, Parts::Decoded);
                            Some(labelled("version", version, &group)?)
                        }
                        None => deleted(),
                    },
                ),
            }
        }
        GroupRecordKey::Other(version) => {
            (Some(format!("Unknown record type {version} at offset {}, skipping.", record.offset)), None)
        }
    })
}

/// `{"type":"1","data":{...}}` of a key, `{"version":"3","data":{...}}` of a value.
fn labelled(label: &str, version: i16, data: &impl serde::Serialize) -> Result<String, Failure> {
    let data = serde_json::to_string(data)
        .map_err(|error| Failure::new("java.lang.RuntimeException", error.to_string()))?;
    Ok(format!("{{\"{label}\":\"{version}\",\"data\":{data}}}"))
}

fn old_offset(value: &OffsetCommitValue<'_>) -> String {
    if value.metadata.is_empty() {
        value.offset.to_string()
    } else {
        format!("{}:{}", value.offset, value.metadata)
    }
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

fn partitions(assignment: &ConsumerProtocolAssignment<'_>) -> Vec<String> {
    let topics = assignment.assigned_partitions.iter();
    topics.flat_map(|topic| topic.partitions.iter().map(|p| format!("{}-{p}", topic.topic))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn transactions(record: &Record<'_>, era: Era) -> Result<Decoded, Failure> {
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
            let partitions: Vec<_> = partitions_of(&value, era)
                .into_iter()
                .map(|(topic, partition)| format!("{topic}-{partition}"))
                .collect();
            format!(
                "producerId:{},producerEpoch:{},state={},partitions=[{}],txnLastUpdateTimestamp={},txnTimeoutMs={}",
                value.producer_id,
                value.producer_epoch,
                state(value.transaction_status),
                partitions.join(","),
                value.transaction_last_update_timestamp_ms,
                value.transaction_timeout_ms
            )
        },
    );
    Ok((Some(format!("transaction_metadata::transactionalId={}", key.transactional_id)), Some(value)))
}
