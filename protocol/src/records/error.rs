//! What can be wrong with record data.

use super::Codec;

/// Why bytes are not the record data they should be.
///
/// None of these names a topic or partition: the caller knows where the bytes came from and adds it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// The bytes end before the batch, message or record does.
    #[error("{what} needs {needed} bytes, but only {available} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that are left.
        available: usize,
    },
    /// The length field is smaller than the fixed fields that it must cover.
    #[error("Record size {size} is less than the minimum record overhead ({minimum})")]
    TooSmall {
        /// The length field.
        size: i32,
        /// The least it can be.
        minimum: usize,
    },
    /// The length field exceeds the limit of the reader.
    #[error("Record size {size} exceeds the largest allowable message size ({maximum})")]
    TooLarge {
        /// The length field.
        size: i32,
        /// The reader's limit, in bytes.
        maximum: usize,
    },
    /// A magic byte that no version of Kafka has written.
    #[error("Invalid magic found in record: {0}")]
    UnknownMagic(i8),
    /// A known magic, but not the one that is needed here.
    #[error("expected record magic {expected}, found {found}")]
    UnexpectedMagic {
        /// The magic that this reader or rule needs.
        expected: i8,
        /// The magic in the bytes.
        found: i8,
    },
    /// The checksum in the header is not that of the bytes.
    #[error("Record is corrupt (stored crc = {stored}, computed crc = {computed})")]
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// Compression bits that no codec has.
    #[error("Unknown compression type id: {0}")]
    UnknownCodec(u8),
    /// The number of records in a batch is not what its header says.
    #[error("the header counts {declared} records, the body has {found}")]
    CountMismatch {
        /// The count in the header.
        declared: i32,
        /// The records found in the body; one more than declared where bytes follow the last record.
        found: i32,
    },
    /// A record, message or control record whose fields contradict each other.
    #[error("{0}")]
    Malformed(&'static str),
    /// The decompressed data is larger than the reader allows.
    #[error("{codec} data decompresses to more than the limit of {limit} bytes")]
    OutputLimit {
        /// The codec of the data.
        codec: Codec,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The compressed data is not what its codec writes.
    #[error("{codec} data is corrupt: {reason}")]
    Decompression {
        /// The codec of the data.
        codec: Codec,
        /// What the decompressor said.
        reason: String,
    },
    /// The compressor failed, or has no such level.
    #[error("cannot compress as {codec}: {reason}")]
    Compression {
        /// The codec asked for.
        codec: Codec,
        /// What the compressor said.
        reason: String,
    },
    /// What is built does not fit the format's lengths, offsets or counts.
    #[error("{what} does not fit: {value}")]
    Overflow {
        /// The field.
        what: &'static str,
        /// The value that does not fit.
        value: i64,
    },
    /// The magic cannot carry what was asked of it, for example headers in magic 1.
    #[error("record magic {magic} cannot carry {what}")]
    Unsupported {
        /// The magic.
        magic: i8,
        /// What it cannot carry.
        what: &'static str,
    },
}
