//! One segment: a `.log` with its indexes. Its writer appends; any number of readers look things up meanwhile.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::disk::{self, Reach, Result};
use crate::entry::{Entries, LogEntry};
use crate::error::LogError;
use crate::names::{Kind, Suffix};
use crate::offset_index::OffsetIndex;
use crate::open_files::{Directory, Handle, OpenFiles};
use crate::time_index::{TimeIndex, TimestampOffset};
use crate::txn_index::TxnIndex;

/// A segment. What a reader may see ends at [`size`](Self::size), which is published after the bytes are written.
#[derive(Debug)]
pub(crate) struct Segment {
    base_offset: i64,
    log: Handle,
    offsets: OffsetIndex,
    times: TimeIndex,
    aborted: TxnIndex,
    size: AtomicU64,
    /// `None` until looked up; then `None` inside for a segment without timestamps.
    pub(crate) max_timestamp: Mutex<Option<Option<TimestampOffset>>>,
}

impl Segment {
    /// A segment whose files are there. Nothing is opened or read.
    pub(crate) fn new(
        directory: &Arc<Directory>,
        base_offset: i64,
        files: &Arc<OpenFiles>,
        size: u64,
        txn_bytes: u64,
    ) -> Self {
        let handle = |kind| Handle::new(directory, base_offset, kind, files);
        Self {
            base_offset,
            log: handle(Kind::Log),
            offsets: OffsetIndex::new(base_offset, handle(Kind::Index)),
            times: TimeIndex::new(base_offset, handle(Kind::TimeIndex)),
            aborted: TxnIndex::new(handle(Kind::TxnIndex), txn_bytes),
            size: AtomicU64::new(size),
            max_timestamp: Mutex::new(None),
        }
    }

    /// Makes the files of an empty segment: three `open` calls and no fsync. If that fails, nothing is left behind.
    pub(crate) fn create(
        directory: &Arc<Directory>,
        base_offset: i64,
        files: &Arc<OpenFiles>,
    ) -> Result<Self> {
        Self::create_as(Suffix::None, directory, base_offset, files)
    }

    /// The same of a segment that the cleaner is going to write, in the place of those that begin with the one at `base_offset`.
    pub(crate) fn create_cleaned(
        directory: &Arc<Directory>,
        base_offset: i64,
        files: &Arc<OpenFiles>,
    ) -> Result<Self> {
        Self::create_as(Suffix::Cleaned, directory, base_offset, files)
    }

    fn create_as(
        suffix: Suffix,
        directory: &Arc<Directory>,
        base_offset: i64,
        files: &Arc<OpenFiles>,
    ) -> Result<Self> {
        let segment = Self::new(directory, base_offset, files, 0, 0);
        segment.handles().into_iter().for_each(|handle| handle.is_called(suffix));
        let made = segment.log.create().and_then(|_| segment.reset_indexes());
        if let Err(error) = made {
            let _ = segment.remove();
            return Err(error);
        }
        *segment.max_timestamp.lock() = Some(None);
        Ok(segment)
    }

    pub(crate) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    pub(crate) fn log(&self) -> &Handle {
        &self.log
    }

    pub(crate) fn offsets(&self) -> &OffsetIndex {
        &self.offsets
    }

    pub(crate) fn times(&self) -> &TimeIndex {
        &self.times
    }

    pub(crate) fn aborted(&self) -> &TxnIndex {
        &self.aborted
    }

