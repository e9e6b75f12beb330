//! One partition on disk: segments, indexes, recovery, retention and producer state; no network, no async.
//!
//! The format is Apache Kafka's, file by file. A [`Log`] is a partition in the hands of its writer, a [`LogReader`] the cheap handle of
//! its readers.
//!
//! Whoever owns the threads runs what waits for the disk: a [`FlushJob`], a [`Removal`], [`LogReader::clean`].

mod age;
mod append;
mod checkpoint;
mod cleaner;
mod config;
mod dirs;
mod disk;
mod entry;
mod epochs;
mod error;
mod flush;
mod index;
mod input;
mod listing;
mod log;
mod names;
mod offset_index;
mod open_files;
mod partition_metadata;
mod producers;
mod reader;
mod rebuild;
mod recovery;
mod removal;
mod retention;
mod roll;
mod scan;
mod segment;
mod shared;
mod snapshot;
mod time_index;
mod truncate;
mod txn_index;
mod write;

pub use append::Appended;
pub use checkpoint::OffsetCheckpoint;
pub use cleaner::{CleanError, CleanOptions, CleanStats, Cleanable, LastOfProducer, Replacement};
pub use config::{CleanupPolicy, LogConfig};
pub use dirs::{
    Identity, LoadFailure, LoadOptions, LoadProgress, LoadedLog, Loading, LogDir, LogDirs, PartitionSize,
};
pub use epochs::{EpochEnd, EpochHistory, EpochStart};
pub use error::{AppendError, LogError, ReadError};
pub use flush::FlushJob;
pub use log::{Log, OpenOptions};
pub use names::{PartitionDirectory, TopicPartition};
pub use open_files::OpenFiles;
pub use partition_metadata::TopicId;
pub use producers::{ProducerEntry, RememberedBatch};
pub use reader::{FetchData, FileSlice, LogOffset, LogReader};
pub use recovery::Recovered;
pub use removal::Removal;
pub use retention::Retained;
pub use snapshot::parse as read_producer_snapshot;
pub use time_index::TimestampOffset;
pub use txn_index::AbortedTxn;
