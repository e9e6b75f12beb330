//! InitProducerId: a producer id for idempotent or transactional producing (KIP-98).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "2+")]
pub struct InitProducerIdRequest<'a> {
    /// Null if the producer is only idempotent.
    pub transactional_id: Option<Str<'a>>,
    pub transaction_timeout_ms: i32,
    /// What the producer had, to go on with the next epoch, or -1 (KIP-360).
    #[field(versions = "3+", default = -1)]
    pub producer_id: i64,
    #[field(versions = "3+", default = -1)]
    pub producer_epoch: i16,
    /// Whether another system decides the transactions (KIP-939).
    #[field(versions = "6+", name = "Enable2Pc")]
    pub enable_2pc: bool,
    /// Whether a prepared transaction stays (KIP-939).
    #[field(versions = "6+")]
    pub keep_prepared_txn: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The producer's id and epoch.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-6", flexible = "2+")]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(default = -1)]
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// That of the transaction that was kept, or -1.
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_id: i64,
    #[field(versions = "6+", default = -1)]
    pub ongoing_txn_producer_epoch: i16,
    pub unknown_tagged_fields: TaggedFields,
}
