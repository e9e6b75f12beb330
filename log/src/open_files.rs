//! Which files are open: a bounded set, shared by all logs of a broker.
//!
//! A segment keeps no descriptor of its own but a [`Handle`], which opens its file at the first use. When more files
//! are open than the bound allows, those longest unused are closed (second chance, as page caches do: no list to move
//! in at each use). A file slice that a reader still sends keeps its descriptor until it is dropped. So 100,000
//! partitions need no limit raised: the idle ones give up theirs first.
//!
//! Cost: a use is a read lock that nobody contends for, a flag and a reference count. An open or a close is a system
//! call and the set's lock.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};

use crate::disk::{self, Reach, Result};
use crate::error::LogError;
use crate::names::{Kind, Suffix};

/// Where a partition's files are. It moves when the partition is deleted.
#[derive(Debug)]
pub(crate) struct Directory {
    path: RwLock<Arc<Path>>,
}

impl Directory {
    pub(crate) fn new(path: &Path) -> Arc<Self> {
        Arc::new(Self { path: RwLock::new(path.into()) })
    }

    pub(crate) fn path(&self) -> Arc<Path> {
        self.path.read().clone()
    }

    pub(crate) fn moved_to(&self, path: &Path) {
        *self.path.write() = path.into();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.read().join(name)
    }
}

/// The bound on open files, and the files it counts.
#[derive(Debug)]
pub struct OpenFiles {
    limit: usize,
    clock: Mutex<VecDeque<Weak<Slot>>>,
}

impl OpenFiles {
    /// At most about `limit` files stay open (those that readers hold on to come on top). At least 8 are allowed.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(8), clock: Mutex::new(VecDeque::new()) })
    }

    /// Files open now.
    pub fn open(&self) -> usize {
        self.clock.lock().iter().filter(|slot| slot.strong_count() > 0).count()
    }

    fn admit(&self, slot: &Arc<Slot>) {
        let mut clock = self.clock.lock();
        clock.push_back(Arc::downgrade(slot));
        self.shrink(&mut clock, self.limit);
    }

    /// Closes files until `target` are left. A file used since it was last looked at gets one more turn, so that two
    /// turns of the clock always suffice.
    fn shrink(&self, clock: &mut VecDeque<Weak<Slot>>, target: usize) {
        let mut turns = 2 * clock.len();
        while clock.len() > target && turns > 0 {
            turns -= 1;
            let Some(candidate) = clock.pop_front() else { return };
            let Some(slot) = candidate.upgrade() else { continue };
            if slot.used.swap(false, Ordering::Relaxed) {
                clock.push_back(candidate);
            } else {
                *slot.file.write() = None;
            }
        }
    }

    /// Frees descriptors when the process has run out of them.
    fn relieve(&self) {
        let mut clock = self.clock.lock();
        let target = clock.len() / 2;
        self.shrink(&mut clock, target);
    }
}

#[derive(Debug)]
struct Slot {
    file: RwLock<Option<Arc<File>>>,
    used: AtomicBool,
}

/// One file of a segment: opened when used, closed by [`OpenFiles`] when others need the place.
#[derive(Debug)]
pub(crate) struct Handle {
    directory: Arc<Directory>,
    base_offset: i64,
    kind: Kind,
    /// A [`Suffix`], as its number.
    suffix: AtomicU8,
    slot: Arc<Slot>,
    files: Arc<OpenFiles>,
}

