//! Files that a user names for a tool to read whole: lists of partitions, plans of offsets.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest file that is read; a partition takes about 50 bytes of it.
const MOST: u64 = 64 << 20;

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0} bytes are more than {MOST}")]
    TooLarge(u64),
}

/// The file's text, where it is not too large.
pub(crate) fn read(file: &Path) -> Result<String, Unread> {
    let file = File::open(file)?;
    let length = file.metadata()?.len();
    if length > MOST {
        return Err(Unread::TooLarge(length));
    }
    // A pipe has no length.
    let mut text = String::new();
    let read = file.take(MOST + 1).read_to_string(&mut text)? as u64;
    if read > MOST { Err(Unread::TooLarge(read)) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert!(matches!(read(&path), Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound));
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read(&path).unwrap(), "text");
        File::create(&path).unwrap().set_len(MOST + 1).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "67108865 bytes are more than 67108864");
        let endless = read(Path::new("/dev/zero"));
        assert!(matches!(endless, Err(Unread::TooLarge(_))), "{endless:?}");
    }
}
