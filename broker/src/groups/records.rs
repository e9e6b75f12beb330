//! What a group wants written, as records of `__consumer_offsets`, and back.

use vltava_cluster::groups::{CommittedOffset, Partition, StoredGroup, StoredMember, Write};
use vltava_protocol::group_records::{
    GroupMetadataKey, GroupMetadataValue, MemberMetadata, OffsetCommitKey, OffsetCommitValue,
};
use vltava_protocol::records::{BATCH_OVERHEAD, BatchBuilder, BatchOptions, Codec, RecordsError};
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

/// What a record takes in a batch beside its key and value, at most: lengths, deltas and attributes.
const RECORD_OVERHEAD: usize = 36;

/// The records of a write: one batch, but tombstones in as many as it takes to keep each within `limit` bytes (`max.message.bytes`), however
/// many offsets a group has. The group's own tombstone comes last: who reads no further than an earlier batch still has the group.
pub(super) fn batches(
    group: &str,
    write: &Write,
    codec: Codec,
    limit: usize,
    now: i64,
) -> Result<Vec<Vec<u8>>, RecordError> {
    match write {
        Write::Group(stored) => {
            let mut builder = builder(codec, false)?;
            builder.append(now, Some(&group_key(group)?), Some(&group_value(stored)?), &[])?;
            Ok(vec![builder.finish()?.0])
        }
        Write::Offsets(offsets) => {
            // Kafka numbers the records of a commit from 0, with and without a producer; what it forgets has no numbers.
            let mut builder = builder(codec, offsets.iter().any(|(_, offset)| offset.is_some()))?;
            for (partition, offset) in offsets {
                let value = offset.as_ref().map(offset_value).transpose()?;
                builder.append(now, Some(&offset_key(group, partition)?), value.as_deref(), &[])?;
            }
            Ok(vec![builder.finish()?.0])
        }
        Write::Tombstones { offsets, group: whole } => {
            let keys = offsets.iter().map(|partition| offset_key(group, partition));
            tombstones(keys.chain(whole.then(|| group_key(group))), codec, limit, now)
        }
    }
}

fn tombstones(
    keys: impl Iterator<Item = Result<Vec<u8>, EncodeError>>,
    codec: Codec,
    limit: usize,
    now: i64,
) -> Result<Vec<Vec<u8>>, RecordError> {
    let mut full = Vec::new();
    let mut open = builder(codec, false)?;
    let mut size = BATCH_OVERHEAD;
    for key in keys {
        let key = key?;
        let more = key.len() + RECORD_OVERHEAD;
        if size + more > limit && open.count() > 0 {
            full.push(std::mem::replace(&mut open, builder(codec, false)?).finish()?.0);
            size = BATCH_OVERHEAD;
        }
        open.append(now, Some(&key), None, &[])?;
        size += more;
    }
    if open.count() > 0 {
        full.push(open.finish()?.0);
    }
    Ok(full)
}

fn builder(codec: Codec, numbered: bool) -> Result<BatchBuilder, RecordsError> {
    let mut options = BatchOptions { codec, ..BatchOptions::default() };
    if numbered {
        options.base_sequence = 0;
    }
    BatchBuilder::new(Vec::new(), options)
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
        let written = batches("g", &write, Codec::None, 1 << 20, 5).unwrap();
        let [bytes] = &written[..] else { panic!("one batch") };
        let mut records = Batch::parse_checked(bytes).unwrap().records(1 << 20).unwrap();
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

    #[test]
    fn tombstones_of_a_large_group_fill_several_batches_none_beyond_the_limit_and_the_group_goes_last() {
        let name = |index| Partition { topic: "orders".into(), index };
        for codec in [Codec::None, Codec::Gzip] {
            let write = Write::Tombstones { offsets: (0..1_000).map(name).collect(), group: true };
            let written = batches("g", &write, codec, 1_000, 5).unwrap();
            assert!(written.len() > 10, "{} batches", written.len());
            let mut keys = Vec::new();
            for bytes in &written {
                assert!(bytes.len() <= 1_000, "a batch of {} bytes", bytes.len());
                let mut records = Batch::parse_checked(bytes).unwrap().records(1 << 20).unwrap();
                while let Some(record) = records.next().unwrap() {
                    assert_eq!(record.value, None);
                    keys.push(record.key.unwrap().to_vec());
                }
            }
            let mut expected: Vec<_> = (0..1_000).map(|i| offset_key("g", &name(i)).unwrap()).collect();
            expected.push(group_key("g").unwrap());
            assert_eq!(keys, expected);
        }
    }

    #[test]
    fn a_tombstone_that_is_beyond_the_limit_alone_is_still_tried() {
        let write = Write::Tombstones { offsets: Vec::new(), group: true };
        assert_eq!(batches("g", &write, Codec::None, 1, 5).unwrap().len(), 1);
    }
}
