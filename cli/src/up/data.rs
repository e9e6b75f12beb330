//! The data directory: whose it is, and what is kept in it across restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::desired::Desired;

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum DataError {
    /// It can't be made or written.
    #[error("the data directory {} cannot be written: {source}. Choose another with --data", path.display())]
    Write { path: PathBuf, source: io::Error },
    /// Another process has it.
    #[error("another `vltava up` uses the data directory {}. Stop it first, or choose another with --data", path.display())]
    InUse { path: PathBuf },
    /// What is kept makes no sense.
    #[error("{} is damaged: {source}. Delete it to {gain}; the data is elsewhere", path.display())]
    Damaged { path: PathBuf, gain: &'static str, source: serde_json::Error },
}

/// What is kept across restarts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Kept {
    /// The cluster that the data is of.
    pub(super) cluster: String,
    /// ZooKeeper's port.
    pub(super) zookeeper_port: Option<u16>,
    /// The port of each listener, `metrics` among them, of each broker.
    pub(super) ports: BTreeMap<i32, BTreeMap<String, u16>>,
    /// The configuration keys of each topic that were set from the manifest.
    pub(super) managed_config: BTreeMap<String, BTreeSet<String>>,
}

/// A data directory that no other process has.
#[derive(Debug)]
pub(super) struct DataDirectory {
    path: PathBuf,
    /// Held for as long as this process lives.
    _lock: File,
    /// Locked for as long as a broker of it lives: each has this open, also one that outlives its `vltava up` by a moment.
    brokers: File,
    pub(super) kept: Kept,
    /// The manifest that was made true last, as an API server would have it stored.
    applied: Option<Desired>,
}

/// The file of what is kept.
pub(super) const STATE: &str = "up.json";
/// The file of the manifest that was made true last.
const APPLIED: &str = "applied.json";

impl DataDirectory {
    /// Makes the directory if need be, takes it, and reads what is kept.
    pub(super) fn open(path: &Path) -> Result<DataDirectory, DataError> {
        let failed = |source| DataError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        // Brokers are told absolute paths: their properties must mean the same from everywhere.
        let path = path.canonicalize().map_err(failed)?;
        let open =
            |name: &str| File::options().create(true).append(true).open(path.join(name)).map_err(failed);
        let (lock, brokers) = (open(".lock")?, open(".brokers.lock")?);
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { path }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let kept = read(path.join(STATE), "choose new ports")?.unwrap_or_default();
        let applied = read(path.join(APPLIED), "take the manifest as a new one")?;
        Ok(DataDirectory { path, _lock: lock, brokers, kept, applied })
    }

    /// Whether no broker of an earlier run lives. Must be asked before the first is started.
    pub(super) fn take_brokers(&self) -> Result<bool, DataError> {
        match self.brokers.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(source)) => Err(DataError::Write { path: self.path.clone(), source }),
        }
    }

    /// What a broker must have open while it lives.
    pub(super) fn token(&self) -> io::Result<File> {
        self.brokers.try_clone()
    }

    /// The cluster that the data is of, if there is any.
    pub(super) fn cluster(&self) -> Option<&str> {
        let kept = Some(self.kept.cluster.as_str()).filter(|name| !name.is_empty());
        kept.or_else(|| self.applied.as_ref().map(Desired::name))
    }

    /// The manifest that was made true last.
    pub(super) fn applied(&self) -> Option<&Desired> {
        self.applied.as_ref()
    }

    /// Remembers a manifest that is made true now: later ones are compared with it.
    pub(super) fn apply(&mut self, desired: &Desired) -> Result<(), DataError> {
        self.write(APPLIED, desired)?;
        self.applied = Some(desired.clone());
        Ok(())
    }

    /// Writes what is kept.
    pub(super) fn keep(&self) -> Result<(), DataError> {
        self.write(STATE, &self.kept)
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, content: &impl Serialize) -> Result<(), DataError> {
        let write = || -> io::Result<()> {
            let new = self.path.join(format!("{name}.new"));
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(content)?)?;
            file.sync_all()?;
            fs::rename(new, self.path.join(name))?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| DataError::Write { path: self.path.clone(), source })
    }

    /// This process' own log, ZooKeeper's lines above all, goes to a file: the terminal is for people.
    pub(super) fn log(&self) -> Result<File, DataError> {
        let path = self.path.join("up.log");
        let open = File::options().create(true).append(true).open(&path);
        open.map_err(|source| DataError::Write { path, source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where everything of one broker is.
    pub(super) fn broker(&self, id: i32) -> PathBuf {
        self.path.join(format!("broker-{id}"))
    }
}

/// What a file of the data directory says; nothing if there is none.
fn read<T: DeserializeOwned>(path: PathBuf, gain: &'static str) -> Result<Option<T>, DataError> {
    match fs::read(&path) {
        Ok(bytes) => {
            let content = serde_json::from_slice(&bytes);
            content.map(Some).map_err(|source| DataError::Damaged { path, gain, source })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DataError::Write { path, source }),
    }
}
