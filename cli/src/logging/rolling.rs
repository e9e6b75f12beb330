//! A log file that begins anew when it has become large: what log4j does for Kafka's `server.log`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The size at which a file begins anew, in bytes.
const LARGEST: u64 = 100_000_000;
/// How many older files are kept.
const KEPT: u32 = 10;

/// The file, and beside it `FILE.1`, the latest of the older ones, to `FILE.10`.
#[derive(Debug)]
pub(super) struct RollingFile {
    path: PathBuf,
    file: File,
    size: u64,
    largest: u64,
    kept: u32,
}

impl RollingFile {
    /// Opens a file, which goes on where it ended.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::with(path, LARGEST, KEPT)
    }

    fn with(path: &Path, largest: u64, kept: u32) -> io::Result<Self> {
        let file = appended(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, largest, kept })
    }

    fn older(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        name.into()
    }

    fn roll(&mut self) -> io::Result<()> {
        for number in (1..self.kept).rev() {
            match fs::rename(self.older(number), self.older(number + 1)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.older(1))?;
        self.file = appended(&self.path)?;
        Ok(())
    }
}

fn appended(path: &Path) -> io::Result<File> {
    File::options().append(true).create(true).open(path)
}

impl Write for RollingFile {
    /// Takes one line as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let length = line.len() as u64;
        if self.size > 0 && self.size + length > self.largest {
            // Where the directory does not let it, the file goes on, until it has grown as much again.
            let _ = self.roll();
            self.size = 0;
        }
        self.file.write_all(line)?;
        self.size += length;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    fn named(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn a_full_file_begins_anew_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let mut log = RollingFile::with(&path, 10, 2).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let expected = [("server.log", "three\n"), ("server.log.1", "one\ntwo\n")];
        assert_eq!(files(folder.path()), named(&expected));
        // The next start goes on.
        let mut log = RollingFile::with(&path, 10, 2).unwrap();
        for line in ["4\n", "five5\n", "a line that is longer than a file\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        let expected = [
            ("server.log", "a line that is longer than a file\n"),
            ("server.log.1", "five5\n"),
            ("server.log.2", "three\n4\n"),
        ];
        assert_eq!(files(folder.path()), named(&expected));
    }

    #[test]
    fn a_file_that_cannot_be_moved_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let mut log = RollingFile::with(&path, 5, 1).unwrap();
        // A directory with something in it is in the way.
        fs::create_dir_all(folder.path().join("server.log.1/x")).unwrap();
        for line in ["one\n", "two\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }
}
