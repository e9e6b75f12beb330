//! A file system of a few MiB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vltava_testkit::skip;

/// A tmpfs, unmounted when dropped.
pub(crate) struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at `folder`, which it makes; none where the machine does not permit that to `test`.
    pub(crate) fn mount(test: &str, folder: &Path, mebibytes: usize) -> Option<SmallDisk> {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={mebibytes}m");
        match Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output() {
            Ok(output) if output.status.success() => return Some(SmallDisk(folder.to_owned())),
            Ok(output) => skip::skip(test, String::from_utf8_lossy(&output.stderr).trim()),
            Err(error) => skip::skip(test, &format!("no mount: {error}")),
        }
        None
    }

    /// A file that takes what is free but for `rest` bytes.
    pub(crate) fn fill(&self, rest: u64) -> PathBuf {
        let ballast = self.0.join("ballast");
        let disk = rustix::fs::statvfs(&self.0).unwrap();
        let size = (disk.f_bavail * disk.f_frsize).saturating_sub(rest);
        fs::write(&ballast, vec![1; usize::try_from(size).unwrap()]).unwrap();
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
