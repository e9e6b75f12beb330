//! `.txnindex`: the aborted transactions whose markers lie in a segment, in the order of their markers.
//!
//! An entry (version 0) is 34 bytes: version i16, producer id i64, first offset i64, last offset i64 (the marker's), last
//! stable offset i64 (what it was after the marker). The file is made by the first entry; most segments have none.

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::{self, Result};
use crate::error::LogError;
use crate::open_files::Handle;

/// An aborted transaction of one producer in this partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTxn {
    /// The producer.
    pub producer_id: i64,
    /// The transaction's first offset here.
    pub first_offset: i64,
    /// The offset of its abort marker.
    pub last_offset: i64,
    /// The last stable offset once the marker was written.
    pub last_stable_offset: i64,
}

const ENTRY: usize = 34;
const VERSION: i16 = 0;
/// Entries read at once.
const BLOCK: usize = 120;

impl AbortedTxn {
    /// Bytes of an entry.
    pub const SIZE: usize = ENTRY;

    fn to_bytes(self) -> [u8; ENTRY] {
        let mut out = [0; ENTRY];
        out[0..2].copy_from_slice(&VERSION.to_be_bytes());
        for (i, field) in [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset]
            .into_iter()
            .enumerate()
        {
            out[2 + 8 * i..10 + 8 * i].copy_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// Reads an entry; `None` if it is none of version 0.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let field = |i: usize| bytes.get(2 + 8 * i..10 + 8 * i)?.try_into().ok().map(i64::from_be_bytes);
        if bytes.get(..2)? != VERSION.to_be_bytes() {
            return None;
        }
        let entry = Self {
            producer_id: field(0)?,
            first_offset: field(1)?,
            last_offset: field(2)?,
            last_stable_offset: field(3)?,
        };
        (entry.first_offset <= entry.last_offset).then_some(entry)
    }
}

/// The transaction index of one segment.
#[derive(Debug)]
pub(crate) struct TxnIndex {
    handle: Handle,
    bytes: AtomicU64,
}

impl TxnIndex {
    /// Over a file of that many bytes, 0 if there is none.
    pub(crate) fn new(handle: Handle, bytes: u64) -> Self {
        Self { handle, bytes: AtomicU64::new(bytes - bytes % ENTRY as u64) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.load(Ordering::Acquire) == 0
    }

    /// Bytes of its entries.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Acquire)
    }

    /// Forgets the entries after the first `bytes`, which it has. [`release`](Self::release) takes them from the file.
    pub(crate) fn rewind(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Release);
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Takes room on disk for `count` more entries, so that adding them can't meet a full disk.
    pub(crate) fn reserve(&self, count: usize) -> Result<()> {
        let at = self.bytes.load(Ordering::Acquire);
        let file = if at == 0 { self.handle.create()? } else { self.handle.file()? };
        file.write_all_at(&vec![0; count * ENTRY], at)
            .map_err(|e| LogError::io(&self.handle.path(), "write", e))
    }

    /// Gives reserved room back.
    pub(crate) fn release(&self) {
        let at = self.bytes.load(Ordering::Acquire);
        let _ = if at == 0 {
            self.handle.remove()
        } else {
            self.handle.file().map(|file| drop(file.set_len(at)))
        };
    }

    /// Adds an aborted transaction: one `pwrite`.
    pub(crate) fn append(&self, aborted: AbortedTxn) -> Result<()> {
        let at = self.bytes.load(Ordering::Acquire);
        let file = self.handle.file()?;
        file.write_all_at(&aborted.to_bytes(), at)
            .map_err(|e| LogError::io(&self.handle.path(), "write", e))?;
        self.bytes.store(at + ENTRY as u64, Ordering::Release);
        Ok(())
    }

    /// Hands every entry to `visit`, in order, until it answers false. False if the file holds something else.
    pub(crate) fn each(&self, mut visit: impl FnMut(AbortedTxn) -> bool) -> Result<bool> {
        let end = self.bytes.load(Ordering::Acquire);
        if end == 0 {
            return Ok(true);
        }
        let file = self.handle.file()?;
        let mut buffer = [0; BLOCK * ENTRY];
        let mut at = 0;
        while at < end {
            let length = (end - at).min(buffer.len() as u64) as usize;
            let n = disk::read_at(&file, || self.handle.path(), &mut buffer[..length], at)?;
            if n < length {
                return Ok(false);
            }
            for entry in buffer[..length].chunks_exact(ENTRY) {
                match AbortedTxn::parse(entry) {
                    Some(entry) if visit(entry) => {}
                    Some(_) => return Ok(true),
                    None => return Ok(false),
                }
            }
            at += length as u64;
        }
        Ok(true)
    }

    /// Whether every entry is one and lies inside the segment.
    pub(crate) fn is_sane(&self, base_offset: i64) -> Result<bool> {
        let mut inside = true;
        let readable = self.each(|entry| {
            inside = entry.last_offset >= base_offset;
            inside
        })?;
        Ok(readable && inside)
    }

    /// Forgets transactions whose marker is at `offset` or above.
    pub(crate) fn truncate_to(&self, offset: i64) -> Result<()> {
        let mut keep = 0;
        self.each(|entry| {
            let kept = entry.last_offset < offset;
            keep += if kept { ENTRY as u64 } else { 0 };
            kept
        })?;
        if keep < self.bytes.load(Ordering::Acquire) {
            let file = self.handle.file()?;
            file.set_len(keep).map_err(|e| LogError::io(&self.handle.path(), "truncate", e))?;
            self.bytes.store(keep, Ordering::Release);
        }
        Ok(())
    }

    /// Removes the file and starts anew.
    pub(crate) fn reset(&self) -> Result<()> {
        self.bytes.store(0, Ordering::Release);
        self.handle.remove()
    }

    pub(crate) fn sync(&self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let file = self.handle.file()?;
        file.sync_data().map_err(|e| LogError::flush(&self.handle.path(), e))
    }
}
