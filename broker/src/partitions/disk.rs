//! The disks below the log directories: whether they have room, and whether they work at all.
//!
//! A disk that runs full stops producers and nothing else. Below the low-water mark appends are refused with a retriable error, so that what
//! is left serves what frees room and must not fail: retention, truncation, checkpoints, snapshots. Reads go on. When room is back, so are
//! appends. A disk that fails otherwise takes its log directory offline, for good until the broker starts again (KIP-112).

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tracing::{error, info, warn};
use vltava_log::LogError;

/// How much of a disk is kept back, unless it is small: 64 MiB.
pub const LOW_WATER: u64 = 64 << 20;

/// A small disk keeps back this part of itself: a hundredth.
const LOW_WATER_PART: u64 = 100;

/// One log directory's disk.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    /// Which directory the path was when it was opened.
    opened: Option<Identity>,
    full: AtomicBool,
    offline: AtomicBool,
    /// What took it offline, until upkeep has taken its log directory offline too.
    failure: Mutex<Option<LogError>>,
    /// What was last seen of it.
    space: Mutex<Option<Space>>,
}

/// Tells a directory from another that has its path later, as when a disk is unmounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let stat = fs::metadata(path)?;
        Ok(Self { device: stat.dev(), inode: stat.ino() })
    }
}

/// How full a file system is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Of the whole file system.
    pub total: u64,
    /// Free for this process.
    pub usable: u64,
}

impl Space {
    /// Asks the operating system. One `statvfs`.
    pub fn of(path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        let block = stat.f_frsize;
        Ok(Self { total: stat.f_blocks.saturating_mul(block), usable: stat.f_bavail.saturating_mul(block) })
    }

    /// Below so many usable bytes appends are refused.
    pub fn low_water(&self) -> u64 {
        LOW_WATER.min(self.total / LOW_WATER_PART)
    }
}

impl Disk {
    /// The disk below a log directory, looked at.
    pub fn new(path: PathBuf, is_online: bool) -> Arc<Self> {
        let offline = AtomicBool::new(!is_online);
        let full = AtomicBool::new(false);
        let opened = Identity::of(&path).ok();
        let disk = Self { path, opened, full, offline, failure: Mutex::new(None), space: Mutex::new(None) };
        disk.look();
        Arc::new(disk)
    }

    /// The log directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether appends are refused. One relaxed load, asked by every append.
    pub fn refuses_appends(&self) -> bool {
        self.full.load(Ordering::Relaxed) || self.offline.load(Ordering::Relaxed)
    }

    /// Whether it has no room for appends.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Whether the directory is lost.
    pub fn is_offline(&self) -> bool {
        self.offline.load(Ordering::Relaxed)
    }

    /// How much room there was when it was last looked at, at most a round of upkeep ago; nothing of a directory that is lost. Does not wait for the disk.
    pub fn space(&self) -> Option<Space> {
        if self.is_offline() { None } else { *self.space.lock() }
    }

    /// Looks whether the directory is there and how much room there is: on the schedule of upkeep, by two system calls. One line when it runs full
    /// and one when it heals, at twice the mark so that it does not flap. Answers whether it has healed just now.
    pub fn look(&self) -> bool {
        if self.is_offline() {
            return false;
        }
        let space = match self.is_still_there().and_then(|()| Space::of(&self.path)) {
            Ok(space) => space,
            Err(source) => {
                self.judge(&LogError::Io { path: self.path.clone(), action: "look at", source });
                return false;
            }
        };
        *self.space.lock() = Some(space);
        let low = space.low_water();
        if self.full.load(Ordering::Relaxed) {
            if space.usable >= low.saturating_mul(2) && self.full.swap(false, Ordering::Relaxed) {
                info!(directory = %self.path.display(), usable = space.usable, "the disk has room again: appends are accepted");
                return true;
            }
        } else if space.usable < low {
            self.fill(space.usable);
        }
        false
    }

