//! The transaction log, in Apache's format: files `log.<zxid in hexadecimal>`, named by their first transaction.
//!
//! A file is a header of 16 bytes (`ZKLG`, version 2, database 0), then records: Adler-32 of the transaction (8 bytes), its length (4),
//! header and body, and the byte `B`. The space behind the last record is reserved and zero; a length of 0 ends the log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::StorageError;
use super::adler32::Adler32;
use crate::jute::{Decoder, Record, record};
use crate::txn::{Txn, TxnHeader};

record! {
    /// The head of log and snapshot files.
    #[derive(Copy)]
    pub struct FileHeader {
        /// `ZKLG` or `ZKSN`.
        pub magic: i32,
        /// Always 2.
        pub version: i32,
        /// 0 in logs, -1 in snapshots.
        pub dbid: i64,
    }
}

const MAGIC: i32 = i32::from_be_bytes(*b"ZKLG");
const VERSION: i32 = 2;
const HEADER_LEN: u64 = 16;
pub(super) const RECORD_HEAD: usize = 12;
pub(super) const RECORD_END: u8 = b'B';
/// Space is reserved in pieces of this size, so that a record costs no change of the file's length.
const RESERVE: u64 = 1 << 20;
/// The longest transaction that is read back: far above what any frame can make, far below what would hurt.
pub(super) const MAX_TXN: usize = 256 << 20;

/// The log file being written.
#[derive(Debug)]
pub struct LogWriter {
    file: File,
    path: PathBuf,
    /// The end of the last record that is certainly whole.
    end: u64,
    reserved: u64,
    buffer: Vec<u8>,
    sync: bool,
}

impl LogWriter {
    /// Creates the file whose first transaction will be `zxid`; whatever had that name held no whole transaction. `sync`: whether
    /// [`LogWriter::append`] waits for the disk.
    pub fn create(dir: &Path, zxid: i64, sync: bool) -> io::Result<LogWriter> {
        let path = dir.join(format!("log.{zxid:x}"));
        let mut file = File::options().write(true).create(true).truncate(true).open(&path)?;
        file.write_all(&FileHeader { magic: MAGIC, version: VERSION, dbid: 0 }.to_bytes())?;
        if sync {
            file.sync_all()?;
            super::sync_dir(dir)?;
        }
        Ok(LogWriter { file, path, end: HEADER_LEN, reserved: HEADER_LEN, buffer: Vec::new(), sync })
    }

    /// Writes the transactions, and returns when they are on the disk: one write and one `fdatasync` for all.
    ///
    /// After an error that is not [`AppendError::Unknown`], the file is as before, and the next append may succeed.
    pub fn append<'a>(
        &mut self,
        txns: impl Iterator<Item = (&'a TxnHeader, &'a Txn)>,
    ) -> Result<(), AppendError> {
        self.buffer.clear();
        for (header, txn) in txns {
            let start = self.buffer.len();
            self.buffer.extend_from_slice(&[0; RECORD_HEAD]);
            header.encode(&mut self.buffer);
            txn.encode(&mut self.buffer);
            let body = &self.buffer[start + RECORD_HEAD..];
            let (sum, len) = (Adler32::of(body), i32::try_from(body.len()).unwrap_or(i32::MAX));
            self.buffer[start..start + 8].copy_from_slice(&sum.to_be_bytes());
            self.buffer[start + 8..start + RECORD_HEAD].copy_from_slice(&len.to_be_bytes());
            self.buffer.push(RECORD_END);
        }
        if let Err(error) = self.write() {
            // Nothing of this was promised to anybody. If it can be cut off for certain, all is as before.
            return match self.file.set_len(self.end).and_then(|()| self.file.sync_all()) {
                Ok(()) => {
                    self.reserved = self.end;
                    Err(AppendError::Refused(self.error(error)))
                }
                Err(second) => Err(AppendError::Unknown(self.error(second))),
            };
        }
        if self.sync
            && let Err(error) = self.file.sync_data()
        {
            // The kernel may have dropped the pages and call the next attempt a success.
            return Err(AppendError::Unknown(self.error(error)));
        }
        self.end += self.buffer.len() as u64;
        if self.buffer.capacity() > (4 << 20) {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let needed = self.end + self.buffer.len() as u64;
        if needed > self.reserved {
            let reserved = needed.next_multiple_of(RESERVE);
            self.file.set_len(reserved)?;
            self.reserved = reserved;
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&self.buffer)
    }

    fn error(&self, source: io::Error) -> StorageError {
        StorageError::Io { path: self.path.clone(), source }
    }

    /// Gives back the reserved space; the file is complete.
    pub fn finish(self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.sync_all()
    }

    /// Bytes written.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.end
    }

    /// Whether no transaction was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end == HEADER_LEN
    }
}

