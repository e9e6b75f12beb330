//! Records for clients before KIP-110 (Fetch 4 to 9), which read batches as they are but know no zstd: what is found is cut off before the first batch that is
//! compressed by it, and refused if that is the very first.
//!
//! The header of each batch is looked at, one `pread` for each. Where all are cached and few this is done at once, else on a thread for file work.

use std::{fs::File, io, os::unix::fs::FileExt};

use vltava_protocol::records::{BATCH_OVERHEAD, Codec, EntryPrefix};

use super::{PartitionError, Ready, residency};

/// Headers in files that one response looks at on its network thread, at some microsecond each: the other connections of its thread wait meanwhile.
const HEADERS_AT_ONCE: usize = 256;

/// How many headers one response may still look at without waiting.
#[derive(Debug)]
pub struct Headers(usize);

/// For a response that has looked at none yet.
impl Default for Headers {
    fn default() -> Self {
        Self(HEADERS_AT_ONCE)
    }
}

impl Headers {
    /// As [`without_zstd`]; `None` if it would wait for a disk, or take too long.
    pub fn without_zstd(&mut self, ready: Ready) -> Option<Result<Ready, PartitionError>> {
        let look = |file: &File, header: &mut [u8], at: u64| {
            self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::QuotaExceeded)?;
            match residency::read_cached(file, header, at)? {
                read if read == header.len() => Ok(()),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            }
        };
        let first = first_zstd(&ready, look).ok()?;
        Some(before(ready, first))
    }
}

/// What a client gets that knows no zstd. Waits for the disk. What cannot be looked at is not sent either.
pub fn without_zstd(ready: Ready) -> Result<Ready, PartitionError> {
    let look = |file: &File, header: &mut [u8], at: u64| file.read_exact_at(header, at);
    match first_zstd(&ready, look) {
        Ok(first) => before(ready, first),
        Err(unread) => cut(ready, unread).ok_or(PartitionError::Storage),
    }
}

/// Where the first batch begins that is compressed by zstd, or else the first that cannot be looked at.
fn first_zstd(
    ready: &Ready,
    mut look: impl FnMut(&File, &mut [u8], u64) -> io::Result<()>,
) -> Result<Option<u64>, u64> {
    let end = ready.len();
    let mut at = 0;
    let mut header = [0; BATCH_OVERHEAD];
    while at < end {
        let available = usize::try_from(end - at).unwrap_or(usize::MAX).min(BATCH_OVERHEAD);
        let bytes = &mut header[..available];
        match ready {
            Ready::Nothing => break,
            Ready::Bytes(all) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                bytes.copy_from_slice(&all[from..from + available]);
            }
            Ready::File(slice) => look(&slice.file, bytes, slice.position + at).map_err(|_| at)?,
        }
        let Ok(Some(entry)) = EntryPrefix::parse(bytes, usize::MAX) else { break };
        // Attributes of magic 2: two bytes, the codec in the low three bits of the second.
        let is_zstd = entry.magic == 2 && bytes.get(22).is_some_and(|low| low & 7 == Codec::Zstd.id());
        if is_zstd {
            return Ok(Some(at));
        }
        at = at.saturating_add(entry.size() as u64);
    }
    Ok(None)
}

fn before(ready: Ready, zstd: Option<u64>) -> Result<Ready, PartitionError> {
    match zstd {
        Some(at) => cut(ready, at).ok_or(PartitionError::Zstd),
        None => Ok(ready),
    }
}

/// The first `length` bytes; `None` if that is nothing.
fn cut(ready: Ready, length: u64) -> Option<Ready> {
    match ready {
        _ if length == 0 => None,
        Ready::Nothing => None,
        Ready::Bytes(all) => Some(Ready::Bytes(all.slice(..usize::try_from(length).ok()?))),
        Ready::File(slice) => Some(Ready::File(vltava_log::FileSlice { length, ..slice })),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, sync::Arc};

    use vltava_log::FileSlice;
    use vltava_protocol::records::{BatchBuilder, BatchOptions};
    use vltava_testkit::skip::skip;

    use super::*;

    fn batch(codec: Codec) -> Vec<u8> {
        let mut builder =
            BatchBuilder::new(Vec::new(), BatchOptions { codec, ..BatchOptions::default() }).unwrap();
        builder.append(1, None, Some(b"value"), &[]).unwrap();
        builder.finish().unwrap().0
    }

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn slice(file: &File, length: u64) -> Ready {
        Ready::File(FileSlice { file: Arc::new(file.try_clone().unwrap()), position: 0, length })
    }

    #[test]
    fn what_is_not_cached_is_waited_for() {
        let (plain, packed) = (batch(Codec::None), batch(Codec::Zstd));
        let file = file_of(&[&plain[..], &packed].concat());
        file.sync_all().unwrap();
        let length = (plain.len() + packed.len()) as u64;
        residency::drop_behind(&file, 0, length);
        let fit = without_zstd(slice(&file, length)).unwrap();
        assert_eq!(fit.len(), plain.len() as u64);
    }

    #[test]
    fn what_cannot_be_looked_at_is_not_sent() {
        let plain = batch(Codec::None);
        let file = file_of(&plain);
        // The file ends where a batch should begin.
        let fit = without_zstd(slice(&file, 10_000)).unwrap();
        assert_eq!(fit.len(), plain.len() as u64);
        let empty = tempfile::tempfile().unwrap();
        assert!(without_zstd(slice(&empty, 100)).is_err());
    }

    #[test]
    fn a_response_looks_at_few_batches_at_once() {
        let plain = batch(Codec::None);
        let file = file_of(&plain.repeat(HEADERS_AT_ONCE));
        let all = (plain.len() * HEADERS_AT_ONCE) as u64;
        let mut headers = Headers::default();
        if headers.without_zstd(slice(&file, plain.len() as u64)).is_none() {
            return skip(
                "a_response_looks_at_few_batches_at_once",
                "this file system does not tell what is cached",
            );
        }
        assert!(headers.without_zstd(slice(&file, all)).is_none(), "one has been looked at already");
        let fit = Headers::default().without_zstd(slice(&file, all)).unwrap().unwrap();
        assert_eq!(fit.len(), all);
    }
}
