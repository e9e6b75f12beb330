//! The log directories as partitions use them: which log lies on which disk, loading, opening, deleting, checkpoints.
//!
//! Logs that are on disk when the broker starts are loaded before the controller assigns them; each waits here for its LeaderAndIsr.

use std::{collections::HashMap, fs, io, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use tracing::{info, warn};
use vltava_log::{
    LoadOptions, LoadProgress, LoadedLog, Log, LogConfig, LogDirs, LogError, Removal, TopicPartition,
};

use super::{Partition, Topic, disk::Disk, steady_ms};

/// All log directories of a broker.
#[derive(Debug)]
pub struct Storage {
    dirs: LogDirs,
    /// In the order of the directories.
    disks: Vec<Arc<Disk>>,
    /// Loaded, and not assigned yet; or made, and not ready to be.
    waiting: Mutex<HashMap<TopicPartition, Unclaimed>>,
    /// On disk, but not to be opened.
    broken: Mutex<HashMap<TopicPartition, Arc<LogError>>>,
    /// Files that are out of use, and when they have to go, by [`steady_ms`].
    removals: Mutex<Vec<(i64, Removal)>>,
    /// What remains to be loaded.
    pub progress: Arc<LoadProgress>,
}

/// A log that no partition has yet.
#[derive(Debug)]
struct Unclaimed {
    log: Log,
    /// From the checkpoint; 0 if there is none.
    high_watermark: i64,
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
    /// Over open directories.
    pub fn new(dirs: LogDirs) -> Self {
        let disk = |dir: &vltava_log::LogDir| Disk::new(dir.path().to_owned(), dir.is_online());
        let disks = dirs.directories().iter().map(disk).collect();
        Self {
            dirs,
            disks,
            waiting: Mutex::default(),
            broken: Mutex::default(),
            removals: Mutex::default(),
            progress: Arc::default(),
        }
    }

    /// The directories.
    pub fn dirs(&self) -> &LogDirs {
        &self.dirs
    }

    /// The disks below the directories, in the same order.
    pub fn disks(&self) -> &[Arc<Disk>] {
        &self.disks
    }

    /// Opens and, after a crash, recovers every log there is, with so many threads for each directory. Returns when all are ready: called once, before
    /// the broker registers.
    pub fn load(
        &self,
        threads: usize,
        config: &(dyn Fn(&TopicPartition) -> Arc<LogConfig> + Sync),
        now: i64,
    ) {
        let deliver = |loaded: LoadedLog| self.take_loaded(loaded);
        let options = LoadOptions {
            threads_per_directory: threads,
            config,
            deliver: &deliver,
            progress: &self.progress,
            now,
        };
        let loading = self.dirs.load(&options);
        let failures = loading.failures.into_iter().map(|failure| (failure.partition, failure.error));
        self.broken.lock().extend(failures);
        loading.removals.into_iter().for_each(|removal| self.remove_later(removal, now));
        self.lose_disks();
        info!(logs = self.waiting.lock().len(), "logs are loaded");
    }

    /// Takes the disks of directories out of use that went offline by themselves, as while they were loaded or a checkpoint was written. Answers those.
    pub(super) fn lose_disks(&self) -> Vec<Arc<Disk>> {
        let both = self.dirs.directories().iter().zip(&self.disks);
        let lost = both.filter(|(directory, disk)| !directory.is_online() && !disk.is_offline());
        lost.map(|(_, disk)| disk.clone()).inspect(|disk| disk.go_offline()).collect()
    }

    /// The partitions that were loaded and that nobody has assigned.
    pub fn unassigned(&self) -> Vec<TopicPartition> {
        self.waiting.lock().keys().cloned().collect()
    }

    /// Their high watermarks, which are still those of the last start.
    pub(super) fn unassigned_watermarks(&self) -> Vec<(TopicPartition, i64)> {
        let waiting = self.waiting.lock();
        waiting.iter().map(|(partition, unclaimed)| (partition.clone(), unclaimed.high_watermark)).collect()
    }

    /// A partition's log: as it was loaded, or made anew if it is on no disk.
    ///
    /// While a directory is offline a partition that is not found may be there: only one that the controller calls new is made.
    pub(super) fn open(&self, topic: &Topic, index: i32, is_new: bool, now: i64) -> Result<Opened, LogError> {
        let partition = TopicPartition::new(&*topic.name, index);
        let closed = || LogError::Closed { directory: PathBuf::from(partition.to_string()) };
        match self.broken(&partition) {
            Some(why) if why.is_disk_full() => self.load_again(&partition, topic, now)?,
            Some(_) => return Err(closed()),
            None => {}
        }
        let claimed = self.waiting.lock().remove(&partition);
        let mut unclaimed = match claimed {
            Some(loaded) => loaded,
            None if !is_new && self.dirs.has_offline() => return Err(closed()),
            None => {
                let log = self.dirs.create(&partition, topic.config().log.clone(), now)?;
                if !is_new {
                    warn!(%partition, directory = %log.path().display(),
                        "no log directory has this partition, which is not new: it begins anew, empty");
                }
                Unclaimed { log, high_watermark: 0 }
            }
        };
        match self.prepare(&mut unclaimed.log, topic) {
            Ok(disk) => {
                let Unclaimed { log, high_watermark } = unclaimed;
                Ok(Opened { log, disk, high_watermark })
            }
            // It is there all the same: who asks again gets this one, and no other is made in its place.
            Err(error) => {
                self.waiting.lock().insert(partition, unclaimed);
                Err(error)
            }
        }
    }

    /// Opens a log for which the disk had no room when the broker started. If there is still none, it can be tried again.
    fn load_again(&self, partition: &TopicPartition, topic: &Topic, now: i64) -> Result<(), LogError> {
        let loaded = self.dirs.open_again(partition, topic.config().log.clone(), now)?;
        self.broken.lock().remove(partition);
        self.take_loaded(loaded);
        Ok(())
    }

    fn take_loaded(&self, loaded: LoadedLog) {
        let partition = loaded.log.partition().clone();
        if loaded.recovered.bytes_truncated > 0 {
            warn!(%partition, truncated = loaded.recovered.bytes_truncated, "the log's end was damaged and is cut off");
        }
        if !loaded.future {
            let LoadedLog { log, high_watermark, .. } = loaded;
            self.waiting.lock().insert(partition, Unclaimed { log, high_watermark });
        }
    }

    /// Makes a log its topic's, and says on which disk it lies.
    fn prepare(&self, log: &mut Log, topic: &Topic) -> Result<Arc<Disk>, LogError> {
        log.set_config(topic.config().log.clone());
        if !topic.id.is_zero() {
            log.assign_topic_id(*topic.id.as_bytes())?;
        }
        let path = log.path();
        let disk = self.disks.iter().find(|disk| path.starts_with(disk.path())).cloned();
        disk.ok_or(LogError::Closed { directory: path })
    }

    /// Deletes a partition: its directory is renamed now and removed by upkeep when it is due.
    pub(super) fn delete(&self, partition: &Partition, now: i64) -> Result<(), LogError> {
        let removal = partition.with_log(|log| log.delete(rand::random(), now))?;
        self.dirs.forget(&TopicPartition::new(&*partition.topic.name, partition.index));
        self.remove_later(removal, now);
        Ok(())
    }

    /// Deletes a partition that was loaded and never assigned.
    ///
    /// # Errors
    /// When its files cannot be removed, as those of a log that could not be opened.
    pub(super) fn delete_unclaimed(&self, partition: &TopicPartition, now: i64) -> Result<(), LogError> {
        if self.broken.lock().contains_key(partition) {
            return Err(LogError::Closed { directory: PathBuf::from(partition.to_string()) });
        }
        let Some(mut unclaimed) = self.waiting.lock().remove(partition) else { return Ok(()) };
        let removal = match unclaimed.log.delete(rand::random(), now) {
            Ok(removal) => removal,
            Err(error) => {
                self.waiting.lock().insert(partition.clone(), unclaimed);
                return Err(error);
            }
        };
        self.dirs.forget(partition);
        self.remove_later(removal, now);
        Ok(())
    }

    /// Why a log that is on disk could not be opened when the broker started.
    pub(super) fn broken(&self, partition: &TopicPartition) -> Option<Arc<LogError>> {
        self.broken.lock().get(partition).cloned()
    }

    /// A failure of a log that is not open is its disk's.
    pub(super) fn judge(&self, failure: &LogError) {
        let Some(path) = failure.path() else { return };
        if let Some(disk) = self.disks.iter().find(|disk| path.starts_with(disk.path())) {
            disk.judge(failure);
        }
    }

    /// Removes what there is of a log that no partition has: one that waits for it, or what an attempt to make it left behind.
    pub(super) fn discard_begun(&self, partition: &TopicPartition, now: i64) -> Result<(), LogError> {
        if self.broken(partition).is_some_and(|why| why.is_disk_full()) {
            self.broken.lock().remove(partition);
            self.dirs.forget(partition);
        }
        self.delete_unclaimed(partition, now)?;
        for disk in self.disks.iter().filter(|disk| !disk.is_offline()) {
            let path = disk.path().join(partition.to_string());
            match fs::remove_dir_all(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(LogError::Io { path, action: "remove", source });
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }

    /// Files to be removed when they are due; `now` is what the log was told when it gave them up. From here on their delay is counted by a clock that nobody
    /// sets: one that is put forward would take them from their readers, one that is put back would keep the disk full.
    pub(super) fn remove_later(&self, removal: Removal, now: i64) {
        let delay = removal.due().saturating_sub(now);
        self.removals.lock().push((steady_ms().saturating_add(delay), removal));
    }

    /// Removes the files that are due, by [`steady_ms`]. Waits for the disk.
    pub(super) fn remove_due(&self, now: i64) {
        let due: Vec<_> = {
            let mut all = self.removals.lock();
            all.extract_if(.., |(due, _)| *due <= now).collect()
        };
        for (_, removal) in due {
            if let Err(error) = removal.run() {
                warn!(%error, "files that are out of use were not removed; the next start tries again");
            }
        }
    }

    /// Closes the logs that nobody was assigned, so that a clean stop is clean for them too. Waits for the disk.
    pub(super) fn close_unassigned(&self) {
        for (partition, mut unclaimed) in self.waiting.lock().drain() {
            if let Err(error) = unclaimed.log.close() {
                self.dirs.not_closed(&partition);
                warn!(%partition, %error, "the log was not closed cleanly");
            }
        }
    }
}
