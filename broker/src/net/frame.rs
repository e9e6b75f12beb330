//! Requests as they come: four bytes of length, then so many bytes.
//!
//! An idle connection owns no buffer. Reads go to a buffer that the thread's connections share; what it brings is cut into frames of their
//! own size. Only a frame that goes on beyond it gets a buffer, and the rest of it is read straight into that.

use std::{
    collections::VecDeque,
    ops::Deref,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::memory::{RequestMemory, Reservation};

/// How much memory a frame gets on the strength of its announced length alone: what small requests need. A length costs its sender four bytes.
const FIRST: usize = 16 << 10;

/// The largest step in which a frame's memory grows, once as much as half of [`FIRST`] of it has come.
const STEP: usize = 1 << 20;

/// One request, header and body, without its length. The memory that it took of the budget is given back when it is dropped.
#[derive(Debug)]
pub struct Frame {
    bytes: Bytes,
    _reservation: Option<Reservation>,
}

impl Frame {
    /// The frame's bytes as a counted reference. What is cut from it keeps the whole frame's memory, but not its place in the budget.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Cuts the first `n` bytes (the header) off. Moves a pointer: splitting would allocate a shared owner for both parts.
    pub(crate) fn skip(&mut self, n: usize) {
        self.bytes.advance(n.min(self.bytes.len()));
    }
}

impl Deref for Frame {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl From<Bytes> for Frame {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, _reservation: None }
    }
}

/// A length that no request of ours can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Invalid receive (size = {length} larger than {limit} or negative)")]
pub struct InvalidLength {
    /// As it came.
    pub length: i32,
    /// `socket.request.max.bytes`.
    pub limit: usize,
}

/// Cuts what one connection sends into frames.
#[derive(Debug)]
pub(crate) struct FrameReader {
    limit: usize,
    memory: Arc<RequestMemory>,
    /// The bytes of a length that has not come whole.
    length: [u8; 4],
    length_filled: usize,
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
struct Partial {
    buffer: BytesMut,
    length: usize,
    reservation: Reservation,
}

impl FrameReader {
    pub(crate) fn new(limit: usize, memory: Arc<RequestMemory>) -> Self {
        Self { limit, memory, length: [0; 4], length_filled: 0, partial: None }
    }

    /// Whether a frame has come in part, and holds memory.
    pub(crate) fn holds_memory(&self) -> bool {
        self.partial.is_some()
    }

    /// Whether a frame, or its length, has come in part.
    pub(crate) fn is_inside_frame(&self) -> bool {
        self.partial.is_some() || self.length_filled > 0
    }

    /// Ready when the frame that has come in part has room for more, or may take memory for it.
    pub(crate) fn poll_room(&mut self, connection: u64, cx: &Context<'_>) -> Poll<()> {
        match self.partial.as_deref_mut() {
            Some(Partial { buffer, reservation, .. }) if buffer.len() == buffer.capacity() => {
                self.memory.poll_grow(reservation, connection, cx)
            }
            _ => Poll::Ready(()),
        }
    }

    /// Cuts `input` into frames; a rest that is not a whole frame is kept.
    pub(crate) fn take(
        &mut self,
        mut input: &[u8],
        frames: &mut VecDeque<Frame>,
    ) -> Result<(), InvalidLength> {
        while !input.is_empty() {
            if let Some(space) = self.space() {
                let n = space.remaining().min(input.len());
                space.buffer.put_slice(&input[..n]);
                input = &input[n..];
                self.filled(frames);
                continue;
            }
            let n = (4 - self.length_filled).min(input.len());
            self.length[self.length_filled..self.length_filled + n].copy_from_slice(&input[..n]);
            self.length_filled += n;
            input = &input[n..];
            if self.length_filled < 4 {
                return Ok(());
            }
            self.length_filled = 0;
            let announced = i32::from_be_bytes(self.length);
            let length = usize::try_from(announced)
                .ok()
                .filter(|length| *length <= self.limit)
                .ok_or(InvalidLength { length: announced, limit: self.limit })?;
            if length <= input.len() {
                let bytes = Bytes::copy_from_slice(&input[..length]);
                frames.push_back(Frame { bytes, _reservation: Some(self.memory.take(length)) });
                input = &input[length..];
            } else {
                // A producer of large batches fills the first read: it gets its memory at once, and nothing of its batch is copied again.
                let trusted = input.len() >= FIRST / 2 && self.memory.has_room();
                let capacity = length.min(if trusted { STEP } else { FIRST });
                let reservation = self.memory.take(capacity);
                self.partial = Some(Box::new(Partial {
                    buffer: BytesMut::with_capacity(capacity),
                    length,
                    reservation,
                }));
            }
        }
        Ok(())
    }

