//! AllocateProducerIds: a broker asks the controller for a block of producer ids (KIP-730).

use crate::{Message, wire::TaggedFields};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsRequest {
    pub broker_id: i32,
    #[field(default = -1)]
    pub broker_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// The block.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct AllocateProducerIdsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id_start: i64,
    pub producer_id_len: i32,
    pub unknown_tagged_fields: TaggedFields,
}
