//! Bytes that a reader takes records off: as they lie in a batch, or as a decompressor gives them, a window at a time.

use super::compression::Decompressor;
use super::{Codec, RecordsError};

/// The bytes in front of a reader. Uncompressed bytes are borrowed; of compressed ones a window is kept, which grows to the
/// largest record and no further than the output limit.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Slice(&'a [u8]),
    Stream { decompressor: Decompressor<'a>, window: Vec<u8>, start: usize },
}

impl<'a> Source<'a> {
    pub(super) fn new(
        codec: Codec,
        magic: i8,
        body: &'a [u8],
        output_limit: usize,
    ) -> Result<Self, RecordsError> {
        Ok(match codec {
            Codec::None => Self::Slice(body),
            _ => Self::Stream {
                decompressor: Decompressor::new(codec, magic, body, output_limit)?,
                window: Vec::new(),
                start: 0,
            },
        })
    }

    /// What comes next: `size` bytes at least, or all that are left.
    pub(super) fn peek(&mut self, size: usize) -> Result<&[u8], RecordsError> {
        match self {
            Self::Slice(rest) => Ok(rest),
            Self::Stream { decompressor, window, start } => {
                if window.len() - *start < size {
                    window.drain(..*start);
                    *start = 0;
                    while window.len() < size && decompressor.append_to(window)? > 0 {}
                }
                Ok(&window[*start..])
            }
        }
    }

    /// The next `size` bytes, which are then behind the reader. `None` where fewer are left.
    pub(super) fn take(&mut self, size: usize) -> Result<Option<&[u8]>, RecordsError> {
        if self.peek(size)?.len() < size {
            return Ok(None);
        }
        Ok(Some(match self {
            Self::Slice(rest) => {
                let (taken, after) = rest.split_at(size);
                *rest = after;
                taken
            }
            Self::Stream { window, start, .. } => {
                *start += size;
                &window[*start - size..*start]
            }
        }))
    }
}
