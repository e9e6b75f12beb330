//! Files that are out of use and wait to be removed, so that readers who still send them are not disturbed and a mistaken
//! deletion can be undone for `file.delete.delay.ms`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Result;
use crate::error::LogError;
use crate::log::Log;
use crate::names::deleted_directory;
use crate::segment::Segment;

/// Segments renamed to `.deleted`, or a partition's directory renamed to `-delete`. Run when it is due; if it is lost, the
/// next start removes the files.
#[derive(Debug)]
#[must_use]
pub struct Removal {
    due: i64,
    what: What,
}

#[derive(Debug)]
enum What {
    Segments(Vec<Arc<Segment>>),
    Directory(PathBuf),
}

impl Removal {
    pub(crate) fn segments(segments: Vec<Arc<Segment>>, due: i64) -> Self {
        Self { due, what: What::Segments(segments) }
    }

    pub(crate) fn directory(path: PathBuf, due: i64) -> Self {
        Self { due, what: What::Directory(path) }
    }

    /// When the files may go, milliseconds since 1970.
    pub fn due(&self) -> i64 {
        self.due
    }

    /// Removes the files. Large files take the file system a while.
    pub fn run(self) -> Result<()> {
        match self.what {
            What::Segments(segments) => segments.iter().try_for_each(|segment| segment.remove()),
            What::Directory(path) => remove_directory(&path),
        }
    }
}

/// How often a directory is emptied again that was not empty when it was to go.
const TRIES: usize = 10;

/// A flush that had begun before the log was deleted can still make a file behind the removal's back. It makes no second one:
/// the log is closed by then.
fn remove_directory(path: &Path) -> Result<()> {
    for _ in 1..TRIES {
        match fs::remove_dir_all(path) {
            Err(e) if e.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            done => return gone(path, done),
        }
    }
    gone(path, fs::remove_dir_all(path))
}

fn gone(path: &Path, removed: io::Result<()>) -> Result<()> {
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(LogError::io(path, "remove", e)),
        _ => Ok(()),
    }
}

impl Log {
    /// Deletes the partition: its directory is renamed to `<topic>-<n>.<id>-delete`, and the handle is closed. `id` has to be
    /// unique, as a random UUID is. Readers that have slices go on.
    pub fn delete(&mut self, id: u128, now: i64) -> Result<Removal> {
        self.shared.check_open()?;
        let from = self.shared.path();
        let to = from.with_file_name(deleted_directory(&self.partition, id));
        // Closed first: a flush or a reader that misses its file has to find out why.
        self.shared.close();
        if let Err(error) = fs::rename(&from, &to) {
            self.shared.reopen();
            return Err(LogError::io(&from, "rename", error));
        }
        self.shared.directory.moved_to(&to);
        for segment in self.shared.segments().iter() {
            segment.close_files();
        }
        Ok(Removal::directory(to, now.saturating_add(self.config.file_delete_delay_ms)))
    }

    /// Closes the log cleanly: everything on disk, the producers' snapshot at the log end offset. Waits for the disk. After
    /// this and a clean-shutdown marker, opening reads nothing.
    pub fn close(&mut self) -> Result<()> {
        self.shared.check_open()?;
        self.active.segment.finish()?;
        let end = self.shared.end();
        self.flush()?;
        if self.snapshot_offset != Some(end) {
            self.take_snapshot(end, crate::disk::Durable::Now)?;
        }
        self.shared.close();
        for segment in self.shared.segments().iter() {
            segment.close_files();
        }
        Ok(())
    }

    /// Takes the log out of use without touching the disk: its directory failed.
    pub fn abandon(&mut self) {
        self.shared.close();
        for segment in self.shared.segments().iter() {
            segment.close_files();
        }
    }
}
