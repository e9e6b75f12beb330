//! Formatters of `__consumer_offsets`, in the words of `GroupMetadataManager`'s, which Kafka had until 3.9.

use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue};

use super::super::failure::Failure;
use super::record::Record;

/// `[group,topic,partition]::OffsetAndMetadata(...)`, nothing for a record about something else.
pub(super) fn write_offset(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(GroupRecordKey::Offset(key)) = key(record)? else { return Ok(()) };
    let value = match record.value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let value = OffsetCommitValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
            let epoch = match value.leader_epoch {
                -1 => "Optional.empty".to_owned(),
                epoch => format!("Optional[{epoch}]"),
            };
            let expiry = match value.expire_timestamp {
                -1 => "None".to_owned(),
                time => format!("Some({time})"),
            };
            format!(
                "OffsetAndMetadata(offset={}, leaderEpoch={epoch}, metadata={}, commitTimestamp={}, expireTimestamp={expiry})",
                value.offset, value.metadata, value.commit_timestamp
            )
        }
    };
    out.extend_from_slice(format!("[{},{},{}]::{value}\n", key.group, key.topic, key.partition).as_bytes());
    Ok(())
}

/// `group::GroupMetadata(...)`, nothing for a record about something else.
pub(super) fn write_group(record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(GroupRecordKey::Group(key)) = key(record)? else { return Ok(()) };
    let value = match record.value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let value = GroupMetadataValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
            let option = |text: Option<&str>| text.map_or("None".to_owned(), |text| format!("Some({text})"));
            let protocol = value.protocol.as_deref().unwrap_or("null");
            let members: Vec<_> = value
                .members
                .iter()
                .map(|member| {
                    let id = &member.member_id;
                    // Records of version 0 have one time-out for both.
                    let rebalance = Some(member.rebalance_timeout).filter(|time| *time >= 0);
                    format!(
                        "{id} -> MemberMetadata(memberId={id}, groupInstanceId={}, clientId={}, clientHost={}, sessionTimeoutMs={}, \
                         rebalanceTimeoutMs={}, supportedProtocols=List({protocol}))",
                        option(member.group_instance_id.as_deref()),
                        member.client_id,
                        member.client_host,
                        member.session_timeout,
                        rebalance.unwrap_or(member.session_timeout)
                    )
                })
                .collect();
            format!(
                "GroupMetadata(groupId={}, generation={}, protocolType={}, currentState={}, members=HashMap({}))",
                key.group,
                value.generation,
                option(Some(&*value.protocol_type).filter(|kind| !kind.is_empty())),
                if members.is_empty() { "Empty" } else { "Stable" },
                members.join(", ")
            )
        }
    };
    out.extend_from_slice(format!("{}::{value}\n", key.group).as_bytes());
    Ok(())
}

fn key<'a>(record: &Record<'a>) -> Result<Option<GroupRecordKey<'a>>, Failure> {
    record.key.map(GroupRecordKey::parse).transpose().map_err(|error| corrupt(record, &error))
}

pub(super) fn corrupt(record: &Record<'_>, error: &dyn std::fmt::Display) -> Failure {
    let text = format!("{}-{} at offset {}: {error}", record.topic, record.partition, record.offset);
    Failure::new("org.apache.kafka.common.protocol.types.SchemaException", text)
}
