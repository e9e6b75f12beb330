//! What goes back to a client: bytes that are in memory, and ranges of files that the kernel sends without our touching them.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{FileSlice, memory::Reservation};
use bytes::Bytes;
use smallvec::SmallVec;

/// One part of a response.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes in memory: sent together with their neighbours by one system call.
    Bytes(Bytes),
    /// A range of a file: sent by `sendfile`. It must be in the page cache: a network thread never waits for a disk.
    File(FileSlice),
}

impl Piece {
    /// How many bytes leave.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(slice) => slice.length,
        }
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A response, whole: size, header and body as pieces in their order.
#[derive(Debug, Clone, Default)]
pub struct Response {
    pieces: SmallVec<[Piece; 2]>,
    refusal: Option<Box<Refusal>>,
    held: Option<Arc<Reservation>>,
}

impl Response {
    /// A response of these pieces, the first of which begins with the response's size.
    pub fn new(pieces: SmallVec<[Piece; 2]>) -> Self {
        Self { pieces, refusal: None, held: None }
    }

    /// The answer to a request that wants none (Produce with acks=0).
    pub fn none() -> Self {
        Self::default()
    }

    /// No response: the connection is closed, as Kafka does with what it can't answer.
    pub fn refuse(refusal: Refusal) -> Self {
        Self { refusal: Some(Box::new(refusal)), ..Self::default() }
    }

    /// The pieces, in the order in which they are sent.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Bytes that the response holds in memory until it has left.
    pub(crate) fn in_memory(&self) -> usize {
        self.pieces.iter().map(|piece| if let Piece::Bytes(bytes) = piece { bytes.len() } else { 0 }).sum()
    }

    /// The response, which gives `held` back when it has left.
    #[must_use]
    pub fn holding(self, held: Reservation) -> Self {
        Self { held: Some(Arc::new(held)), ..self }
    }

    pub(crate) fn into_parts(self) -> (SmallVec<[Piece; 2]>, Option<Arc<Reservation>>) {
        (self.pieces, self.held)
    }

    /// Why the connection is closed instead.
    pub fn refusal(&self) -> Option<&Refusal> {
        self.refusal.as_deref()
    }

    pub(crate) fn take_refusal(&mut self) -> Option<Box<Refusal>> {
        self.refusal.take()
    }
}

/// Why a request is answered by closing its connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such API here.
    #[error("Unknown API key {key}")]
    UnknownApi {
        /// As it came.
        key: i16,
    },
    /// Not a version that is advertised.
    #[error("Received request for api with key {key} ({api}) and unsupported version {version}")]
    UnsupportedVersion {
        /// The API's key.
        key: i16,
        /// The API's name.
        api: &'static str,
        /// As it came.
        version: i16,
    },
    /// Bytes that are not this request.
    #[error("Error parsing a request of {api} version {version}: {reason}")]
    Malformed {
        /// The API's name, or `header`.
        api: &'static str,
        /// The version in the header.
        version: i16,
        /// What is wrong with it.
        reason: String,
    },
    /// Our answer has no form in the version that was asked: a fault of ours.
    #[error("Error encoding a response of {api} version {version}: {reason}")]
    Unanswerable {
        /// The API's name.
        api: &'static str,
        /// The version in the header.
        version: i16,
        /// Which field.
        reason: String,
    },
    /// Produce with acks=0 failed: closing is the only way to tell, as in Kafka.
    #[error("Closing the connection due to an error during a produce request with acks=0: {reason}")]
    ProduceWithoutAcks {
        /// The partitions and their errors.
        reason: String,
    },
}

/// How a handler answers.
///
/// What must happen in the order of the connection's requests (appending, above all) happens before `Answer` is returned, or is `InTurn`; what
/// only waits (for followers, for data, for time) is `Later`, and does not hold up the next request if its API's [`Order`] says so.
pub enum Answer {
    /// The response is complete.
    Now(Response),
    /// The response comes out of this future.
    Later(Later),
    /// The same, and whatever its API's [`Order`] says the next request begins only then: what must happen in order is not done yet.
    InTurn(Later),
}

/// A response that is not there yet.
pub type Later = Pin<Box<dyn Future<Output = Response> + Send>>;

impl Answer {
    /// The response, when it is there.
    pub async fn response(self) -> Response {
        match self {
            Self::Now(response) => response,
            Self::Later(future) | Self::InTurn(future) => future.await,
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(response) => f.debug_tuple("Now").field(response).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
            Self::InTurn(_) => f.write_str("InTurn(..)"),
        }
    }
}

/// Whether the connection's next request may begin while this one waits. Responses keep the order of requests in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The next request begins when this one has its response, as in Kafka.
    Whole,
    /// The next request begins at once: a Produce that waits for followers holds up nobody's append.
    UntilItWaits,
}
