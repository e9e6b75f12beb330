//! A cursor over the bytes of a frame.

use super::{DecodeError, DecodeReason, varint};

/// Reads values from a frame without copying; what it hands out lives as long as the frame.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// An error at this place.
    #[must_use]
    pub fn error(&self, reason: DecodeReason) -> DecodeError {
        DecodeError::new(self.position(), reason)
    }

    /// Fails if anything is left: a message must fill its frame.
    ///
    /// # Errors
    /// [`DecodeReason::TrailingBytes`].
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(self.error(DecodeReason::TrailingBytes(left))),
        }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`DecodeReason::Truncated`] if there are fewer.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.error(DecodeReason::Truncated { needed: count, left: self.rest.len() })),
        }
    }

    /// The next `N` bytes as an array; see [`Reader::take`].
    ///
    /// # Errors
    /// [`DecodeReason::Truncated`] if there are fewer.
    #[inline]
    pub fn take_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(*taken)
            }
            None => Err(self.error(DecodeReason::Truncated { needed: N, left: self.rest.len() })),
        }
    }

    /// An unsigned number of 7 bits a byte, at most 32 bits.
    ///
    /// # Errors
    /// [`DecodeReason::InvalidVarint`], [`DecodeReason::Truncated`].
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        match varint::decode_u32(self.rest) {
            Ok((value, used)) => {
                self.rest = self.rest.get(used..).unwrap_or_default();
                Ok(value)
            }
            Err(reason) => Err(self.error(reason)),
        }
    }
}
