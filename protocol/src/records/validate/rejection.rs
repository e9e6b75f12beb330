//! Why records are not appended.

use crate::records::RecordsError;

/// The kind of a rejection; each is one error code of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rejection {
    /// `CORRUPT_MESSAGE`: bytes that are no batch, or a wrong checksum.
    Corrupt,
    /// `INVALID_TIMESTAMP`.
    InvalidTimestamp,
    /// `INVALID_RECORD`.
    InvalidRecord,
    /// `MESSAGE_TOO_LARGE`.
    TooLarge,
    /// `UNSUPPORTED_COMPRESSION_TYPE`.
    UnsupportedCompression,
    /// `UNSUPPORTED_FOR_MESSAGE_FORMAT`.
    UnsupportedForFormat,
}

impl Rejection {
    /// The protocol's error code.
    pub fn error_code(self) -> i16 {
        match self {
            Self::Corrupt => 2,
            Self::TooLarge => 10,
            Self::InvalidTimestamp => 32,
            Self::UnsupportedForFormat => 43,
            Self::UnsupportedCompression => 76,
            Self::InvalidRecord => 87,
        }
    }
}

/// A record that has caused its batch to be rejected, as `record_errors` of a Produce response (KIP-467) names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Position of the record among those of the partition in the request.
    pub batch_index: i32,
    /// What is wrong with it.
    pub message: String,
}

/// The most records that one rejection names.
pub const MAX_RECORD_ERRORS: usize = 1000;

/// Why records were rejected; nothing of them may be appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidRecords {
    /// The error code's kind.
    pub kind: Rejection,
    /// `error_message` of the response, without the partition's name.
    pub message: String,
    /// The records at fault, where single ones are; at most [`MAX_RECORD_ERRORS`].
    pub record_errors: Vec<RecordError>,
}

impl InvalidRecords {
    pub(super) fn new(kind: Rejection, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), record_errors: Vec::new() }
    }
}

impl From<RecordsError> for InvalidRecords {
    fn from(error: RecordsError) -> Self {
        let kind = match &error {
            RecordsError::TooLarge { .. } | RecordsError::OutputLimit { .. } => Rejection::TooLarge,
            RecordsError::CountMismatch { .. } | RecordsError::UnexpectedMagic { .. } => {
                Rejection::InvalidRecord
            }
            RecordsError::Unsupported { what: "zstd", .. } | RecordsError::Compression { .. } => {
                Rejection::UnsupportedCompression
            }
            RecordsError::Unsupported { .. } => Rejection::UnsupportedForFormat,
            RecordsError::Malformed(_) => Rejection::InvalidRecord,
            RecordsError::Overflow { .. } => Rejection::TooLarge,
            RecordsError::Truncated { .. }
            | RecordsError::TooSmall { .. }
            | RecordsError::UnknownMagic(_)
            | RecordsError::Checksum { .. }
            | RecordsError::UnknownCodec(_)
            | RecordsError::Decompression { .. } => Rejection::Corrupt,
        };
        Self::new(kind, error.to_string())
    }
}

/// The records at fault, as they are found.
#[derive(Debug, Default)]
pub(super) struct RecordErrors {
    listed: Vec<RecordError>,
    total: usize,
    any_timestamp: bool,
}

impl RecordErrors {
    pub(super) fn push(&mut self, kind: Rejection, batch_index: i32, message: impl FnOnce() -> String) {
        self.total += 1;
        self.any_timestamp |= kind == Rejection::InvalidTimestamp;
        if self.listed.len() < MAX_RECORD_ERRORS {
            self.listed.push(RecordError { batch_index, message: message() });
        }
    }

    /// Fails where any record is at fault.
    pub(super) fn into_result(self) -> Result<(), InvalidRecords> {
        if self.total == 0 {
            return Ok(());
        }
        let (kind, message) = if self.any_timestamp {
            let message = "One or more records have been rejected due to invalid timestamp".to_owned();
            (Rejection::InvalidTimestamp, message)
        } else {
            let message = format!(
                "One or more records have been rejected due to {} record errors in total, and only showing the first three \
                 errors at most: {:?}",
                self.total,
                self.listed.iter().take(3).map(|error| &error.message).collect::<Vec<_>>(),
            );
            (Rejection::InvalidRecord, message)
        };
        Err(InvalidRecords { kind, message, record_errors: self.listed })
    }
}
