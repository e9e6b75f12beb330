//! The directories that partitions live in (`log.dirs`): locks, identity, checkpoints, what goes offline.

mod checkpoints;
mod identity;
mod load;
mod lock;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::config::LogConfig;
use crate::disk::Result;
use crate::error::LogError;
use crate::log::{Log, OpenOptions};
use crate::names::TopicPartition;
use crate::open_files::OpenFiles;
use crate::reader::LogReader;

pub use identity::Identity;
pub use load::{LoadFailure, LoadOptions, LoadProgress, LoadedLog, Loading};

use checkpoints::{CLEAN_SHUTDOWN, Known};
use lock::DirectoryLock;

/// All log directories of a broker. Shared freely; no method needs `&mut`.
#[derive(Debug)]
pub struct LogDirs {
    directories: Vec<LogDir>,
    files: Arc<OpenFiles>,
    producer_id_expiration_ms: i64,
}

/// One log directory.
#[derive(Debug)]
pub struct LogDir {
    path: PathBuf,
    /// It was not there before.
    is_made: bool,
    clean_shutdown: bool,
    offline: Mutex<Option<Arc<LogError>>>,
    is_offline: AtomicBool,
    logs: Mutex<HashMap<TopicPartition, LogReader>>,
    /// Logs of partitions that move in from another directory.
    future: Mutex<HashMap<TopicPartition, LogReader>>,
    /// Logs that could not be opened, with what the checkpoints say of them.
    broken: Mutex<BTreeMap<TopicPartition, Known>>,
    /// Up to where logs have been cleaned.
    cleaned: Mutex<BTreeMap<TopicPartition, i64>>,
    /// A log was not opened or not closed: whatever happens to the others, the stop is not a clean one.
    unclean: AtomicBool,
    /// The checkpoints may name a partition that is gone.
    outdated: AtomicBool,
    identity: Mutex<Identity>,
    /// Checkpoint files are replaced by one thread at a time.
    checkpoint: Mutex<()>,
    _lock: Option<DirectoryLock>,
}

/// What DescribeLogDirs answers for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSize {
    /// The partition.
    pub partition: TopicPartition,
    /// Bytes of its segments.
    pub bytes: u64,
    /// The log end offset, from which the caller computes the lag.
    pub log_end_offset: i64,
    /// A replica that moves in from another directory.
    pub future: bool,
}

impl LogDirs {
    /// Opens the directories, made where they are not there: takes their locks, reads identities and clean-shutdown markers.
    ///
    /// A directory that fails is offline from the start and the others go on; one that another process holds, that no
    /// directory is left, or that two have the same partition, is an error. `open_files` bounds the files kept open by all logs together.
    pub fn open(paths: &[PathBuf], open_files: usize, producer_id_expiration_ms: i64) -> Result<Self> {
        let mut directories: Vec<LogDir> = Vec::new();
        for path in paths {
            refuse_again(path, &directories)?;
            directories.push(LogDir::open(path)?);
        }
        tell_of_made(&directories);
        match directories.iter().find(|d| d.is_online()) {
            Some(_) => {
                load::refuse_duplicates(&directories)?;
                Ok(Self { directories, files: OpenFiles::new(open_files), producer_id_expiration_ms })
            }
            None => Err(LogError::Foreign {
                directory: paths.first().cloned().unwrap_or_default(),
                reason: "Shutdown broker because none of the specified log dirs can be created or validated"
                    .to_owned(),
            }),
        }
    }

    /// The directories, offline ones too.
    pub fn directories(&self) -> &[LogDir] {
        &self.directories
    }

    /// The bound on open files.
    pub fn files(&self) -> &Arc<OpenFiles> {
        &self.files
    }

    /// The identity that the directories agree on, of which parts may be missing. Directories that contradict each other are an
    /// error.
    pub fn identity(&self) -> Result<Identity> {
        let mut common = Identity::default();
        for directory in self.online() {
            common.claim(&directory.path, &directory.identity.lock())?;
        }
        Ok(common)
    }

    /// Marks every directory as this broker's, or says whose one of them is.
    pub fn claim(&self, broker: &Identity) -> Result<()> {
        for directory in self.online() {
            let mut identity = directory.identity.lock();
            if identity.claim(&directory.path, broker)? {
                identity.write(&directory.path)?;
            }
        }
        Ok(())
    }

    fn online(&self) -> impl Iterator<Item = &LogDir> {
        self.directories.iter().filter(|directory| directory.is_online())
    }

    /// The directory of that path.
    pub fn directory(&self, path: &Path) -> Option<&LogDir> {
        self.directories.iter().find(|directory| directory.path == path)
    }

    /// The directory that has a partition.
    pub fn directory_of(&self, partition: &TopicPartition) -> Option<&LogDir> {
        self.directories.iter().find(|directory| directory.logs.lock().contains_key(partition))
    }

    /// Whether some directory is offline: a partition that is not known may then be on it, and must not be made anew unless its
    /// topic is new.
    pub fn has_offline(&self) -> bool {
        self.directories.iter().any(|directory| !directory.is_online())
    }

