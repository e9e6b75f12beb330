//! Batches of magic 2 (KIP-98): the header, a view over bytes, and what a leader stamps.
//!
//! ```text
//!  0  base offset            i64      23  last offset delta   i32
//!  8  length, after itself   i32      27  base timestamp      i64
//! 12  partition leader epoch i32      35  max timestamp       i64
//! 16  magic, 2               i8       43  producer id         i64
//! 17  CRC-32C of all after   u32      51  producer epoch      i16
//! 21  attributes             i16      53  base sequence       i32
//!                                     57  record count        i32
//! ```
//!
//! The checksum covers all that follows it, so a leader stamps base offset and leader epoch without computing it again.

use super::{Attributes, Codec, RecordsError, TimestampType};

/// Base offset and length: the bytes that the length field does not count, in every magic.
pub const LOG_OVERHEAD: usize = 12;
/// Bytes up to and including the magic byte, at the same place in every magic.
pub const PREFIX_SIZE: usize = 17;
/// Bytes of a batch before its records.
pub const BATCH_OVERHEAD: usize = 61;
/// Bytes before the checksummed part of a batch.
pub const CHECKSUMMED_FROM: usize = 21;

const MAGIC_AT: usize = 16;
const CRC_AT: usize = 17;

/// The CRC-32C of magic 2. About 25 GB/s for bodies of 16 KiB.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The fields of a batch header, in the order of the format.
///
/// 61 bytes read from a file are enough to parse one: the body need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record that was ever in the batch.
    pub base_offset: i64,
    /// Bytes that follow the length field.
    pub length: i32,
    /// Epoch of the leader that appended the batch.
    pub leader_epoch: i32,
    /// CRC-32C as stored.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: Attributes,
    /// Last offset less the base offset; compaction keeps it.
    pub last_offset_delta: i32,
    /// Milliseconds; the timestamps of records count from it. The delete horizon where that attribute is set.
    pub base_timestamp: i64,
    /// Milliseconds; with `LogAppendTime` the timestamp of every record.
    pub max_timestamp: i64,
    /// The idempotent producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// Sequence of the first record, or -1.
    pub base_sequence: i32,
    /// Records in the body. Zero in a batch that compaction emptied.
    pub count: i32,
}