/// Why transactions are not in the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// They are not, for certain: the disk is full, for example. Later ones may be.
    #[error("the log took nothing: {0}")]
    Refused(#[source] StorageError),
    /// They may or may not be; the file must not be written again.
    #[error("whether the log is on disk is unknown: {0}")]
    Unknown(#[source] StorageError),
}

/// Reads one log file.
#[derive(Debug)]
pub struct LogReader {
    file: io::BufReader<File>,
    path: PathBuf,
    len: u64,
    /// The end of the last whole record.
    pub end: u64,
}

/// What the log has at one place.
#[derive(Debug)]
pub enum Entry {
    /// A transaction.
    Txn(TxnHeader, Txn),
    /// The end: nothing, or reserved space.
    End,
    /// Something that is no whole transaction, and why.
    NotWhole(&'static str),
}

impl LogReader {
    /// Opens a file. `None`: it ends within its header, because it was never finished.
    pub fn open(path: &Path) -> Result<Option<LogReader>, StorageError> {
        let wrap = |source| StorageError::Io { path: path.to_owned(), source };
        let file = File::open(path).map_err(wrap)?;
        let len = file.metadata().map_err(wrap)?.len();
        let mut file = io::BufReader::new(file);
        let mut head = [0; HEADER_LEN as usize];
        match file.read_exact(&mut head) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            other => other.map_err(wrap)?,
        }
        if head == [0; HEADER_LEN as usize] {
            return Ok(None);
        }
        let header = FileHeader::decode(&mut Decoder::new(&head))
            .map_err(|_| StorageError::corrupt(path, 0, "file header"))?;
        if header.magic != MAGIC || header.version != VERSION {
            return Err(StorageError::corrupt(path, 0, "this is not a log of version 2"));
        }
        Ok(Some(LogReader { file, path: path.to_owned(), len, end: HEADER_LEN }))
    }

    /// The next entry. Only a `Txn` can be followed by more.
    pub fn next_entry(&mut self) -> Result<Entry, StorageError> {
        let wrap = |source| StorageError::Io { path: self.path.clone(), source };
        let left = self.len.saturating_sub(self.end);
        if left < RECORD_HEAD as u64 {
            return Ok(if left == 0 {
                Entry::End
            } else {
                Entry::NotWhole("the file ends inside a record's head")
            });
        }
        let mut head = [0; RECORD_HEAD];
        self.file.read_exact(&mut head).map_err(wrap)?;
        let mut from = Decoder::new(&head);
        let (Ok(sum), Ok(len)) = (i64::decode(&mut from), i32::decode(&mut from)) else {
            return Ok(Entry::End);
        };
        if len == 0 {
            // Apache reserves zeros; a sum without a length was about to be written.
            return Ok(if sum == 0 { Entry::End } else { Entry::NotWhole("a record's length is missing") });
        }
        let Some(len) = usize::try_from(len).ok().filter(|len| *len <= MAX_TXN) else {
            return Ok(Entry::NotWhole("a record's length is impossible"));
        };
        if left < (RECORD_HEAD + len + 1) as u64 {
            return Ok(Entry::NotWhole("the file ends inside a record"));
        }
        let mut body = vec![0; len + 1];
        self.file.read_exact(&mut body).map_err(wrap)?;
        if body.pop() != Some(RECORD_END) {
            return Ok(Entry::NotWhole("a record's end mark is missing"));
        }
        if Adler32::of(&body) != sum {
            return Ok(Entry::NotWhole("a record's checksum is wrong"));
        }
        // Whole and checked: if this can not be read, it is not a torn write.
        let mut from = Decoder::new(&body);
        let txn =
            TxnHeader::decode(&mut from).and_then(|header| Ok((header, Txn::decode(header.op, &mut from)?)));
        let Ok((header, txn)) = txn else {
            return Err(StorageError::corrupt(&self.path, self.end, "a transaction is of an unknown kind"));
        };
        self.end += (RECORD_HEAD + len + 1) as u64;
        Ok(Entry::Txn(header, txn))
    }

    /// What is in the file from [`LogReader::end`] on, up to a bound that is more than one write can be. Ends the reading of entries.
    pub fn tail(&mut self) -> Result<Vec<u8>, StorageError> {
        let wrap = |source| StorageError::Io { path: self.path.clone(), source };
        self.file.seek(SeekFrom::Start(self.end)).map_err(wrap)?;
        let mut tail = Vec::new();
        (&mut self.file).take(MAX_TXN as u64).read_to_end(&mut tail).map_err(wrap)?;
        Ok(tail)
    }

    /// Bytes of the file.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        self.len
    }
}
