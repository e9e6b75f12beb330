//! Jute, the serialisation of `ZooKeeper`'s wire, log and snapshots: big-endian numbers, length-prefixed strings, buffers and
//! vectors, where a length of -1 is null.
//!
//! Decoding takes memory only for bytes that are there: a count never reserves anything, so a frame can not make the reader take
//! more than a small multiple of its own size.

use std::fmt;
use std::sync::Arc;

/// Why bytes are not the record they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end inside the named field.
    #[error("bytes end inside {0}")]
    Truncated(&'static str),
    /// A length below -1, or one of -1 where null has no meaning.
    #[error("length {1} of {0} is not allowed")]
    Length(&'static str, i32),
    /// A type of operation or transaction that nobody defined.
    #[error("unknown type {0}")]
    UnknownType(i32),
}

/// Reads records off a slice, from front to back.
#[derive(Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl fmt::Debug for Decoder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decoder({} bytes left)", self.rest.len())
    }
}

impl<'a> Decoder<'a> {
    /// A decoder at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Decoder { rest: bytes }
    }

    /// Bytes not read yet.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.rest.split_at_checked(n).ok_or(DecodeError::Truncated(what))?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(DecodeError::Truncated(what))?;
        self.rest = tail;
        Ok(*head)
    }

    /// The bytes behind a length, `None` for a length of -1.
    fn prefixed(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, DecodeError> {
        match i32::decode(self)? {
            -1 => Ok(None),
            n => {
                let n = usize::try_from(n).map_err(|_| DecodeError::Length(what, n))?;
                self.take(n, what).map(Some)
            }
        }
    }
}

/// Something that jute writes and reads.
pub trait Record: Sized {
    /// Reads one, leaving the decoder behind it.
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError>;
    /// Appends this.
    fn encode(&self, to: &mut Vec<u8>);

    /// This record's bytes alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }
}

/// Appends a length. Lengths come from memory that is bounded far below 2 GiB; one beyond reads back as malformed.
pub fn encode_len(len: usize, to: &mut Vec<u8>) {
    i32::try_from(len).unwrap_or(i32::MIN).encode(to);
}

macro_rules! number {
    ($($t:ty),*) => {$(
        impl Record for $t {
            fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                from.array(stringify!($t)).map(<$t>::from_be_bytes)
            }
            fn encode(&self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_be_bytes());
            }
        }
    )*};
}
number!(i32, i64);

impl Record for bool {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        from.array::<1>("a boolean").map(|[byte]| byte != 0)
    }
    fn encode(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }
}

/// A string that may be null. Broken UTF-8 becomes the replacement character, as in Java.
impl Record for Option<String> {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(from.prefixed("a string")?.map(|bytes| String::from_utf8_lossy(bytes).into_owned()))
    }
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Some(text) => str::encode(text, to),
            None => (-1i32).encode(to),
        }
    }
}

impl Record for String {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Option::<String>::decode(from)?.ok_or(DecodeError::Length("a string", -1))
    }
    fn encode(&self, to: &mut Vec<u8>) {
        str::encode(self, to);
    }
}

/// Encoding of borrowed text, so that paths need no copy.
pub trait EncodeStr {
    /// Appends the length and the UTF-8 bytes.
    fn encode(&self, to: &mut Vec<u8>);
}

impl EncodeStr for str {
    fn encode(&self, to: &mut Vec<u8>) {
        encode_len(self.len(), to);
        to.extend_from_slice(self.as_bytes());
    }
}

/// Bytes that may be null; shared, because a node's data lives in the tree, in transactions and in replies at once.
pub type Buffer = Option<Arc<[u8]>>;

impl Record for Buffer {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(from.prefixed("a buffer")?.map(Arc::from))
    }
    fn encode(&self, to: &mut Vec<u8>) {
        match self {
            Some(bytes) => {
                encode_len(bytes.len(), to);
                to.extend_from_slice(bytes);
            }
            None => (-1i32).encode(to),
        }
    }
}

/// A vector; null reads as empty.
impl<T: Record> Record for Vec<T> {
    fn decode(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = i32::decode(from)?;
        if count < -1 {
            return Err(DecodeError::Length("a vector", count));
        }
        // Every element takes bytes, so the loop ends with them.
        (0..count).map(|_| T::decode(from)).collect()
    }
    fn encode(&self, to: &mut Vec<u8>) {
        encode_len(self.len(), to);
        for element in self {
            element.encode(to);
        }
    }
}

/// Declares a struct whose fields are read and written in the order they stand.
macro_rules! record {
    ($($(#[$meta:meta])* pub struct $name:ident { $($(#[$fmeta:meta])* pub $field:ident: $t:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $name { $($(#[$fmeta])* pub $field: $t,)* }

        impl $crate::jute::Record for $name {
            fn decode(_from: &mut $crate::jute::Decoder<'_>) -> Result<Self, $crate::jute::DecodeError> {
                Ok($name { $($field: <$t as $crate::jute::Record>::decode(_from)?,)* })
            }
            fn encode(&self, _to: &mut Vec<u8>) {
                $($crate::jute::Record::encode(&self.$field, _to);)*
            }
        }
    )*};
}
pub(crate) use record;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_that_nobody_may_send_is_an_error() {
        for bytes in [[0xff, 0xff, 0xff, 0xfe], [0x80, 0, 0, 0], [0x7f, 0xff, 0xff, 0xff]] {
            assert!(Buffer::decode(&mut Decoder::new(&bytes)).is_err());
            assert!(String::decode(&mut Decoder::new(&bytes)).is_err());
            assert!(Vec::<String>::decode(&mut Decoder::new(&bytes)).is_err());
        }
    }

    #[test]
    fn null_is_minus_one() {
        let null = (-1i32).to_bytes();
        assert_eq!(Buffer::decode(&mut Decoder::new(&null)), Ok(None));
        assert_eq!(Option::<String>::decode(&mut Decoder::new(&null)), Ok(None));
        assert_eq!(Vec::<i32>::decode(&mut Decoder::new(&null)), Ok(vec![]));
        assert_eq!(String::decode(&mut Decoder::new(&null)), Err(DecodeError::Length("a string", -1)));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(texts: Vec<String>, number: i64, data: Option<Vec<u8>>) {
            let data: Buffer = data.map(Arc::from);
            let mut bytes = texts.to_bytes();
            number.encode(&mut bytes);
            data.encode(&mut bytes);
            let mut from = Decoder::new(&bytes);
            prop_assert_eq!(Vec::<String>::decode(&mut from), Ok(texts));
            prop_assert_eq!(i64::decode(&mut from), Ok(number));
            prop_assert_eq!(Buffer::decode(&mut from), Ok(data));
            prop_assert!(from.rest().is_empty());
        }
    }
}
