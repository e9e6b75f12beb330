//! The data directory: a lock, the transaction log and snapshots, and how they become a tree again.
//!
//! The formats are Apache's (`version-2/log.*` and `version-2/snapshot.*`), so a directory can be moved between the two.
//!
//! Recovery takes the newest snapshot that is whole and applies the log behind it. The last log file may end in a torn record after a
//! crash: nobody was told that it was done, so it is cut off (and kept aside). What is broken and was not torn (see `torn`) is damage, and
//! stops the start by file and position.

mod adler32;
pub mod snapshot;
mod torn;
pub mod txnlog;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use self::torn::{Place, Verdict};
use self::txnlog::{AppendError, Entry, LogReader, LogWriter};
use crate::engine::Step;
use crate::tree::Tree;
use crate::txn::{Txn, TxnHeader};

/// Why a data directory can not be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A file is not what it should be, and starting without it would lose data.
    #[error("{} is damaged at byte {at}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in it.
        at: u64,
        /// What is wrong.
        what: Cow<'static, str>,
    },
    /// Another server has the directory.
    #[error("another server is using the data directory {}", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// Transactions are missing between what was found.
    #[error("{}: transactions {expected:#x} to {found:#x} are missing before it", path.display())]
    Gap {
        /// The log file behind the gap.
        path: PathBuf,
        /// The first missing zxid.
        expected: i64,
        /// The first zxid that is there.
        found: i64,
    },
}

impl StorageError {
    fn corrupt(path: &Path, at: u64, what: impl Into<Cow<'static, str>>) -> StorageError {
        StorageError::Corrupt { path: path.to_owned(), at, what: what.into() }
    }
}

/// Where and how to store.
#[derive(Debug, Clone)]
pub struct Layout {
    /// `dataDir`: snapshots.
    pub data_dir: PathBuf,
    /// `dataLogDir`: the log.
    pub log_dir: PathBuf,
    /// `forceSync`: whether a write is on the disk before it is answered.
    pub sync: bool,
    /// Whether TTL nodes are enabled.
    pub ttl_enabled: bool,
}

/// What recovery found.
#[derive(Debug)]
pub struct Recovered {
    /// The tree.
    pub tree: Tree,
    /// Sessions with their time-outs, in milliseconds.
    pub sessions: HashMap<i64, i32>,
    /// Transactions that were applied on top of the snapshot.
    pub replayed: u64,
}

/// The open data directory.
#[derive(Debug)]
pub struct Storage {
    snapshots: PathBuf,
    logs: PathBuf,
    sync: bool,
    writer: Option<LogWriter>,
    _locks: Vec<File>,
}

const VERSION_DIR: &str = "version-2";
const LOCK_FILE: &str = "vltava-zookeeper.lock";

impl Storage {
    /// Takes the directory for this process and reads what is in it.
    pub fn open(layout: &Layout) -> Result<(Storage, Recovered), StorageError> {
        let (snapshots, logs) = (layout.data_dir.join(VERSION_DIR), layout.log_dir.join(VERSION_DIR));
        for dir in [&snapshots, &logs] {
            fs::create_dir_all(dir).map_err(|source| StorageError::Io { path: dir.clone(), source })?;
        }
        let mut locks = vec![lock(&layout.data_dir)?];
        if layout.log_dir != layout.data_dir {
            locks.push(lock(&layout.log_dir)?);
        }
        remove_unfinished(&snapshots)?;
        let (mut recovered, fresh) = read_snapshot(&snapshots, &logs, layout.ttl_enabled)?;
        replay(&logs, layout.sync, &mut recovered)?;
        if fresh {
            // Apache refuses a log without a snapshot; so a directory has one from the start.
            snapshot::write(&snapshots, &recovered.tree, &sorted(&recovered.sessions))?;
        }
        Ok((Storage { snapshots, logs, sync: layout.sync, writer: None, _locks: locks }, recovered))
    }

    /// Makes the steps' transactions durable.
    pub fn append(&mut self, steps: &[Step]) -> Result<(), AppendError> {
        let Some(first) = steps.iter().find_map(|step| step.txn.as_ref()) else { return Ok(()) };
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let created = LogWriter::create(&self.logs, first.0.zxid, self.sync);
                let wrap =
                    |source| AppendError::Refused(StorageError::Io { path: self.logs.clone(), source });
                self.writer.insert(created.map_err(wrap)?)
            }
        };
        writer.append(steps.iter().filter_map(|step| step.txn.as_ref()).map(|(header, txn)| (header, txn)))
    }

    /// Ends the log file; the next transaction starts another.
    pub fn roll(&mut self) -> Result<(), StorageError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        writer.finish().map_err(|source| StorageError::Io { path: self.logs.clone(), source })
    }

    /// Where snapshots go.
    #[must_use]
    pub fn snapshot_dir(&self) -> &Path {
        &self.snapshots
    }

    /// Where the log is.
    #[must_use]
    pub fn log_dir(&self) -> &Path {
        &self.logs
    }
}

