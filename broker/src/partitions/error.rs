//! Why a partition does not do what a request asked, and the error code that says so.

use thiserror::Error;
use vltava_cluster::replication::EpochError;
use vltava_log::{AppendError, LogError, ReadError};
use vltava_protocol::ErrorCode;

/// A partition's refusal. Each maps to one error code, see [`PartitionError::code`].
#[derive(Debug, Error)]
pub enum PartitionError {
    /// This broker has no such topic or partition.
    #[error("This server does not host this topic-partition.")]
    Unknown,
    /// This broker has no topic with this id.
    #[error("This server does not host this topic ID.")]
    UnknownId,
    /// The replica here does not lead.
    #[error(
        "For requests intended only for the leader, this error indicates that the broker is not the current leader."
    )]
    NotLeader,
    /// A fetch that says it is that follower's, and this partition has no such replica.
    #[error("Broker {0} is no replica of this partition.")]
    NotReplica(i32),
    /// The client's leader epoch is not ours.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// The log directory is offline, or its disk is full.
    #[error("Disk error when trying to access log file on the disk.")]
    Storage,
    /// acks=all, and the ISR is smaller than `min.insync.replicas`.
    #[error(
        "The size of the current ISR {isr:?} is insufficient to satisfy the min.isr requirement of {min_isr} for partition {topic}-{partition}"
    )]
    NotEnoughReplicas {
        /// Who is in sync.
        isr: Vec<i32>,
        /// What the topic demands.
        min_isr: usize,
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// The log refused what was to be appended.
    #[error(transparent)]
    Append(AppendError),
    /// An offset outside of what this partition has.
    #[error("{0}")]
    OffsetOutOfRange(String),
    /// `cleanup.policy` has no `delete`: records cannot be deleted by offset.
    #[error("The cleanup policy of partition {topic}-{partition} does not allow to delete records.")]
    Policy {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// Records compressed by zstd for a client that does not know it.
    #[error("The requesting client does not support the compression type of given partition.")]
    Zstd,
    /// Records for an old client, and `message.downconversion.enable` is off.
    #[error("Down-conversion of records is not enabled.")]
    DownConversionOff,
    /// Bytes on disk that are not what they should be.
    #[error("{0}")]
    Corrupt(String),
}

impl PartitionError {
    /// The protocol's code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unknown => ErrorCode::UnknownTopicOrPartition,
            Self::UnknownId => ErrorCode::UnknownTopicId,
            Self::NotLeader | Self::NotReplica(_) => ErrorCode::NotLeaderOrFollower,
            Self::Epoch(EpochError::Fenced { .. }) => ErrorCode::FencedLeaderEpoch,
            Self::Epoch(EpochError::Unknown { .. }) => ErrorCode::UnknownLeaderEpoch,
            Self::Storage => ErrorCode::KafkaStorageError,
            Self::NotEnoughReplicas { .. } => ErrorCode::NotEnoughReplicas,
            Self::OffsetOutOfRange(_) => ErrorCode::OffsetOutOfRange,
            Self::Policy { .. } => ErrorCode::PolicyViolation,
            Self::Zstd => ErrorCode::UnsupportedCompressionType,
            Self::DownConversionOff => ErrorCode::UnsupportedVersion,
            Self::Corrupt(_) => ErrorCode::CorruptMessage,
            Self::Append(error) => match error {
                AppendError::Storage(_) => ErrorCode::KafkaStorageError,
                AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
                AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
                AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
                AppendError::InvalidTxnState { .. } => ErrorCode::InvalidTxnState,
                AppendError::RecordListTooLarge { .. } => ErrorCode::RecordListTooLarge,
                AppendError::UnexpectedOffset { .. } => ErrorCode::UnknownServerError,
                AppendError::InvalidRecords { .. } => ErrorCode::InvalidRecord,
            },
        }
    }

    /// Whether the broker is to blame, not the client: what Kafka counts as a failed request.
    pub fn is_brokers_fault(&self) -> bool {
        matches!(self, Self::Storage | Self::Corrupt(_) | Self::Append(AppendError::Storage(_)))
    }

    /// As an error of reading; storage failures are told to `failed` on the way.
    pub(super) fn from_read(error: ReadError, failed: impl FnOnce(&LogError)) -> Self {
        match error {
            ReadError::OffsetOutOfRange { .. } => Self::OffsetOutOfRange(error.to_string()),
            ReadError::Storage(error) => Self::from_log(&error, failed),
        }
    }

    /// As an error of the log; storage failures are told to `failed` on the way.
    pub(super) fn from_log(error: &LogError, failed: impl FnOnce(&LogError)) -> Self {
        failed(error);
        match error {
            LogError::Corrupt { .. } => Self::Corrupt(error.to_string()),
            _ => Self::Storage,
        }
    }
}

/// `code` for clients that do not know KAFKA_STORAGE_ERROR yet: they are told to look for another leader.
pub fn storage_error_for(code: ErrorCode, version: i16, last_without: i16) -> ErrorCode {
    if code == ErrorCode::KafkaStorageError && version <= last_without {
        return ErrorCode::NotLeaderOrFollower;
    }
    code
}
