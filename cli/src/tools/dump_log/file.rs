//! Reading files, with Java's exceptions.

use std::{
    fs::File,
    io::{BufReader, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use vltava_protocol::records::{Entry, LOG_OVERHEAD, PREFIX_SIZE};

use super::super::{era::Era, failure::Failure};

/// The largest index, producer snapshot or transaction index that is looked at, in bytes.
const LARGEST_INDEX: u64 = 1 << 30;

pub(super) fn failed(path: &Path, error: &std::io::Error) -> Failure {
    let class = match error.kind() {
        ErrorKind::NotFound => "java.nio.file.NoSuchFileException",
        ErrorKind::PermissionDenied => "java.nio.file.AccessDeniedException",
        _ => return Failure::new("java.io.IOException", format!("{}: {error}", path.display())),
    };
    Failure::new(class, path.display().to_string())
}

/// A log that can't be opened: 0.11 reads it by another class of Java's.
fn unopened(path: &Path, error: &std::io::Error, era: Era) -> Failure {
    let why = match (era, error.kind()) {
        (Era::Old, ErrorKind::NotFound) => "No such file or directory",
        (Era::Old, ErrorKind::PermissionDenied) => "Permission denied",
        _ => return failed(path, error),
    };
    Failure::new("java.io.FileNotFoundException", format!("{} ({why})", path.display()))
}

/// A whole file that is not a log.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|error| failed(path, &error))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_INDEX).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
    Ok(bytes)
}

/// Reads a log entry by entry. Memory: one entry, which is never larger than what is left of the file.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: BufReader<File>,
    length: u64,
    position: u64,
    bytes: Vec<u8>,
}

impl LogFile {
    pub(super) fn open(path: &Path, era: Era) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| unopened(path, &error, era))?;
        let length = file.metadata().map_err(|error| failed(path, &error))?.len();
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { path: path.to_owned(), file, length, position: 0, bytes: Vec::new() })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Where the next entry begins.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes to an entry.
    pub(super) fn seek(&mut self, position: u64) -> Result<(), Failure> {
        self.file.seek(SeekFrom::Start(position)).map_err(|error| failed(&self.path, &error))?;
        self.position = position;
        Ok(())
    }

    /// The next entry; `None` where what is left is none.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'_>>, Failure> {
        let left = self.length.saturating_sub(self.position);
        if left < PREFIX_SIZE as u64 {
            return Ok(None);
        }
        self.bytes.resize(LOG_OVERHEAD, 0);
        self.file.read_exact(&mut self.bytes).map_err(|error| failed(&self.path, &error))?;
        let length: [u8; 4] = self.bytes[8..LOG_OVERHEAD].try_into().unwrap_or_default();
        let Ok(length) = usize::try_from(i32::from_be_bytes(length)) else { return Ok(None) };
        if (LOG_OVERHEAD + length) as u64 > left {
            return Ok(None);
        }
        self.bytes.resize(LOG_OVERHEAD + length, 0);
        self.file.read_exact(&mut self.bytes[LOG_OVERHEAD..]).map_err(|error| failed(&self.path, &error))?;
        let Ok(entry) = Entry::parse(&self.bytes) else { return Ok(None) };
        self.position += (LOG_OVERHEAD + length) as u64;
        Ok(Some(entry))
    }
}
