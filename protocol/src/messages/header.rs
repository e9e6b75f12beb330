//! The headers in front of every request and response.
//! Which version goes with which message is decided by [`ApiKey`](crate::ApiKey).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Says what the request is, and who sent it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct RequestHeader<'a> {
    pub request_api_key: i16,
    pub request_api_version: i16,
    /// The response carries the same.
    pub correlation_id: i32,
    /// In the old layout also where the header is flexible, so that every broker can read it.
    #[field(versions = "1+", flexible = "none")]
    pub client_id: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Says which request is answered.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1", flexible = "1+")]
pub struct ResponseHeader {
    pub correlation_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}
