//! Whole frames: a size, a header and a body.
//!
//! What is read has its four-byte size already taken off by the connection; what is written has it in front.

use crate::{
    ApiKey,
    messages::{RequestHeader, ResponseHeader},
    wire::{DecodeError, DecodeReason, EncodeError, Gap, Message, Reader, Request, Writer},
};

/// A request as it arrived: its header, and its body not yet read.
#[derive(Debug, Clone)]
pub struct RequestFrame<'a> {
    /// The API.
    pub key: ApiKey,
    /// The version of the request; not necessarily one that exists.
    pub version: i16,
    /// Which client sent it, and the number that its response must carry.
    pub header: RequestHeader<'a>,
    /// Stands at the first byte of the body.
    pub body: Reader<'a>,
}

impl<'a> RequestFrame<'a> {
    /// Reads the header from the bytes of a frame after its size.
    ///
    /// The version is not judged: an ApiVersions request of an unknown version has to be answered (KIP-511).
    ///
    /// # Errors
    /// [`DecodeReason::UnknownApiKey`], or any that says that the header is broken. The connection cannot go on after either,
    /// because what the header looks like depends on the API.
    pub fn parse(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let mut peek = Reader::new(frame);
        let number = i16::from_be_bytes(peek.take_array()?);
        let version = i16::from_be_bytes(peek.take_array()?);
        let Ok(key) = ApiKey::try_from(number) else {
            return Err(Reader::new(frame).error(DecodeReason::UnknownApiKey(number)));
        };
        let mut body = Reader::new(frame);
        let header = RequestHeader::decode(&mut body, key.request_header_version(version))?;
        Ok(Self { key, version, header, body })
    }

    /// Reads the body as what the API's table says it is. Bytes after it are ignored, as Kafka does.
    ///
    /// # Errors
    /// [`DecodeError`] if the version does not exist or the body is not such a request.
    pub fn decode<M: Message<'a>>(&self) -> Result<M, DecodeError> {
        M::decode(&mut self.body.clone(), self.version)
    }
}

/// A response ready to be sent: bytes, and the gaps between them for file data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResponseFrame {
    /// The size, the header and the body, without what belongs into the gaps.
    pub bytes: Vec<u8>,
    /// Where file data belongs, in the order of the `Records::Gap`s of the message.
    pub gaps: Vec<Gap>,
}

/// The whole frame of a request, its size in front.
///
/// Cost: one allocation of the exact size.
///
/// # Errors
/// [`EncodeError`] if the version cannot carry the request, or if its records are not in memory.
pub fn encode_request<'a, R: Request + Message<'a>>(
    correlation_id: i32,
    client_id: Option<&str>,
    version: i16,
    body: &R,
) -> Result<Vec<u8>, EncodeError> {
    let header_version = R::KEY.request_header_version(version);
    let none = RequestHeader::default();
    let header = RequestHeader {
        request_api_key: R::KEY.into(),
        request_api_version: version,
        correlation_id,
        // The oldest header carries none.
        client_id: if header_version > 0 { client_id.map(Into::into) } else { none.client_id },
        ..RequestHeader::default()
    };
    let frame = encode(&header, header_version, body, version)?;
    if frame.gaps.is_empty() { Ok(frame.bytes) } else { Err(EncodeError::UnexpectedGap(R::KEY.name())) }
}

/// The whole frame of the response to a request of type `R`, its size in front; the size counts the gaps.
///
/// Cost: one allocation of the exact size, and one if there are gaps.
///
/// # Errors
/// [`EncodeError`] if the version cannot carry the response.
pub fn encode_response<'a, R: Request>(
    correlation_id: i32,
    version: i16,
    body: &R::Response<'a>,
) -> Result<ResponseFrame, EncodeError> {
    encode_answer(R::KEY, correlation_id, version, body)
}

/// As [`encode_response`], where the API is known by its key.
///
/// # Errors
/// [`EncodeError`] if the version cannot carry the response.
pub fn encode_answer<'a>(
    key: ApiKey,
    correlation_id: i32,
    version: i16,
    body: &impl Message<'a>,
) -> Result<ResponseFrame, EncodeError> {
    let header = ResponseHeader { correlation_id, ..ResponseHeader::default() };
    encode(&header, key.response_header_version(version), body, version)
}

/// Reads a response's frame after its size: the correlation id and the body of the response to a request of type `R`.
///
/// # Errors
/// [`DecodeError`] if the frame is not such a response, or goes on after it.
pub fn decode_response<R: Request>(
    frame: &[u8],
    version: i16,
) -> Result<(i32, R::Response<'_>), DecodeError> {
    let mut reader = Reader::new(frame);
    let header = ResponseHeader::decode(&mut reader, R::KEY.response_header_version(version))?;
    let body = <R::Response<'_> as Message<'_>>::decode(&mut reader, version)?;
    reader.finish()?;
    Ok((header.correlation_id, body))
}

fn encode<'h, 'b>(
    header: &impl Message<'h>,
    header_version: i16,
    body: &impl Message<'b>,
    version: i16,
) -> Result<ResponseFrame, EncodeError> {
    let size = header.size(header_version)? + body.size(version)?;
    let limit = i32::MAX as usize;
    if size > limit {
        return Err(EncodeError::TooLong { what: "frame", length: size, limit });
    }
    // Gaps are counted in the size but take no memory here: the buffer grows to what is really written.
    let mut writer = Writer::with_capacity(4 + size.min(LARGEST_RESERVATION));
    writer.put(&(size as i32).to_be_bytes());
    header.encode(&mut writer, header_version)?;
    body.encode(&mut writer, version)?;
    debug_assert_eq!(writer.len(), 4 + size, "the size of a message is exact");
    let (bytes, gaps) = writer.into_parts();
    Ok(ResponseFrame { bytes, gaps })
}

/// A larger frame is mostly records: copied ones grow the buffer, and gaps need none.
const LARGEST_RESERVATION: usize = 64 * 1024;