    /// Makes an empty log in the directory that has the fewest partitions. Its names are not made durable before the first flush.
    pub fn create(&self, partition: &TopicPartition, config: Arc<LogConfig>, now: i64) -> Result<Log> {
        let name = partition.to_string();
        // An attempt that found no room may have left its directory behind: one in another place would be a second one.
        let begun = self.online().find(|directory| directory.path.join(&name).is_dir());
        let chosen = begun.or_else(|| self.online().min_by_key(|directory| directory.logs.lock().len()));
        let Some(directory) = chosen else {
            return Err(LogError::Closed {
                directory: self.directories.first().map(|d| d.path.clone()).unwrap_or_default(),
            });
        };
        directory.forget_the_gone()?;
        let path = directory.path.join(name);
        let options = OpenOptions {
            config,
            producer_id_expiration_ms: self.producer_id_expiration_ms,
            files: self.files.clone(),
            ..OpenOptions::new(partition.clone(), now)
        };
        let (log, _) = Log::open(&path, options)?;
        directory.logs.lock().insert(partition.clone(), log.reader());
        Ok(log)
    }

    /// Forgets a log that was deleted: no checkpoint names it any more, the next one on or before another log is made.
    pub fn forget(&self, partition: &TopicPartition) {
        for directory in &self.directories {
            let was_open = directory.logs.lock().remove(partition).is_some();
            let was_broken = directory.broken.lock().remove(partition).is_some();
            directory.cleaned.lock().remove(partition);
            if was_open || was_broken {
                directory.outdated.store(true, Ordering::Release);
            }
        }
    }

    /// Notes that a log was not closed cleanly: its directory is not marked as cleanly shut down.
    pub fn not_closed(&self, partition: &TopicPartition) {
        if let Some(directory) = self.directory_of(partition) {
            directory.unclean.store(true, Ordering::Release);
        }
    }

    /// Takes the directory of a failed file offline. Answers its partitions, which the broker has to take offline, the first time; the
    /// other directories go on.
    pub fn fail(&self, error: LogError) -> Vec<TopicPartition> {
        let Some(path) = error.path() else { return Vec::new() };
        match self.directories.iter().find(|directory| path.starts_with(&directory.path)) {
            Some(directory) => directory.fail(error),
            None => Vec::new(),
        }
    }

    /// Writes recovery points and log start offsets of every directory, durably. Waits for the disk. A directory that fails is
    /// taken offline; its partitions are answered.
    pub fn checkpoint(&self) -> Vec<TopicPartition> {
        self.each_online(LogDir::checkpoint)
    }

    /// Writes the log start offsets of the directories that have one of `partitions`, durably. Waits for the disk: one file for each directory. Answers
    /// those that are not written. A directory that fails is taken offline.
    pub fn checkpoint_log_starts(&self, partitions: &[TopicPartition]) -> Vec<TopicPartition> {
        let mut unwritten = Vec::new();
        for directory in self.online() {
            let here: Vec<TopicPartition> = {
                let logs = directory.logs.lock();
                partitions.iter().filter(|partition| logs.contains_key(*partition)).cloned().collect()
            };
            if here.is_empty() {
                continue;
            }
            if let Err(error) = directory.checkpoint_log_starts() {
                unwritten.extend(here);
                directory.give_up_on(error);
            }
        }
        unwritten
    }

    /// Up to where a log has been cleaned, if it ever was.
    pub fn cleaned_to(&self, partition: &TopicPartition) -> Option<i64> {
        self.directory_of(partition)?.cleaned.lock().get(partition).copied()
    }

    /// A log has been cleaned up to an offset. Writes it down, durably: what is not written is cleaned again. A directory that fails is taken offline.
    pub fn set_cleaned_to(&self, partition: &TopicPartition, offset: i64) {
        let Some(directory) = self.directory_of(partition) else { return };
        directory.cleaned.lock().insert(partition.clone(), offset);
        if let Err(error) = directory.checkpoint_cleaned() {
            directory.give_up_on(error);
        }
    }

    /// Writes high watermarks, each into the directory of its partition. Waits for the disk.
    pub fn checkpoint_high_watermarks(
        &self,
        watermarks: &HashMap<TopicPartition, i64>,
    ) -> Vec<TopicPartition> {
        self.each_online(|directory| directory.checkpoint_high_watermarks(watermarks))
    }

    /// Says that the stop is a clean one, of each directory where every log was opened and closed. To be called after that;
    /// writes the checkpoints first.
    pub fn mark_clean_shutdown(&self, broker_epoch: i64) -> Vec<TopicPartition> {
        self.each_online(|directory| directory.mark_clean_shutdown(broker_epoch))
    }

    fn each_online(&self, action: impl Fn(&LogDir) -> Result<()>) -> Vec<TopicPartition> {
        let mut offline = Vec::new();
        for directory in self.online() {
            if let Err(error) = action(directory) {
                offline.extend(directory.give_up_on(error));
            }
        }
        offline
    }
}

