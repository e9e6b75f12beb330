//! Strings and byte strings.

use std::borrow::Cow;

use super::{
    DecodeError, DecodeReason, EncodeError, Layout, Nullable, Reader, Type, Typed, Value, Writer, varint,
};

/// A string, borrowed from the frame after decoding.
///
/// Bytes that are not UTF-8 are replaced as Java's decoder does, so that a name that Kafka accepts is accepted here.
pub type Str<'a> = Cow<'a, str>;

/// A byte string, borrowed from the frame after decoding.
pub type Bytes<'a> = Cow<'a, [u8]>;

/// The longest string in any version, in bytes.
const LONGEST: usize = i16::MAX as usize;

impl Typed for Str<'_> {
    const TYPE: Type = Type::Primitive("string");
}

impl<'a> Value<'a> for Str<'a> {
    #[inline]
    fn min_size(layout: Layout) -> usize {
        if layout.flexible { 1 } else { 2 }
    }

    #[inline]
    fn read(reader: &mut Reader<'a>, layout: Layout) -> Result<Self, DecodeError> {
        Self::read_nullable(reader, layout)?.ok_or_else(|| reader.error(DecodeReason::UnexpectedNull))
    }

    #[inline]
    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        Self::write_nullable(Some(self), writer, layout)
    }

    #[inline]
    fn wire_size(&self, layout: Layout) -> Result<usize, EncodeError> {
        Self::wire_size_nullable(Some(self), layout)
    }
}

impl<'a> Nullable<'a> for Str<'a> {
    #[inline]
    fn min_size_nullable(layout: Layout) -> usize {
        Self::min_size(layout)
    }

    fn read_nullable(reader: &mut Reader<'a>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let length = if layout.flexible {
            i64::from(reader.unsigned_varint()?) - 1
        } else {
            i64::from(i16::from_be_bytes(reader.take_array()?))
        };
        match usize::try_from(length) {
            Ok(length) if length <= LONGEST => Ok(Some(String::from_utf8_lossy(reader.take(length)?))),
            Err(_) if length == -1 => Ok(None),
            _ => Err(reader.error(DecodeReason::InvalidLength(length))),
        }
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        let length = match value {
            None => -1,
            Some(text) => fit(text.len())?,
        };
        if layout.flexible {
            writer.unsigned_varint((i32::from(length) + 1) as u32);
        } else {
            writer.put(&length.to_be_bytes());
        }
        if let Some(text) = value {
            writer.put(text.as_bytes());
        }
        Ok(())
    }

    fn wire_size_nullable(value: Option<&Self>, layout: Layout) -> Result<usize, EncodeError> {
        let Some(text) = value else { return Ok(Self::min_size(layout)) };
        let length = fit(text.len())?;
        let prefix = if layout.flexible { varint::size_u32(length as u32 + 1) } else { 2 };
        Ok(prefix + text.len())
    }
}

fn fit(length: usize) -> Result<i16, EncodeError> {
    i16::try_from(length).map_err(|_| EncodeError::TooLong { what: "string", length, limit: LONGEST })
}

impl Typed for Bytes<'_> {
    const TYPE: Type = Type::Primitive("bytes");
}

impl<'a> Value<'a> for Bytes<'a> {
    #[inline]
    fn min_size(layout: Layout) -> usize {
        if layout.flexible { 1 } else { 4 }
    }

    #[inline]
    fn read(reader: &mut Reader<'a>, layout: Layout) -> Result<Self, DecodeError> {
        Self::read_nullable(reader, layout)?.ok_or_else(|| reader.error(DecodeReason::UnexpectedNull))
    }

    #[inline]
    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        Self::write_nullable(Some(self), writer, layout)
    }

    #[inline]
    fn wire_size(&self, layout: Layout) -> Result<usize, EncodeError> {
        Self::wire_size_nullable(Some(self), layout)
    }
}

impl<'a> Nullable<'a> for Bytes<'a> {
    #[inline]
    fn min_size_nullable(layout: Layout) -> usize {
        Self::min_size(layout)
    }

    fn read_nullable(reader: &mut Reader<'a>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let Some(length) = layout.read_length(reader)? else { return Ok(None) };
        Ok(Some(Cow::Borrowed(reader.take(length)?)))
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        layout.write_length(writer, "bytes", value.map(|bytes| bytes.len()))?;
        if let Some(bytes) = value {
            writer.put(bytes);
        }
        Ok(())
    }

    fn wire_size_nullable(value: Option<&Self>, layout: Layout) -> Result<usize, EncodeError> {
        let Some(bytes) = value else { return Ok(Self::min_size(layout)) };
        Ok(layout.length_size("bytes", bytes.len())? + bytes.len())
    }
}
