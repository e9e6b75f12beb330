//! `.index`: from offsets to positions in the segment's `.log`, one entry about every `index.interval.bytes`.
//!
//! An entry is the last offset of a batch less the segment's base offset (i32), and the batch's position (i32).

use crate::disk::{Reach, Result};
use crate::index::{Entry, Index};
use crate::open_files::Handle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    pub(crate) relative_offset: u32,
    pub(crate) position: u32,
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;

    fn read(bytes: &[u8]) -> Self {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[..8]);
        let both = u64::from_be_bytes(word);
        Self { relative_offset: (both >> 32) as u32, position: both as u32 }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }
}

/// The offset index of one segment.
#[derive(Debug)]
pub(crate) struct OffsetIndex {
    base_offset: i64,
    entries: Index<OffsetEntry>,
}

impl OffsetIndex {
    pub(crate) fn new(base_offset: i64, handle: Handle) -> Self {
        Self { base_offset, entries: Index::new(handle) }
    }

    pub(crate) fn entries(&self) -> &Index<OffsetEntry> {
        &self.entries
    }

    /// Whether `segment.index.bytes` allows no further entry. It allows one in any case: an empty segment is not full.
    pub(crate) fn is_full(&self, limit_bytes: u32) -> Result<bool> {
        Ok(self.entries.len()? >= (limit_bytes / OffsetEntry::SIZE as u32).max(1))
    }

    /// Notes a batch. One whose offset is not above the last entry's is left out: it adds nothing.
    pub(crate) fn append(&self, last_offset: i64, position: u32) -> Result<()> {
        let Ok(relative_offset) = u32::try_from(last_offset - self.base_offset) else { return Ok(()) };
        match self.entries.last()? {
            Some(last) if last.relative_offset >= relative_offset => Ok(()),
            _ => self.entries.push(OffsetEntry { relative_offset, position }),
        }
    }

    /// A position at or before the batch that holds `offset`.
    pub(crate) fn lookup(&self, offset: i64, reach: Reach) -> Result<u32> {
        let Ok(above) = u64::try_from(offset.saturating_sub(self.base_offset)) else { return Ok(0) };
        let relative = u32::try_from(above).unwrap_or(u32::MAX);
        let found = self.entries.last_where(reach, |entry| entry.relative_offset <= relative)?;
        Ok(found.map_or(0, |(_, entry)| entry.position))
    }

    /// The last entry: an offset, and a position at or before the batch that holds it.
    pub(crate) fn last(&self) -> Result<Option<(i64, u32)>> {
        let last = self.entries.last()?;
        Ok(last
            .map(|entry| (self.base_offset.saturating_add(i64::from(entry.relative_offset)), entry.position)))
    }

    /// The last offset of the first noted batch at or behind `position`; `None` if none is noted there.
    pub(crate) fn offset_behind(&self, position: u64) -> Result<Option<i64>> {
        let before = self.entries.last_where(Reach::Disk, |entry| u64::from(entry.position) < position)?;
        let next = before.map_or(0, |(at, _)| at + 1);
        let entry = self.entries.entry(next, Reach::Disk)?;
        Ok(entry.map(|entry| self.base_offset.saturating_add(i64::from(entry.relative_offset))))
    }

    /// Forgets entries for `offset` and above.
    pub(crate) fn truncate_to(&self, offset: i64) -> Result<()> {
        let Ok(relative) = u32::try_from(offset.saturating_sub(self.base_offset)) else {
            return self.entries.truncate(0);
        };
        let kept = self.entries.last_where(Reach::Disk, |entry| entry.relative_offset < relative)?;
        self.entries.truncate(kept.map_or(0, |(at, _)| at + 1))
    }
}
