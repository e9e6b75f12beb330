//! Snapshots, in Apache's format: files `snapshot.<zxid in hexadecimal>`, named by the last transaction they hold.
//!
//! A header (`ZKSN`, version 2, database -1), the sessions with their time-outs, the table of access lists, then every node, parents
//! first, and `/` as the end; last the Adler-32 of all before it and `/` again, by which Apache knows a finished file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::StorageError;
use super::adler32::Adler32;
use super::txnlog::FileHeader;
use crate::jute::{Buffer, Decoder, EncodeStr, Record, encode_len};
use crate::path;
use crate::proto::{Acl, StatPersisted};
use crate::tree::Tree;

const MAGIC: i32 = i32::from_be_bytes(*b"ZKSN");
/// In a node, instead of a number of the table: everything for everybody.
const OPEN_ACL: i64 = -1;
/// How the name of a file ends that is being written.
pub(super) const UNFINISHED: &str = "unfinished";
/// The longest path, data or list that is believed: lengths are checked before memory is taken.
const MAX_FIELD: i32 = 256 << 20;

/// Writes a snapshot and makes it durable under its final name, in one step for whoever looks at the directory.
pub fn write(dir: &Path, tree: &Tree, sessions: &[(i64, i32)]) -> Result<(), StorageError> {
    let name = format!("snapshot.{:x}", tree.last_zxid);
    let (unfinished, finished) = (dir.join(format!("{name}.{UNFINISHED}")), dir.join(name));
    let wrap = |source| StorageError::Io { path: unfinished.clone(), source };
    let written =
        write_file(&unfinished, tree, sessions).and_then(|()| std::fs::rename(&unfinished, &finished));
    if written.is_err() {
        // It takes space that the log may need.
        let _ = std::fs::remove_file(&unfinished);
    }
    written.and_then(|()| super::sync_dir(dir)).map_err(wrap)
}

fn write_file(path: &Path, tree: &Tree, sessions: &[(i64, i32)]) -> io::Result<()> {
    let mut out =
        Output { file: BufWriter::new(File::create(path)?), sum: Adler32::new(), buffer: Vec::new() };
    FileHeader { magic: MAGIC, version: 2, dbid: -1 }.encode(&mut out.buffer);
    encode_len(sessions.len(), &mut out.buffer);
    for (id, timeout) in sessions {
        id.encode(&mut out.buffer);
        timeout.encode(&mut out.buffer);
        out.flush_some()?;
    }
    let open = crate::acl::open();
    let mut table: HashMap<&Arc<[Acl]>, i64> = HashMap::new();
    let mut lists = Vec::new();
    for (_, node) in tree.iter() {
        if *node.acl != *open && !table.contains_key(&node.acl) {
            table.insert(&node.acl, lists.len() as i64 + 1);
            lists.push(&node.acl);
        }
    }
    encode_len(lists.len(), &mut out.buffer);
    for (index, acl) in lists.iter().enumerate() {
        (index as i64 + 1).encode(&mut out.buffer);
        encode_len(acl.len(), &mut out.buffer);
        for entry in acl.iter() {
            entry.encode(&mut out.buffer);
        }
        out.flush_some()?;
    }
    // Depth first with a stack of our own: a tree can be deeper than a thread's.
    let mut open_paths = vec![path::ROOT.to_owned()];
    while let Some(path) = open_paths.pop() {
        let Some(node) = tree.get(&path) else { continue };
        let written_path = if path == path::ROOT { "" } else { path.as_str() };
        EncodeStr::encode(written_path, &mut out.buffer);
        node.data.encode(&mut out.buffer);
        table.get(&node.acl).copied().unwrap_or(OPEN_ACL).encode(&mut out.buffer);
        node.stat.encode(&mut out.buffer);
        out.flush_some()?;
        open_paths.extend(node.children.iter().rev().map(|name| path::join(&path, name)));
    }
    EncodeStr::encode(path::ROOT, &mut out.buffer);
    out.flush()?;
    out.sum.value().encode(&mut out.buffer);
    EncodeStr::encode(path::ROOT, &mut out.buffer);
    out.flush()?;
    let file = out.file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()
}

struct Output {
    file: BufWriter<File>,
    sum: Adler32,
    buffer: Vec<u8>,
}