/// Deletes snapshots older than the newest `keep`, and log files that only those needed.
pub fn purge(snapshots: &Path, logs: &Path, keep: usize) -> Result<usize, StorageError> {
    let mut kept = numbered(snapshots, "snapshot.")?;
    let old: Vec<_> = kept.drain(..kept.len().saturating_sub(keep.max(1))).collect();
    let Some((oldest, _)) = kept.first() else { return Ok(0) };
    let logs = numbered(logs, "log.")?;
    // The file in which the oldest kept snapshot's last transaction lies is still needed.
    let needed = logs.iter().rposition(|(zxid, _)| zxid <= oldest).unwrap_or(0);
    let doomed: Vec<PathBuf> =
        old.into_iter().chain(logs.into_iter().take(needed)).map(|(_, path)| path).collect();
    for path in &doomed {
        fs::remove_file(path).map_err(|source| StorageError::Io { path: path.clone(), source })?;
    }
    Ok(doomed.len())
}

fn lock(dir: &Path) -> Result<File, StorageError> {
    let path = dir.join(LOCK_FILE);
    let wrap = |source| StorageError::Io { path: path.clone(), source };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(wrap)?;
    // A process that this one is just starting holds copies of all its files until its exec: not another server.
    for _ in 0..20 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(fs::TryLockError::Error(source)) => return Err(wrap(source)),
        }
    }
    Err(StorageError::Locked { path: dir.to_owned() })
}

/// Snapshots that a crash left half written.
fn remove_unfinished(snapshots: &Path) -> Result<(), StorageError> {
    let wrap = |source| StorageError::Io { path: snapshots.to_owned(), source };
    for entry in fs::read_dir(snapshots).map_err(wrap)? {
        let path = entry.map_err(wrap)?.path();
        if path.extension().is_some_and(|extension| extension == snapshot::UNFINISHED) {
            fs::remove_file(&path).map_err(wrap)?;
        }
    }
    Ok(())
}

