//! Records for clients that know only older formats.
//!
//! Fetch 0 and 1 read message sets of magic 0, 2 and 3 those of magic 1: what the log holds is converted, a bounded piece at a time, on a thread for
//! file work. Several old consumers of one topic follow its end together, so the last pieces that were converted are kept, within a bound
//! for the whole broker. What is converted waits in memory until its client has taken it, so one response holds a piece, one more at most, and all responses together
//! hold what a budget has; who wants to convert more waits for it, and clients that take nothing meanwhile lose their connections.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use parking_lot::Mutex;
use vltava_log::FileSlice;
use vltava_protocol::records::{
    Entries, EntryPrefix, RecordsError,
    convert::{DownConversion, down_convert},
};

use crate::net::{RequestMemory, Reservation};

use super::{Isolation, Partition, PartitionError, ReadLimit, Ready, fetched::read_whole};

/// At most so many bytes of a log are converted for one partition of one response; only a batch that is larger is read whole.
const PIECE: u64 = 1 << 20;

/// Converted bytes after which no other partition is converted for the same response.
const ENOUGH: usize = 1 << 20;

/// Converted bytes that responses hold together until they have left, but for the last piece of each that was begun.
const HELD_BYTES: u64 = 8 << 20;

/// What one batch may decompress to: a protection against bombs, not a limit of Kafka's.
const OUTPUT_LIMIT: usize = 256 << 20;

/// Converted bytes that are kept for the next reader.
const KEPT_BYTES: usize = 16 << 20;

/// Pieces that are kept, so that finding one stays cheap.
const KEPT_PIECES: usize = 64;

/// Pieces without any record that are passed over for one response: control batches that old clients never see.
const EMPTY_PIECES: usize = 1_000;

/// The magic that a version of Fetch reads at most; `None` if it reads all.
pub fn magic_of(fetch_version: i16) -> Option<i8> {
    match fetch_version {
        ..=1 => Some(0),
        2..=3 => Some(1),
        _ => None,
    }
}

/// What was asked for when a piece was converted.
#[derive(Debug)]
struct Key {
    partition: Weak<Partition>,
    magic: i8,
    from_offset: i64,
    position: u64,
    length: u64,
}

impl Key {
    fn is(&self, other: &Self) -> bool {
        self.magic == other.magic
            && self.from_offset == other.from_offset
            && self.position == other.position
            && self.length == other.length
            && self.partition.ptr_eq(&other.partition)
    }
}

/// Converts, and keeps what it converted last.
#[derive(Debug)]
pub struct OldReaders {
    kept: Mutex<Kept>,
    memory: Arc<RequestMemory>,
}

impl Default for OldReaders {
    fn default() -> Self {
        Self { kept: Mutex::default(), memory: RequestMemory::new(Some(HELD_BYTES)) }
    }
}

/// What is converted for one response, and the memory for it.
#[derive(Debug)]
pub struct Conversion {
    magic: i8,
    bytes: usize,
    memory: Reservation,
}

impl Conversion {
    /// The memory that the response holds until it has left.
    pub fn finish(mut self) -> Reservation {
        self.memory.resize(self.bytes);
        self.memory
    }

    fn count(&mut self, ready: &Ready) {
        self.bytes = self.bytes.saturating_add(usize::try_from(ready.len()).unwrap_or(usize::MAX));
        if self.bytes > ENOUGH {
            self.memory.resize(self.bytes);
        }
    }
}

#[derive(Debug, Default)]
struct Kept {
    pieces: VecDeque<(Key, Bytes)>,
    bytes: usize,
}

impl OldReaders {
    /// What converted records hold of memory until they have left.
    pub fn memory(&self) -> &Arc<RequestMemory> {
        &self.memory
    }

    /// Begins to convert for one response to a client of that magic, when there is memory for it.
    pub async fn begin(&self, connection: u64, magic: i8) -> Conversion {
        Conversion { magic, bytes: 0, memory: self.memory.take_in_turn(connection, ENOUGH).await }
    }

    /// What a client gets from `offset` on, of what a read found; nothing if its response has enough of other partitions. Reads the disk and decompresses: on
    /// a thread for file work.
    pub fn read(
        &self,
        conversion: &mut Conversion,
        partition: &Arc<Partition>,
        slice: &FileSlice,
        offset: i64,
        max_bytes: u64,
    ) -> Result<Ready, PartitionError> {
        if conversion.bytes >= ENOUGH {
            return Ok(Ready::Nothing);
        }
        let ready = self.convert(partition, slice, offset, conversion.magic, max_bytes)?;
        conversion.count(&ready);
        Ok(ready)
    }

