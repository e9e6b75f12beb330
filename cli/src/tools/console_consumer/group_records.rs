//! Formatters of `__consumer_offsets`, in the words of `GroupMetadataManager`'s, which Kafka had until 3.9: those of 0.11, or of 3.9.

use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, MemberMetadata, OffsetCommitValue};

use super::super::{era::Era, failure::Failure};
use super::record::{Record, corrupt};

/// `[group,topic,partition]::OffsetAndMetadata(...)`, nothing for a record about something else.
pub(super) fn write_offset(record: &Record<'_>, era: Era, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(GroupRecordKey::Offset(key)) = key(record)? else { return Ok(()) };
    let value = match record.value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let value = OffsetCommitValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
            match era {
                Era::Old => old_offset(&value),
                Era::New => new_offset(&value),
            }
        }
    };
    out.extend_from_slice(format!("[{},{},{}]::{value}\n", key.group, key.topic, key.partition).as_bytes());
    Ok(())
}

fn old_offset(value: &OffsetCommitValue<'_>) -> String {
    let metadata = if value.metadata.is_empty() { "NO_METADATA" } else { &*value.metadata };
    format!(
        "[OffsetMetadata[{},{metadata}],CommitTime {},ExpirationTime {}]",
        value.offset, value.commit_timestamp, value.expire_timestamp
    )
}

fn new_offset(value: &OffsetCommitValue<'_>) -> String {
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

/// `group::GroupMetadata(...)`, nothing for a record about something else.
pub(super) fn write_group(record: &Record<'_>, era: Era, out: &mut Vec<u8>) -> Result<(), Failure> {
    let Some(GroupRecordKey::Group(key)) = key(record)? else { return Ok(()) };
    let value = match record.value {
        None => "NULL".to_owned(),
        Some(bytes) => {
            let value = GroupMetadataValue::parse(bytes).map_err(|error| corrupt(record, &error))?;
            group(&key.group, &value, era)
        }
    };
    out.extend_from_slice(format!("{}::{value}\n", key.group).as_bytes());
    Ok(())
}

fn group(id: &str, value: &GroupMetadataValue<'_>, era: Era) -> String {
    let protocol = value.protocol.as_deref().unwrap_or("null");
    let members: Vec<_> = value
        .members
        .iter()
        .map(|found| format!("{} -> {}", found.member_id, member(found, protocol, era)))
        .collect();
    format!(
        "GroupMetadata(groupId={id}, generation={}, protocolType={}, currentState={}, members={}({}))",
        value.generation,
        // 0.11 learns it from the members.
        option(
            Some(&*value.protocol_type)
                .filter(|kind| !kind.is_empty() && (era == Era::New || !members.is_empty()))
        ),
        if members.is_empty() { "Empty" } else { "Stable" },
        // What Scala 2.11 and 2.13 call the same map.
        if era == Era::Old { "Map" } else { "HashMap" },
        members.join(", ")
    )
}

fn member(member: &MemberMetadata<'_>, protocol: &str, era: Era) -> String {
    // 0.11 knows no static members, and writes a comma too many.
    let (instance, end) = match era {
        Era::Old => (String::new(), ", )"),
        Era::New => (format!("groupInstanceId={}, ", option(member.group_instance_id.as_deref())), ")"),
    };
    // Records of version 0 have one time-out for both.
    let rebalance = Some(member.rebalance_timeout).filter(|time| *time >= 0);
    format!(
        "MemberMetadata(memberId={}, {instance}clientId={}, clientHost={}, sessionTimeoutMs={}, rebalanceTimeoutMs={}, \
         supportedProtocols=List({protocol}){end}",
        member.member_id,
        member.client_id,
        member.client_host,
        member.session_timeout,
        rebalance.unwrap_or(member.session_timeout)
    )
}

/// An `Option` of Scala's.
fn option(text: Option<&str>) -> String {
    text.map_or("None".to_owned(), |text| format!("Some({text})"))
}

fn key<'a>(record: &Record<'a>) -> Result<Option<GroupRecordKey<'a>>, Failure> {
    record.key.map(GroupRecordKey::parse).transpose().map_err(|error| corrupt(record, &error))
}
