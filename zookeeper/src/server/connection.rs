//! One connection: frames in, frames out, in one task.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

use super::four_letter;
use super::outbox::{Outbox, PAUSE_READING};
use super::shared::Shared;
use crate::jute::{Decoder, Record as _};
use crate::proto::ConnectRequest;
use crate::watches::ConnectionId;

/// Requests of one connection that may wait for their answers; beyond it, the connection is not read.
const MOST_OUTSTANDING: usize = 128;
/// How long a connection may take to say what it wants.
const HELLO: Duration = Duration::from_secs(10);
/// The buffer from which small frames are cut.
const READ_CHUNK: usize = 8 << 10;

/// Serves a connection until either side ends it.
pub(super) async fn serve(shared: Arc<Shared>, mut socket: TcpStream, peer: SocketAddr) {
    let Some((id, outbox)) = shared.admit(peer) else {
        if shared.refusal_warnings.may_warn() {
            tracing::warn!(%peer, "too many connections from one address (maxClientCnxns), or in all (maxCnxns)");
        }
        return;
    };
    let _leave = Leave { shared: &shared, id };
    // Answers are small and somebody waits for each.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "a connection was gone before it was served");
        return;
    }
    let (mut reader, mut writer) = socket.split();
    let mut head = [0; 4];
    let word = match tokio::time::timeout(HELLO, reader.read_exact(&mut head)).await {
        Ok(Ok(_)) => four_letter::word(head),
        _ => return,
    };
    if let Some(word) = word {
        let answer = four_letter::answer(&shared, word, id);
        let finish = async {
            writer.write_all(answer.as_bytes()).await?;
            writer.shutdown().await
        };
        let _ = tokio::time::timeout(HELLO, finish).await;
        return;
    }
    let ended = tokio::select! {
        ended = read(&shared, &mut reader, id, &outbox, head) => ended,
        ended = outbox.write_to(&mut writer) => ended,
        () = outbox.overdue() => Err(io::Error::other("it does not read what it is sent")),
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection closed");
    }
}

/// Takes the connection off the books, however its task ends.
struct Leave<'a> {
    shared: &'a Shared,
    id: ConnectionId,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.shared.dismiss(self.id);
    }
}

async fn read(
    shared: &Shared,
    socket: &mut ReadHalf<'_>,
    id: ConnectionId,
    outbox: &Outbox,
    head: [u8; 4],
) -> io::Result<()> {
    let mut frames = Frames { socket, buffer: head.to_vec(), most: shared.config.max_frame };
    let hello = tokio::time::timeout(HELLO, frames.next()).await??;
    let request = ConnectRequest::decode(&mut Decoder::new(&hello)).map_err(io::Error::other)?;
    shared.with(|engine, now| engine.connect(id, &request, now)).map_err(io::Error::other)?;
    loop {
        while outbox.bytes() > PAUSE_READING
            || shared.with(|engine, _| engine.outstanding(id)) >= MOST_OUTSTANDING
        {
            outbox.drained().await;
        }
        let frame = frames.next().await?;
        if !shared.with(|engine, now| engine.request(id, &frame, now)) {
            return Err(io::Error::other("a frame that is no request"));
        }
    }
}

/// Cuts a stream into frames. Memory is taken for bytes that arrived, never for a length that was announced.
struct Frames<'a, 'b> {
    socket: &'a mut ReadHalf<'b>,
    buffer: Vec<u8>,
    most: usize,
}

impl Frames<'_, '_> {
    async fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some((head, rest)) = self.buffer.split_first_chunk::<4>() {
                let announced = i32::from_be_bytes(*head);
                let len = usize::try_from(announced).ok().filter(|len| *len <= self.most);
                let Some(len) = len else {
                    return Err(io::Error::other(format!(
                        "a frame of {announced} bytes is longer than jute.maxbuffer allows"
                    )));
                };
                if rest.len() >= len {
                    let frame = rest[..len].to_vec();
                    self.buffer.drain(..4 + len);
                    if self.buffer.is_empty() {
                        // An idle connection keeps no buffer.
                        self.buffer = Vec::new();
                    }
                    return Ok(frame);
                }
            }
            if self.buffer.is_empty() {
                self.socket.readable().await?;
            }
            self.buffer.reserve(READ_CHUNK);
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
