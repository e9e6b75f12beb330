//! The data directory: whose it is, and what is kept in it across restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

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
    #[error("{} is damaged: {source}. Delete it to choose new ports; the data is elsewhere", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
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
    pub(super) kept: Kept,
}

const STATE: &str = "up.json";

impl DataDirectory {
    /// Makes the directory if need be, takes it, and reads what is kept.
    pub(super) fn open(path: &Path) -> Result<DataDirectory, DataError> {
        let failed = |source| DataError::Write { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(failed)?;
        // Brokers are told absolute paths: their properties must mean the same from everywhere.
        let path = path.canonicalize().map_err(failed)?;
        let lock = File::options().create(true).append(true).open(path.join(".lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataError::InUse { path }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let state = path.join(STATE);
        let kept = match fs::read(&state) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| DataError::Damaged { path: state, source })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
            Err(source) => return Err(failed(source)),
        };
        Ok(DataDirectory { path, _lock: lock, kept })
    }

    /// Writes what is kept: whole or not at all.
    pub(super) fn keep(&self) -> Result<(), DataError> {
        let write = || -> io::Result<()> {
            let new = self.path.join(format!("{STATE}.new"));
            let mut file = File::create(&new)?;
            file.write_all(&serde_json::to_vec_pretty(&self.kept)?)?;
            file.sync_all()?;
            fs::rename(new, self.path.join(STATE))?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| DataError::Write { path: self.path.clone(), source })
    }

    /// This process' own log, ZooKeeper's lines above all, goes to a file: the terminal is for people.
    pub(super) fn start_log(&self) -> Result<(), String> {
        let path = self.path.join("up.log");
        let open = File::options().create(true).append(true).open(&path);
        let file = open.map_err(|source| DataError::Write { path, source }.to_string())?;
        let builder = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file));
        builder.try_init().map_err(|error| error.to_string())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where everything of one broker is.
    pub(super) fn broker(&self, id: i32) -> PathBuf {
        self.path.join(format!("broker-{id}"))
    }
}
