//! `.lock`: one process for a log directory.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock, flock};

use crate::disk::Result;
use crate::error::LogError;

/// Holds a log directory until it is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock, or says that another process has it.
    ///
    /// Two locks: a record lock, which is what Java's `FileLock` takes, against an Apache broker; and `flock`, which also holds
    /// between two owners within one process.
    pub(crate) fn take(log_dir: &Path) -> Result<Self> {
        let path = log_dir.join(".lock");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| LogError::io(&path, "open", e))?;
        let operation = FlockOperation::NonBlockingLockExclusive;
        let taken = flock(&file, operation).and_then(|()| fcntl_lock(&file, operation));
        match taken {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Err(LogError::Foreign {
                directory: log_dir.to_owned(),
                reason: "Failed to acquire lock on file .lock. A Kafka instance in another process or thread is using this directory."
                    .to_owned(),
            }),
            Err(error) => Err(LogError::io(&path, "lock", error.into())),
        }
    }
}
