//! What every message can do.

use super::{DecodeError, DecodeReason, Described, EncodeError, Layout, Reader, Schema, Value, Writer};
use crate::ApiKey;

/// A message or a struct inside one: implemented by `#[derive(Message)]`.
///
/// `Default` is the protocol's default of each field, which also stands for what an older version does not carry.
pub trait Message<'a>: Described + Default + Sized {
    /// Reads one from where the reader stands, borrowing strings, bytes and records.
    ///
    /// Cost: one allocation per non-empty array, nothing else.
    ///
    /// # Errors
    /// [`DecodeError`] if the version does not exist or the bytes are not such a message.
    fn decode(reader: &mut Reader<'a>, version: i16) -> Result<Self, DecodeError>;

    /// Appends this to the writer.
    ///
    /// # Errors
    /// [`EncodeError`] if the version does not exist, or cannot carry a field that is set and must not be dropped.
    fn encode(&self, writer: &mut Writer, version: i16) -> Result<(), EncodeError>;

    /// The exact number of bytes that [`encode`](Self::encode) appends, gaps included.
    ///
    /// # Errors
    /// [`EncodeError`], as [`encode`](Self::encode) would.
    fn size(&self, version: i16) -> Result<usize, EncodeError>;
}

/// A request of the protocol, and what answers it.
pub trait Request {
    /// The number by which the request's header names it.
    const KEY: ApiKey;
    /// The body of the response.
    type Response<'b>: Message<'b>;
}

// What the derive's implementations share, so that it writes no logic twice.

/// See [`Message::decode`].
#[doc(hidden)]
pub fn decode_message<'a, M: Message<'a> + Value<'a>>(
    reader: &mut Reader<'a>,
    version: i16,
) -> Result<M, DecodeError> {
    let Schema { name, versions, .. } = *M::SCHEMA;
    if !versions.contains(version) {
        let reason = DecodeReason::UnsupportedVersion { version, supported: versions };
        return Err(reader.error(reason).within(name, ""));
    }
    M::read(reader, Layout { version, flexible: false })
}

/// See [`Message::encode`].
#[doc(hidden)]
pub fn encode_message<'a, M: Message<'a> + Value<'a>>(
    message: &M,
    writer: &mut Writer,
    version: i16,
) -> Result<(), EncodeError> {
    check_version::<M>(version)?;
    message.write(writer, Layout { version, flexible: false })
}

/// See [`Message::size`].
#[doc(hidden)]
pub fn message_size<'a, M: Message<'a> + Value<'a>>(message: &M, version: i16) -> Result<usize, EncodeError> {
    check_version::<M>(version)?;
    message.wire_size(Layout { version, flexible: false })
}

fn check_version<M: Described>(version: i16) -> Result<(), EncodeError> {
    let Schema { name, versions, .. } = *M::SCHEMA;
    if versions.contains(version) {
        return Ok(());
    }
    Err(EncodeError::UnsupportedVersion { message: name, version, supported: versions })
}

/// A nullable struct has a byte in front: -1 for null, else 1.
#[doc(hidden)]
pub fn read_nullable_struct<'a, M: Value<'a>>(
    reader: &mut Reader<'a>,
    layout: Layout,
) -> Result<Option<M>, DecodeError> {
    let marker = i8::read(reader, layout)?;
    if marker < 0 { Ok(None) } else { M::read(reader, layout).map(Some) }
}

/// See [`read_nullable_struct`].
#[doc(hidden)]
pub fn write_nullable_struct<'a, M: Value<'a>>(
    value: Option<&M>,
    writer: &mut Writer,
    layout: Layout,
) -> Result<(), EncodeError> {
    match value {
        None => (-1i8).write(writer, layout),
        Some(value) => {
            1i8.write(writer, layout)?;
            value.write(writer, layout)
        }
    }
}
