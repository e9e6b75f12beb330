//! Snappy, raw or in the blocks that xerial's snappy-java puts around it.
//!
//! xerial: the magic `\x82SNAPPY\0`, version and least compatible version as big-endian i32 (both 1), then blocks of a
//! big-endian i32 length and raw snappy each. Kafka writes it; some clients write one raw block.

use super::{Codec, RecordsError};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
const HEADER_SIZE: usize = 16;
const VERSION: i32 = 1;
/// snappy-java's block size.
const BLOCK_SIZE: usize = 32 << 10;
/// No snappy element makes more of a byte: three bytes copy at most 64.
const MAX_RATIO: usize = 22;

/// Raw blocks, whichever way they are framed.
pub(super) struct Blocks<'a> {
    rest: &'a [u8],
    framed: bool,
    decoder: snap::raw::Decoder,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(data: &'a [u8]) -> Result<Self, RecordsError> {
        let framed = data.starts_with(&MAGIC);
        let rest = if framed { skip_header(data)? } else { data };
        Ok(Self { rest, framed, decoder: snap::raw::Decoder::new() })
    }

    /// Appends the next block that is not empty; `None` where it would be larger than `left`.
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>, left: usize) -> Result<Option<()>, RecordsError> {
        while let Some(block) = self.next_block()? {
            let size = snap::raw::decompress_len(block).map_err(|error| Codec::Snappy.corrupt(error))?;
            // The size is only claimed: hold it against what the bytes could ever give.
            if size > block.len().saturating_mul(MAX_RATIO) {
                return Err(Codec::Snappy.corrupt("a block claims more than its bytes can hold"));
            }
            if size > left {
                return Ok(None);
            }
            let before = out.len();
            out.resize(before + size, 0);
            self.decoder
                .decompress(block, &mut out[before..])
                .map_err(|error| Codec::Snappy.corrupt(error))?;
            if size > 0 {
                break;
            }
        }
        Ok(Some(()))
    }

    fn next_block(&mut self) -> Result<Option<&'a [u8]>, RecordsError> {
        if !self.framed {
            let block = std::mem::take(&mut self.rest);
            return Ok((!block.is_empty()).then_some(block));
        }
        // Streams may be joined, each with its header.
        while self.rest.starts_with(&MAGIC) {
            self.rest = skip_header(self.rest)?;
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        let cut = || Codec::Snappy.corrupt("a block ends early");
        let (length, rest) = self.rest.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| cut())?;
        let (block, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(Some(block))
    }
}

fn skip_header(data: &[u8]) -> Result<&[u8], RecordsError> {
    let cut = || Codec::Snappy.corrupt("the header ends early");
    let (header, rest) = data.split_at_checked(HEADER_SIZE).ok_or_else(cut)?;
    let (_, versions) = header.split_at(MAGIC.len());
    let version = versions.first_chunk::<4>().map(|version| i32::from_be_bytes(*version)).ok_or_else(cut)?;
    if version < VERSION {
        return Err(Codec::Snappy.corrupt(format_args!("unknown framing version {version}")));
    }
    Ok(rest)
}

/// Writes xerial's framing.
pub(super) struct Writer {
    out: Vec<u8>,
    block: Vec<u8>,
    encoder: snap::raw::Encoder,
}

impl Writer {
    pub(super) fn new(mut out: Vec<u8>) -> Self {
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&VERSION.to_be_bytes());
        Self { out, block: Vec::with_capacity(BLOCK_SIZE), encoder: snap::raw::Encoder::new() }
    }

    pub(super) fn write(&mut self, mut data: &[u8]) -> Result<(), RecordsError> {
        while !data.is_empty() {
            let (now, rest) = data.split_at(data.len().min(BLOCK_SIZE - self.block.len()));
            self.block.extend_from_slice(now);
            data = rest;
            if self.block.len() == BLOCK_SIZE {
                self.flush()?;
            }
        }
        Ok(())
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.out
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, RecordsError> {
        self.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> Result<(), RecordsError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let start = self.out.len();
        self.out.resize(start + 4 + snap::raw::max_compress_len(self.block.len()), 0);
        let size = self
            .encoder
            .compress(&self.block, &mut self.out[start + 4..])
            .map_err(|error| Codec::Snappy.failed(error))?;
        self.out[start..start + 4].copy_from_slice(&(size as u32).to_be_bytes());
        self.out.truncate(start + 4 + size);
        self.block.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decompressor;
    use super::*;

    fn decompress(data: &[u8]) -> Result<Vec<u8>, RecordsError> {
        let mut out = Vec::new();
        let mut decompressor = Decompressor::new(Codec::Snappy, 2, data, 1 << 20)?;
        while decompressor.append_to(&mut out)? > 0 {}
        Ok(out)
    }

    #[test]
    fn a_raw_block_and_joined_streams_are_read() {
        let raw = snap::raw::Encoder::new().compress_vec(b"raw as it is").unwrap();
        assert_eq!(decompress(&raw).unwrap(), b"raw as it is");
        let mut one = Writer::new(Vec::new());
        one.write(b"one, ").unwrap();
        let mut two = Writer::new(one.finish().unwrap());
        two.write(b"two").unwrap();
        assert_eq!(decompress(&two.finish().unwrap()).unwrap(), b"one, two");
    }

    #[test]
    fn a_claimed_size_takes_no_memory() {
        // A varint of 2^31 - 1 and nothing behind it.
        let error = decompress(&[0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]).unwrap_err();
        assert!(error.to_string().contains("claims"), "{error}");
    }
}
