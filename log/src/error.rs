//! What can go wrong on disk, and what a producer may not append.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::names::TopicPartition;

/// A failure of storage. It names the file, so that an operator knows which disk to look at.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file system has no room (ENOSPC, EDQUOT) to write, make or rename something. The log is as it was before the call; a later append may succeed.
    #[error("{path}: no space left to {action}")]
    DiskFull {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted, an infinitive.
        action: &'static str,
    },
    /// Any other error of the operating system. The log directory is not to be trusted any more.
    #[error("{path}: cannot {action}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was attempted, an infinitive.
        action: &'static str,
        /// The operating system's answer.
        source: io::Error,
    },
    /// Bytes that can't be what the file's name says, where recovery has no second source.
    #[error("{path}: corrupt at byte {position}: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Byte in the file (0 for a text file).
        position: u64,
        /// What was expected there.
        reason: String,
    },
    /// A partition has a log in two log directories, and nobody can say which is the right one.
    #[error("the log of {partition} is in {first} and in {second}: move the one that is out of date away")]
    Duplicate {
        /// The partition.
        partition: TopicPartition,
        /// The first log directory, in the order of `log.dirs`.
        first: PathBuf,
        /// The second one.
        second: PathBuf,
    },
    /// The directory belongs to something else: another broker, another cluster, another process.
    #[error("{directory}: {reason}")]
    Foreign {
        /// The log directory.
        directory: PathBuf,
        /// What it belongs to, and what was expected.
        reason: String,
    },
    /// The log was deleted or its directory went offline; the handle is of no further use.
    #[error("{directory}: the log is closed")]
    Closed {
        /// The partition's directory.
        directory: PathBuf,
    },
}

impl LogError {
    pub(crate) fn io(path: &Path, action: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.to_owned(), action }
            }
            _ => Self::Io { path: path.to_owned(), action, source },
        }
    }

    /// A failed fsync of records or of what belongs to them. The kernel may have dropped what it could not write and calls the pages clean: the next
    /// fsync would succeed and mean nothing. So also for want of room this is no failure that heals.
    pub(crate) fn flush(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), action: "flush", source }
    }

    /// What lies beyond [`Reach::Cache`](crate::disk::Reach).
    pub(crate) fn waiting(path: &Path, action: &'static str) -> Self {
        Self::Io { path: path.to_owned(), action, source: io::ErrorKind::WouldBlock.into() }
    }

    /// Whether nothing is wrong, but the answer has to come from the disk.
    pub(crate) fn would_wait(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::WouldBlock)
    }

    pub(crate) fn corrupt(path: &Path, position: u64, reason: impl Into<String>) -> Self {
        Self::Corrupt { path: path.to_owned(), position, reason: reason.into() }
    }

    /// Whether the answer is "later": the disk was full, nothing changed.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }

    /// Whether the log directory has to go offline (an I/O error other than a full disk).
    pub fn takes_directory_offline(&self) -> bool {
        match self {
            Self::Io { source, .. } => {
                // Out of descriptors or memory says nothing about the disk, nor does not having waited for it, nor a name that is gone: a disk
                // that answers so works.
                source.kind() != io::ErrorKind::WouldBlock
                    && !matches!(
                        source.raw_os_error(),
                        Some(ENOENT | EMFILE | ENFILE | ENOMEM | EINTR | EAGAIN)
                    )
            }
            Self::DiskFull { .. }
            | Self::Corrupt { .. }
            | Self::Duplicate { .. }
            | Self::Foreign { .. }
            | Self::Closed { .. } => false,
        }
    }

    /// The file or directory that the error is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::DiskFull { path, .. } | Self::Io { path, .. } | Self::Corrupt { path, .. } => Some(path),
            Self::Foreign { directory, .. } | Self::Closed { directory } => Some(directory),
            Self::Duplicate { second, .. } => Some(second),
        }
    }

    /// Whether a file was not there. Readers meet it when a segment is removed under their hands, and look again.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

