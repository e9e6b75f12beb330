//! Opening every log at start: in parallel, the longest work first, each delivered as soon as it is ready.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::{CLEAN_SHUTDOWN, Known, LogDir, LogDirs};
use crate::checkpoint::OffsetCheckpoint;
use crate::config::LogConfig;
use crate::disk::{self, Result};
use crate::error::LogError;
use crate::log::{Log, OpenOptions};
use crate::names::{Kind, PartitionDirectory, Suffix, TopicPartition, segment_file};
use crate::recovery::Recovered;
use crate::removal::Removal;

/// How to load.
pub struct LoadOptions<'a> {
    /// `num.recovery.threads.per.data.dir`
    pub threads_per_directory: usize,
    /// The settings of a topic's logs.
    pub config: &'a (dyn Fn(&TopicPartition) -> Arc<LogConfig> + Sync),
    /// Takes each log as soon as it is ready; called from the loading threads.
    pub deliver: &'a (dyn Fn(LoadedLog) + Sync),
    /// Counts what remains.
    pub progress: &'a LoadProgress,
    /// Milliseconds since 1970.
    pub now: i64,
}

/// A log that is ready.
#[derive(Debug)]
pub struct LoadedLog {
    /// The log.
    pub log: Log,
    /// From `replication-offset-checkpoint`, 0 where it has no entry; at most the log end offset.
    pub high_watermark: i64,
    /// A replica that moves in from another directory (`-future`).
    pub future: bool,
    /// What had to be repaired.
    pub recovered: Recovered,
    /// Its log directory.
    pub directory: PathBuf,
}

/// A log that could not be opened.
#[derive(Debug)]
pub struct LoadFailure {
    /// The partition.
    pub partition: TopicPartition,
    /// Why.
    pub error: Arc<LogError>,
}

/// What remains to be loaded, for gauges (`remainingLogsToRecover`, `remainingSegmentsToRecover`).
#[derive(Debug, Default)]
pub struct LoadProgress {
    /// Logs not yet delivered.
    pub remaining_logs: AtomicUsize,
    /// Their segments.
    pub remaining_segments: AtomicUsize,
}

/// What is left to say when loading is over.
#[derive(Debug, Default)]
pub struct Loading {
    /// Logs that could not be opened.
    pub failures: Vec<LoadFailure>,
    /// Directories of deleted partitions, to be removed now.
    pub removals: Vec<Removal>,
}

struct Task {
    path: PathBuf,
    partition: TopicPartition,
    future: bool,
    segments: usize,
    bytes: u64,
}

/// The offsets that a directory's checkpoints know.
#[derive(Default)]
struct Offsets {
    recovery: BTreeMap<TopicPartition, i64>,
    starts: BTreeMap<TopicPartition, i64>,
    watermarks: BTreeMap<TopicPartition, i64>,
}

impl Offsets {
    fn partitions(&self) -> impl Iterator<Item = &TopicPartition> {
        [&self.recovery, &self.starts, &self.watermarks].into_iter().flat_map(BTreeMap::keys)
    }

    fn of(&self, partition: &TopicPartition) -> Known {
        Known {
            recovery_point: self.recovery.get(partition).copied(),
            log_start: self.starts.get(partition).copied(),
            high_watermark: self.watermarks.get(partition).copied(),
        }
    }
}

impl LogDirs {
    /// Opens the logs of all online directories and returns when all are delivered. The clean-shutdown markers are gone
    /// afterwards: until the next clean stop, a crash is assumed.
    pub fn load(&self, options: &LoadOptions<'_>) -> Loading {
        let loading = Mutex::new(Loading::default());
        std::thread::scope(|scope| {
            for directory in self.online() {
                let loading = &loading;
                scope.spawn(move || {
                    if let Err(error) = self.load_directory(directory, options, loading) {
                        directory.fail(error);
                    }
                });
            }
        });
        loading.into_inner()
    }