    fn convert(
        &self,
        partition: &Arc<Partition>,
        slice: &FileSlice,
        offset: i64,
        magic: i8,
        max_bytes: u64,
    ) -> Result<Ready, PartitionError> {
        let mut slice = FileSlice { length: slice.length.min(PIECE), ..slice.clone() };
        let mut offset = offset;
        for _ in 0..EMPTY_PIECES {
            let key = Key {
                partition: Arc::downgrade(partition),
                magic,
                from_offset: offset,
                position: slice.position,
                length: slice.length,
            };
            if let Some(bytes) = self.kept(&key) {
                return Ok(Ready::Bytes(bytes));
            }
            let read = read_whole(&slice.file, slice.position, slice.length);
            let records = read.map_err(|error| partition.io_failed(error))?;
            let holds = holds(&records);
            if holds == Holds::Whole {
                may_convert(partition, &records, magic)?;
            }
            if holds == Holds::Part {
                let Some(larger) = whole_batch(partition, offset)?.filter(|l| l.length > slice.length) else {
                    // The client gets a part of a batch, from which it learns that its limit is too small.
                    return Ok(Ready::Bytes(records.into()));
                };
                slice = larger;
                continue;
            }
            let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
            let ask = DownConversion {
                target_magic: magic,
                from_offset: offset,
                limit,
                output_limit: OUTPUT_LIMIT,
            };
            let converted = down_convert(&records, &ask).map_err(|error| refused(&error))?;
            if !converted.bytes.is_empty() {
                let bytes = Bytes::from(converted.bytes);
                self.keep(key, bytes.clone());
                return Ok(Ready::Bytes(bytes));
            }
            // Nothing of it is for this client: go on behind it, or it would ask for the same offset for ever.
            let Some(next) = converted.next_offset else { return Ok(Ready::Nothing) };
            offset = next;
            match whole_batch(partition, offset)? {
                Some(next) => slice = next,
                None => return Ok(Ready::Nothing),
            }
        }
        Ok(Ready::Nothing)
    }

    fn kept(&self, key: &Key) -> Option<Bytes> {
        self.kept.lock().pieces.iter().find(|(known, _)| known.is(key)).map(|(_, bytes)| bytes.clone())
    }

    /// How many converted pieces are kept.
    pub fn kept_pieces(&self) -> usize {
        self.kept.lock().pieces.len()
    }

    fn keep(&self, key: Key, bytes: Bytes) {
        let mut kept = self.kept.lock();
        kept.bytes += bytes.len();
        kept.pieces.push_back((key, bytes));
        while kept.bytes > KEPT_BYTES || kept.pieces.len() > KEPT_PIECES {
            let Some((_, oldest)) = kept.pieces.pop_front() else { return };
            kept.bytes -= oldest.len();
        }
    }
}

/// How much of its first batch a piece holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Part,
    Whole,
}

/// `message.downconversion.enable`: where it is off, only clients that need no conversion are served. As Kafka's `hasCompatibleMagic` it looks at every
/// batch: a topic whose format was raised has older ones in front.
fn may_convert(partition: &Partition, records: &[u8], magic: i8) -> Result<(), PartitionError> {
    if !partition.topic.peek_config().down_conversion && newest_magic(records) > magic {
        return Err(PartitionError::DownConversionOff);
    }
    Ok(())
}

/// The newest format of the whole batches of a piece.
fn newest_magic(records: &[u8]) -> i8 {
    Entries::new(records, usize::MAX).map_while(Result::ok).map(|entry| entry.magic()).max().unwrap_or(0)
}

fn holds(records: &[u8]) -> Holds {
    match EntryPrefix::parse(records, usize::MAX) {
        _ if records.is_empty() => Holds::Nothing,
        Ok(Some(entry)) if entry.size() <= records.len() => Holds::Whole,
        _ => Holds::Part,
    }
}

/// The piece that begins with the batch at `offset`, whole.
fn whole_batch(partition: &Partition, offset: i64) -> Result<Option<FileSlice>, PartitionError> {
    let limit = ReadLimit { max_bytes: PIECE, min_one_batch: true };
    Ok(partition.read(offset, Isolation::ReadUncommitted, limit)?.data.slice)
}

fn refused(error: &RecordsError) -> PartitionError {
    match error {
        RecordsError::Unsupported { what: "zstd", .. } => PartitionError::Zstd,
        other => PartitionError::Corrupt(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use vltava_protocol::records::{
        BatchBuilder, BatchOptions, Codec, Headers, MessageSetBuilder, MessageSetOptions, Record,
    };

    use super::*;

    fn batch(codec: Codec) -> Vec<u8> {
        let mut builder =
            BatchBuilder::new(Vec::new(), BatchOptions { codec, ..BatchOptions::default() }).unwrap();
        builder.append(1, None, Some(b"value"), &[]).unwrap();
        builder.finish().unwrap().0
    }

    #[test]
    fn a_newer_batch_behind_older_ones_counts() {
        let options = MessageSetOptions { magic: 1, codec: Codec::None, level: None, log_append_time: None };
        let mut old = MessageSetBuilder::new(Vec::new(), options).unwrap();
        let (key, value) = (None, Some(&b"value"[..]));
        old.append_record(&Record { offset: 0, timestamp: 1, key, value, headers: Headers::default() })
            .unwrap();
        let old = old.finish().unwrap();
        assert_eq!(newest_magic(&old), 1);
        let both = [old, batch(Codec::None)].concat();
        assert_eq!(newest_magic(&both), 2);
        assert_eq!(newest_magic(&both[..both.len() - 1]), 1, "what is cut off is not converted");
    }
}