/// Fails where a directory is named twice, by whatever names.
fn refuse_again(path: &Path, before: &[LogDir]) -> Result<()> {
    // What can't be resolved is not there yet, or fails by itself.
    let Ok(resolved) = path.canonicalize() else { return Ok(()) };
    match before.iter().find(|other| other.path.canonicalize().is_ok_and(|other| other == resolved)) {
        None => Ok(()),
        Some(other) => Err(LogError::Foreign {
            directory: path.to_owned(),
            reason: format!(
                "Duplicate log directory found: it is {} under another name",
                other.path.display()
            ),
        }),
    }
}

/// Says which directories were not there. Beside others that have been used, that is seldom what their owner wants.
fn tell_of_made(directories: &[LogDir]) {
    let is_used =
        |directory: &LogDir| !directory.is_made && *directory.identity.lock() != Identity::default();
    let others_are_used = directories.iter().any(is_used);
    for directory in directories.iter().filter(|directory| directory.is_made && directory.is_online()) {
        let path = directory.path.display();
        if others_are_used {
            tracing::warn!(directory = %path,
                "the log directory was not found and is created, empty, while others have been used: is a disk not mounted?");
        } else {
            tracing::info!(directory = %path, "the log directory was not found and is created");
        }
    }
}

impl LogDir {
    fn open(path: &Path) -> Result<Self> {
        let mut directory = Self {
            path: path.to_owned(),
            is_made: false,
            clean_shutdown: false,
            offline: Mutex::new(None),
            is_offline: AtomicBool::new(false),
            logs: Mutex::default(),
            future: Mutex::default(),
            broken: Mutex::default(),
            cleaned: Mutex::default(),
            unclean: AtomicBool::new(false),
            outdated: AtomicBool::new(false),
            identity: Mutex::default(),
            checkpoint: Mutex::new(()),
            _lock: None,
        };
        match directory.prepare() {
            // Two brokers on one directory, or the wrong directory: an operator has to decide.
            Err(error @ (LogError::Foreign { .. } | LogError::Corrupt { .. })) => Err(error),
            Err(error) => {
                directory.fail(error);
                Ok(directory)
            }
            Ok(()) => Ok(directory),
        }
    }

    fn prepare(&mut self) -> Result<()> {
        self.is_made = matches!(self.path.try_exists(), Ok(false));
        fs::create_dir_all(&self.path).map_err(|e| LogError::io(&self.path, "make", e))?;
        self._lock = Some(DirectoryLock::take(&self.path)?);
        self.identity = Mutex::new(Identity::read(&self.path)?.unwrap_or_default());
        self.clean_shutdown = self.path.join(CLEAN_SHUTDOWN).exists();
        Ok(())
    }

    /// The path, as it was configured.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the directory works.
    pub fn is_online(&self) -> bool {
        !self.is_offline.load(Ordering::Acquire)
    }

    /// What took the directory offline.
    pub fn failure(&self) -> Option<Arc<LogError>> {
        self.offline.lock().clone()
    }

    /// Whether the last stop was clean.
    pub fn was_clean_shutdown(&self) -> bool {
        self.clean_shutdown
    }

    /// Number of partitions.
    pub fn partitions(&self) -> usize {
        self.logs.lock().len()
    }

    /// The sizes of the directory's logs, for DescribeLogDirs.
    pub fn sizes(&self) -> Vec<PartitionSize> {
        let of = |logs: &HashMap<TopicPartition, LogReader>, future| {
            let size = |(partition, reader): (&TopicPartition, &LogReader)| PartitionSize {
                partition: partition.clone(),
                bytes: reader.size(),
                log_end_offset: reader.log_end_offset(),
                future,
            };
            logs.iter().map(size).collect::<Vec<_>>()
        };
        let mut sizes = of(&self.logs.lock(), false);
        sizes.extend(of(&self.future.lock(), true));
        sizes
    }

    /// Bytes of the file system, whole and free to us, for DescribeLogDirs (KIP-827).
    pub fn space(&self) -> Result<(u64, u64)> {
        let stat = rustix::fs::statvfs(&self.path)
            .map_err(|e| LogError::io(&self.path, "ask for room", e.into()))?;
        Ok((stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize))
    }

    /// A checkpoint could not be written: takes the directory offline if it is the cause, and answers its partitions.
    fn give_up_on(&self, error: LogError) -> Vec<TopicPartition> {
        // What is missing here is the directory itself.
        if error.takes_directory_offline() || error.is_not_found() {
            return self.fail(error);
        }
        // The next checkpoint may find room, or a descriptor.
        tracing::warn!(%error, "a checkpoint was not written");
        Vec::new()
    }

    fn fail(&self, error: LogError) -> Vec<TopicPartition> {
        self.fail_with(Arc::new(error))
    }

    fn fail_with(&self, error: Arc<LogError>) -> Vec<TopicPartition> {
        if self.is_offline.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        tracing::error!(directory = %self.path.display(), %error, "the log directory is offline");
        *self.offline.lock() = Some(error);
        let logs = std::mem::take(&mut *self.logs.lock());
        logs.into_iter()
            .map(|(partition, reader)| {
                reader.shared.close();
                partition
            })
            .collect()
    }
}
