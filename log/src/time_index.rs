//! `.timeindex`: for a timestamp, the offset up to which no record of the segment is later.
//!
//! An entry is a timestamp (i64, milliseconds) and a relative offset (i32): the largest timestamp among the segment's
//! records up to the entry, and the last offset of the batch that has it. Both only grow; entries for a timestamp not
//! above the last one's are left out. When a segment is rolled or closed its largest timestamp is noted in any case,
//! so that the last entry tells how old the segment is.

use crate::disk::{Reach, Result};
use crate::index::{Entry, Index};
use crate::open_files::Handle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: i64,
    pub(crate) relative_offset: u32,
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;

    fn read(bytes: &[u8]) -> Self {
        let (mut timestamp, mut offset) = ([0; 8], [0; 4]);
        timestamp.copy_from_slice(&bytes[..8]);
        offset.copy_from_slice(&bytes[8..12]);
        Self { timestamp: i64::from_be_bytes(timestamp), relative_offset: u32::from_be_bytes(offset) }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
    }
}

/// A timestamp and the offset that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The record's offset.
    pub offset: i64,
}

/// The time index of one segment.
#[derive(Debug)]
pub(crate) struct TimeIndex {
    base_offset: i64,
    entries: Index<TimeEntry>,
}

impl TimeIndex {
    pub(crate) fn new(base_offset: i64, handle: Handle) -> Self {
        Self { base_offset, entries: Index::new(handle) }
    }

    pub(crate) fn entries(&self) -> &Index<TimeEntry> {
        &self.entries
    }

    /// Whether `segment.index.bytes` allows no further entry, one being kept for the closing entry. It allows one in any case.
    pub(crate) fn is_full(&self, limit_bytes: u32) -> Result<bool> {
        Ok(self.entries.len()? >= (limit_bytes / TimeEntry::SIZE as u32).saturating_sub(1).max(1))
    }

    /// The last entry, with its absolute offset.
    pub(crate) fn last(&self) -> Result<Option<TimestampOffset>> {
        Ok(self.entries.last()?.map(|entry| self.absolute(entry)))
    }

    /// Notes the largest timestamp so far, unless the last entry says as much.
    pub(crate) fn append(&self, max: TimestampOffset) -> Result<()> {
        let Ok(relative_offset) = u32::try_from(max.offset - self.base_offset) else { return Ok(()) };
        match self.entries.last()? {
            Some(last) if last.timestamp >= max.timestamp || last.relative_offset > relative_offset => Ok(()),
            _ => self.entries.push(TimeEntry { timestamp: max.timestamp, relative_offset }),
        }
    }

    /// The last entry with a timestamp of at most `timestamp`: everything before its offset is not later.
    pub(crate) fn lookup(&self, timestamp: i64) -> Result<Option<TimestampOffset>> {
        let found = self.entries.last_where(Reach::Disk, |entry| entry.timestamp <= timestamp)?;
        Ok(found.map(|(_, entry)| self.absolute(entry)))
    }

    /// Forgets entries for `offset` and above.
    pub(crate) fn truncate_to(&self, offset: i64) -> Result<()> {
        let Ok(relative) = u32::try_from(offset.saturating_sub(self.base_offset)) else {
            return self.entries.truncate(0);
        };
        let kept = self.entries.last_where(Reach::Disk, |entry| entry.relative_offset < relative)?;
        self.entries.truncate(kept.map_or(0, |(at, _)| at + 1))
    }

    fn absolute(&self, entry: TimeEntry) -> TimestampOffset {
        TimestampOffset {
            timestamp: entry.timestamp,
            offset: self.base_offset + i64::from(entry.relative_offset),
        }
    }
}
