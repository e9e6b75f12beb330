//! Sorted arrays of fixed-size entries in a file: the common part of offset index and time index.
//!
//! Entries are added in memory and written to the file 128 at a time, and the latest stay in memory: an append costs no
//! system call for its index entry, and a reader near the end of the log none for its lookup. Further back a lookup reads
//! the file: a binary search over blocks, then one block. What was not yet written when the process dies is made again
//! by recovery, which scans the segments after the recovery point in any case.
//!
//! Apache Kafka preallocates an active segment's index and trims it when the segment is rolled or closed, because it maps
//! the file into memory. Ours is always exactly as long as its entries; zeros that a killed broker left behind are
//! cut off when the segment is recovered.

use std::marker::PhantomData;
use std::os::unix::fs::FileExt;

use parking_lot::RwLock;

use crate::disk::{Reach, Result};
use crate::error::LogError;
use crate::open_files::Handle;

/// A fixed-size entry, big-endian on disk.
pub(crate) trait Entry: Copy + std::fmt::Debug {
    /// Bytes of an entry.
    const SIZE: usize;
    fn read(bytes: &[u8]) -> Self;
    fn write(self, out: &mut Vec<u8>);
}

/// Entries that gather in memory before they are written.
const WRITE_AT: usize = 128;
/// Written entries that stay in memory for lookups near the end.
const KEEP: usize = 64;
/// Entries a lookup reads from the file at once.
const BLOCK: u32 = 256;

#[derive(Debug)]
struct State<E> {
    /// Entries in the file.
    stored: u32,
    /// Position of the first entry of `tail`; at most `stored`.
    tail_from: u32,
    tail: Vec<E>,
}

impl<E: Copy> State<E> {
    fn len(&self) -> u32 {
        self.tail_from + self.tail.len() as u32
    }
}

/// An index file and the entries at its end.
#[derive(Debug)]
pub(crate) struct Index<E> {
    handle: Handle,
    /// `None` until first used.
    state: RwLock<Option<State<E>>>,
    _entry: PhantomData<E>,
}

