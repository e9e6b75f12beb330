//! Topic ids and directory ids.

use std::{fmt, str::FromStr};

use super::{DecodeError, EncodeError, Layout, Reader, Type, Typed, Value, Writer};

/// Sixteen bytes, printed as Kafka does: base64 with `-` and `_`, without padding, 22 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uuid([u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Uuid {
    /// "No id": what a topic without one has.
    pub const ZERO: Self = Self([0; 16]);

    /// From the bytes, most significant first.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Whether this is [`Uuid::ZERO`].
    #[must_use]
    pub const fn is_zero(&self) -> bool {
        u128::from_be_bytes(self.0) == 0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 128 bits are 21 characters of 6 bits, and 2 bits that begin the last character.
        let bits = u128::from_be_bytes(self.0);
        let mut text = [0u8; 22];
        for (index, character) in text.iter_mut().enumerate() {
            let six = if index < 21 { bits >> (122 - 6 * index) } else { bits << 4 };
            *character = ALPHABET[(six & 63) as usize];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an id in Kafka's spelling.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a base64 encoded UUID of 22 characters")]
pub struct InvalidUuid(String);

impl FromStr for Uuid {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        let invalid = || InvalidUuid(text.chars().take(64).collect());
        if text.len() != 22 {
            return Err(invalid());
        }
        let mut bits = 0u128;
        for (index, byte) in text.bytes().enumerate() {
            let six = ALPHABET.iter().position(|&known| known == byte).ok_or_else(invalid)? as u128;
            bits = if index < 21 { bits << 6 | six } else { bits << 2 | six >> 4 };
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

impl From<u128> for Uuid {
    fn from(bits: u128) -> Self {
        Self(bits.to_be_bytes())
    }
}

impl Typed for Uuid {
    const TYPE: Type = Type::Primitive("uuid");
}

impl Value<'_> for Uuid {
    #[inline]
    fn min_size(_: Layout) -> usize {
        16
    }

    #[inline]
    fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
        Ok(Self(reader.take_array()?))
    }

    #[inline]
    fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
        writer.put(&self.0);
        Ok(())
    }

    #[inline]
    fn wire_size(&self, _: Layout) -> Result<usize, EncodeError> {
        Ok(16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_are_spelled_as_kafka_spells_them() {
        assert_eq!(Uuid::ZERO.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Uuid::from(1).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(Uuid::from(u128::MAX).to_string(), "_____________________w");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAA"] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_undoes_printing(bits: u128) {
            prop_assert_eq!(Uuid::from(bits).to_string().parse(), Ok(Uuid::from(bits)));
        }
    }
}
