//! The principal inside an Envelope request, as Kafka's default principal builder writes it.

// A field whose name says all has no line of documentation that repeats it.
#![allow(missing_docs)]

use crate::{
    Message, versioned,
    wire::{DecodeError, EncodeError, Str, TaggedFields},
};

/// Who a forwarded request comes from.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData<'a> {
    /// `User`, unless a principal builder of the cluster's own says otherwise.
    pub r#type: Str<'a>,
    pub name: Str<'a>,
    /// Whether the client logged in with a delegation token.
    pub token_authenticated: bool,
    pub unknown_tagged_fields: TaggedFields,
}

impl<'a> DefaultPrincipalData<'a> {
    /// Reads a principal, its version in front.
    ///
    /// # Errors
    /// [`DecodeError`] if it is not such a principal.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Ok(versioned::decode_newer(bytes)?.1)
    }

    /// The principal, its version in front.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        versioned::encode(self, 0)
    }
}
