//! From what a round found to what can be sent without waiting for a disk.
//!
//! Small pieces are read into memory, asked for with `RWF_NOWAIT`: one system call tells whether they are cached and brings them, and the whole
//! response leaves by one `writev`. Up to about 16 KiB this costs no more CPU than `sendfile` and saves a system call for each piece. Larger pieces
//! are sent from their file if all of their pages are cached. Whatever is not is brought in on a thread for file work, before the response is queued: a network thread never waits for a disk (Kafka's KAFKA-7504).

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use vltava_log::FileSlice;

use super::residency;

/// Up to so many bytes a piece is read into memory.
pub(super) const SMALL: u64 = 16 * 1024;

/// What a reader of cold records leaves in the page cache behind it, for others at about the same place.
const LEFT_BEHIND: u64 = 32 << 20;

/// The records of one partition, ready to leave.
#[derive(Debug, Clone, Default)]
pub enum Ready {
    /// None.
    #[default]
    Nothing,
    /// In memory.
    Bytes(Bytes),
    /// In a file, and in the page cache.
    File(FileSlice),
}

impl Ready {
    /// Bytes to send.
    pub fn len(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.length,
        }
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is cached becomes ready; `None` if it must be brought in first.
pub fn ready_if_cached(slice: &FileSlice) -> Option<Ready> {
    if slice.length > SMALL {
        return residency::is_resident(&slice.file, slice.position, slice.length)
            .then(|| Ready::File(slice.clone()));
    }
    let length = usize::try_from(slice.length).ok()?;
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match residency::read_cached(&slice.file, &mut bytes[filled..], slice.position + filled as u64) {
            Ok(0) | Err(_) => return None,
            Ok(read) => filled += read,
        }
    }
    Some(Ready::Bytes(bytes.into()))
}

/// Brings a piece in and makes it ready: on a thread for file work, since it waits for the disk.
pub fn ready_from_disk(slice: &FileSlice) -> std::io::Result<Ready> {
    if slice.length > SMALL {
        residency::warm(&slice.file, slice.position, slice.length)?;
        // Who reads what nobody else has read for long goes on to the next piece: what it left well behind makes room.
        if let Some(left) = slice.position.checked_sub(LEFT_BEHIND + slice.length) {
            residency::drop_behind(&slice.file, left, slice.length);
        }
        return Ok(Ready::File(slice.clone()));
    }
    Ok(Ready::Bytes(read_whole(&slice.file, slice.position, slice.length)?.into()))
}

/// All bytes of a piece, waiting for the disk if need be.
pub(super) fn read_whole(file: &Arc<File>, position: u64, length: u64) -> std::io::Result<Vec<u8>> {
    let length = usize::try_from(length).map_err(|_| std::io::ErrorKind::InvalidInput)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, position)?;
    Ok(bytes)
}
