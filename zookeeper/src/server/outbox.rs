//! What waits to be written to one connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;

/// Above this many unwritten bytes nothing more is read from the connection.
pub(super) const PAUSE_READING: usize = 1 << 20;
/// A connection that lets this much pile up (it sets watches and does not read) is closed. Its client comes back and sets them again.
const MOST: usize = 64 << 20;
/// How long a connection that ends may take to read what it was told last.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// Frames up to this size are copied together into one write.
const TOGETHER: usize = 64 << 10;

/// Frames for one connection, from whoever has something to say to it. Pushing never waits.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    bytes: AtomicUsize,
    ready: Notify,
    drained: Notify,
    /// Wakes [`Outbox::overdue`].
    ending: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Vec<u8>>,
    closing: bool,
    overflown: bool,
}

impl Outbox {
    /// Adds a frame, without its length.
    pub(super) fn push(&self, frame: Vec<u8>) {
        let mut queue = self.queue.lock();
        if queue.closing {
            return;
        }
        let bytes = self.bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        queue.frames.push_back(frame);
        if bytes > MOST {
            queue.frames.clear();
            queue.closing = true;
            queue.overflown = true;
            self.ending.notify_one();
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// Nothing comes after what is there; then the connection ends.
    pub(super) fn close(&self) {
        self.queue.lock().closing = true;
        self.ready.notify_one();
        self.ending.notify_one();
    }

    /// Returns when the connection should have ended but its client does not take the rest: after a grace, or at once when too much piled up.
    pub(super) async fn overdue(&self) {
        self.ending.notified().await;
        let overflown = self.queue.lock().overflown;
        if !overflown {
            tokio::time::sleep(LAST_WORDS).await;
        }
    }

    /// Bytes not written yet.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until something was written.
    pub(super) async fn drained(&self) {
        self.drained.notified().await;
    }

    /// Writes what comes until the outbox is closed and empty, or the connection fails. Each round is one write for all small frames.
    pub(super) async fn write_to(&self, socket: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let (frames, closing) = {
                let mut queue = self.queue.lock();
                (std::mem::take(&mut queue.frames), queue.closing)
            };
            if frames.is_empty() {
                if closing {
                    return socket.shutdown().await;
                }
                // An idle connection keeps no buffer.
                buffer = Vec::new();
                self.ready.notified().await;
                continue;
            }
            let total: usize = frames.iter().map(Vec::len).sum();
            for frame in frames {
                let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
                buffer.extend_from_slice(&len.to_be_bytes());
                if buffer.len() + frame.len() > TOGETHER {
                    socket.write_all(&buffer).await?;
                    buffer.clear();
                    socket.write_all(&frame).await?;
                } else {
                    buffer.extend_from_slice(&frame);
                }
            }
            socket.write_all(&buffer).await?;
            buffer.clear();
            self.bytes.fetch_sub(total, Ordering::Relaxed);
            self.drained.notify_one();
        }
    }
}
