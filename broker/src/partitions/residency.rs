//! Whether a range of a file is in the page cache, and how it gets there.
//!
//! `cachestat` (Linux 6.5) tells for the whole range at once. Without it, `preadv2` with `RWF_NOWAIT` copies what is cached into a buffer and
//! stops where a page is missing, so reading the whole range that way proves it; one byte would prove nothing about the next page.
//! `cachestat` counts pages that are still being read, too, so behind a reader whose read-ahead is under way it would answer "yes" early: read-ahead goes
//! from front to back, so the last page of a range is asked for a byte as well, which is refused while it is being read.
//!
//! Small ranges are always read that way, because then the bytes are wanted in memory anyway: one system call both asks and reads.

#![allow(unsafe_code)]

use std::{
    fs::File,
    io::{self, IoSliceMut},
    os::{fd::AsRawFd, unix::fs::FileExt},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::io::{Errno, ReadWriteFlags, preadv2};

/// Bytes that are read at a time to bring a range in.
const WARM_CHUNK: usize = 128 * 1024;

/// `cachestat` has number 451 on every architecture.
const SYS_CACHESTAT: libc::c_long = 451;

/// Set once the kernel refused `cachestat` (older than 6.5, or a seccomp profile that does not know it).
static CACHESTAT_IS_MISSING: AtomicBool = AtomicBool::new(false);

/// The kernel's `struct cachestat_range`.
#[repr(C)]
struct Range {
    offset: u64,
    length: u64,
}

/// The kernel's `struct cachestat`.
#[repr(C)]
#[derive(Default)]
struct Stat {
    cached: u64,
    dirty: u64,
    writeback: u64,
    evicted: u64,
    recently_evicted: u64,
}

/// Whether all of the range can be sent without waiting for the disk. Two system calls, of some microseconds for each MiB; an error means "no".
pub(super) fn is_resident(file: &File, position: u64, length: u64) -> bool {
    if length == 0 {
        return true;
    }
    match cachestat(file, position, length) {
        Some(resident) => resident && !is_under_way(file, position.saturating_add(length - 1)),
        None => is_resident_by_reading(file, position, length),
    }
}

/// Whether a page that is in the cache is still being read. Where the file system does not say, it is not.
fn is_under_way(file: &File, position: u64) -> bool {
    let mut byte = [0];
    matches!(
        preadv2(file, &mut [IoSliceMut::new(&mut byte)], position, ReadWriteFlags::NOWAIT),
        Err(Errno::AGAIN)
    )
}

/// `None` where the kernel has no `cachestat` or does not answer for this file.
fn cachestat(file: &File, offset: u64, length: u64) -> Option<bool> {
    if CACHESTAT_IS_MISSING.load(Ordering::Relaxed) {
        return None;
    }
    let page = rustix::param::page_size() as u64;
    let range = Range { offset, length };
    let mut stat = Stat::default();
    let flags: libc::c_uint = 0;
    // SAFETY: the file descriptor is open for the length of the call, because `file` is borrowed; both pointers are to live, properly aligned values whose
    // layout is the kernel's (`repr(C)`, 64-bit fields only, on every architecture); the kernel reads the first and writes the second, within their
    // sizes, and keeps neither. The call has no other effect on this process's memory.
    let answer =
        unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &raw const range, &raw mut stat, flags) };
    if answer == 0 {
        let first = offset / page;
        let last = offset.saturating_add(length - 1) / page;
        // Pages under write-back and dirty ones are cached too.
        return Some(stat.cached > last - first);
    }
    let error = io::Error::last_os_error().raw_os_error();
    if matches!(error, Some(libc::ENOSYS | libc::EPERM))
        && !CACHESTAT_IS_MISSING.swap(true, Ordering::Relaxed)
    {
        tracing::info!("the kernel has no cachestat: ranges are probed by reading them without waiting");
    }
    None
}

fn is_resident_by_reading(file: &File, position: u64, length: u64) -> bool {
    let mut buffer = vec![0; WARM_CHUNK.min(usize::try_from(length).unwrap_or(WARM_CHUNK))];
    let (mut at, end) = (position, position.saturating_add(length));
    while at < end {
        let want = buffer.len().min(usize::try_from(end - at).unwrap_or(buffer.len()));
        match read_cached(file, &mut buffer[..want], at) {
            Ok(0) | Err(_) => return false,
            Ok(read) => at += read as u64,
        }
    }
    true
}

