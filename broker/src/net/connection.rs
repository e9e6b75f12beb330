//! One connection: frames in, responses out, in order.
//!
//! The whole connection is one hand-written future, so that an idle one costs a socket, a task of a few hundred bytes and no buffer. What bounds it:
//!
//! - nothing is read while responses wait for a full socket: a slow reader costs what its responses in flight hold, no more. Of records that is little
//!   (`partitions::fetched`), or comes from a budget, and who holds some of that and reads nothing while others wait for it is ended;
//! - nothing is read while a frame that has come has not begun, or while [`MAX_WAITING`] answers wait;
//! - nothing is read while the request memory of all connections together is used up.

use std::{
    cell::RefCell,
    collections::VecDeque,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, ReadBuf},
    net::TcpStream,
};

use super::{
    Network,
    frame::{Frame, FrameReader, InvalidLength},
    memory::RequestMemory,
    outgoing::Outgoing,
    registry::{Handle, Told},
    response::{Answer, Order, Refusal, Response},
    service::{ConnectionInfo, Service},
};

/// Requests of one connection that may wait for their answers at once.
const MAX_WAITING: usize = 64;

/// Response bytes in memory beyond which no further request begins before they have left.
const COALESCE: usize = 64 * 1024;

/// What a read brings at most when no frame has begun: many small requests, or the head of a large one, whose rest is read in place.
const SCRATCH: usize = 16 * 1024;

