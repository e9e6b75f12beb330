//! UnregisterBroker: forget a broker that will not come back (KIP-631). Clusters without ZooKeeper only.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Which broker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct UnregisterBrokerRequest {
    pub broker_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// Whether it is forgotten.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct UnregisterBrokerResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