const ENOENT: i32 = 2;
const EINTR: i32 = 4;
const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// Why an append was refused. Whatever the reason, the log is unchanged.
#[derive(Debug, Error)]
pub enum AppendError {
    /// `KAFKA_STORAGE_ERROR`
    #[error(transparent)]
    Storage(#[from] LogError),
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER`
    #[error(
        "Out of order sequence number for producer {producer_id} (epoch {epoch}) at offset {offset}: \
         {sequence} (incoming seq. number), {expected} (expected)"
    )]
    OutOfOrderSequence {
        /// The producer's id.
        producer_id: i64,
        /// The epoch of the batch.
        epoch: i16,
        /// Where the batch would have been appended.
        offset: i64,
        /// The first sequence number of the batch.
        sequence: i32,
        /// What would have been accepted.
        expected: i32,
    },
    /// `INVALID_PRODUCER_EPOCH`
    #[error(
        "Epoch of producer {producer_id} at offset {offset} is {epoch}, which is smaller than the last seen epoch {current}"
    )]
    InvalidProducerEpoch {
        /// The producer's id.
        producer_id: i64,
        /// Where the batch would have been appended.
        offset: i64,
        /// The epoch of the batch.
        epoch: i16,
        /// The epoch known for this producer.
        current: i16,
    },
    /// `TRANSACTION_COORDINATOR_FENCED`
    #[error(
        "Invalid coordinator epoch for producer {producer_id} at offset {offset}: {epoch} (zombie), {current} (current)"
    )]
    CoordinatorFenced {
        /// The producer's id.
        producer_id: i64,
        /// Where the marker would have been appended.
        offset: i64,
        /// The coordinator epoch in the marker.
        epoch: i32,
        /// The coordinator epoch known.
        current: i32,
    },
    /// `INVALID_TXN_STATE`: a plain write of a producer that has a transaction open here.
    #[error("Expected transactional write from producer {producer_id} at offset {offset}")]
    InvalidTxnState {
        /// The producer's id.
        producer_id: i64,
        /// Where the batch would have been appended.
        offset: i64,
    },
    /// `RECORD_LIST_TOO_LARGE`
    #[error(
        "Message batch size is {size} bytes in append to partition {partition}, which exceeds the maximum configured segment size of {limit}"
    )]
    RecordListTooLarge {
        /// `topic-partition`
        partition: String,
        /// Bytes of the batches together.
        size: usize,
        /// `segment.bytes`
        limit: u32,
    },
    /// A follower was given batches that do not start at or after its end, or whose offsets go down.
    #[error("{partition}: batch at offset {offset} does not follow the log end offset {expected}")]
    UnexpectedOffset {
        /// `topic-partition`
        partition: String,
        /// The batch's offset.
        offset: i64,
        /// The lowest offset allowed.
        expected: i64,
    },
    /// Records that validation should not have let pass: no whole batches, or a control record that is none.
    #[error("{partition}: records to append at offset {offset} are malformed: {reason}")]
    InvalidRecords {
        /// `topic-partition`
        partition: String,
        /// Where the batch would have been appended.
        offset: i64,
        /// What is wrong.
        reason: String,
    },
}

/// Why nothing could be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// `KAFKA_STORAGE_ERROR`
    #[error(transparent)]
    Storage(#[from] LogError),
    /// `OFFSET_OUT_OF_RANGE`
    #[error(
        "Received request for offset {offset} for partition {partition}, but we only have log segments in the range {start} to {end}."
    )]
    OffsetOutOfRange {
        /// `topic-partition`
        partition: String,
        /// What was asked for.
        offset: i64,
        /// The log start offset.
        start: i64,
        /// The log end offset.
        end: i64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_of_a_failed_disk_takes_its_directory_offline() {
        let of = |code| LogError::io(Path::new("x"), "read", io::Error::from_raw_os_error(code));
        let table = [
            (ENOENT, false),
            (EINTR, false),
            (EAGAIN, false),
            (ENOMEM, false),
            (ENFILE, false),
            (EMFILE, false),
            (28, false),
            (5, true),
            (30, true),
        ];
        for (code, offline) in table {
            assert_eq!(of(code).takes_directory_offline(), offline, "{}", of(code));
        }
    }

    #[test]
    fn what_an_fsync_lost_does_not_come_back_with_room() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        assert!(LogError::io(Path::new("x"), "write", full()).is_disk_full());
        assert!(LogError::flush(Path::new("x"), full()).takes_directory_offline());
    }
}
