//! Sequences.

use super::{DecodeError, DecodeReason, EncodeError, Layout, Nullable, Reader, Type, Typed, Value, Writer};

impl<T: Typed> Typed for Vec<T> {
    const TYPE: Type = Type::Array(&T::TYPE);
}

impl<'a, T: Value<'a>> Value<'a> for Vec<T> {
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

impl<'a, T: Value<'a>> Nullable<'a> for Vec<T> {
    #[inline]
    fn min_size_nullable(layout: Layout) -> usize {
        Self::min_size(layout)
    }

    fn read_nullable(reader: &mut Reader<'a>, layout: Layout) -> Result<Option<Self>, DecodeError> {
        let Some(count) = layout.read_length(reader)? else { return Ok(None) };
        let left = reader.remaining();
        if count > left / T::min_size(layout).max(1) {
            return Err(reader.error(DecodeReason::TooManyElements { count, left }));
        }
        reader.spend::<T>(count)?;
        // An element may be larger in memory than on the wire, so a hostile count could still take a multiple of the frame:
        // reserve no more memory than the frame has bytes left, and let real elements pay for the rest.
        let mut elements = Self::with_capacity(count.min(left / size_of::<T>().max(1) + 1));
        for _ in 0..count {
            elements.push(T::read(reader, layout)?);
        }
        Ok(Some(elements))
    }

    fn write_nullable(value: Option<&Self>, writer: &mut Writer, layout: Layout) -> Result<(), EncodeError> {
        layout.write_length(writer, "array", value.map(Self::len))?;
        for element in value.into_iter().flatten() {
            element.write(writer, layout)?;
        }
        Ok(())
    }

    fn wire_size_nullable(value: Option<&Self>, layout: Layout) -> Result<usize, EncodeError> {
        let Some(elements) = value else { return Ok(Self::min_size(layout)) };
        let mut size = layout.length_size("array", elements.len())?;
        for element in elements {
            size += element.wire_size(layout)?;
        }
        Ok(size)
    }
}