impl BatchHeader {
    /// Reads a header. Costs loads from one slice; nothing is verified but magic and least length.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordsError> {
        let Some(b) = bytes.first_chunk::<BATCH_OVERHEAD>() else {
            // The magic says more than the length, where it is there.
            return match bytes.get(MAGIC_AT) {
                Some(&magic) if magic != 2 => Err(wrong_magic(magic as i8)),
                _ => Err(RecordsError::Truncated {
                    what: "a batch header",
                    needed: BATCH_OVERHEAD,
                    available: bytes.len(),
                }),
            };
        };
        if b[MAGIC_AT] != 2 {
            return Err(wrong_magic(b[MAGIC_AT] as i8));
        }
        let header = Self {
            base_offset: i64::from_be_bytes(at(b, 0)),
            length: i32::from_be_bytes(at(b, 8)),
            leader_epoch: i32::from_be_bytes(at(b, 12)),
            crc: u32::from_be_bytes(at(b, CRC_AT)),
            attributes: Attributes(i16::from_be_bytes(at(b, 21))),
            last_offset_delta: i32::from_be_bytes(at(b, 23)),
            base_timestamp: i64::from_be_bytes(at(b, 27)),
            max_timestamp: i64::from_be_bytes(at(b, 35)),
            producer_id: i64::from_be_bytes(at(b, 43)),
            producer_epoch: i16::from_be_bytes(at(b, 51)),
            base_sequence: i32::from_be_bytes(at(b, 53)),
            count: i32::from_be_bytes(at(b, 57)),
        };
        if header.length < (BATCH_OVERHEAD - LOG_OVERHEAD) as i32 {
            return Err(RecordsError::TooSmall {
                size: header.length,
                minimum: BATCH_OVERHEAD - LOG_OVERHEAD,
            });
        }
        Ok(header)
    }

    /// Writes the header as 61 bytes.
    pub fn to_bytes(&self) -> [u8; BATCH_OVERHEAD] {
        let mut b = [0; BATCH_OVERHEAD];
        b[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        b[8..12].copy_from_slice(&self.length.to_be_bytes());
        b[12..16].copy_from_slice(&self.leader_epoch.to_be_bytes());
        b[16] = 2;
        b[17..21].copy_from_slice(&self.crc.to_be_bytes());
        b[21..23].copy_from_slice(&self.attributes.0.to_be_bytes());
        b[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        b[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        b[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        b[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        b[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        b[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        b[57..61].copy_from_slice(&self.count.to_be_bytes());
        b
    }

    /// Bytes of the whole batch, header included.
    pub fn size(&self) -> usize {
        // `parse` admits no negative length.
        LOG_OVERHEAD + self.length.max(0) as usize
    }

    /// Offset of the last record that was ever in the batch.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta))
    }

    /// The offset that follows the batch.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().wrapping_add(1)
    }

    /// Whether an idempotent producer wrote the batch.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > super::NO_PRODUCER_ID
    }

    /// Sequence of the last record, which wraps after `i32::MAX` to 0; -1 where the batch has no sequence.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == super::NO_SEQUENCE {
            return super::NO_SEQUENCE;
        }
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// Who gave the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        self.attributes.timestamp_type()
    }

    /// The time from which the cleaner may drop tombstones and markers of this batch (KIP-534), in milliseconds.
    pub fn delete_horizon(&self) -> Option<i64> {
        self.attributes.has_delete_horizon().then_some(self.base_timestamp)
    }
}

/// `sequence + by`, wrapping after `i32::MAX` to 0 as idempotent producers do.
pub fn increment_sequence(sequence: i32, by: i32) -> i32 {
    let sum = i64::from(sequence) + i64::from(by);
    (if sum > i64::from(i32::MAX) { sum - i64::from(i32::MAX) - 1 } else { sum }) as i32
}

/// One whole batch of magic 2, borrowed; `bytes` is exactly the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The parsed header.
    pub header: BatchHeader,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The batch at the front of `bytes`, checked for magic and length only. Bytes may follow it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let header = BatchHeader::parse(bytes)?;
        let bytes = bytes.get(..header.size()).ok_or(RecordsError::Truncated {
            what: "a batch",
            needed: header.size(),
            available: bytes.len(),
        })?;
        Ok(Self { header, bytes })
    }

    /// The batch at the front of `bytes`, its checksum verified.
    pub fn parse_checked(bytes: &'a [u8]) -> Result<Self, RecordsError> {
        let batch = Self::parse(bytes)?;
        batch.verify_checksum()?;
        Ok(batch)
    }

    /// Compares the stored CRC-32C with that of the bytes: one pass over the batch.
    pub fn verify_checksum(&self) -> Result<(), RecordsError> {
        let computed = crc32c(&self.bytes[CHECKSUMMED_FROM..]);
        if computed == self.header.crc {
            Ok(())
        } else {
            Err(RecordsError::Checksum { stored: self.header.crc, computed })
        }
    }

    /// The whole batch.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as they lie in the batch: compressed, if there is a codec.
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[BATCH_OVERHEAD..]
    }

    /// The codec of the body.
    pub fn codec(&self) -> Result<Codec, RecordsError> {
        self.header.attributes.codec()
    }
}

/// Writes base offset and leader epoch into a batch of magic 2, in place. The checksum does not cover them.
///
/// For messages of magic 0 and 1, offsets are stamped one by one.
pub fn stamp(batch: &mut [u8], base_offset: i64, leader_epoch: i32) -> Result<(), RecordsError> {
    BatchHeader::parse(batch)?;
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    Ok(())
}

/// The first 16 bytes of a stamped batch, to be written in front of `&batch.bytes()[16..]` without touching the bytes.
pub fn stamped_prefix(header: &BatchHeader, base_offset: i64, leader_epoch: i32) -> [u8; 16] {
    let mut prefix = [0; 16];
    prefix[0..8].copy_from_slice(&base_offset.to_be_bytes());
    prefix[8..12].copy_from_slice(&header.length.to_be_bytes());
    prefix[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
    prefix
}

/// Makes `LogAppendTime` of a batch, in place: attribute, max timestamp, and the checksum computed again.
pub fn stamp_append_time(batch: &mut [u8], now: i64) -> Result<(), RecordsError> {
    let header = Batch::parse(batch)?.header;
    let attributes = header.attributes.with_timestamp_type(TimestampType::LogAppendTime);
    batch[21..23].copy_from_slice(&attributes.0.to_be_bytes());
    batch[35..43].copy_from_slice(&now.to_be_bytes());
    let crc = crc32c(&batch[CHECKSUMMED_FROM..header.size()]);
    batch[CRC_AT..CHECKSUMMED_FROM].copy_from_slice(&crc.to_be_bytes());
    Ok(())
}

/// `N` bytes at a position that the compiler sees to be inside.
fn at<const N: usize>(bytes: &[u8; BATCH_OVERHEAD], position: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[position..position + N]);
    out
}

fn wrong_magic(found: i8) -> RecordsError {
    match found {
        0 | 1 => RecordsError::UnexpectedMagic { expected: 2, found },
        _ => RecordsError::UnknownMagic(found),
    }
}
