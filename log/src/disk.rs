//! File operations that say which file failed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSliceMut, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::io::{Errno, ReadWriteFlags, preadv2};

use crate::error::LogError;

pub(crate) type Result<T, E = LogError> = std::result::Result<T, E>;

/// What was done as far as there was room: of a full disk nothing is said. For what is made good later.
pub(crate) fn if_room(done: Result<()>) -> Result<()> {
    match done {
        Err(error) if error.is_disk_full() => Ok(()),
        other => other,
    }
}

/// Opens an existing file for reading and writing.
pub(crate) fn open(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|e| LogError::io(path, "open", e))
}

/// Makes an empty file, or empties the one that is there.
pub(crate) fn create(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(|e| LogError::io(path, "create", e))
}

/// Reads up to `buffer.len()` bytes at a position; fewer only at the end of the file.
pub(crate) fn read_at(
    file: &File,
    path: impl FnOnce() -> PathBuf,
    buffer: &mut [u8],
    position: u64,
) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], position + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(LogError::io(&path(), "read", e)),
        }
    }
    Ok(filled)
}

/// How far a read may reach for its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The page cache, and files that are open. What is elsewhere is an error for which [`LogError::would_wait`] holds.
    Cache,
    /// The disk, waiting for it.
    Disk,
}

impl Reach {
    /// [`read_at`], as far as this reaches. Both ways cost one system call where the bytes are cached.
    pub(crate) fn read_at(
        self,
        file: &File,
        path: impl FnOnce() -> PathBuf,
        buffer: &mut [u8],
        position: u64,
    ) -> Result<usize> {
        if self == Self::Disk {
            return read_at(file, path, buffer, position);
        }
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = &mut [IoSliceMut::new(&mut buffer[filled..])];
            match preadv2(file, rest, position + filled as u64, ReadWriteFlags::NOWAIT) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(Errno::INTR) => {}
                // Not cached, or a file system that cannot tell.
                Err(Errno::AGAIN | Errno::OPNOTSUPP) => return Err(LogError::waiting(&path(), "read")),
                Err(e) => return Err(LogError::io(&path(), "read", e.into())),
            }
        }
        Ok(filled)
    }
}

/// A whole small file, at most `limit` bytes; `None` where there is none.
pub(crate) fn read_small(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(LogError::io(path, "read", e)),
    };
    if size > limit {
        return Err(LogError::corrupt(path, 0, format!("{size} bytes, expected at most {limit}")));
    }
    fs::read(path).map(Some).map_err(|e| LogError::io(path, "read", e))
}

/// Whether a replaced file has to survive a power failure at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    /// File and directory are fsynced before returning.
    Now,
    /// The page cache will do: recovery can make the file again.
    Later,
}

/// Replaces a file so that a reader, or a crash, sees either the old or the new one: written beside, then renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8], durable: Durable) -> Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    let temporary = PathBuf::from(name);
    let written = (|| {
        let mut file = create(&temporary)?;
        file.write_all(bytes).map_err(|e| LogError::io(&temporary, "write", e))?;
        if durable == Durable::Now {
            file.sync_all().map_err(|e| LogError::io(&temporary, "flush", e))?;
        }
        fs::rename(&temporary, path).map_err(|e| LogError::io(path, "replace", e))
    })();
    if let Err(error) = written {
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    match (durable, path.parent()) {
        (Durable::Now, Some(directory)) => sync_directory(directory),
        _ => Ok(()),
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|e| LogError::flush(directory, e))
}

/// Removes a file; it may be gone already.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(LogError::io(path, "remove", e)),
        _ => Ok(()),
    }
}

/// Renames a file; says whether it was there.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(LogError::io(from, "rename", e)),
    }
}
