//! The log directories as partitions use them: which log lies on which disk, opening, and deleting.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use vltava_log::{Log, LogError, OpenFiles, OpenOptions, TopicPartition};

use super::{Partition, Topic, disk::Disk};

/// All log directories of a broker.
#[derive(Debug)]
pub struct Storage {
    disks: Vec<Arc<Disk>>,
    open_files: Arc<OpenFiles>,
    producer_id_expiration_ms: i64,
}

/// A log that is open.
#[derive(Debug)]
pub(super) struct Opened {
    /// The log.
    pub(super) log: Log,
    /// Where it lies.
    pub(super) disk: Arc<Disk>,
    /// From the checkpoint; 0 if there is none.
    pub(super) high_watermark: i64,
}

impl Storage {
    /// Over these directories.
    pub fn new(directories: &[PathBuf], open_files: usize, producer_id_expiration_ms: i64) -> Self {
        Self {
            disks: directories.iter().map(|path| Disk::new(path.clone())).collect(),
            open_files: OpenFiles::new(open_files),
            producer_id_expiration_ms,
        }
    }

    /// The disks below the directories.
    pub fn disks(&self) -> &[Arc<Disk>] {
        &self.disks
    }

    /// Opens a partition's log, made if it is nowhere yet.
    pub(super) fn open(
        &self,
        topic: &Topic,
        index: i32,
        _is_new: bool,
        now: i64,
    ) -> Result<Opened, LogError> {
        let name = format!("{}-{index}", topic.name);
        let working = || self.disks.iter().filter(|disk| !disk.is_offline());
        let disk = working()
            .find(|disk| disk.path().join(&name).is_dir())
            .or_else(|| working().next())
            .ok_or_else(|| LogError::Closed { directory: PathBuf::from(&name) })?;
        let options = OpenOptions {
            config: topic.config().log.clone(),
            producer_id_expiration_ms: self.producer_id_expiration_ms,
            files: self.open_files.clone(),
            ..OpenOptions::new(TopicPartition::new(&*topic.name, index), now)
        };
        let (log, _) = Log::open(&disk.path().join(name), options)?;
        Ok(Opened { log, disk: disk.clone(), high_watermark: 0 })
    }

    /// Deletes a partition's files.
    pub(super) fn delete(&self, partition: &Partition, _now: i64) -> Result<(), LogError> {
        remove(&partition.with_log(|log| log.path()))
    }

    /// Deletes the files of a partition that nobody opened.
    pub(super) fn delete_unclaimed(&self, partition: &TopicPartition, _now: i64) -> Result<(), LogError> {
        for disk in &self.disks {
            let directory = disk.path().join(partition.to_string());
            if directory.is_dir() {
                remove(&directory)?;
            }
        }
        Ok(())
    }
}

fn remove(directory: &Path) -> Result<(), LogError> {
    std::fs::remove_dir_all(directory).map_err(|source| LogError::Io {
        path: directory.to_owned(),
        action: "remove",
        source,
    })
}
