//! From a frame to its handler, and from a handler's message to the bytes of a response.

use std::sync::Arc;

use bytes::Bytes;
use smallvec::SmallVec;
use vltava_protocol::{
    ApiKey,
    frame::{RequestFrame, ResponseFrame, encode_answer},
    wire::{DecodeReason, Message, Reader},
};

use super::{TABLE, api_versions, find};
use crate::{
    Broker,
    net::{
        Answer, ConnectionInfo, FileSlice, Frame, Order, Piece, Refusal, RequestContext, Response, Service,
    },
};

/// Serves a broker's [`TABLE`].
#[derive(Debug)]
pub struct Dispatcher(Arc<Broker>);

impl Dispatcher {
    /// Serves `broker`.
    pub fn new(broker: Arc<Broker>) -> Self {
        debug_assert!(TABLE.is_sorted_by_key(|api| api.key), "the table is in the order of keys");
        Self(broker)
    }
}

impl Service for Dispatcher {
    fn begin(&self, connection: &mut ConnectionInfo, mut frame: Frame) -> (Answer, Order) {
        let (context, header) = match head(connection, &frame) {
            Ok(head) => head,
            Err(refusal) => return refused(refusal),
        };
        frame.skip(header);
        let Some(api) = find(context.api_key) else {
            return refused(Refusal::UnknownApi { key: context.api_key.into() });
        };
        if !api.versions.contains(context.version) {
            return if context.api_key == ApiKey::ApiVersions {
                (Answer::Now(api_versions::unsupported(&context)), Order::Whole)
            } else {
                let (api, version) = (context.api_key.name(), context.version);
                refused(Refusal::UnsupportedVersion { key: context.api_key.into(), api, version })
            };
        }
        self.0.metrics.requests.count(context.api_key);
        tracing::debug!(target: "vltava_broker::request", ?context, bytes = frame.len());
        ((api.begin)(&self.0, context, frame), api.order)
    }
}

fn refused(refusal: Refusal) -> (Answer, Order) {
    (Answer::Now(Response::refuse(refusal)), Order::Whole)
}

/// Reads a request's header; the number is its length.
fn head(connection: &mut ConnectionInfo, frame: &[u8]) -> Result<(RequestContext, usize), Refusal> {
    let request = RequestFrame::parse(frame).map_err(|error| match error.reason {
        DecodeReason::UnknownApiKey(key) => Refusal::UnknownApi { key },
        _ => Refusal::Malformed { api: "header", version: -1, reason: error.to_string() },
    })?;
    let context = RequestContext {
        api_key: request.key,
        version: request.version,
        correlation_id: request.header.correlation_id,
        client_id: connection.intern_client_id(request.header.client_id.as_deref()),
        listener: connection.listener.clone(),
        peer: connection.peer,
        principal: connection.principal.clone(),
        connection: connection.id,
    };
    Ok((context, request.body.position()))
}

/// What the arrays of one request may take in memory. A request that names 100,000 partitions takes a quarter of it; a frame of 100 MB that holds the
/// smallest elements there are would take gigabytes.
const DECODED_BYTES: usize = 64 << 20;

/// Reads a request's body.
pub(super) fn decode<'a, M: Message<'a>>(request: &RequestContext, body: &'a [u8]) -> Result<M, Response> {
    let mut reader = Reader::with_allowance(body, DECODED_BYTES);
    M::decode(&mut reader, request.version).map_err(|error| malformed(request, error.to_string()))
}

/// Refuses a request that is not what its API asks for, and says why.
pub(super) fn malformed(request: &RequestContext, reason: String) -> Response {
    let (api, version) = (request.api_key.name(), request.version);
    Response::refuse(Refusal::Malformed { api, version, reason })
}

/// What a handler returns: a message, or a response that it has put together itself.
pub(crate) trait IntoResponse {
    /// The bytes, with size and header.
    fn into_response(self, request: &RequestContext) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self, _: &RequestContext) -> Response {
        self
    }
}

impl<'a, M: Message<'a>> IntoResponse for M {
    fn into_response(self, request: &RequestContext) -> Response {
        Response::encode(request, &self, [])
    }
}

impl Response {
    /// The response to `request`: size, header, body. The message's `Records::Gap`s are filled with the slices, in order.
    pub fn encode<'a, M: Message<'a>>(
        request: &RequestContext,
        message: &M,
        slices: impl IntoIterator<Item = FileSlice>,
    ) -> Self {
        Self::encode_at(request, request.version, message, slices)
    }

