//! SaslHandshake: choose a mechanism. After version 0 the mechanism's bytes follow without frames of Kafka's; after
//! version 1 in SaslAuthenticate.

use crate::{Message, wire::Str};

/// The mechanism that the client wants.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1")]
pub struct SaslHandshakeRequest<'a> {
    pub mechanism: Str<'a>,
}

/// Whether it is enabled.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1")]
pub struct SaslHandshakeResponse<'a> {
    pub error_code: i16,
    /// Those that are.
    pub mechanisms: Vec<Str<'a>>,
}
