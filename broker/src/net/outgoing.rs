//! Responses on their way to the socket.
//!
//! Cost: neighbouring pieces in memory leave by one `sendmsg` (up to [`VECTORS`] of them, of several responses at once), each file range by `sendfile`. Before
//! a file range `MSG_MORE` lets head and data share a segment, though TCP_NODELAY is set. Nothing is copied.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, IoSlice},
    mem::MaybeUninit,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Buf;
use rustix::net::{SendAncillaryBuffer, SendFlags};
use smallvec::SmallVec;
use tokio::{io::Interest, net::TcpStream};

use super::{
    memory::Reservation,
    response::{Piece, Response},
};

/// Pieces that leave in one system call, at most.
const VECTORS: usize = 64;

/// The most that one `sendfile` is asked for: a bound on the time in the kernel.
const SENDFILE_MAX: usize = 1 << 20;

/// Pieces in the order in which they leave.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pieces: VecDeque<Piece>,
    /// Of the pieces, those in memory.
    in_memory: usize,
    /// What the responses here hold of a budget; given back when all have left, which is soon: nothing begins before most has.
    held: Vec<Arc<Reservation>>,
}

impl Outgoing {
    /// Bytes in memory that wait for the socket.
    pub(crate) fn in_memory(&self) -> usize {
        self.in_memory
    }

    pub(crate) fn push(&mut self, response: Response) {
        self.in_memory += response.in_memory();
        let (pieces, held) = response.into_parts();
        self.held.extend(held);
        self.pieces.extend(pieces.into_iter().filter(|piece| !piece.is_empty()));
    }

    /// Whether responses here hold memory that others may wait for.
    pub(crate) fn holds_memory(&self) -> bool {
        !self.held.is_empty()
    }

    /// Sends until all is sent or the socket is full. The bytes that left, and pending if some are left.
    pub(crate) fn poll_send(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
    ) -> (u64, Poll<io::Result<()>>) {
        let mut sent = 0;
        while !self.pieces.is_empty() {
            match stream.try_io(Interest::WRITABLE, || self.send_some(stream)) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => match stream.poll_write_ready(cx) {
                    Poll::Ready(Ok(())) => {}
                    other => return (sent, other),
                },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (sent, Poll::Ready(Err(error))),
            }
        }
        self.held = Vec::new();
        // A burst leaves its queue's memory behind for the next; an idle connection should not own it.
        if self.pieces.capacity() > VECTORS {
            self.pieces = VecDeque::new();
        }
        (sent, Poll::Ready(Ok(())))
    }

    fn send_some(&mut self, stream: &TcpStream) -> io::Result<u64> {
        match self.pieces.front_mut() {
            Some(Piece::File(slice)) => {
                let count = usize::try_from(slice.length).unwrap_or(SENDFILE_MAX).min(SENDFILE_MAX);
                let n = rustix::fs::sendfile(stream, &*slice.file, Some(&mut slice.position), count)? as u64;
                if n == 0 {
                    // The file ends before the range does: the promised size can't be kept.
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                slice.length = slice.length.saturating_sub(n);
                if slice.length == 0 {
                    self.pieces.pop_front();
                }
                Ok(n)
            }
            _ => self.send_bytes(stream),
        }
    }

    fn send_bytes(&mut self, stream: &TcpStream) -> io::Result<u64> {
        let mut slices: SmallVec<[IoSlice<'_>; VECTORS]> = SmallVec::new();
        let mut flags = SendFlags::NOSIGNAL;
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) if slices.len() < VECTORS => slices.push(IoSlice::new(bytes)),
                _ => {
                    flags |= SendFlags::MORE;
                    break;
                }
            }
        }
        let mut space: [MaybeUninit<u8>; 0] = [];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let sent = rustix::net::sendmsg(stream, &slices, &mut control, flags)?;
        drop(slices);
        self.in_memory -= sent;
        let mut left = sent;
        while left > 0 {
            let Some(Piece::Bytes(bytes)) = self.pieces.front_mut() else { break };
            let n = bytes.len().min(left);
            bytes.advance(n);
            left -= n;
            if bytes.is_empty() {
                self.pieces.pop_front();
            }
        }
        Ok(sent as u64)
    }
}
