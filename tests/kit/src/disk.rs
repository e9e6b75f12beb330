//! Small file systems that can be filled up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip::skip;

/// A tmpfs of its own, unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    path: PathBuf,
    /// Removed after it is unmounted.
    place: Option<tempfile::TempDir>,
}

impl SmallDisk {
    /// Mounts one of `kib` KiB for the test `name`; `None`, said to the test run, where that is not permitted.
    #[must_use]
    pub fn mount(name: &str, kib: usize) -> Option<Self> {
        let place = tempfile::tempdir().expect("a temporary folder");
        let mut disk = Self::mount_at(name, place.path(), kib)?;
        disk.place = Some(place);
        Some(disk)
    }

    /// The same at `path`, which is made if it is not there.
    #[must_use]
    pub fn mount_at(name: &str, path: &Path, kib: usize) -> Option<Self> {
        fs::create_dir_all(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let size = format!("size={kib}k");
        match Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(path).output() {
            Ok(output) if output.status.success() => {
                return Some(Self { path: path.to_owned(), place: None });
            }
            Ok(output) => {
                let refusal = String::from_utf8_lossy(&output.stderr);
                skip(name, format_args!("mounting a tmpfs fails: {}", refusal.trim()));
            }
            Err(error) => skip(name, format_args!("there is no mount: {error}")),
        }
        None
    }

    /// Its root.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes it `kib` KiB large.
    pub fn resize(&self, kib: usize) {
        self.remount(&format!("size={kib}k"));
    }

    /// Leaves room for `more` files and directories than there are now.
    pub fn allow_files(&self, more: u64) {
        let disk = rustix::fs::statvfs(&self.path).expect("a file system");
        self.remount(&format!("nr_inodes={}", disk.f_files - disk.f_ffree + more));
    }

    fn remount(&self, option: &str) {
        let options = format!("remount,{option}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.path).status();
        assert!(status.is_ok_and(|status| status.success()), "a tmpfs takes {option}");
    }

    /// Takes all room but about `rest` bytes; removing the file gives it back.
    #[must_use]
    pub fn fill_but(&self, rest: u64) -> PathBuf {
        let ballast = self.path.join("ballast");
        let disk = rustix::fs::statvfs(&self.path).expect("a file system");
        let size = (disk.f_bavail * disk.f_frsize).saturating_sub(rest);
        fs::write(&ballast, vec![1; usize::try_from(size).expect("a small disk")]).expect("room for it");
        ballast
    }

    /// Takes whatever room is left, to the last page; removing the file gives it back.
    #[must_use]
    pub fn fill(&self) -> PathBuf {
        let ballast = self.path.join("ballast");
        let mut size = 1 << 20;
        let mut bytes = Vec::new();
        while size >= 1 {
            let longer = [&bytes[..], &vec![1; size]].concat();
            if fs::write(&ballast, &longer).is_ok() {
                bytes = longer;
            } else {
                fs::write(&ballast, &bytes).expect("what fitted before fits again");
                size /= 2;
            }
        }
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// A file system whose device fails when it is told to: it promises more room than the disk under it has.
#[derive(Debug)]
pub struct FailingDisk {
    under: SmallDisk,
    place: tempfile::TempDir,
}

impl FailingDisk {
    /// Mounts one of `kib` KiB for the test `name`; `None`, said to the test run, where that is not possible.
    #[must_use]
    pub fn mount(name: &str, kib: usize) -> Option<Self> {
        let under = SmallDisk::mount(name, kib)?;
        let place = tempfile::tempdir().expect("a temporary folder");
        let image = under.path().join("image");
        let file = fs::File::create(&image).expect("a file on the small disk");
        file.set_len(kib as u64 * 4 * 1024).expect("a sparse file");
        // Without a journal, so that what fails is the write that is asked for.
        let steps: [(&str, Vec<&std::ffi::OsStr>); 2] = [
            ("mkfs.ext2", vec!["-q".as_ref(), "-F".as_ref(), image.as_os_str()]),
            ("mount", vec!["-o".as_ref(), "loop".as_ref(), image.as_os_str(), place.path().as_os_str()]),
        ];
        for (program, arguments) in steps {
            let output = Command::new(program).args(arguments).output();
            let refused = match &output {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                Err(error) => error.to_string(),
            };
            skip(name, format_args!("no file system in a file: {program}: {refused}"));
            return None;
        }
        Some(Self { under, place })
    }

    /// Its root.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// From now on, the device takes nothing that is new to it. What was written and not made durable may be lost.
    pub fn fail(&self) {
        let _ = self.under.fill();
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.place.path()).status();
    }
}
