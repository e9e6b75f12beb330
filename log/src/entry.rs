//! What a segment's `.log` is made of, seen from outside: entries of every magic, one after another.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use vltava_protocol::records::{BATCH_OVERHEAD, BatchHeader, EntryPrefix, NO_LEADER_EPOCH, NO_TIMESTAMP};

use crate::disk::{Reach, Result};

/// A batch of magic 2, or a message of magic 0 or 1 (possibly a compressed set of them), without its body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogEntry {
    /// Byte in the segment.
    pub(crate) position: u64,
    /// Bytes of the whole entry.
    pub(crate) size: u64,
    /// First offset. For a message of magic 0 or 1, which does not tell, its last.
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) leader_epoch: i32,
    /// Magic 2 only.
    pub(crate) header: Option<BatchHeader>,
}

/// Where a message of magic 1 has its timestamp: after CRC, magic and attributes.
const MAGIC_1_TIMESTAMP: std::ops::Range<usize> = 18..26;

impl LogEntry {
    /// Reads the entry at the front of `bytes`; `None` if they are too few or make no sense.
    ///
    /// Nothing here bounds the length: whoever uses it compares with the segment's size.
    pub(crate) fn parse(bytes: &[u8], position: u64) -> Option<Self> {
        let prefix = EntryPrefix::parse(bytes, i32::MAX as usize).ok().flatten()?;
        let size = prefix.size() as u64;
        if prefix.magic == 2 {
            let header = BatchHeader::parse(bytes).ok()?;
            return Self::of_batch(&header, size).map(|entry| Self { position, ..entry });
        }
        let max_timestamp = match prefix.magic {
            1 => i64::from_be_bytes(bytes.get(MAGIC_1_TIMESTAMP)?.try_into().ok()?),
            _ => NO_TIMESTAMP,
        };
        Some(Self {
            position,
            size,
            base_offset: prefix.offset,
            last_offset: prefix.offset,
            max_timestamp,
            leader_epoch: NO_LEADER_EPOCH,
            header: None,
        })
    }

    /// A batch of magic 2 by its header, at position 0; `None` if its offsets are impossible.
    pub(crate) fn of_batch(header: &BatchHeader, size: u64) -> Option<Self> {
        let last_offset = header.base_offset.checked_add(i64::from(header.last_offset_delta))?;
        (header.last_offset_delta >= 0).then_some(Self {
            position: 0,
            size,
            base_offset: header.base_offset,
            last_offset,
            max_timestamp: header.max_timestamp,
            leader_epoch: header.leader_epoch,
            header: Some(*header),
        })
    }

    /// The position after the entry.
    pub(crate) fn end(&self) -> u64 {
        self.position + self.size
    }
}

/// Bytes read at once: an index interval of small batches, or the headers of large ones.
const WINDOW: usize = 4096;

/// Steps through entries from a position on, reading headers only.
///
/// Cost: one `pread` of 4 KiB into the stack for all small batches within, one for each batch larger than that.
pub(crate) struct Entries<'a> {
    file: &'a Arc<File>,
    path: &'a dyn Fn() -> PathBuf,
    position: u64,
    end: u64,
    reach: Reach,
    window: [u8; WINDOW],
    from: u64,
    filled: usize,
}

impl<'a> Entries<'a> {
    /// From `position` up to `end`, both of the file.
    pub(crate) fn new(file: &'a Arc<File>, path: &'a dyn Fn() -> PathBuf, position: u64, end: u64) -> Self {
        let reach = Reach::Disk;
        Self { file, path, position, end, reach, window: [0; WINDOW], from: position, filled: 0 }
    }

    /// Reads no further than `reach`.
    pub(crate) fn within(self, reach: Reach) -> Self {
        Self { reach, ..self }
    }

    /// The next entry that lies wholly before the end; `None` also where the bytes are no entry.
    pub(crate) fn next(&mut self) -> Result<Option<LogEntry>> {
        let left = self.end.saturating_sub(self.position);
        if left < (BATCH_OVERHEAD as u64).min(MINIMUM_ENTRY) {
            return Ok(None);
        }
        let needed = (BATCH_OVERHEAD as u64).min(left) as usize;
        let offset = self.position - self.from;
        let inside = offset + needed as u64 <= self.filled as u64;
        let start = if inside {
            offset as usize
        } else {
            let length = left.min(WINDOW as u64) as usize;
            self.filled =
                self.reach.read_at(self.file, self.path, &mut self.window[..length], self.position)?;
            self.from = self.position;
            0
        };
        let entry = LogEntry::parse(&self.window[start..self.filled], self.position);
        let Some(entry) = entry.filter(|entry| entry.end() <= self.end) else { return Ok(None) };
        self.position = entry.end();
        Ok(Some(entry))
    }
}

/// The smallest entry: a message of magic 0 with neither key nor value.
const MINIMUM_ENTRY: u64 = 26;
