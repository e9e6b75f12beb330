//! From what a round found to what can be sent without waiting for a disk.
//!
//! Small pieces are read into memory, asked for with `RWF_NOWAIT`: one system call tells whether they are cached and brings them, and the whole
//! response leaves by one `writev`. Up to about 16 KiB this costs no more CPU than `sendfile` and saves a system call for each piece. Larger pieces, and what
//! comes after [`Copies::AT_MOST`] bytes of small ones, so that a client that reads slowly or not at all holds no more of our memory than that, are sent from their file if all of their pages are cached. Whatever is not is brought in on a thread for file work, before the response is queued: a network thread never waits for a disk (Kafka's KAFKA-7504).

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use vltava_log::FileSlice;

use super::residency;

/// Up to so many bytes a piece is read into memory.
const SMALL: u64 = 16 * 1024;

/// How many bytes of small pieces one response may still hold in memory.
#[derive(Debug)]
pub struct Copies(u64);

/// For a response that has none yet.
impl Default for Copies {
    fn default() -> Self {
        Self(Self::AT_MOST)
    }
}

impl Copies {
    /// The bytes of small pieces that a response holds at most.
    pub const AT_MOST: u64 = 64 * 1024;

    /// Whether a piece of that length is to be copied, and counts it if so.
    fn admits(&mut self, length: u64) -> bool {
        let left = (length <= SMALL).then(|| self.0.checked_sub(length)).flatten();
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

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
pub fn ready_if_cached(slice: &FileSlice, copies: &mut Copies) -> Option<Ready> {
    if !copies.admits(slice.length) {
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
pub fn ready_from_disk(slice: &FileSlice, copies: &mut Copies) -> std::io::Result<Ready> {
    if !copies.admits(slice.length) {
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_response_of_many_small_pieces_holds_few_of_them_in_memory() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let file = Arc::new(file);
        let slice = |at: u64| FileSlice { file: file.clone(), position: at * 10_000, length: 10_000 };
        for way in
            [ready_if_cached, |slice: &FileSlice, copies: &mut Copies| ready_from_disk(slice, copies).ok()]
        {
            let mut copies = Copies::default();
            let pieces: Vec<_> = (0..100).map(|at| way(&slice(at), &mut copies).unwrap()).collect();
            let copied = pieces.iter().filter(|piece| matches!(piece, Ready::Bytes(_))).count();
            assert_eq!(copied, 6, "of 10,000 bytes each");
            assert_eq!(pieces.iter().map(Ready::len).sum::<u64>(), 1_000_000);
        }
    }
}