impl Output {
    fn flush_some(&mut self) -> io::Result<()> {
        if self.buffer.len() < 64 << 10 { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sum.update(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// Reads a snapshot whose name says `zxid`: the tree, and the sessions with their time-outs.
///
/// A file that is not whole is an error; whoever calls may have an older one.
pub fn read(path: &Path, zxid: i64, ttl_enabled: bool) -> Result<(Tree, HashMap<i64, i32>), StorageError> {
    let file = File::open(path).map_err(|source| StorageError::Io { path: path.to_owned(), source })?;
    let mut from = Input { file: BufReader::with_capacity(64 << 10, file), sum: Adler32::new(), path, at: 0 };
    let header: FileHeader = from.fixed(16)?;
    if header.magic != MAGIC || header.version != 2 {
        return Err(from.corrupt("this is not a snapshot of version 2"));
    }
    let mut sessions = HashMap::new();
    for _ in 0..from.count()? {
        let id: i64 = from.fixed(8)?;
        sessions.insert(id, from.fixed(4)?);
    }
    let mut tree = Tree::empty(ttl_enabled);
    let mut table: HashMap<i64, Arc<[Acl]>> = HashMap::new();
    table.insert(OPEN_ACL, crate::acl::open().into());
    for _ in 0..from.count()? {
        let id: i64 = from.fixed(8)?;
        let mut acl = Vec::new();
        for _ in 0..from.count()? {
            let perms: i32 = from.fixed(4)?;
            let (scheme, id) = (from.text()?, from.text()?);
            acl.push(Acl { perms, id: crate::proto::Id { scheme, id } });
        }
        table.insert(id, acl.into());
    }
    loop {
        let node_path = from.text()?;
        if node_path == path::ROOT {
            break;
        }
        let node_path = if node_path.is_empty() { path::ROOT.to_owned() } else { node_path };
        let data: Buffer = from.bytes()?.map(Arc::from);
        let acl: i64 = from.fixed(8)?;
        let stat: StatPersisted = from.fixed(60)?;
        let Some(acl) = table.get(&acl) else { return Err(from.corrupt("a node's access list is missing")) };
        if !tree.restore(&node_path, data, acl, stat) {
            return Err(from.corrupt("a node's parent is missing"));
        }
    }
    let sum = from.sum.value();
    if from.fixed::<i64>(8)? != sum {
        return Err(from.corrupt("the checksum is wrong"));
    }
    if tree.is_empty() {
        return Err(from.corrupt("there is no root"));
    }
    tree.restore_quotas();
    tree.last_zxid = zxid;
    Ok((tree, sessions))
}

struct Input<'a> {
    file: BufReader<File>,
    sum: Adler32,
    path: &'a Path,
    at: u64,
}

impl Input<'_> {
    fn corrupt(&self, what: &'static str) -> StorageError {
        StorageError::corrupt(self.path, self.at, what)
    }

    fn take(&mut self, len: usize) -> Result<Vec<u8>, StorageError> {
        // Grows with what is really there, whatever the length says.
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(len as u64).read_to_end(&mut bytes);
        read.map_err(|source| StorageError::Io { path: self.path.to_owned(), source })?;
        if bytes.len() < len {
            return Err(self.corrupt("the file ends too early"));
        }
        self.sum.update(&bytes);
        self.at += len as u64;
        Ok(bytes)
    }

    fn fixed<T: Record>(&mut self, len: usize) -> Result<T, StorageError> {
        let bytes = self.take(len)?;
        T::decode(&mut Decoder::new(&bytes)).map_err(|_| self.corrupt("a field can not be read"))
    }

    fn count(&mut self) -> Result<i32, StorageError> {
        self.fixed(4)
    }

    fn bytes(&mut self) -> Result<Option<Vec<u8>>, StorageError> {
        match self.count()? {
            -1 => Ok(None),
            len @ 0..=MAX_FIELD => self.take(len as usize).map(Some),
            _ => Err(self.corrupt("a length is impossible")),
        }
    }

    fn text(&mut self) -> Result<String, StorageError> {
        Ok(String::from_utf8_lossy(&self.bytes()?.unwrap_or_default()).into_owned())
    }
}