    /// As [`Self::encode`] where the response's version is not the request's (KIP-511).
    pub(super) fn encode_at<'a, M: Message<'a>>(
        request: &RequestContext,
        version: i16,
        message: &M,
        slices: impl IntoIterator<Item = FileSlice>,
    ) -> Self {
        let unanswerable = |reason| {
            let (api, version) = (request.api_key.name(), request.version);
            Self::refuse(Refusal::Unanswerable { api, version, reason })
        };
        match encode_answer(request.api_key, request.correlation_id, version, message) {
            Ok(frame) => match weave(frame, slices) {
                Some(pieces) => Self::new(pieces),
                None => unanswerable("file slices do not fit the gaps".to_owned()),
            },
            Err(error) => unanswerable(error.to_string()),
        }
    }
}

/// Puts the slices into the gaps; `None` if they are not what the gaps announce.
fn weave(frame: ResponseFrame, slices: impl IntoIterator<Item = FileSlice>) -> Option<SmallVec<[Piece; 2]>> {
    let mut bytes = Bytes::from(frame.bytes);
    let mut slices = slices.into_iter();
    let mut pieces = SmallVec::new();
    let mut taken = 0;
    for gap in &frame.gaps {
        let slice = slices.next()?;
        if slice.length != gap.length as u64 || gap.position < taken {
            return None;
        }
        let head = bytes.split_to((gap.position - taken).min(bytes.len()));
        taken = gap.position;
        pieces.push(Piece::Bytes(head));
        pieces.push(Piece::File(slice));
    }
    if slices.next().is_some() {
        return None;
    }
    if !bytes.is_empty() {
        pieces.push(Piece::Bytes(bytes));
    }
    Some(pieces)
}

/// A handler that answers from memory.
macro_rules! now {
    // A request that borrows nothing has no lifetime.
    ($module:ident, owned $Request:ident) => {
        now!(@ $module, messages::$Request)
    };
    ($module:ident, $Request:ident) => {
        now!(@ $module, messages::$Request<'_>)
    };
    (@ $module:ident, $Request:ty) => {
        |broker, request, frame| {
            crate::net::Answer::Now(
                match crate::api::dispatch::decode::<$Request>(&request, &frame) {
                    Ok(body) => {
                        let response = $module::handle(broker, &request, body);
                        crate::api::dispatch::IntoResponse::into_response(response, &request)
                    }
                    Err(response) => response,
                },
            )
        }
    };
}

/// A handler that may wait. Cost: one allocation for its future.
macro_rules! waits {
    // A request that borrows nothing has no lifetime.
    ($module:ident, owned $Request:ident) => {
        waits!(@ $module, messages::$Request)
    };
    ($module:ident, $Request:ident) => {
        waits!(@ $module, messages::$Request<'_>)
    };
    (@ $module:ident, $Request:ty) => {
        |broker, request, frame| {
            let broker = broker.clone();
            crate::net::Answer::Later(Box::pin(async move {
                match crate::api::dispatch::decode::<$Request>(&request, &frame) {
                    Ok(body) => {
                        let response = $module::handle(&broker, &request, body).await;
                        crate::api::dispatch::IntoResponse::into_response(response, &request)
                    }
                    Err(response) => response,
                }
            }))
        }
    };
}

/// A handler that begins in order and may go on waiting.
macro_rules! begins {
    ($module:ident, $Request:ident) => {
        |broker, request, frame| match crate::api::dispatch::decode::<messages::$Request<'_>>(
            &request, &frame,
        ) {
            Ok(body) => $module::begin(broker, request, body),
            Err(response) => crate::net::Answer::Now(response),
        }
    };
}

pub(super) use {begins, now, waits};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vltava_protocol::wire::Gap;

    use super::*;

    fn slice(length: u64) -> FileSlice {
        FileSlice { file: Arc::new(tempfile::tempfile().unwrap()), position: 7, length }
    }

    fn frame(gaps: &[(usize, usize)]) -> ResponseFrame {
        let gaps = gaps.iter().map(|&(position, length)| Gap { position, length }).collect();
        ResponseFrame { bytes: b"0123456789".to_vec(), gaps }
    }

    #[test]
    fn slices_lie_where_the_gaps_are() {
        let pieces = weave(frame(&[(4, 100), (4, 0), (10, 5)]), [slice(100), slice(0), slice(5)]).unwrap();
        let shown: Vec<String> = pieces
            .iter()
            .map(|piece| match piece {
                Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Piece::File(slice) => format!("<{}>", slice.length),
            })
            .collect();
        assert_eq!(shown.concat(), "0123<100><0>456789<5>");
    }

    #[test]
    fn slices_that_are_not_what_the_gaps_announce_are_refused() {
        assert!(weave(frame(&[(4, 100)]), [slice(99)]).is_none());
        assert!(weave(frame(&[(4, 100)]), []).is_none());
        assert!(weave(frame(&[]), [slice(1)]).is_none());
    }
}
