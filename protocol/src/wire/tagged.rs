//! Tagged fields (KIP-482): optional fields at the end of a struct, each with a number and a length.

use super::{DecodeError, DecodeReason, EncodeError, Reader, Writer, varint};

/// A tagged field that this version of the struct does not define.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedField {
    /// Its number.
    pub tag: u32,
    /// Its value, uninterpreted.
    pub value: Vec<u8>,
}

/// The tagged fields of a struct that its definition does not know, kept so that they are written again.
///
/// One pointer wide, because nearly every struct has one and nearly all are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::box_collection)]
pub struct TaggedFields(Option<Box<Vec<TaggedField>>>);

impl TaggedFields {
    /// No tagged fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// The fields, in the order of their tags.
    #[must_use]
    pub fn as_slice(&self) -> &[TaggedField] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Adds a field in its place, or replaces the one with the same tag.
    pub fn insert(&mut self, field: TaggedField) {
        let fields = self.0.get_or_insert_default();
        match fields.binary_search_by_key(&field.tag, |known| known.tag) {
            Ok(index) => fields[index] = field,
            Err(index) => fields.insert(index, field),
        }
    }

    /// Reads a section of tagged fields. `known` reads those it knows and says so; the others are kept.
    #[doc(hidden)]
    pub fn read<'a>(
        reader: &mut Reader<'a>,
        mut known: impl FnMut(u32, &mut Reader<'a>) -> Result<bool, DecodeError>,
    ) -> Result<Self, DecodeError> {
        let count = reader.unsigned_varint()? as usize;
        // A tag and a length take at least a byte each.
        if count > reader.remaining() / 2 {
            return Err(reader.error(DecodeReason::TooManyElements { count, left: reader.remaining() }));
        }
        let mut unknown = Self::new();
        for _ in 0..count {
            let tag = reader.unsigned_varint()?;
            let length = reader.unsigned_varint()? as usize;
            reader.within(length, |value| {
                if !known(tag, value)? {
                    // A vector begins with room for four.
                    value.spend::<TaggedField>(if unknown.as_slice().is_empty() { 4 } else { 1 })?;
                    return unknown.push(tag, value.rest()).map_err(|reason| DecodeError::new(0, reason));
                }
                match value.remaining() {
                    0 => Ok(()),
                    _ => Err(DecodeError::new(0, DecodeReason::InvalidTaggedField(tag))),
                }
            })?;
        }
        Ok(unknown)
    }

    /// Senders write tags in ascending order (KIP-482); holding them to it keeps a section of many tags linear.
    fn push(&mut self, tag: u32, value: &[u8]) -> Result<(), DecodeReason> {
        let fields = self.0.get_or_insert_default();
        if fields.last().is_some_and(|last| last.tag >= tag) {
            return Err(DecodeReason::InvalidTaggedField(tag));
        }
        fields.push(TaggedField { tag, value: value.to_vec() });
        Ok(())
    }

    /// Writes the fields with `first <= tag < end`.
    #[doc(hidden)]
    pub fn write_between(&self, writer: &mut Writer, first: u32, end: u32) {
        for field in self.as_slice().iter().filter(|field| (first..end).contains(&field.tag)) {
            writer.unsigned_varint(field.tag);
            writer.unsigned_varint(field.value.len() as u32);
            writer.put(&field.value);
        }
    }

    /// Fails if a known field's tag is among these.
    #[doc(hidden)]
    pub fn forbid(&self, message: &'static str, tag: u32) -> Result<(), EncodeError> {
        match self.as_slice().binary_search_by_key(&tag, |field| field.tag) {
            Ok(_) => Err(EncodeError::DuplicateTag { message, tag }),
            Err(_) => Ok(()),
        }
    }

    /// Bytes of these fields with tags and lengths, without the count.
    #[doc(hidden)]
    #[must_use]
    pub fn wire_size(&self) -> usize {
        self.as_slice().iter().map(|field| Self::field_size(field.tag, field.value.len())).sum()
    }

    /// Bytes of a field with its tag and length.
    #[doc(hidden)]
    #[must_use]
    pub fn field_size(tag: u32, length: usize) -> usize {
        varint::size_u32(tag) + varint::size_u32(length as u32) + length
    }
}
