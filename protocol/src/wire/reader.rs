//! A cursor over the bytes of a frame.

use super::{DecodeError, DecodeReason, varint};

/// Reads values from a frame without copying; what it hands out lives as long as the frame.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    length: usize,
    /// Bytes of memory that the elements of arrays may still take.
    allowance: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::with_allowance(bytes, usize::MAX)
    }

    /// Starts at the first byte. What is decoded may take `allowance` bytes of memory beside the frame: an element can be many times as large in
    /// memory as on the wire, so that the frame's length alone is no bound for what a stranger sends.
    #[must_use]
    pub fn with_allowance(bytes: &'a [u8], allowance: usize) -> Self {
        Self { rest: bytes, length: bytes.len(), allowance }
    }

    /// Counts memory for `count` elements of an array, before it is taken.
    pub(super) fn spend<T>(&mut self, count: usize) -> Result<(), DecodeError> {
        let needed = count.saturating_mul(size_of::<T>());
        match self.allowance.checked_sub(needed) {
            Some(left) => {
                self.allowance = left;
                Ok(())
            }
            None => Err(self.error(DecodeReason::TooMuchMemory { needed, left: self.allowance })),
        }
    }

    /// Reads the next `length` bytes by a reader of their own, which spends from the same allowance.
    pub(super) fn within<T>(
        &mut self,
        length: usize,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        let start = self.position();
        let mut inner = Self::with_allowance(self.take(length)?, self.allowance);
        let value = read(&mut inner).map_err(|mut error| {
            error.position += start;
            error
        })?;
        self.allowance = inner.allowance;
        Ok(value)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        messages::FetchRequest,
        wire::{Message, TaggedFields},
    };

    #[test]
    fn elements_take_no_more_memory_than_the_reader_may_spend() {
        // Version 0: replica, wait, bytes; one topic without a name; 1,000 partitions of 16 bytes.
        let head = [&[0; 12][..], &1_i32.to_be_bytes(), &[0; 2], &1_000_i32.to_be_bytes()].concat();
        let frame = [head, vec![0; 16_000]].concat();
        let decode = |allowance| FetchRequest::decode(&mut Reader::with_allowance(&frame, allowance), 0);
        let fetch = decode(usize::MAX).expect("a Fetch");
        let needed = size_of_val(&*fetch.topics) + size_of_val(&*fetch.topics[0].partitions);
        assert!(needed > 2 * frame.len(), "an element is larger in memory");
        assert_eq!(decode(needed), Ok(fetch));
        let reason = decode(needed - 1).expect_err("too much").reason;
        assert!(matches!(reason, DecodeReason::TooMuchMemory { .. }), "{reason}");
    }

    #[test]
    fn tagged_fields_spend_of_the_same_memory() {
        // Two unknown fields without a value.
        let section = [2, 7, 0, 8, 0];
        let read = |allowance| {
            TaggedFields::read(&mut Reader::with_allowance(&section, allowance), |_, _| Ok(false))
                .map(|fields| fields.as_slice().len())
                .map_err(|error| error.reason)
        };
        assert_eq!(read(1_000), Ok(2));
        assert!(matches!(read(100), Err(DecodeReason::TooMuchMemory { .. })));
    }
}
