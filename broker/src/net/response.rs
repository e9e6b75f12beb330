//! What goes back to a client: bytes that are in memory, and ranges of files that the kernel sends without our touching them.

use std::{fs::File, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;

/// One part of a response.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes in memory: sent together with their neighbours by one `writev`.
    Bytes(Bytes),
    /// A range of a file: sent by `sendfile`. It must be in the page cache: a network thread never waits for a disk.
    File {
        /// The open file.
        file: Arc<File>,
        /// The first byte's place in it.
        position: u64,
        /// How many bytes.
        length: usize,
    },
}

/// A response, whole: size, header and body as pieces in their order. No piece at all means that nothing is sent (Produce with acks=0).
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// In the order in which they are sent.
    pub pieces: SmallVec<[Piece; 2]>,
}

impl Response {
    /// The answer to a request that wants none.
    pub fn none() -> Self {
        Self::default()
    }
}

/// How a handler answers.
///
/// Everything that must happen in the order of the connection's requests (appending, above all) happens before `Answer` is returned; what
/// only waits (for followers, for data, for time) is `Later`, holds no request bytes any more, and does not hold up the next request.
pub enum Answer {
    /// The response is complete.
    Now(Response),
    /// The response comes out of this future.
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Now(response) => f.debug_tuple("Now").field(response).finish(),
            Self::Later(_) => f.write_str("Later(..)"),
        }
    }
}
