//! Envelope: a broker forwards a client's request to the controller (KIP-590).

use crate::{
    Message,
    wire::{Bytes, TaggedFields},
};

/// The client's request.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeRequest<'a> {
    /// The whole request with its header, without its size.
    pub request_data: Bytes<'a>,
    /// Who sent it; see [`DefaultPrincipalData`](crate::principal::DefaultPrincipalData).
    pub request_principal: Option<Bytes<'a>>,
    /// The four or sixteen bytes of the client's address.
    pub client_host_address: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The controller's response.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeResponse<'a> {
    /// The whole response with its header, without its size; null if there is none.
    #[field(default = None)]
    pub response_data: Option<Bytes<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