impl Handle {
    pub(crate) fn new(
        directory: &Arc<Directory>,
        base_offset: i64,
        kind: Kind,
        files: &Arc<OpenFiles>,
    ) -> Self {
        Self {
            directory: directory.clone(),
            base_offset,
            kind,
            suffix: AtomicU8::new(Suffix::None as u8),
            slot: Arc::new(Slot { file: RwLock::new(None), used: AtomicBool::new(false) }),
            files: files.clone(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path_with(Suffix::of(self.suffix.load(Ordering::Acquire)))
    }

    fn path_with(&self, suffix: Suffix) -> PathBuf {
        self.directory.file(&(self.kind.file_name(self.base_offset) + suffix.text()))
    }

    /// The file has this name, or will have it when it is made.
    pub(crate) fn is_called(&self, suffix: Suffix) {
        self.suffix.store(suffix as u8, Ordering::Release);
    }

    /// The open file, opened if need be.
    pub(crate) fn file(&self) -> Result<Arc<File>> {
        self.slot.used.store(true, Ordering::Relaxed);
        if let Some(file) = self.slot.file.read().as_ref() {
            return Ok(file.clone());
        }
        self.adopt(disk::open)
    }

    /// The open file; where it would have to be opened, and that is beyond `reach`, an error.
    pub(crate) fn file_within(&self, reach: Reach) -> Result<Arc<File>> {
        if reach == Reach::Cache && self.slot.file.read().is_none() {
            return Err(LogError::waiting(&self.path(), "open"));
        }
        self.file()
    }

    /// Makes the file, or empties it.
    pub(crate) fn create(&self) -> Result<Arc<File>> {
        self.close();
        self.adopt(disk::create)
    }

    fn adopt(&self, open: impl Fn(&Path) -> Result<File>) -> Result<Arc<File>> {
        let suffix = self.suffix.load(Ordering::Acquire);
        let path = self.path_with(Suffix::of(suffix));
        let file = match open(&path) {
            Err(LogError::Io { source, .. }) if matches!(source.raw_os_error(), Some(23 | 24)) => {
                self.files.relieve();
                open(&path)?
            }
            other => other?,
        };
        if self.suffix.load(Ordering::Acquire) != suffix {
            // It was renamed meanwhile, and another may have its name by now. Who asks again finds it under the new one.
            return Err(LogError::io(&path, "open", std::io::ErrorKind::NotFound.into()));
        }
        let file = Arc::new(file);
        {
            let mut slot = self.slot.file.write();
            if let Some(first) = slot.as_ref() {
                // Another reader opened it meanwhile.
                return Ok(first.clone());
            }
            *slot = Some(file.clone());
        }
        self.files.admit(&self.slot);
        Ok(file)
    }

    /// Forgets the open file. Its place in the clock is given up at the clock's next turn.
    pub(crate) fn close(&self) {
        *self.slot.file.write() = None;
    }

    /// Renames the file. Readers that have it open go on reading. Its new name is known first: who opens it in between finds none, and looks again.
    pub(crate) fn rename(&self, suffix: Suffix) -> Result<()> {
        let before = self.suffix.swap(suffix as u8, Ordering::AcqRel);
        let renamed = disk::rename(&self.path_with(Suffix::of(before)), &self.path_with(suffix));
        if renamed.is_err() {
            self.suffix.store(before, Ordering::Release);
        }
        renamed.map(drop)
    }

    /// Removes the file under whatever name it has now.
    pub(crate) fn remove(&self) -> Result<()> {
        self.close();
        disk::remove(&self.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_files_stay_open_than_the_bound_allows() {
        let tmp = tempfile::tempdir().unwrap();
        let directory = Directory::new(tmp.path());
        let files = OpenFiles::new(8);
        let handles: Vec<Handle> =
            (0..50).map(|base| Handle::new(&directory, base, Kind::Log, &files)).collect();
        for handle in &handles {
            handle.create().unwrap();
        }
        let open = || handles.iter().filter(|h| h.slot.file.read().is_some()).count();
        assert!(open() <= 8, "{} open", open());
        for handle in &handles {
            handle.file().unwrap();
        }
        assert!(open() <= 8, "{} open", open());
        assert!(files.open() <= 8);
    }

    #[test]
    fn a_file_in_use_outlives_its_place_and_its_name() {
        let tmp = tempfile::tempdir().unwrap();
        let directory = Directory::new(tmp.path());
        let files = OpenFiles::new(8);
        let handle = Handle::new(&directory, 7, Kind::Log, &files);
        let held = handle.create().unwrap();
        handle.rename(Suffix::Deleted).unwrap();
        assert!(tmp.path().join("00000000000000000007.log.deleted").exists());
        handle.remove().unwrap();
        assert_eq!(held.metadata().unwrap().len(), 0);
        assert!(handle.file().is_err());
    }
}