    /// Where the rest of a frame that has begun goes: room for at least one byte of it.
    pub(crate) fn space(&mut self) -> Option<Space<'_>> {
        let partial = self.partial.as_deref_mut()?;
        if partial.buffer.len() == partial.buffer.capacity() {
            let more = (partial.length - partial.buffer.len()).min(partial.buffer.len().max(STEP));
            partial.reservation.grow(more);
            partial.buffer.reserve(more);
        }
        let room = partial.length.min(partial.buffer.capacity());
        Some(Space { buffer: &mut partial.buffer, until: room })
    }

    /// To be called when [`Self::space`] was written to: a frame that is whole now joins `frames`.
    pub(crate) fn filled(&mut self, frames: &mut VecDeque<Frame>) {
        if let Some(partial) = self.partial.take_if(|partial| partial.buffer.len() == partial.length) {
            let Partial { buffer, reservation, .. } = *partial;
            frames.push_back(Frame { bytes: buffer.freeze(), _reservation: Some(reservation) });
        }
    }
}

/// Room for the rest of a frame, or a part of the rest.
#[derive(Debug)]
pub(crate) struct Space<'a> {
    pub(crate) buffer: &'a mut BytesMut,
    until: usize,
}

impl Space<'_> {
    /// How many bytes may be written; never none.
    pub(crate) fn remaining(&self) -> usize {
        self.until - self.buffer.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reader(limit: usize) -> FrameReader {
        FrameReader::new(limit, RequestMemory::new(None))
    }

    fn on_the_wire(frames: &[Vec<u8>]) -> Vec<u8> {
        frames.iter().flat_map(|f| [&u32::try_from(f.len()).unwrap().to_be_bytes()[..], f].concat()).collect()
    }

    #[test]
    fn a_length_that_is_negative_or_above_the_limit_is_refused_before_memory_is_taken() {
        for length in [-1_i32, i32::MIN, 101, i32::MAX] {
            let mut reader = reader(100);
            let error = reader.take(&length.to_be_bytes(), &mut VecDeque::new()).unwrap_err();
            assert_eq!(error, InvalidLength { length, limit: 100 });
            assert_eq!(reader.memory.used(), 0);
        }
    }

    #[test]
    fn an_announced_length_costs_little_until_its_bytes_come() {
        let mut reader = reader(100 << 20);
        let mut frames = VecDeque::new();
        reader.take(&(100_i32 << 20).to_be_bytes(), &mut frames).unwrap();
        assert_eq!(reader.space().unwrap().remaining(), FIRST);
        assert_eq!(reader.memory.used(), FIRST as u64);
        reader.take(&vec![7; FIRST + 1], &mut frames).unwrap();
        assert_eq!(reader.memory.used(), (FIRST + STEP) as u64);
        assert!(frames.is_empty());
    }

    #[test]
    fn a_frame_that_fills_the_first_read_gets_its_memory_at_once_while_there_is_any() {
        let begin = |budget: u64, taken: usize| {
            let mut reader = FrameReader::new(100 << 20, RequestMemory::new(Some(budget)));
            let taken = reader.memory.take(taken);
            let mut frames = VecDeque::new();
            let first = [&(STEP as i32).to_be_bytes()[..], &vec![7; FIRST - 4]].concat();
            reader.take(&first, &mut frames).unwrap();
            drop(taken);
            reader.memory.used()
        };
        assert_eq!(begin(4 << 20, 0), STEP as u64);
        assert_eq!(begin(1, 1), FIRST as u64);
    }

    #[test]
    fn a_frame_gives_its_memory_back_when_it_is_dropped() {
        let mut reader = reader(100);
        let mut frames = VecDeque::new();
        reader.take(&on_the_wire(&[vec![1; 10], vec![2; 20]]), &mut frames).unwrap();
        assert_eq!(reader.memory.used(), 30);
        frames.pop_front();
        assert_eq!(reader.memory.used(), 20);
        frames.clear();
        assert_eq!(reader.memory.used(), 0);
    }

    proptest! {
        /// However the network cuts the bytes, the same frames come out.
        #[test]
        fn frames_do_not_depend_on_fragmentation(
            sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..20),
            cuts in prop::collection::vec(1_usize..200, 1..40),
        ) {
            let bytes = on_the_wire(&sent);
            let mut reader = reader(1000);
            let mut frames = VecDeque::new();
            let mut rest = &bytes[..];
            for cut in cuts.iter().cycle() {
                if rest.is_empty() { break; }
                let n = (*cut).min(rest.len());
                reader.take(&rest[..n], &mut frames).unwrap();
                rest = &rest[n..];
            }
            let got: Vec<Vec<u8>> = frames.iter().map(|frame| frame.to_vec()).collect();
            prop_assert_eq!(got, sent);
            prop_assert!(!reader.is_inside_frame());
        }
    }
}