/// Files with this prefix and a hexadecimal zxid behind it, oldest first.
fn numbered(dir: &Path, prefix: &str) -> Result<Vec<(i64, PathBuf)>, StorageError> {
    let wrap = |source| StorageError::Io { path: dir.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).map_err(wrap)? {
        let path = entry.map_err(wrap)?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_prefix(prefix));
        if let Some(zxid) = number.and_then(|number| i64::from_str_radix(number, 16).ok()) {
            files.push((zxid, path));
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The newest whole snapshot, or a new tree; and whether it is new.
fn read_snapshot(
    snapshots: &Path,
    logs: &Path,
    ttl_enabled: bool,
) -> Result<(Recovered, bool), StorageError> {
    let found = numbered(snapshots, "snapshot.")?;
    let mut newest_error = None;
    for (zxid, path) in found.iter().rev() {
        match snapshot::read(path, *zxid, ttl_enabled) {
            Ok((tree, sessions)) => return Ok((Recovered { tree, sessions, replayed: 0 }, false)),
            Err(error) => {
                tracing::warn!(%error, "a snapshot can not be read, trying the one before it");
                newest_error.get_or_insert(error);
            }
        }
    }
    // Without any snapshot the log must go back to the very first transaction.
    let first = numbered(logs, "log.")?.into_iter().next();
    match (newest_error, first) {
        (Some(error), None) => Err(error),
        (_, Some((zxid, path))) if zxid > 1 => Err(StorageError::Gap { path, expected: 1, found: zxid }),
        _ => Ok((Recovered { tree: Tree::new(ttl_enabled), sessions: HashMap::new(), replayed: 0 }, true)),
    }
}

fn replay(logs: &Path, sync: bool, recovered: &mut Recovered) -> Result<(), StorageError> {
    let files = numbered(logs, "log.")?;
    let start = files.iter().rposition(|(zxid, _)| *zxid <= recovered.tree.last_zxid + 1).unwrap_or(0);
    let last = files.len().saturating_sub(1);
    for (index, (zxid, path)) in files.iter().enumerate().skip(start) {
        let Some(mut reader) = LogReader::open(path)? else {
            if index == last {
                tracing::warn!(path = %path.display(), "removing a log file that was never begun");
                fs::remove_file(path).map_err(|source| StorageError::Io { path: path.clone(), source })?;
            }
            continue;
        };
        // The file is named by its first transaction.
        let mut expected = *zxid;
        let why = loop {
            match reader.next_entry()? {
                Entry::Txn(header, txn) => {
                    replay_one(recovered, path, &header, &txn)?;
                    expected = header.zxid + 1;
                }
                Entry::End => break None,
                Entry::NotWhole(why) => break Some(why),
            }
        };
        match why {
            _ if index == last => {
                let why = why.unwrap_or("there is no record, and yet something behind it");
                let place = Place { at: reader.end, expected, synced: sync };
                end_of_log(path, &mut reader, why, place)?;
            }
            // If transactions are missing in a file that another follows, that one's first shows it.
            None => {}
            Some(why) if why.starts_with("the file ends") => {}
            Some(why) => return Err(StorageError::corrupt(path, reader.end, why)),
        }
    }
    Ok(())
}

/// Looks what is behind the last whole record of the last log file: nothing, something torn, which is cut off, or damage, which is an error.
fn end_of_log(
    path: &Path,
    reader: &mut LogReader,
    why: &'static str,
    place: Place,
) -> Result<(), StorageError> {
    let tail = reader.tail()?;
    let used = torn::used(&tail);
    // Zeros are reserved space; fewer than a record's head may also be what is left of one.
    if used == 0 && (tail.is_empty() || why.starts_with("there is no record")) {
        return Ok(());
    }
    match torn::judge(&tail, place) {
        Verdict::Torn => set_aside(path, reader, &tail[..used], why),
        Verdict::Damaged { behind: 0 } => Err(StorageError::corrupt(path, place.at, why)),
        Verdict::Damaged { behind } => {
            let more = if behind > MOST_TXNS_AT_ONCE { "more than " } else { "" };
            let behind = behind.min(MOST_TXNS_AT_ONCE);
            let what = format!("{why}, and {more}{behind} whole transactions follow");
            Err(StorageError::corrupt(path, place.at, what))
        }
    }
}

fn replay_one(
    recovered: &mut Recovered,
    path: &Path,
    header: &TxnHeader,
    txn: &Txn,
) -> Result<(), StorageError> {
    let last = recovered.tree.last_zxid;
    // Sessions come and go without a trace in the tree, so also those that a fuzzy snapshot may already know are taken.
    match txn {
        Txn::CreateSession { timeout } if header.zxid > last => {
            recovered.sessions.insert(header.session_id, *timeout);
        }
        Txn::CloseSession { .. } if header.zxid > last => {
            recovered.sessions.remove(&header.session_id);
        }
        _ => {}
    }
    if header.zxid <= last {
        return Ok(());
    }
    // Within one epoch (the upper half) numbers follow one another; an ensemble's next epoch starts anew.
    if header.zxid != last + 1 && header.zxid >> 32 == last >> 32 {
        return Err(StorageError::Gap { path: path.to_owned(), expected: last + 1, found: header.zxid });
    }
    recovered.tree.apply(header, txn, &mut Vec::new());
    recovered.replayed += 1;
    Ok(())
}

/// Cuts a torn end off the last log file, keeping what it was beside it.
fn set_aside(path: &Path, reader: &LogReader, torn: &[u8], why: &'static str) -> Result<(), StorageError> {
    let wrap = |source| StorageError::Io { path: path.to_owned(), source };
    let (end, len) = (reader.end, reader.file_len());
    let aside = path.with_file_name(format!("torn.{}.{end}", path.extension().unwrap_or_default().display()));
    tracing::warn!(path = %path.display(), at = end, bytes = len - end, why, aside = %aside.display(),
        "the log ends in something that is no whole transaction: cut off, as after a crash");
    fs::write(&aside, torn).map_err(wrap)?;
    let file = File::options().write(true).open(path).map_err(wrap)?;
    file.set_len(end).and_then(|()| file.sync_all()).map_err(wrap)
}

/// Transactions that one write puts into the log at most.
pub const MOST_TXNS_AT_ONCE: usize = 1000;

fn sorted(sessions: &HashMap<i64, i32>) -> Vec<(i64, i32)> {
    let mut sessions: Vec<_> = sessions.iter().map(|(id, timeout)| (*id, *timeout)).collect();
    sessions.sort_unstable();
    sessions
}

/// Makes a directory's entries durable.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
