//! Reading a partition: without its lock, up to what the reader may see.

use std::sync::atomic::Ordering;

use vltava_log::{AbortedTxn, FetchData, LogError, ReadError};

use super::{Partition, error::PartitionError};

/// What a read may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Everything committed to all in-sync replicas: up to the high watermark.
    ReadUncommitted,
    /// Up to the last stable offset, with the list of aborted transactions.
    ReadCommitted,
    /// A follower sees everything, up to the log end.
    Replica,
}

/// How much a read may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most so many bytes.
    pub max_bytes: u64,
    /// The first batch comes whole even if it is larger.
    pub min_one_batch: bool,
}

/// What a read found, with the offsets as they were.
#[derive(Debug, Clone)]
pub struct Read {
    /// The slice and the log's offsets.
    pub data: FetchData,
    /// The high watermark.
    pub high_watermark: i64,
    /// The last stable offset.
    pub last_stable_offset: i64,
}

impl Partition {
    /// The batches from `offset` on that `isolation` lets see. Takes no lock; see [`LogReader::read`](vltava_log::LogReader::read) for its cost.
    pub fn read(&self, offset: i64, isolation: Isolation, limit: ReadLimit) -> Result<Read, PartitionError> {
        let read = self.read_with(isolation, |bound| {
            self.reader.read(offset, limit.max_bytes, bound, limit.min_one_batch).map(Some)
        })?;
        // The log answers every read that may wait.
        read.ok_or(PartitionError::Storage)
    }

    /// The same without waiting for the disk: `None` where it would have to be waited for.
    ///
    /// What was written a short while ago is read as if it were cached, so that it is served from here also on a file system that does not say.
    pub fn read_without_waiting(
        &self,
        offset: i64,
        isolation: Isolation,
        limit: ReadLimit,
    ) -> Result<Option<Read>, PartitionError> {
        if self.is_recent(offset) {
            return self.read(offset, isolation, limit).map(Some);
        }
        self.read_with(isolation, |bound| {
            self.reader.read_cached(offset, limit.max_bytes, bound, limit.min_one_batch)
        })
    }

    /// Whether what lies at `offset` was written a short while ago, or nothing lies there yet.
    pub fn is_recent(&self, offset: i64) -> bool {
        offset >= self.recent_from.load(Ordering::Relaxed) || offset >= self.log_end()
    }

    fn read_with(
        &self,
        isolation: Isolation,
        read: impl FnOnce(i64) -> Result<Option<FetchData>, ReadError>,
    ) -> Result<Option<Read>, PartitionError> {
        self.check_online()?;
        let high_watermark = self.high_watermark();
        let last_stable_offset = self.reader.last_stable_offset(high_watermark);
        let bound = match isolation {
            Isolation::ReadUncommitted => high_watermark,
            Isolation::ReadCommitted => last_stable_offset,
            Isolation::Replica => i64::MAX,
        };
        let data =
            read(bound).map_err(|error| PartitionError::from_read(error, |failure| self.judge(failure)))?;
        Ok(data.map(|data| Read { data, high_watermark, last_stable_offset }))
    }

    /// The aborted transactions that touch what a reader of committed records was given. Waits for the disk.
    pub fn aborted_in(&self, read: &Read) -> Result<Vec<AbortedTxn>, PartitionError> {
        self.reader.aborted_in(&read.data, read.last_stable_offset).map_err(|error| self.read_failed(&error))
    }

    /// A failure met while reading.
    pub fn read_failed(&self, error: &LogError) -> PartitionError {
        PartitionError::from_log(error, |failure| self.judge(failure))
    }

    /// An error of the operating system met while reading.
    pub fn io_failed(&self, source: std::io::Error) -> PartitionError {
        self.read_failed(&LogError::Io { path: self.disk().path().to_owned(), action: "read", source })
    }

    /// The offset up to which `isolation` lets see.
    pub fn readable_end(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark(),
            Isolation::ReadCommitted => self.last_stable_offset(),
            Isolation::Replica => self.log_end(),
        }
    }
}