    fn load_directory(
        &self,
        directory: &LogDir,
        options: &LoadOptions<'_>,
        loading: &Mutex<Loading>,
    ) -> Result<()> {
        let offsets = Offsets {
            recovery: directory.read(OffsetCheckpoint::RecoveryPoint)?,
            starts: directory.read(OffsetCheckpoint::LogStart)?,
            watermarks: directory.read(OffsetCheckpoint::HighWatermark)?,
        };
        *directory.cleaned.lock() = directory.read(OffsetCheckpoint::Cleaner)?;
        let mut tasks = Vec::new();
        for (path, name) in subdirectories(&directory.path)? {
            let (partition, future) = match PartitionDirectory::parse(&name) {
                Some(PartitionDirectory::Current(partition)) => (partition, false),
                Some(PartitionDirectory::Future(partition)) => (partition, true),
                Some(PartitionDirectory::Deleted) => {
                    loading.lock().removals.push(Removal::directory(path, options.now));
                    continue;
                }
                None => {
                    tracing::warn!(directory = %path.display(), "not a partition's directory, left alone");
                    continue;
                }
            };
            let (segments, bytes) = weigh(&path, offsets.recovery.get(&partition).copied().unwrap_or(0))?;
            tasks.push(Task { path, partition, future, segments, bytes });
        }
        let here: HashSet<&TopicPartition> =
            tasks.iter().filter(|task| !task.future).map(|task| &task.partition).collect();
        if offsets.partitions().any(|partition| !here.contains(partition)) {
            directory.outdated.store(true, Ordering::Release);
        }
        options.progress.remaining_logs.fetch_add(tasks.len(), Ordering::Relaxed);
        let segments = tasks.iter().map(|task| task.segments).sum();
        options.progress.remaining_segments.fetch_add(segments, Ordering::Relaxed);
        // The longest last, since tasks are taken from the end.
        tasks.sort_by_key(|task| task.bytes);
        let threads = options.threads_per_directory.clamp(1, tasks.len().max(1));
        let tasks = Mutex::new(tasks);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let Some(task) = tasks.lock().pop() else { return };
                        if directory.is_online() {
                            self.load_log(directory, &task, &offsets, options, loading);
                        }
                        options.progress.remaining_logs.fetch_sub(1, Ordering::Relaxed);
                        options.progress.remaining_segments.fetch_sub(task.segments, Ordering::Relaxed);
                    }
                });
            }
        });
        disk::remove(&directory.path.join(CLEAN_SHUTDOWN))?;
        disk::sync_directory(&directory.path)
    }

    fn load_log(
        &self,
        directory: &LogDir,
        task: &Task,
        offsets: &Offsets,
        options: &LoadOptions<'_>,
        loading: &Mutex<Loading>,
    ) {
        let known = offsets.of(&task.partition);
        let config = (options.config)(&task.partition);
        match self.open_known(directory, task, known, config, options.now) {
            Ok(loaded) => (options.deliver)(loaded),
            Err(error) => {
                tracing::error!(partition = %task.partition, %error, "the log cannot be opened");
                let fatal = error.takes_directory_offline();
                directory.unclean.store(true, Ordering::Release);
                if !task.future {
                    directory.broken.lock().insert(task.partition.clone(), known);
                }
                let error = Arc::new(error);
                loading
                    .lock()
                    .failures
                    .push(LoadFailure { partition: task.partition.clone(), error: error.clone() });
                if fatal {
                    let _ = directory.fail_with(error);
                }
            }
        }
    }

    /// Opens a log that is on disk, with what the checkpoints say of it.
    fn open_known(
        &self,
        directory: &LogDir,
        task: &Task,
        known: Known,
        config: Arc<LogConfig>,
        now: i64,
    ) -> Result<LoadedLog> {
        let options = OpenOptions {
            partition: task.partition.clone(),
            config,
            clean_shutdown: directory.clean_shutdown,
            recovery_point: known.recovery_point.unwrap_or(0),
            log_start_offset: known.log_start.unwrap_or(0),
            producer_id_expiration_ms: self.producer_id_expiration_ms,
            files: self.files.clone(),
            now,
        };
        let (log, recovered) = Log::open(&task.path, options)?;
        let logs = if task.future { &directory.future } else { &directory.logs };
        logs.lock().insert(task.partition.clone(), log.reader());
        let high_watermark = known.high_watermark.unwrap_or(0);
        Ok(LoadedLog {
            high_watermark: high_watermark.clamp(log.log_start_offset(), log.log_end_offset()),
            future: task.future,
            recovered,
            directory: directory.path.clone(),
            log,
        })
    }

    /// Opens a log that could not be opened by [`load`](Self::load), because the disk had no room: what was written of it is as it was.
    ///
    /// # Errors
    /// As in the first attempt; `Closed` if the log is not one of those.
    pub fn open_again(
        &self,
        partition: &TopicPartition,
        config: Arc<LogConfig>,
        now: i64,
    ) -> Result<LoadedLog> {
        let known = |directory: &LogDir| directory.broken.lock().get(partition).copied();
        let Some((directory, known)) =
            self.online().find_map(|directory| Some((directory, known(directory)?)))
        else {
            return Err(LogError::Closed { directory: PathBuf::from(partition.to_string()) });
        };
        let path = directory.path.join(partition.to_string());
        let task = Task { path, partition: partition.clone(), future: false, segments: 0, bytes: 0 };
        let loaded = self.open_known(directory, &task, known, config, now)?;
        directory.broken.lock().remove(partition);
        Ok(loaded)
    }
}

/// Fails where two directories have the same partition, as a replica that moves between them (`-future`) has not.
pub(super) fn refuse_duplicates(directories: &[LogDir]) -> Result<()> {
    // Loading lists them too; a broker of one directory is spared the second time.
    if directories.len() < 2 {
        return Ok(());
    }
    let mut seen: BTreeMap<TopicPartition, &Path> = BTreeMap::new();
    for directory in directories.iter().filter(|directory| directory.is_online()) {
        // One that can't be listed goes offline when its logs are loaded.
        for (_, name) in subdirectories(&directory.path).unwrap_or_default() {
            let Some(PartitionDirectory::Current(partition)) = PartitionDirectory::parse(&name) else {
                continue;
            };
            if let Some(first) = seen.insert(partition.clone(), &directory.path) {
                let (first, second) = (first.to_owned(), directory.path.clone());
                return Err(LogError::Duplicate { partition, first, second });
            }
        }
    }
    Ok(())
}

fn subdirectories(path: &Path) -> Result<Vec<(PathBuf, String)>> {
    let failed = |e| LogError::io(path, "list", e);
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            found.push((entry.path(), name));
        }
    }
    Ok(found)
}

/// Segments of a partition and the bytes that recovery would read.
fn weigh(path: &Path, recovery_point: i64) -> Result<(usize, u64)> {
    let failed = |e| LogError::io(path, "list", e);
    let mut logs = BTreeMap::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Some((base, Kind::Log, Suffix::None)) = entry.file_name().to_str().and_then(segment_file) {
            logs.insert(base, entry.metadata().map_err(failed)?.len());
        }
    }
    let from = logs.range(..=recovery_point).next_back().map_or(0, |(base, _)| *base);
    Ok((logs.len(), logs.range(from..).map(|(_, size)| size).sum()))
}