    /// Bytes that are written and valid.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    pub(crate) fn set_size(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    pub(crate) fn is_full(&self, index_bytes: u32) -> Result<bool> {
        Ok(self.offsets.is_full(index_bytes)? || self.times.is_full(index_bytes)?)
    }

    /// Empties both indexes and forgets aborted transactions, to be built again.
    pub(crate) fn reset_indexes(&self) -> Result<()> {
        self.offsets.entries().create()?;
        self.times.entries().create()?;
        self.aborted.reset()
    }

    /// The first entry whose last offset is at or above `offset`, among the first `end` bytes.
    ///
    /// Cost: a lookup in memory near the end of the log (a few `pread`s further back), then a `pread` of 4 KiB.
    pub(crate) fn find(
        &self,
        file: &Arc<File>,
        offset: i64,
        end: u64,
        reach: Reach,
    ) -> Result<Option<LogEntry>> {
        let hint = u64::from(self.offsets.lookup(offset, reach)?);
        if let Some(found) = self.scan_for(file, offset, hint..end, reach)? {
            // An index that does not belong to this file could point behind the offset; the file itself decides.
            if hint == 0 || found.base_offset <= offset || found.position > hint || found.header.is_none() {
                return Ok(Some(found));
            }
        }
        if hint == 0 { Ok(None) } else { self.scan_for(file, offset, 0..end, reach) }
    }

    fn scan_for(
        &self,
        file: &Arc<File>,
        offset: i64,
        among: Range<u64>,
        reach: Reach,
    ) -> Result<Option<LogEntry>> {
        let path = || self.log.path();
        let mut entries = Entries::new(file, &path, among.start, among.end).within(reach);
        while let Some(entry) = entries.next()? {
            if entry.last_offset >= offset {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// Notes the largest timestamp in the time index and writes both indexes: what rolling and closing do.
    pub(crate) fn finish(&self) -> Result<()> {
        if let Some(max) = self.max_timestamp()? {
            self.times.append(max)?;
        }
        self.offsets.entries().write_out()?;
        self.times.entries().write_out()
    }

    /// Frees the memory that the ends of the indexes take while a segment grows.
    pub(crate) fn settle(&self) -> Result<()> {
        self.offsets.entries().settle()?;
        self.times.entries().settle()
    }

    /// Makes everything durable: `fdatasync` of each file.
    pub(crate) fn sync(&self) -> Result<()> {
        let file = self.log.file()?;
        file.sync_data().map_err(|e| LogError::flush(&self.log.path(), e))?;
        self.offsets.entries().sync()?;
        self.times.entries().sync()?;
        self.aborted.sync()
    }

    /// Cuts the `.log` and with it what the indexes say about `offset` and above.
    pub(crate) fn truncate(&self, offset: i64, position: u64) -> Result<()> {
        // Readers stop at the new size before the bytes go.
        self.set_size(position);
        self.offsets.truncate_to(offset)?;
        self.times.truncate_to(offset)?;
        self.aborted.truncate_to(offset)?;
        self.cut_file(position)
    }

    /// Sets the file's length.
    pub(crate) fn cut_file(&self, position: u64) -> Result<()> {
        let file = self.log.file()?;
        file.set_len(position).map_err(|e| LogError::io(&self.log.path(), "truncate", e))
    }

    fn handles(&self) -> [&Handle; 4] {
        [&self.log, self.offsets.entries().handle(), self.times.entries().handle(), self.aborted.handle()]
    }

    /// Renames the files, those that are there; readers that have them open go on.
    pub(crate) fn rename(&self, suffix: Suffix) -> Result<()> {
        self.handles().into_iter().try_for_each(|handle| handle.rename(suffix))
    }

    /// Removes the files, under whatever names they have now.
    pub(crate) fn remove(&self) -> Result<()> {
        self.handles().into_iter().try_for_each(Handle::remove)
    }

    /// Closes the files until they are used again.
    pub(crate) fn close_files(&self) {
        self.handles().into_iter().for_each(Handle::close);
    }

    /// Bytes of the segment's `.log` as the file system has it.
    pub(crate) fn file_length(&self) -> Result<u64> {
        let path = self.log.path();
        std::fs::metadata(&path).map(|m| m.len()).map_err(|e| LogError::io(&path, "read", e))
    }

    /// Reads a whole entry into memory.
    pub(crate) fn read_entry(&self, file: &Arc<File>, entry: &LogEntry) -> Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(entry.size).unwrap_or(usize::MAX)];
        let n = disk::read_at(file, || self.log.path(), &mut bytes, entry.position)?;
        bytes.truncate(n);
        Ok(bytes)
    }
}
