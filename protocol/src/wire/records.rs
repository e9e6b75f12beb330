//! The records of a Produce request or a Fetch response.

use std::borrow::Cow;

use super::{
    Bytes, DecodeError, DecodeReason, EncodeError, IntoOwned, Layout, Nullable, Reader, Type, Typed, Value,
    Writer,
};

/// Record batches or a message set as they lie on the wire, or the room for some that are not in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records<'a> {
    /// The bytes themselves, borrowed from the frame after decoding.
    Bytes(Bytes<'a>),
    /// This many bytes, which the sender adds from elsewhere: encoding leaves a [`Gap`](super::Gap).
    Gap(usize),
}

impl Records<'_> {
    /// Length in bytes, in memory or not.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Gap(length) => *length,
        }
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, if they are in memory.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Gap(_) => None,
        }
    }
}

impl Default for Records<'_> {
    fn default() -> Self {
        Self::Bytes(Cow::Borrowed(&[]))
    }
}

impl<'a> From<&'a [u8]> for Records<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Cow::Borrowed(bytes))
    }
}

impl From<Vec<u8>> for Records<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

impl IntoOwned for Records<'_> {
    type Owned = Records<'static>;

    fn into_owned(self) -> Self::Owned {
        match self {
            Self::Bytes(bytes) => Records::Bytes(IntoOwned::into_owned(bytes)),
            Self::Gap(length) => Records::Gap(length),
        }
    }
}

impl Typed for Records<'_> {
    const TYPE: Type = Type::Primitive("records");
}

impl<'a> Value<'a> for Records<'a> {
    #[inline]
    fn min_size(layout: Layout) -> usize {
        Bytes::min_size(layout)
    }

    fn read(reader: &mut Reader<'a>, layout: Layout) -> Result<Self, DecodeError> {
        Self::read_nullable(reader, layout)?.ok_or_else(|| reader.error(DecodeReason::UnexpectedNull))
    }

    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        Self::write_nullable(Some(self), writer, layout)
    }

    fn wire_size(&self, layout: Layout) -> Result<usize, EncodeError> {
        Self::wire_size_nullable(Some(self), layout)
    }
}

impl<'a> Nullable<'a> for Records<'a> {
    #[inline]
    fn min_size_nullable(layout: Layout) -> usize {
        Self::min_size(layout)
    }

    fn read_nullable(reader: &mut Reader<'a>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        Ok(Bytes::read_nullable(reader, layout)?.map(Records::Bytes))
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        layout.write_length(writer, "records", value.map(Records::len))?;
        match value {
            Some(Records::Bytes(bytes)) => writer.put(bytes),
            Some(Records::Gap(length)) => writer.gap(*length),
            None => {}
        }
        Ok(())
    }

    fn wire_size_nullable(value: Option<&Self>, layout: Layout) -> Result<usize, EncodeError> {
        let Some(records) = value else { return Ok(Self::min_size(layout)) };
        Ok(layout.length_size("records", records.len())? + records.len())
    }
}
