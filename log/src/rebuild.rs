//! Making the producers' state again from snapshots and batches.

use std::collections::BTreeSet;
use std::sync::Arc;

use vltava_protocol::records::{Batch, BatchHeader};

use crate::disk::{self, Result};
use crate::entry::LogEntry;
use crate::error::LogError;
use crate::names::{Kind, TopicPartition};
use crate::open_files::Directory;
use crate::producers::Producers;
use crate::scan::Scan;
use crate::segment::Segment;
use crate::snapshot;
use crate::txn_index::AbortedTxn;

/// Where producers' state is made again, and by which rules.
pub(crate) struct Rebuild<'a> {
    pub(crate) directory: &'a Directory,
    pub(crate) partition: &'a TopicPartition,
    pub(crate) now: i64,
    pub(crate) expiration_ms: i64,
    /// No snapshot at all means no producers, and nothing is read.
    pub(crate) trust_no_snapshot: bool,
}

impl Rebuild<'_> {
    /// The producers as of `end`: from the latest usable snapshot, then from the batches after it in `segments`.
    pub(crate) fn as_of(
        &self,
        end: i64,
        segments: &[Arc<Segment>],
        snapshots: &BTreeSet<i64>,
    ) -> Result<Producers> {
        let mut producers = Producers::default();
        let mut from = i64::MIN;
        for &offset in snapshots.range(..=end).rev() {
            let path = self.directory.file(&Kind::Snapshot.file_name(offset));
            match snapshot::load(&path, self.now, self.expiration_ms) {
                Ok(Some(found)) => {
                    producers = found;
                    from = offset;
                    break;
                }
                Ok(None) => {}
                Err(error @ LogError::Corrupt { .. }) => {
                    tracing::warn!(partition = %self.partition, %error, "the snapshot is left out");
                    disk::remove(&path)?;
                }
                Err(error) => return Err(error),
            }
        }
        if self.trust_no_snapshot && snapshots.range(..=end).next().is_none() {
            // Written before there were producers' snapshots: there are no producers.
            return Ok(producers);
        }
        if from >= end {
            return Ok(producers);
        }
        let first = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        for segment in segments.iter().skip(first).filter(|segment| segment.base_offset() < end) {
            let mut scan = Scan::from_offset(segment, from)?;
            while let Some(entry) = scan.next()? {
                let Some(header) = entry.header.filter(BatchHeader::has_producer_id) else { continue };
                if entry.base_offset >= from && entry.base_offset < end {
                    replay(segment, &mut scan, &entry, &header, &mut producers, false)?;
                }
            }
        }
        Ok(producers)
    }
}

/// Takes a batch found on disk into account.
pub(crate) fn replay(
    segment: &Segment,
    scan: &mut Scan<'_>,
    entry: &LogEntry,
    header: &BatchHeader,
    producers: &mut Producers,
    note_aborted: bool,
) -> Result<()> {
    let marker = if header.attributes.is_control() {
        let bytes = segment.read_entry(scan.file(), entry)?;
        let batch = Batch::parse(&bytes);
        // Its checksum is right; a kind that is not understood changes nothing.
        batch.and_then(|batch| batch.end_txn_marker()).ok().flatten()
    } else {
        None
    };
    if let Some(done) = producers.update(header, marker, entry.base_offset) {
        if done.aborted && note_aborted {
            let others = producers.first_open_of_others(done.producer_id);
            segment.aborted().reserve(1)?;
            segment.aborted().append(AbortedTxn {
                producer_id: done.producer_id,
                first_offset: done.first_offset,
                last_offset: done.last_offset,
                last_stable_offset: others.unwrap_or(done.last_offset + 1),
            })?;
        }
        producers.complete(&done);
    }
    Ok(())
}
