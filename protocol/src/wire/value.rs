//! How one field lies on the wire.

use super::{DecodeError, DecodeReason, EncodeError, Reader, Type, Typed, Writer};

/// What decides how a field is written: the message's version, and whether lengths are compact (KIP-482).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The version of the message around the field.
    pub version: i16,
    /// Whether the version is flexible.
    pub flexible: bool,
}

impl Layout {
    /// Fails unless `length`, from a compact or a four-byte prefix, is a length; `None` is null.
    #[inline]
    pub(super) fn read_length(self, reader: &mut Reader<'_>) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            let length = reader.unsigned_varint()?;
            return Ok(length.checked_sub(1).map(|length| length as usize));
        }
        let length = i32::from_be_bytes(reader.take_array()?);
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(reader.error(DecodeReason::InvalidLength(length.into()))),
        }
    }

    /// Writes a compact or four-byte length; `None` is null.
    #[inline]
    pub(super) fn write_length(
        self,
        writer: &mut Writer,
        what: &'static str,
        length: Option<usize>,
    ) -> Result<(), EncodeError> {
        let length = match length {
            None => -1,
            Some(length) => fit(what, length)?,
        };
        if self.flexible {
            writer.unsigned_varint((length + 1) as u32);
        } else {
            writer.put(&length.to_be_bytes());
        }
        Ok(())
    }

    /// The size of what [`write_length`](Self::write_length) writes.
    #[inline]
    pub(super) fn length_size(self, what: &'static str, length: usize) -> Result<usize, EncodeError> {
        let length = fit(what, length)?;
        Ok(if self.flexible { super::varint::size_u32(length as u32 + 1) } else { 4 })
    }
}

fn fit(what: &'static str, length: usize) -> Result<i32, EncodeError> {
    // One less than the largest, because a compact length is written plus one.
    const LIMIT: usize = i32::MAX as usize - 1;
    if length > LIMIT {
        return Err(EncodeError::TooLong { what, length, limit: LIMIT });
    }
    Ok(length as i32)
}

/// A value that a field or an array element can hold.
pub trait Value<'a>: Typed + Sized {
    /// The fewest bytes that one takes, which bounds the counts of arrays.
    fn min_size(layout: Layout) -> usize;

    /// Reads one.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are not such a value.
    fn read(reader: &mut Reader<'a>, layout: Layout) -> Result<Self, DecodeError>;

    /// Appends this.
    ///
    /// # Errors
    /// [`EncodeError`] if the layout cannot carry it.
    fn write(&self, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError>;

    /// The exact number of bytes that [`write`](Self::write) appends, gaps included.
    ///
    /// # Errors
    /// [`EncodeError`] if the layout cannot carry it.
    fn wire_size(&self, layout: Layout) -> Result<usize, EncodeError>;
}

/// A value that can be null: strings, bytes, records, arrays and structs.
pub trait Nullable<'a>: Value<'a> {
    /// The fewest bytes that one or null takes.
    fn min_size_nullable(layout: Layout) -> usize;

    /// Reads one or null.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are neither.
    fn read_nullable(reader: &mut Reader<'a>, layout: Layout) -> Result<Option<Self>, DecodeError>;

    /// Appends a value or null.
    ///
    /// # Errors
    /// [`EncodeError`] if the layout cannot carry it.
    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError>;

    /// The exact number of bytes that [`write_nullable`](Self::write_nullable) appends.
    ///
    /// # Errors
    /// [`EncodeError`] if the layout cannot carry it.
    fn wire_size_nullable(value: Option<&Self>, layout: Layout) -> Result<usize, EncodeError>;
}

macro_rules! numbers {
    ($($type:ty = $name:literal),* $(,)?) => {$(
        impl Typed for $type {
            const TYPE: Type = Type::Primitive($name);
        }

        impl Value<'_> for $type {
            #[inline]
            fn min_size(_: Layout) -> usize {
                size_of::<Self>()
            }

            #[inline]
            fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
                Ok(Self::from_be_bytes(reader.take_array()?))
            }

            #[inline]
            fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
                writer.put(&self.to_be_bytes());
                Ok(())
            }

            #[inline]
            fn wire_size(&self, _: Layout) -> Result<usize, EncodeError> {
                Ok(size_of::<Self>())
            }
        }
    )*};
}

numbers! {
    i8 = "int8",
    i16 = "int16",
    u16 = "uint16",
    i32 = "int32",
    u32 = "uint32",
    i64 = "int64",
    f64 = "float64",
}

impl Typed for bool {
    const TYPE: Type = Type::Primitive("bool");
}

impl Value<'_> for bool {
    #[inline]
    fn min_size(_: Layout) -> usize {
        1
    }

    /// Any byte but 0 is true.
    #[inline]
    fn read(reader: &mut Reader<'_>, _: Layout) -> Result<Self, DecodeError> {
        let [byte] = reader.take_array()?;
        Ok(byte != 0)
    }

    #[inline]
    fn write(&self, writer: &mut Writer, _: Layout) -> Result<(), EncodeError> {
        writer.put(&[u8::from(*self)]);
        Ok(())
    }

    #[inline]
    fn wire_size(&self, _: Layout) -> Result<usize, EncodeError> {
        Ok(1)
    }
}