impl<E: Entry> Index<E> {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle, state: RwLock::new(None), _entry: PhantomData }
    }

    /// Makes the file, empty.
    pub(crate) fn create(&self) -> Result<()> {
        self.handle.create()?;
        *self.state.write() = Some(State { stored: 0, tail_from: 0, tail: Vec::new() });
        Ok(())
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> Result<u32> {
        self.with(|_, state| Ok(state.len()))
    }

    pub(crate) fn last(&self) -> Result<Option<E>> {
        self.with(|index, state| match state.len() {
            0 => Ok(None),
            n => index.get(state, n - 1, Reach::Disk).map(Some),
        })
    }

    /// The last entry for which `before` holds, with its position; entries for which it holds come first.
    pub(crate) fn last_where(&self, reach: Reach, before: impl Fn(&E) -> bool) -> Result<Option<(u32, E)>> {
        if reach == Reach::Cache && self.state.read().is_none() {
            return Err(LogError::waiting(&self.handle.path(), "open"));
        }
        self.with(|index, state| {
            if let Some(first) = state.tail.first().filter(|first| before(first)) {
                let n = state.tail.partition_point(&before).max(1);
                let entry = state.tail.get(n - 1).copied().unwrap_or(*first);
                return Ok(Some((state.tail_from + n as u32 - 1, entry)));
            }
            // In the file, before the tail: find the block by the first entries of blocks, then look inside.
            let (mut low, mut high) = (0, state.tail_from.div_ceil(BLOCK));
            while low < high {
                let middle = u32::midpoint(low, high);
                if before(&index.get(state, middle * BLOCK, reach)?) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            let Some(block) = low.checked_sub(1) else { return Ok(None) };
            let from = block * BLOCK;
            let entries = index.read_block(from, (state.tail_from - from).min(BLOCK), reach)?;
            let n = entries.partition_point(&before);
            Ok(n.checked_sub(1).map(|i| (from + i as u32, entries[i])))
        })
    }

    /// The entry at `at`, if there are so many.
    pub(crate) fn entry(&self, at: u32, reach: Reach) -> Result<Option<E>> {
        self.with(|index, state| (at < state.len()).then(|| index.get(state, at, reach)).transpose())
    }

    /// Adds an entry. Writes to the file once enough have gathered.
    pub(crate) fn push(&self, entry: E) -> Result<()> {
        self.with(|_, _| Ok(()))?;
        let mut guard = self.state.write();
        let Some(state) = guard.as_mut() else { return Ok(()) };
        state.tail.push(entry);
        if state.len() - state.stored >= WRITE_AT as u32 {
            match self.store(state) {
                // The records are in the log already. The entries wait in memory until there is room.
                Err(error) if error.is_disk_full() => return Ok(()),
                other => other?,
            }
            let surplus = state.tail.len().saturating_sub(KEEP);
            state.tail.drain(..surplus);
            state.tail_from += surplus as u32;
        }
        Ok(())
    }

    /// Writes what is only in memory.
    pub(crate) fn write_out(&self) -> Result<()> {
        match self.state.write().as_mut() {
            Some(state) if state.stored < state.len() => self.store(state),
            _ => Ok(()),
        }
    }

    /// Makes the file durable.
    pub(crate) fn sync(&self) -> Result<()> {
        self.write_out()?;
        let file = self.handle.file()?;
        file.sync_data().map_err(|e| LogError::flush(&self.handle.path(), e))
    }

    /// Keeps the first `n` entries.
    pub(crate) fn truncate(&self, n: u32) -> Result<()> {
        self.with(|_, _| Ok(()))?;
        let mut guard = self.state.write();
        let Some(state) = guard.as_mut() else { return Ok(()) };
        if n >= state.len() {
            return Ok(());
        }
        if n < state.stored {
            let file = self.handle.file()?;
            file.set_len(u64::from(n) * E::SIZE as u64)
                .map_err(|e| LogError::io(&self.handle.path(), "truncate", e))?;
            state.stored = n;
        }
        if n < state.tail_from {
            state.tail_from = n;
            state.tail.clear();
        } else {
            state.tail.truncate((n - state.tail_from) as usize);
        }
        Ok(())
    }

    /// Drops what memory is held for an index that will not grow any more; the file has it all.
    pub(crate) fn settle(&self) -> Result<()> {
        self.write_out()?;
        if let Some(state) = self.state.write().as_mut() {
            state.tail_from = state.stored;
            state.tail = Vec::new();
        }
        Ok(())
    }

    fn store(&self, state: &mut State<E>) -> Result<()> {
        let from = (state.stored - state.tail_from) as usize;
        let mut bytes = Vec::with_capacity((state.tail.len() - from) * E::SIZE);
        for entry in &state.tail[from..] {
            entry.write(&mut bytes);
        }
        let file = self.handle.file()?;
        file.write_all_at(&bytes, u64::from(state.stored) * E::SIZE as u64)
            .map_err(|e| LogError::io(&self.handle.path(), "write", e))?;
        state.stored = state.len();
        Ok(())
    }

    /// Runs `body` with the state, loaded from the file's length at the first use.
    fn with<T>(&self, body: impl FnOnce(&Self, &State<E>) -> Result<T>) -> Result<T> {
        if let Some(state) = self.state.read().as_ref() {
            return body(self, state);
        }
        let mut guard = self.state.write();
        if guard.is_none() {
            let file = self.handle.file()?;
            let size = file.metadata().map_err(|e| LogError::io(&self.handle.path(), "read", e))?.len();
            // A torn last entry is no entry.
            let stored = u32::try_from(size / E::SIZE as u64).unwrap_or(u32::MAX);
            *guard = Some(State { stored, tail_from: stored, tail: Vec::new() });
        }
        let guard = parking_lot::RwLockWriteGuard::downgrade(guard);
        match guard.as_ref() {
            Some(state) => body(self, state),
            None => Err(LogError::Closed { directory: self.handle.path() }),
        }
    }

    fn get(&self, state: &State<E>, at: u32, reach: Reach) -> Result<E> {
        if at >= state.tail_from
            && let Some(entry) = state.tail.get((at - state.tail_from) as usize)
        {
            return Ok(*entry);
        }
        let entries = self.read_block(at, 1, reach)?;
        entries.first().copied().ok_or_else(|| self.too_short(at))
    }

    fn read_block(&self, from: u32, count: u32, reach: Reach) -> Result<Vec<E>> {
        let file = self.handle.file_within(reach)?;
        let mut bytes = vec![0; count as usize * E::SIZE];
        let position = u64::from(from) * E::SIZE as u64;
        let n = reach.read_at(&file, || self.handle.path(), &mut bytes, position)?;
        if n < bytes.len() {
            return Err(self.too_short(from));
        }
        Ok(bytes.chunks_exact(E::SIZE).map(E::read).collect())
    }

    fn too_short(&self, at: u32) -> LogError {
        LogError::corrupt(&self.handle.path(), u64::from(at) * E::SIZE as u64, "the index ends early")
    }
}
