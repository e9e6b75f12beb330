//! The manifest's changes.
//!
//! The file is looked at, a few times a second, rather than watched by the system's means: what is at the end of its path may be
//! replaced by any of the links on the way (as Kubernetes does with a ConfigMap), and may be on a file system that tells nobody.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

/// How often the file is looked at. Editors write in several steps: a change counts when two looks find the same.
const LOOK: Duration = Duration::from_millis(150);

/// Tells when a file may have changed.
#[derive(Debug)]
pub(super) struct Watch {
    file: PathBuf,
    looks: Interval,
    /// What the last look found.
    found: Option<Version>,
    /// Whether that is other than it was when [`Watch::changed`] last returned.
    is_new: bool,
}

/// What tells a file's content from an earlier one, without reading it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Also when the modification time is set back, as by a copy that preserves it.
    changed: (i64, i64),
}

impl Version {
    /// Nothing for a file that is not there.
    pub(super) fn of(file: &Path) -> Option<Version> {
        let found = fs::metadata(file).ok()?;
        Some(Version {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

impl Watch {
    /// Begins with the version that was there before the file was read. Must be called within a runtime.
    pub(super) fn start(file: &Path, found: Option<Version>) -> Watch {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Watch { file: file.to_owned(), looks, found, is_new: false }
    }

    /// Returns when the file has changed and is quiet. Nothing is forgotten when the future is dropped before.
    pub(super) async fn changed(&mut self) {
        loop {
            self.looks.tick().await;
            let found = Version::of(&self.file);
            if found != self.found {
                self.found = found;
                self.is_new = true;
            } else if std::mem::take(&mut self.is_new) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Whether a change is told, in time that nobody waits for.
    async fn is_told(watch: &mut Watch) -> bool {
        tokio::time::timeout(LOOK * 5, watch.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_told_once_however_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        let mut watch = Watch::start(&file, Version::of(&file));
        assert!(!is_told(&mut watch).await);
        fs::write(&file, "three").unwrap();
        assert!(is_told(&mut watch).await, "written into");
        assert!(!is_told(&mut watch).await);
        fs::write(folder.path().join("new"), "three").unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        assert!(is_told(&mut watch).await, "another in its place");
        fs::write(folder.path().join("other"), "four").unwrap();
        assert!(!is_told(&mut watch).await, "another file is none of ours");
        fs::remove_file(&file).unwrap();
        assert!(is_told(&mut watch).await, "gone");
    }

    /// `file` is a link by way of `..data`, which is replaced as a whole.
    #[tokio::test(start_paused = true)]
    async fn a_link_on_the_way_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for version in ["..1", "..2"] {
            fs::create_dir(path(version)).unwrap();
            fs::write(path(version).join("file"), "same").unwrap();
        }
        symlink("..1", path("..data")).unwrap();
        symlink("..data/file", path("file")).unwrap();
        let mut watch = Watch::start(&path("file"), Version::of(&path("file")));
        symlink("..2", path("..new")).unwrap();
        fs::rename(path("..new"), path("..data")).unwrap();
        assert!(is_told(&mut watch).await);
        fs::write(path("..2/file"), "other").unwrap();
        assert!(is_told(&mut watch).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_is_not_forgotten_when_something_else_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mut watch = Watch::start(&file, Version::of(&file));
        fs::write(&file, "one").unwrap();
        for _ in 0..100 {
            // As when the topics of a moment before are done within the quiet time.
            if tokio::time::timeout(LOOK / 10, watch.changed()).await.is_ok() {
                return;
            }
        }
        panic!("the change was forgotten");
    }
}
