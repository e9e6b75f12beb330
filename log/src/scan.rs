//! Reading a segment from end to end, with or without checking its checksums.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use crc_fast::{CrcAlgorithm, Digest};
use vltava_protocol::records::CHECKSUMMED_FROM;

use crate::disk::{self, Reach, Result};
use crate::entry::LogEntry;
use crate::error::LogError;
use crate::segment::Segment;

/// Bytes read at once when all bytes are read. A batch may be larger: its checksum is computed piece by piece.
const BUFFER: usize = 1 << 20;
/// Bytes read at once when only headers are.
const HEADER_BUFFER: usize = 16 << 10;

/// A pass over a segment's entries. Memory: one buffer, whatever a damaged length field says.
pub(crate) struct Scan<'a> {
    segment: &'a Segment,
    file: Arc<File>,
    check: bool,
    position: u64,
    end: u64,
    buffer: Vec<u8>,
    from: u64,
    filled: usize,
}

impl<'a> Scan<'a> {
    /// Headers only.
    pub(crate) fn headers(segment: &'a Segment) -> Result<Self> {
        Self::new(segment, false, 0)
    }

    /// Every byte, with checksums. Covers the whole file.
    pub(crate) fn checked(segment: &'a Segment) -> Result<Self> {
        Self::new(segment, true, 0)
    }

    /// Headers only, from the last index entry on.
    pub(crate) fn from_last_index_entry(segment: &'a Segment) -> Result<Self> {
        match segment.offsets().last()? {
            Some((offset, position)) => Self::from_hint(segment, position, offset),
            None => Self::headers(segment),
        }
    }

    /// Headers only, from a position on at or before the entry that holds `offset`.
    pub(crate) fn from_offset(segment: &'a Segment, offset: i64) -> Result<Self> {
        let position = segment.offsets().lookup(offset, Reach::Disk)?;
        Self::from_hint(segment, position, offset)
    }

    /// An index that belongs to other bytes is not believed: where it points an entry has to begin that is not behind `offset`.
    fn from_hint(segment: &'a Segment, position: u32, offset: i64) -> Result<Self> {
        let mut scan = Self::new(segment, false, u64::from(position))?;
        match scan.next()? {
            Some(entry) if entry.base_offset <= offset => {}
            _ => return Self::headers(segment),
        }
        // What was read for the look is still at hand.
        scan.position = u64::from(position);
        Ok(scan)
    }

    fn new(segment: &'a Segment, check: bool, position: u64) -> Result<Self> {
        let size = if check { BUFFER } else { HEADER_BUFFER };
        let end = if check { segment.file_length()? } else { segment.size() };
        Ok(Self {
            segment,
            file: segment.log().file()?,
            check,
            position,
            end,
            buffer: vec![0; size.min(usize::try_from(end).unwrap_or(size).max(64))],
            from: 0,
            filled: 0,
        })
    }

    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    fn path(&self) -> PathBuf {
        self.segment.log().path()
    }

    /// The next entry; `None` also where what follows is cut off, damaged or no entry at all.
    pub(crate) fn next(&mut self) -> Result<Option<LogEntry>> {
        self.fill(64)?;
        let Some(entry) = LogEntry::parse(self.window(), self.position) else { return Ok(None) };
        if entry.end() > self.end || (self.check && !self.is_intact(&entry)?) {
            return Ok(None);
        }
        self.position = entry.end();
        Ok(Some(entry))
    }

    /// The bytes at hand from the position on.
    fn window(&self) -> &[u8] {
        match self.position.checked_sub(self.from).and_then(|at| usize::try_from(at).ok()) {
            Some(at) if at <= self.filled => &self.buffer[at..self.filled],
            _ => &[],
        }
    }

    /// Reads on unless `wanted` bytes are at hand, or all that are left.
    fn fill(&mut self, wanted: usize) -> Result<()> {
        let left = self.end.saturating_sub(self.position);
        if (self.window().len() as u64) < left.min(wanted as u64) {
            let length = left.min(self.buffer.len() as u64) as usize;
            let (segment, file) = (self.segment, self.file.clone());
            self.filled =
                disk::read_at(&file, || segment.log().path(), &mut self.buffer[..length], self.position)?;
            self.from = self.position;
        }
        Ok(())
    }

    fn is_intact(&mut self, entry: &LogEntry) -> Result<bool> {
        let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
        if size <= self.buffer.len() {
            self.fill(size)?;
        }
        // Magic 2: CRC-32C of what follows the field. Before: CRC-32 of the same, the field being 4 bytes earlier.
        let (algorithm, stored_at, from) = match entry.header {
            Some(_) => (CrcAlgorithm::Crc32Iscsi, CHECKSUMMED_FROM - 4, CHECKSUMMED_FROM),
            None => (CrcAlgorithm::Crc32IsoHdlc, 12, 16),
        };
        let Some(stored) = self.window().get(stored_at..stored_at + 4) else { return Ok(false) };
        let stored = u64::from(u32::from_be_bytes(stored.try_into().unwrap_or_default()));
        let mut digest = Digest::new(algorithm);
        let at_hand = self.window().len().min(size);
        digest.update(self.window().get(from..at_hand).unwrap_or_default());
        let mut done = at_hand as u64;
        while done < entry.size {
            // Larger than the buffer, which is then read over and over.
            let length = (entry.size - done).min(self.buffer.len() as u64) as usize;
            let at = entry.position + done;
            let (segment, file) = (self.segment, self.file.clone());
            let n = disk::read_at(&file, || segment.log().path(), &mut self.buffer[..length], at)?;
            (self.from, self.filled) = (at, n);
            if n < length {
                return Err(LogError::corrupt(&self.path(), at, "the file became shorter while it was read"));
            }
            digest.update(&self.buffer[..n]);
            done += n as u64;
        }
        Ok(digest.finalize() == stored)
    }
}
