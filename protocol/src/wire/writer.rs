//! A growing frame, with gaps where file data will go.

use super::varint;

/// A place in a frame where bytes that are not in memory belong, such as a slice of a log segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Bytes of the writer's buffer that come before the gap.
    pub position: usize,
    /// Bytes that belong into the gap.
    pub length: usize,
}

/// Collects a frame's bytes and the gaps between them.
///
/// One allocation if created with the message's exact size (without its gaps).
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    gaps: Vec<Gap>,
}

impl Writer {
    /// An empty frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty frame with room for `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), gaps: Vec::new() }
    }

    /// The length of the frame so far, gaps included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() + self.gaps.iter().map(|gap| gap.length).sum::<usize>()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes written so far, without the gaps.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The gaps so far, in order.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The bytes, and the gaps between them in order.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u8>, Vec<Gap>) {
        (self.bytes, self.gaps)
    }

    /// Appends bytes.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Leaves a gap for `length` bytes here. A gap of no bytes is noted as well, so that the n-th gap is the n-th records field.
    pub fn gap(&mut self, length: usize) {
        self.gaps.push(Gap { position: self.bytes.len(), length });
    }

    /// Appends an unsigned number of 7 bits a byte.
    #[inline]
    pub fn unsigned_varint(&mut self, value: u32) {
        varint::encode_u32(value, &mut self.bytes);
    }
}