thread_local! {
    /// Shared by all connections of a thread: it is never held from one poll to the next.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH].into_boxed_slice());
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    /// The client closed it, or its sending half, and has had its answers.
    #[error("closed by the client")]
    ByClient,
    #[error("idle for too long")]
    Idle,
    #[error("held memory for a request or a response that did not go on, while others waited for it")]
    Stalled,
    #[error("ended by the broker")]
    Stopped,
    #[error("{0}")]
    Length(#[from] InvalidLength),
    #[error("{0}")]
    Refused(Box<Refusal>),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// An answer in its place in the order.
enum Slot {
    Ready(Response),
    Waiting(Pin<Box<dyn Future<Output = Response> + Send>>, Order),
}

/// A connection as a future; its output is why it ended.
pub(crate) struct Connection {
    stream: TcpStream,
    info: ConnectionInfo,
    reader: FrameReader,
    /// Frames that have come and not begun; empty without memory most of the time.
    frames: VecDeque<Frame>,
    answers: VecDeque<Slot>,
    /// What the answers that are ready hold in memory.
    ready_in_memory: usize,
    outgoing: Outgoing,
    /// Nothing more will be read: the client has shut its half, or we are told to drain.
    read_closed: bool,
    membership: Membership,
    service: Arc<dyn Service>,
}

/// A connection's place in the registry and the counts, left on drop.
struct Membership {
    network: Arc<Network>,
    handle: Arc<Handle>,
    peer: std::net::IpAddr,
    listener_name: Arc<str>,
    listener: Arc<super::listener::ListenerCounts>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.network.memory.forget(self.handle.id);
        self.network.registry.unregister(self.handle.id);
        self.network.quotas.release(&self.listener_name, self.peer);
        self.listener.connections.add(-1);
    }
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        mut info: ConnectionInfo,
        network: Arc<Network>,
        service: Arc<dyn Service>,
        listener: Arc<super::listener::ListenerCounts>,
    ) -> Self {
        let handle = network.registry.register(network.quotas.protects(&info.listener));
        info.id = handle.id;
        if network.stopping.is_cancelled() {
            // Accepted while the broker began to stop: the round of telling may have missed it.
            handle.tell(Told::Drain);
        }
        listener.connections.add(1);
        let reader = FrameReader::new(network.limits.request_max_bytes, network.memory.clone());
        let listener_name = info.listener.clone();
        let membership = Membership { peer: info.peer.ip(), network, handle, listener_name, listener };
        Self {
            stream,
            info,
            reader,
            frames: VecDeque::new(),
            answers: VecDeque::new(),
            ready_in_memory: 0,
            outgoing: Outgoing::default(),
            read_closed: false,
            membership,
            service,
        }
    }

    pub(crate) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    fn memory(&self) -> &RequestMemory {
        &self.membership.network.memory
    }

    fn touch(&self) {
        self.membership.network.registry.touch(&self.membership.handle);
    }

    /// Whether the next frame may begin.
    fn may_begin(&self) -> bool {
        self.answers.len() < MAX_WAITING
            && self.outgoing.in_memory() + self.ready_in_memory < COALESCE
            && !matches!(self.answers.back(), Some(Slot::Waiting(_, Order::Whole)))
    }

    /// Begins the frames that have come, in order, until one must have its answer first.
    fn begin(&mut self) {
        while self.may_begin() {
            let Some(frame) = self.frames.pop_front() else { return };
            let (answer, order) = self.service.begin(&mut self.info, frame);
            self.answers.push_back(match answer {
                Answer::Now(response) => {
                    self.ready_in_memory += response.in_memory();
                    Slot::Ready(response)
                }
                Answer::Later(future) => Slot::Waiting(future, order),
                Answer::InTurn(future) => Slot::Waiting(future, Order::Whole),
            });
        }
    }

    /// Lets every waiting answer go on, and moves those that are ready and have nothing before them to the socket's queue.
    fn collect(&mut self, cx: &mut Context<'_>) -> Result<(), Box<Refusal>> {
        for slot in &mut self.answers {
            if let Slot::Waiting(future, _) = slot
                && let Poll::Ready(response) = future.as_mut().poll(cx)
            {
                self.ready_in_memory += response.in_memory();
                *slot = Slot::Ready(response);
            }
        }
        while let Some(Slot::Ready(response)) = self.answers.front_mut() {
            if let Some(refusal) = response.take_refusal() {
                return Err(refusal);
            }
            if let Some(Slot::Ready(response)) = self.answers.pop_front() {
                self.ready_in_memory -= response.in_memory();
                self.outgoing.push(response);
            }
        }
        Ok(())
    }

    /// Reads once. Ready with the number of bytes; 0 is the client's end.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, End>> {
        if let Some(space) = self.reader.space() {
            use bytes::BufMut;
            let remaining = space.remaining();
            let mut target = space.buffer.limit(remaining);
            let n = std::task::ready!(tokio_util::io::poll_read_buf(
                Pin::new(&mut self.stream),
                cx,
                &mut target
            ))?;
            self.reader.filled(&mut self.frames);
            self.membership.handle.holds_for_request(self.reader.holds_memory());
            return Poll::Ready(Ok(n));
        }
        let Self { stream, reader, frames, membership, .. } = self;
        READ.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            std::task::ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
            reader.take(buffer.filled(), frames)?;
            if reader.holds_memory() {
                membership.handle.holds_for_request(true);
            }
            Poll::Ready(Ok(buffer.filled().len()))
        })
    }

    fn poll_run(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut is_suspect = false;
        loop {
            if let Some(end) = self.heed(cx, &mut is_suspect) {
                return Poll::Ready(end);
            }
            self.begin();
            if let Err(refusal) = self.collect(cx) {
                return Poll::Ready(End::Refused(refusal));
            }
            // Responses that are ready together leave together, up to a bound.
            if !self.frames.is_empty() && self.may_begin() {
                continue;
            }
            if let Err(end) = ready!(self.send(cx, &mut is_suspect)) {
                return Poll::Ready(end);
            }
            if !self.frames.is_empty() && self.may_begin() {
                continue;
            }
            if !self.frames.is_empty() || self.answers.len() >= MAX_WAITING {
                return Poll::Pending;
            }
            if let Err(end) = ready!(self.receive(cx, &mut is_suspect)) {
                return Poll::Ready(end);
            }
        }
    }

    /// Does what the connection has been told; an end where it is to end at once.
    fn heed(&mut self, cx: &mut Context<'_>, is_suspect: &mut bool) -> Option<End> {
        match self.membership.handle.poll_told(cx) {
            Told::Nothing => {}
            Told::Idle if self.answers.is_empty() => return Some(End::Idle),
            Told::Idle => {
                self.touch();
                self.membership.handle.deny(Told::Idle);
            }
            Told::Stalled => {
                *is_suspect = true;
                self.membership.handle.deny(Told::Stalled);
            }
            Told::Drain => self.read_closed = true,
            Told::End => return Some(End::Stopped),
        }
        None
    }

    /// Sends what there is to send; ready when it has gone.
    fn send(&mut self, cx: &mut Context<'_>, is_suspect: &mut bool) -> Poll<Result<(), End>> {
        let held = self.outgoing.holds_memory();
        let (sent, state) = self.outgoing.poll_send(&self.stream, cx);
        if held {
            self.membership.handle.holds_for_response(self.outgoing.holds_memory());
        }
        if sent > 0 {
            *is_suspect = false;
            self.membership.listener.bytes_out.add(sent);
            self.touch();
        }
        match state {
            Poll::Pending if *is_suspect && self.outgoing.holds_memory() => Poll::Ready(Err(End::Stalled)),
            state => state.map_err(End::Io),
        }
    }

    /// Reads on, where there is memory for it; ready when something was read, or nothing will come any more.
    fn receive(&mut self, cx: &mut Context<'_>, is_suspect: &mut bool) -> Poll<Result<(), End>> {
        if self.read_closed {
            if !self.answers.is_empty() {
                return Poll::Pending;
            }
            let told = self.membership.handle.poll_told(cx) >= Told::Drain;
            return Poll::Ready(Err(if told { End::Stopped } else { End::ByClient }));
        }
        // A frame that has begun is read on with the memory it has: others may be waiting for that. For more it waits in its turn.
        let id = self.membership.handle.id;
        let may_read = if self.reader.is_inside_frame() {
            self.reader.poll_room(id, cx)
        } else {
            self.memory().poll_available(id, cx)
        };
        ready!(may_read);
        match self.poll_read(cx) {
            // It may have been us who didn't read; now it is the client who doesn't send.
            Poll::Pending if *is_suspect && self.reader.holds_memory() => Poll::Ready(Err(End::Stalled)),
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(end)) => Poll::Ready(Err(end)),
            Poll::Ready(Ok(0)) => {
                self.read_closed = true;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(n)) => {
                *is_suspect = false;
                self.membership.listener.bytes_in.add(n as u64);
                self.touch();
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Future for Connection {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        self.get_mut().poll_run(cx)
    }
}
