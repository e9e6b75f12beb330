//! Reading a partition of `__consumer_offsets` from start to end.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;

use vltava_cluster::groups::{CommittedOffset, Group, Limits, Moment, Partition, StoredGroup};
use vltava_protocol::group_records::{GroupMetadataValue, GroupRecordKey, OffsetCommitValue};
use vltava_protocol::records::{Entries, Entry, Record, RecordsError};

use super::records::{committed_offset, stored_group};
use super::shard::Shard;
use crate::partitions::{Isolation, PartitionError, ReadLimit};

/// Decompressed bytes that one batch may hold.
const OUTPUT_LIMIT: usize = 256 << 20;

/// Why a partition could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The log does not give its data.
    #[error("reading at offset {0}: {1}")]
    Read(i64, PartitionError),
    /// The disk does not give its data.
    #[error("reading at offset {0}: {1}")]
    Disk(i64, std::io::Error),
    /// Its log directory is lost: what is behind the offset is not known.
    #[error("the partition went offline before offset {0} was read")]
    Offline(i64),
    /// A batch that is none.
    #[error("a batch at or after offset {0}: {1}")]
    Batch(i64, RecordsError),
}

/// An offset or a tombstone, with its place in the log.
type Placed = (Partition, Option<CommittedOffset>, i64);

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    /// `None`: deleted.
    groups: HashMap<String, Option<StoredGroup>>,
    offsets: HashMap<String, HashMap<Partition, (Option<CommittedOffset>, i64)>>,
    /// Offsets of transactions that are not decided, by producer id.
    open: HashMap<i64, Vec<(String, Placed)>>,
    /// Records that made no sense; each was skipped, as Kafka's loader would have failed the whole partition.
    pub(super) skipped: u64,
}

/// Reads everything up to the end of the log. Blocks; for a thread for file work.
pub(super) fn load(shard: &Shard, buffer: u64) -> Result<Loaded, LoadError> {
    let partition = shard.partition();
    let mut loaded = Loaded::default();
    let mut at = partition.log_start();
    let end = partition.log_end();
    let limit = ReadLimit { max_bytes: buffer, min_one_batch: true };
    let mut bytes = Vec::new();
    while at < end {
        if !partition.is_online() {
            return Err(LoadError::Offline(at));
        }
        let read =
            partition.read(at, Isolation::Replica, limit).map_err(|error| LoadError::Read(at, error))?;
        let Some(slice) = read.data.slice else { break };
        bytes.resize(usize::try_from(slice.length).unwrap_or(0), 0);
        slice.file.read_exact_at(&mut bytes, slice.position).map_err(|error| LoadError::Disk(at, error))?;
        let next = loaded.take(&bytes, at)?;
        if next <= at {
            break;
        }
        at = next;
    }
    if loaded.skipped > 0 {
        tracing::warn!(
            partition = shard.index(),
            records = loaded.skipped,
            "unreadable records of groups were skipped"
        );
    }
    Ok(loaded)
}

impl Loaded {
    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.groups.values().flatten().count()
    }

    /// Takes in whole entries; the offset after the last.
    fn take(&mut self, bytes: &[u8], from: i64) -> Result<i64, LoadError> {
        let mut next = from;
        for entry in Entries::new(bytes, usize::MAX) {
            let entry = entry.map_err(|error| LoadError::Batch(next, error))?;
            let last = match &entry {
                Entry::Batch(batch) => batch.header.last_offset(),
                Entry::Message(message) => message.offset,
            };
            if last >= from {
                self.take_entry(&entry, from).map_err(|error| LoadError::Batch(next, error))?;
                next = last + 1;
            }
        }
        Ok(next)
    }

    fn take_entry(&mut self, entry: &Entry<'_>, from: i64) -> Result<(), RecordsError> {
        let mut transaction = None;
        if let Entry::Batch(batch) = entry {
            let header = &batch.header;
            if header.attributes.is_control() {
                if let Some(marker) = batch.end_txn_marker()? {
                    self.decide(header.producer_id, marker.committed, header.base_offset);
                }
                return Ok(());
            }
            transaction = header.attributes.is_transactional().then_some(header.producer_id);
        }
        let mut records = entry.records(OUTPUT_LIMIT)?;
        while let Some(record) = records.next()? {
            if record.offset >= from && self.take_record(&record, transaction).is_none() {
                self.skipped += 1;
            }
        }
        Ok(())
    }

    /// A transaction's offsets count from the place of its commit marker.
    fn decide(&mut self, producer: i64, committed: bool, at: i64) {
        let decided = self.open.remove(&producer).unwrap_or_default();
        if committed {
            for (group, (partition, offset, _)) in decided {
                self.place(group, (partition, offset, at));
            }
        }
    }

    fn place(&mut self, group: String, (partition, offset, at): Placed) {
        self.offsets.entry(group).or_default().insert(partition, (offset, at));
    }

    fn take_record(&mut self, record: &Record<'_>, transaction: Option<i64>) -> Option<()> {
        match GroupRecordKey::parse(record.key?).ok()? {
            GroupRecordKey::Offset(key) => {
                let offset = match record.value {
                    Some(value) => Some(committed_offset(OffsetCommitValue::parse(value).ok()?)),
                    None => None,
                };
                let group = key.group.into_owned();
                let partition = Partition { topic: key.topic.into_owned(), index: key.partition };
                let placed = (partition, offset, record.offset);
                match transaction {
                    Some(producer) => self.open.entry(producer).or_default().push((group, placed)),
                    None => self.place(group, placed),
                }
            }
            GroupRecordKey::Group(key) => {
                let group = match record.value {
                    Some(value) => Some(stored_group(GroupMetadataValue::parse(value).ok()?)),
                    None => None,
                };
                self.groups.insert(key.group.into_owned(), group);
            }
            // Groups of another kind: not ours to read, and no error.
            GroupRecordKey::Other(_) => {}
        }
        Some(())
    }

    /// The groups, with the offsets of those that never had a member too.
    pub(super) fn into_groups(self, limits: Limits, now: Moment) -> Vec<Group> {
        let mut groups: HashMap<String, Group> = HashMap::new();
        for (id, stored) in self.groups {
            if let Some(stored) = stored {
                let group = Group::load(&id, limits, stored, now);
                groups.insert(id, group);
            }
        }
        for (id, offsets) in self.offsets {
            for (partition, (offset, at)) in offsets {
                if offset.is_some() {
                    let group = groups.entry(id.clone()).or_insert_with(|| Group::new(&id, limits, now));
                    group.load_offset(partition, offset, at);
                }
            }
        }
        groups.into_values().collect()
    }
}
