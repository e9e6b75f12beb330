use crate::{
    Message,
    wire::{Bytes, TaggedFields},
};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeRequest<'a> {
    pub request_data: Bytes<'a>,
    pub request_principal: Option<Bytes<'a>>,
    pub client_host_address: Bytes<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct EnvelopeResponse<'a> {
    #[field(default = None)]
    pub response_data: Option<Bytes<'a>>,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
