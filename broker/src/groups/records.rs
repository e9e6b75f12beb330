//! What a group wants written, as records of `__consumer_offsets`, and back.

use vltava_cluster::groups::{CommittedOffset, Partition, StoredGroup, StoredMember, Write};
use vltava_protocol::group_records::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use vltava_protocol::records::{BatchBuilder, BatchOptions, Codec, RecordsError};
use vltava_protocol::wire::EncodeError;

/// The version of an offset's value: 3 carries the leader epoch; only 1 carries a time of expiry, from clients that set one.
const OFFSET_VALUE: i16 = 3;
const OFFSET_VALUE_WITH_EXPIRY: i16 = 1;

/// The version of a group's value: 3 carries static names. Brokers before 3.6 do not read 4.
const GROUP_VALUE: i16 = 3;

/// Why records could not be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// A string or an array too long for the format.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A batch too large.
    #[error(transparent)]
    Batch(#[from] RecordsError),
}

/// One batch with all records of a write.
pub(super) fn batch(group: &str, write: &Write, codec: Codec, now: i64) -> Result<Vec<u8>, RecordError> {
    let mut options = BatchOptions { codec, ..BatchOptions::default() };
    if matches!(write, Write::Offsets(offsets) if offsets.iter().any(|(_, offset)| offset.is_some())) {
        // Kafka numbers the records of a commit from 0, with and without a producer; what it forgets has no numbers.
        options.base_sequence = 0;
    }
    let mut builder = BatchBuilder::new(Vec::new(), options)?;
    match write {
        Write::Group(stored) => {
            builder.append(now, Some(&group_key(group)?), Some(&group_value(stored)?), &[])?;
        }
        Write::Offsets(offsets) => {
            for (partition, offset) in offsets {
                let value = offset.as_ref().map(offset_value).transpose()?;
                builder.append(now, Some(&offset_key(group, partition)?), value.as_deref(), &[])?;
            }
        }
        Write::Tombstones { offsets, group: whole } => {
            for partition in offsets {
                builder.append(now, Some(&offset_key(group, partition)?), None, &[])?;
            }
            if *whole {
                builder.append(now, Some(&group_key(group)?), None, &[])?;
            }
        }
    }
    Ok(builder.finish()?.0)
}

fn group_key(group: &str) -> Result<Vec<u8>, EncodeError> {
    GroupMetadataKey { group: group.into() }.to_bytes()
}

fn offset_key(group: &str, partition: &Partition) -> Result<Vec<u8>, EncodeError> {
    let topic = partition.topic.as_str().into();
    OffsetCommitKey { group: group.into(), topic, partition: partition.index }.to_bytes()
}

fn offset_value(offset: &CommittedOffset) -> Result<Vec<u8>, EncodeError> {
    let value = OffsetCommitValue {
        offset: offset.offset,
        leader_epoch: offset.leader_epoch,
        metadata: offset.metadata.as_str().into(),
        commit_timestamp: offset.committed_at,
        expire_timestamp: offset.expires_at.unwrap_or(-1),
        ..OffsetCommitValue::default()
    };
    value.to_bytes(if offset.expires_at.is_some() { OFFSET_VALUE_WITH_EXPIRY } else { OFFSET_VALUE })
}

fn group_value(stored: &StoredGroup) -> Result<Vec<u8>, EncodeError> {
    let member = |member: &StoredMember| MemberMetadata {
        member_id: member.member_id.clone().into(),
        group_instance_id: member.instance_id.clone().map(Into::into),
        client_id: member.client_id.clone().into(),
        client_host: member.client_host.clone().into(),
        rebalance_timeout: member.rebalance_timeout,
        session_timeout: member.session_timeout,
        subscription: member.subscription.clone().into(),
        assignment: member.assignment.clone().into(),
        ..MemberMetadata::default()
    };
    let value = GroupMetadataValue {
        protocol_type: stored.protocol_type.as_deref().unwrap_or_default().into(),
        generation: stored.generation,
        protocol: stored.protocol.as_deref().map(Into::into),
        leader: stored.leader.as_deref().map(Into::into),
        current_state_timestamp: stored.state_since,
        members: stored.members.iter().map(member).collect(),
        ..GroupMetadataValue::default()
    };
    value.to_bytes(GROUP_VALUE)
}

/// A group's value read back.
pub(super) fn stored_group(value: GroupMetadataValue<'_>) -> StoredGroup {
    let member = |member: MemberMetadata<'_>| StoredMember {
        member_id: member.member_id.into_owned(),
        instance_id: member.group_instance_id.map(Into::into),
        client_id: member.client_id.into_owned(),
        client_host: member.client_host.into_owned(),
        session_timeout: member.session_timeout,
        // Version 0, of 0.9, had one timeout for both.
        rebalance_timeout: if member.rebalance_timeout < 0 {
            member.session_timeout
        } else {
            member.rebalance_timeout
        },
        subscription: member.subscription.into_owned(),
        assignment: member.assignment.into_owned(),
    };
    StoredGroup {
        protocol_type: Some(value.protocol_type.into_owned()).filter(|name| !name.is_empty()),
        generation: value.generation,
        protocol: value.protocol.map(Into::into),
        leader: value.leader.map(Into::into),
        state_since: value.current_state_timestamp,
        members: value.members.into_iter().map(member).collect(),
    }
}

/// An offset's value read back.
pub(super) fn committed_offset(value: OffsetCommitValue<'_>) -> CommittedOffset {
    CommittedOffset {
        offset: value.offset,
        leader_epoch: value.leader_epoch,
        metadata: value.metadata.into_owned(),
        committed_at: value.commit_timestamp,
        expires_at: (value.expire_timestamp >= 0).then_some(value.expire_timestamp),
    }
}

#[cfg(test)]
mod tests {
    use vltava_protocol::records::Batch;

    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let offset = CommittedOffset {
            offset: 42,
            leader_epoch: 7,
            metadata: "note".into(),
            committed_at: 1_000,
            expires_at: None,
        };
        let partition = Partition { topic: "t".into(), index: 3 };
        let write = Write::Offsets(vec![(partition.clone(), Some(offset.clone())), (partition, None)]);
        let bytes = batch("g", &write, Codec::None, 5).unwrap();
        let mut records = Batch::parse_checked(&bytes).unwrap().records(1 << 20).unwrap();
        let value = records.next().unwrap().unwrap().value.unwrap().to_vec();
        assert_eq!(committed_offset(OffsetCommitValue::parse(&value).unwrap()), offset);
        assert_eq!(records.next().unwrap().unwrap().value, None);
    }

    #[test]
    fn an_expiry_is_kept_in_the_version_that_carries_it() {
        let offset = CommittedOffset {
            offset: 1,
            leader_epoch: -1,
            metadata: String::new(),
            committed_at: 1,
            expires_at: Some(9),
        };
        let bytes = offset_value(&offset).unwrap();
        assert_eq!(bytes[..2], [0, 1]);
        assert_eq!(committed_offset(OffsetCommitValue::parse(&bytes).unwrap()), offset);
    }
}
