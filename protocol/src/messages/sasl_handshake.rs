use crate::{Message, wire::Str};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1")]
pub struct SaslHandshakeRequest<'a> {
    pub mechanism: Str<'a>,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-1")]
pub struct SaslHandshakeResponse<'a> {
    pub error_code: i16,
    pub mechanisms: Vec<Str<'a>>,
}
