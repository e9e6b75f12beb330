//! A partition's log: what its writer has in hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::LogConfig;
use crate::disk::{self, Durable, Result};
use crate::epochs::{EpochEnd, EpochHistory};
use crate::flush::Unflushed;
use crate::names::TopicPartition;
use crate::open_files::OpenFiles;
use crate::producers::{ProducerEntry, Producers};
use crate::reader::LogReader;
use crate::segment::Segment;
use crate::shared::Shared;
use crate::time_index::TimestampOffset;

/// What [`Log::open`] has to know beside the directory.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The partition, for error texts.
    pub partition: TopicPartition,
    /// The topic's settings.
    pub config: Arc<LogConfig>,
    /// Whether the broker that wrote the directory stopped cleanly: nothing is scanned then.
    pub clean_shutdown: bool,
    /// From `recovery-point-offset-checkpoint`; 0 where it has no entry.
    pub recovery_point: i64,
    /// From `log-start-offset-checkpoint`; 0 where it has no entry.
    pub log_start_offset: i64,
    /// `producer.id.expiration.ms`
    pub producer_id_expiration_ms: i64,
    /// Shared bound on open files.
    pub files: Arc<OpenFiles>,
    /// Milliseconds since 1970.
    pub now: i64,
}

impl OpenOptions {
    /// For a partition with default settings: recovery from the very beginning, a bound on files of its own.
    pub fn new(partition: TopicPartition, now: i64) -> Self {
        Self {
            partition,
            config: Arc::default(),
            clean_shutdown: false,
            recovery_point: 0,
            log_start_offset: 0,
            producer_id_expiration_ms: 86_400_000,
            files: OpenFiles::new(64),
            now,
        }
    }
}

/// One partition on disk, in the hands of its writer: the broker keeps it under the partition's lock. Readers use
/// [`Log::reader`] and need no lock.
///
/// No method reads a clock, starts a thread or waits for the disk, except where it says so. Work that waits for the disk is
/// given back as a [`FlushJob`](crate::FlushJob) for the broker's file pool.
#[derive(Debug)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
    pub(crate) partition: TopicPartition,
    pub(crate) config: Arc<LogConfig>,
    pub(crate) active: Active,
    pub(crate) producers: Producers,
    pub(crate) producer_id_expiration_ms: i64,
    pub(crate) jitter_seed: u64,
    pub(crate) unflushed: Unflushed,
    /// The offset of the latest `.snapshot`.
    pub(crate) snapshot_offset: Option<i64>,
}

/// The segment that grows, and what only its writer has to know of it.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) segment: Arc<Segment>,
    pub(crate) bytes_since_index_entry: u64,
    /// Timestamp of the first batch, once there is one with a timestamp.
    pub(crate) first_timestamp: Option<i64>,
    /// When the segment was made or opened.
    pub(crate) created: i64,
    pub(crate) max_timestamp: Option<TimestampOffset>,
}

impl Active {
    /// A new, empty segment.
    pub(crate) fn fresh(segment: Arc<Segment>, now: i64) -> Self {
        Self { segment, bytes_since_index_entry: 0, first_timestamp: None, created: now, max_timestamp: None }
    }

    /// A segment that has records. Opens its files.
    pub(crate) fn existing(segment: Arc<Segment>, now: i64) -> Result<Self> {
        if segment.size() == 0 {
            return Ok(Self::fresh(segment, now));
        }
        Ok(Self {
            bytes_since_index_entry: 0,
            first_timestamp: segment.first_timestamp()?,
            created: now,
            max_timestamp: segment.max_timestamp()?,
            segment,
        })
    }
}

impl Log {
    /// A handle for readers: an `Arc`, cloned as often as needed.
    pub fn reader(&self) -> LogReader {
        LogReader { shared: self.shared.clone() }
    }

    /// The partition.
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// Where its files are.
    pub fn path(&self) -> PathBuf {
        self.shared.path()
    }

    /// The settings in force.
    pub fn config(&self) -> &Arc<LogConfig> {
        &self.config
    }

    /// Puts changed settings in force, from the next append, roll or retention on.
    pub fn set_config(&mut self, config: Arc<LogConfig>) {
        self.config = config;
    }

    /// `producer.id.expiration.ms`, changed at run time.
    pub fn set_producer_id_expiration_ms(&mut self, expiration_ms: i64) {
        self.producer_id_expiration_ms = expiration_ms;
    }

    /// The first offset that a reader may ask for.
    pub fn log_start_offset(&self) -> i64 {
        self.shared.start()
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> i64 {
        self.shared.end()
    }

    /// Everything below is on disk.
    pub fn recovery_point(&self) -> i64 {
        self.shared.recovery.lock().point
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.shared.segments().iter().map(|segment| segment.size()).sum()
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.shared.segments().len()
    }

    /// Leader epochs and where they start.
    pub fn epochs(&self) -> EpochHistory {
        self.shared.epochs.read().clone()
    }

    /// The latest leader epoch that wrote here.
    pub fn latest_epoch(&self) -> Option<i32> {
        self.shared.epochs.read().latest().map(|entry| entry.epoch)
    }

    /// OffsetForLeaderEpoch: where `epoch` ends in this log.
    pub fn end_of_epoch(&self, epoch: i32) -> EpochEnd {
        self.reader().end_of_epoch(epoch)
    }

    /// Notes that this broker leads from `start_offset` on in `epoch`, even if it writes nothing. Writes a small file, without
    /// fsync, where that is news. A full disk is no failure: reads go on, and the next append tries again.
    pub fn assign_epoch(&mut self, epoch: i32, start_offset: i64) -> Result<()> {
        self.shared.check_open()?;
        if self.shared.epochs.write().assign(epoch, start_offset) {
            self.store_epochs_if_room()?;
        }
        Ok(())
    }

    /// Replaces the file of epochs, or notes that it has to be where the disk is full.
    pub(crate) fn store_epochs_if_room(&self) -> Result<()> {
        disk::if_room(self.store_epochs(Durable::Later))
    }

    pub(crate) fn store_epochs(&self, durable: Durable) -> Result<()> {
        self.shared.store_epochs(durable)
    }

    /// The producers known, for DescribeProducers.
    pub fn producers(&self) -> impl ExactSizeIterator<Item = &ProducerEntry> {
        self.producers.entries()
    }

    /// One producer.
    pub fn producer(&self, producer_id: i64) -> Option<&ProducerEntry> {
        self.producers.entry(producer_id)
    }

    /// Forgets producers that were silent for `producer.id.expiration.ms`. Returns how many.
    pub fn expire_producers(&mut self, now: i64) -> usize {
        self.producers.expire(now, self.producer_id_expiration_ms)
    }

    /// Whether this handle still works: not after [`close`](Self::close), deletion or a failed disk.
    pub fn is_open(&self) -> bool {
        self.shared.check_open().is_ok()
    }

    pub(crate) fn snapshot_path(&self, offset: i64) -> PathBuf {
        self.shared.directory.file(&crate::names::Kind::Snapshot.file_name(offset))
    }
}

/// A number that differs between partitions, for the jitter of their segments.
pub(crate) fn seed(path: &Path) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