    /// Files that are open can be written long after their directory has gone: what is acknowledged then would not be found again.
    fn is_still_there(&self) -> io::Result<()> {
        let now = Identity::of(&self.path)?;
        match self.opened {
            Some(opened) if opened != now => {
                Err(io::Error::other("another directory is in the place of the one that was opened"))
            }
            _ => Ok(()),
        }
    }

    fn fill(&self, usable: u64) {
        if !self.full.swap(true, Ordering::Relaxed) {
            warn!(
                directory = %self.path.display(),
                usable,
                "the disk is full: appends are refused until there is room, reads go on"
            );
        }
    }

    /// Judges a failure of one of its logs. Answers whether the directory went offline by it.
    pub fn judge(&self, failure: &LogError) -> bool {
        if failure.is_disk_full() {
            self.fill(Space::of(&self.path).map_or(0, |space| space.usable));
            return false;
        }
        // A file that is missing says nothing, unless its log directory is missing too.
        let is_lost = failure.takes_directory_offline() || (failure.is_not_found() && !self.path.is_dir());
        if is_lost && !self.offline.swap(true, Ordering::Relaxed) {
            error!(directory = %self.path.display(), error = %failure, "the log directory failed and is offline");
            *self.failure.lock() = copy(failure);
            return true;
        }
        false
    }

    /// The directory was taken offline elsewhere.
    pub(super) fn go_offline(&self) {
        self.offline.store(true, Ordering::Relaxed);
    }

    /// What took it offline, once.
    pub(super) fn take_failure(&self) -> Option<LogError> {
        self.failure.lock().take()
    }
}

/// An error of the operating system told again: `io::Error` cannot be cloned.
fn copy(failure: &LogError) -> Option<LogError> {
    let LogError::Io { path, action, source } = failure else { return None };
    let source = match source.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(source.kind(), source.to_string()),
    };
    Some(LogError::Io { path: path.clone(), action, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_disk_keeps_back_a_hundredth() {
        assert_eq!(Space { total: 1 << 20, usable: 0 }.low_water(), (1 << 20) / 100);
        assert_eq!(Space { total: 1 << 40, usable: 0 }.low_water(), LOW_WATER);
    }

    #[test]
    fn an_error_of_the_disk_takes_it_offline_once_and_a_full_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let disk = Disk::new(directory.path().to_owned(), true);
        let full = LogError::DiskFull { path: "x".into(), action: "append" };
        assert!(!disk.judge(&full));
        assert!(disk.refuses_appends() && !disk.is_offline());
        assert!(disk.look());
        assert!(!disk.look(), "it heals once");
        assert!(!disk.refuses_appends(), "there is room on this disk");
        let broken = || LogError::Io {
            path: "x".into(),
            action: "append",
            source: std::io::Error::from_raw_os_error(5),
        };
        assert!(disk.judge(&broken()));
        assert!(!disk.judge(&broken()), "told once");
        assert!(disk.is_offline() && disk.refuses_appends());
    }

    #[test]
    fn a_missing_file_takes_nothing_offline_and_a_missing_directory_does() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs");
        fs::create_dir(&path).unwrap();
        let disk = Disk::new(path, true);
        let missing = || LogError::Io {
            path: disk.path().join("x"),
            action: "open",
            source: std::io::Error::from_raw_os_error(2),
        };
        assert!(!disk.judge(&missing()) && !disk.is_offline());
        std::fs::remove_dir(disk.path()).unwrap();
        assert!(disk.judge(&missing()) && disk.is_offline());
    }

    #[test]
    fn a_directory_that_is_gone_or_another_is_offline_when_it_is_looked_at() {
        let place = tempfile::tempdir().unwrap();
        for is_replaced in [false, true] {
            let path = place.path().join("logs");
            fs::create_dir(&path).unwrap();
            let disk = Disk::new(path.clone(), true);
            assert!(!disk.look() && !disk.is_offline());
            let elsewhere = place.path().join(format!("moved-{is_replaced}"));
            fs::rename(&path, elsewhere).unwrap();
            if is_replaced {
                fs::create_dir(&path).unwrap();
            }
            disk.look();
            assert!(disk.is_offline() && disk.take_failure().is_some(), "replaced: {is_replaced}");
        }
    }
}
