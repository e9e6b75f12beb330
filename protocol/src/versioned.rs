//! Messages that carry their own version: two bytes in front, as in records of internal topics and in group metadata.

use crate::wire::{DecodeError, DecodeReason, EncodeError, Message, Reader, Writer};

/// Reads the version and then the message; the version must be one that exists, and the message must fill `bytes`.
///
/// # Errors
/// [`DecodeError`] if it is not such a message.
pub fn decode<'a, M: Message<'a>>(bytes: &'a [u8]) -> Result<(i16, M), DecodeError> {
    let (version, mut reader) = split(bytes)?;
    let message = M::decode(&mut reader, version)?;
    reader.finish()?;
    Ok((version, message))
}

/// As [`decode`], but a version newer than any known is read as the newest known, and what follows is ignored: fields are only ever
/// added to such a message.
///
/// # Errors
/// [`DecodeError`] if it is not such a message.
pub fn decode_newer<'a, M: Message<'a>>(bytes: &'a [u8]) -> Result<(i16, M), DecodeError> {
    let (version, mut reader) = split(bytes)?;
    let message = M::decode(&mut reader, version.min(M::SCHEMA.versions.last))?;
    Ok((version, message))
}

/// The version and then the message, in one allocation of the exact size.
///
/// # Errors
/// [`EncodeError`] if the version cannot carry it.
pub fn encode<'a>(message: &impl Message<'a>, version: i16) -> Result<Vec<u8>, EncodeError> {
    let mut writer = Writer::with_capacity(2 + message.size(version)?);
    writer.put(&version.to_be_bytes());
    message.encode(&mut writer, version)?;
    Ok(writer.into_parts().0)
}

/// The version, and a reader at what follows it. A negative version is refused.
pub(crate) fn split(bytes: &[u8]) -> Result<(i16, Reader<'_>), DecodeError> {
    let mut reader = Reader::new(bytes);
    let version = i16::from_be_bytes(reader.take_array()?);
    if version < 0 {
        return Err(Reader::new(bytes).error(DecodeReason::InvalidVersionPrefix(version)));
    }
    Ok((version, reader))
}
