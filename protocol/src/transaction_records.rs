//! The records of `__transaction_state`: one for each transactional id, rewritten at every step of its transaction.

// A field whose name says all has no line of documentation that repeats it.
#![allow(missing_docs)]

use crate::{
    Message, versioned,
    wire::{DecodeError, EncodeError, Str, TaggedFields},
};

/// Names a transactional id.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct TransactionLogKey<'a> {
    pub transactional_id: Str<'a>,
}

/// How far the transaction of a transactional id is.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue<'a> {
    pub producer_id: i64,
    /// The producer id of the last committed transaction, or -1 (KIP-890).
    #[field(versions = "1+", tag = 0, default = -1)]
    pub previous_producer_id: i64,
    /// The producer id that the client was told to use next, or -1 (KIP-890).
    #[field(versions = "1+", tag = 1, default = -1)]
    pub next_producer_id: i64,
    pub producer_epoch: i16,
    /// The epoch that goes with `next_producer_id`, or -1.
    #[field(versions = "1+", tag = 3, default = -1)]
    pub next_producer_epoch: i16,
    pub transaction_timeout_ms: i32,
    /// Empty 0, ongoing 1, prepare commit 2, prepare abort 3, complete commit 4, complete abort 5, dead 6, prepare epoch fence 7.
    pub transaction_status: i8,
    /// The partitions that the transaction has written to; null if there is none going on.
    pub transaction_partitions: Option<Vec<PartitionsSchema<'a>>>,
    /// Milliseconds since 1970.
    pub transaction_last_update_timestamp_ms: i64,
    /// Milliseconds since 1970, or -1.
    pub transaction_start_timestamp_ms: i64,
    /// 0 or 1: the original protocol; 2: that of KIP-890.
    #[field(versions = "1+", tag = 2)]
    pub client_transaction_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct PartitionsSchema<'a> {
    pub topic: Str<'a>,
    pub partition_ids: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

impl<'a> TransactionLogKey<'a> {
    /// Reads a key.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not such a key.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode(bytes)?.1)
    }

    /// The key as brokers write it.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, 0)
    }
}

impl<'a> TransactionLogValue<'a> {
    /// Reads a value of any version.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not such a value.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode(bytes)?.1)
    }

    /// The value with its version in front.
    ///
    /// # Errors
    /// [`EncodeError`] if the version does not exist, or cannot carry what is set.
    pub fn to_bytes(&self, version: i16) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, version)
    }
}
