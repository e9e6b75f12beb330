//! SaslAuthenticate: a step of the mechanism chosen by SaslHandshake.

use crate::{
    Message,
    wire::{Bytes, Str, TaggedFields},
};

/// The client's bytes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateRequest<'a> {
    pub auth_bytes: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The broker's bytes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "2+")]
pub struct SaslAuthenticateResponse<'a> {
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub auth_bytes: Bytes<'a>,
    /// After this the client must authenticate again; 0 is never (KIP-368).
    #[field(versions = "1+", ignorable)]
    pub session_lifetime_ms: i64,
    pub unknown_tagged_fields: TaggedFields,
}