/// Reads what the page cache holds from `position` on; `WouldBlock`, or fewer bytes than asked for, where a page is missing or the file ends.
pub(super) fn read_cached(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    match preadv2(file, &mut [IoSliceMut::new(buffer)], position, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok(read),
        // A file system without RWF_NOWAIT (overlayfs before 5.19, some FUSE): we cannot know, so the reader takes the slow way.
        Err(Errno::OPNOTSUPP) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error.into()),
    }
}

/// Brings a range into the page cache and waits for it: on a thread for file work. The kernel is told the whole range first, so that it
/// reads ahead in large pieces; reading it is what proves that it came.
pub(super) fn warm(file: &File, position: u64, length: u64) -> io::Result<()> {
    let advice = rustix::fs::Advice::WillNeed;
    let _ = rustix::fs::fadvise(file, position, std::num::NonZeroU64::new(length), advice);
    let mut buffer = vec![0; WARM_CHUNK];
    let (mut at, end) = (position, position.saturating_add(length));
    while at < end {
        let want = buffer.len().min(usize::try_from(end - at).unwrap_or(buffer.len()));
        match file.read_at(&mut buffer[..want], at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => at += read as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Lets the page cache forget a range that a far-behind reader is done with, before it displaces what others read at the log's end.
pub(super) fn drop_behind(file: &File, position: u64, length: u64) {
    // To the kernel a length of zero means "to the end".
    let Some(length) = std::num::NonZeroU64::new(length) else { return };
    let _ = rustix::fs::fadvise(file, position, Some(length), rustix::fs::Advice::DontNeed);
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use vltava_testkit::skip::skip;

    use super::*;

    /// A file on a real disk, or `None` with the reason said: memory file systems cannot drop pages.
    fn cold_file(bytes: usize) -> Option<tempfile::NamedTempFile> {
        let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&vec![7; bytes]).unwrap();
        file.as_file().sync_all().unwrap();
        drop_behind(file.as_file(), 0, bytes as u64);
        if is_resident_by_reading(file.as_file(), 0, bytes as u64) {
            skip("cold ranges", "this file system does not let go of cached pages");
            return None;
        }
        Some(file)
    }

    #[test]
    fn what_was_just_written_is_resident() {
        let mut file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.write_all(&[1; 100_000]).unwrap();
        assert!(is_resident(&file, 0, 100_000));
        assert!(is_resident(&file, 4_095, 2));
        assert!(is_resident_by_reading(&file, 0, 100_000));
    }

    #[test]
    fn a_range_with_one_cold_page_is_cold_until_it_is_warmed() {
        let Some(file) = cold_file(1 << 20) else { return };
        let file = file.as_file();
        assert!(!is_resident(file, 0, 1 << 20));
        let mut page = [0; 4096];
        assert!(read_cached(file, &mut page, 0).is_err(), "reading a cold page would have waited");
        file.read_at(&mut page[..1], 0).unwrap();
        assert!(!is_resident(file, 0, 1 << 20), "the first page proves nothing");
        warm(file, 0, 1 << 20).unwrap();
        assert!(is_resident(file, 0, 1 << 20));
        assert!(matches!(read_cached(file, &mut page, 4096), Ok(4096)));
    }

    #[test]
    fn what_can_be_read_without_waiting_is_never_called_cold() {
        let Some(file) = cold_file(1 << 20) else { return };
        let file = file.as_file();
        if cachestat(file, 0, 1).is_none() {
            skip("what_can_be_read_without_waiting_is_never_called_cold", "this kernel has no cachestat");
            return;
        }
        warm(file, 0, 8192).unwrap();
        for (position, length) in [(0, 4096), (1, 8191), (0, 1 << 20), ((1 << 20) - 1, 1)] {
            let readable = is_resident_by_reading(file, position, length);
            assert!(!readable || cachestat(file, position, length) == Some(true), "{position}+{length}");
        }
    }

    #[test]
    fn warming_beyond_the_end_fails_instead_of_looping() {
        let file = tempfile::tempfile().unwrap();
        assert!(warm(&file, 0, 10).is_err());
    }
}
