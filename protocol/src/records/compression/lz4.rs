//! LZ4 frames as Kafka knows them: version 1, independent blocks, no dictionary.
//!
//! Frame: magic, FLG, BD, [content size u64], header checksum u8; blocks of a little-endian u32 length (top bit: stored as it
//! is), data, [checksum u32]; an end mark of zero; [content checksum u32]. The header checksum is the second byte of the
//! XXH32 of FLG up to itself. Kafka's first clients hashed the magic too (KAFKA-3160): with magic 0 and 1 both are right.

use twox_hash::XxHash32;

use super::{Codec, RecordsError};

const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
const VERSION_MASK: u8 = 0xc0;
const VERSION_1: u8 = 0x40;
const INDEPENDENT_BLOCKS: u8 = 0x20;
const BLOCK_CHECKSUM: u8 = 0x10;
const CONTENT_SIZE: u8 = 0x08;
const CONTENT_CHECKSUM: u8 = 0x04;
const RESERVED: u8 = 0x03;
/// 64 KiB: the block size of Kafka's writer, as in the BD byte.
const BLOCK_64_KIB: u8 = 4;
const BLOCK_SIZE: usize = 64 << 10;
const STORED: u32 = 1 << 31;
/// No byte of lz4 makes more than 255.
const MAX_RATIO: usize = 255;

/// The blocks of one frame.
pub(super) struct Blocks<'a> {
    rest: &'a [u8],
    block_size: usize,
    block_checksums: bool,
    content_hash: Option<XxHash32>,
    ended: bool,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(data: &'a [u8], old_client: bool) -> Result<Self, RecordsError> {
        let Some((&[m0, m1, m2, m3, flags, block_descriptor], _)) = data.split_first_chunk::<6>() else {
            return Err(cut());
        };
        if [m0, m1, m2, m3] != MAGIC {
            return Err(Codec::Lz4.corrupt("there is no lz4 frame"));
        }
        if flags & VERSION_MASK != VERSION_1 || flags & RESERVED != 0 || flags & INDEPENDENT_BLOCKS == 0 {
            return Err(Codec::Lz4.corrupt(format_args!("frame flags {flags:#04x} are not supported")));
        }
        let code = block_descriptor >> 4;
        if block_descriptor & 0x8f != 0 || code < BLOCK_64_KIB {
            return Err(
                Codec::Lz4.corrupt(format_args!("block descriptor {block_descriptor:#04x} is invalid"))
            );
        }
        let checksum_at = if flags & CONTENT_SIZE == 0 { 6 } else { 14 };
        let (&checksum, rest) = data.get(checksum_at..).and_then(<[u8]>::split_first).ok_or_else(cut)?;
        let right = header_checksum(&data[MAGIC.len()..checksum_at]);
        if checksum != right && !(old_client && checksum == header_checksum(&data[..checksum_at])) {
            return Err(Codec::Lz4.corrupt("the frame header's checksum is wrong"));
        }
        Ok(Self {
            rest,
            // Codes 4 to 7: 64 KiB, 256 KiB, 1 MiB, 4 MiB.
            block_size: 1 << (2 * code + 8),
            block_checksums: flags & BLOCK_CHECKSUM != 0,
            content_hash: (flags & CONTENT_CHECKSUM != 0).then(|| XxHash32::with_seed(0)),
            ended: false,
        })
    }

    /// Appends the next block that is not empty; nothing at the end of the frame.
    pub(super) fn append_to(&mut self, out: &mut Vec<u8>) -> Result<(), RecordsError> {
        let before = out.len();
        while !self.ended && out.len() == before {
            self.append_block(out)?;
        }
        Ok(())
    }

    fn append_block(&mut self, out: &mut Vec<u8>) -> Result<(), RecordsError> {
        let header = self.u32()?;
        if header == 0 {
            self.ended = true;
            if let Some(hash) = self.content_hash.take() {
                verify(self.u32()?, hash.finish_32(), "the content's checksum is wrong")?;
            }
            return Ok(());
        }
        let length = (header & !STORED) as usize;
        if length > self.block_size {
            return Err(Codec::Lz4.corrupt(format_args!("a block of {length} exceeds {}", self.block_size)));
        }
        let block = self.take(length)?;
        if self.block_checksums {
            verify(self.u32()?, XxHash32::oneshot(0, block), "a block's checksum is wrong")?;
        }
        let before = out.len();
        if header & STORED != 0 {
            out.extend_from_slice(block);
        } else {
            out.resize(before + self.block_size.min(length.saturating_mul(MAX_RATIO)), 0);
            let size = lz4_flex::block::decompress_into(block, &mut out[before..])
                .map_err(|error| Codec::Lz4.corrupt(error))?;
            out.truncate(before + size);
        }
        if let Some(hash) = &mut self.content_hash {
            std::hash::Hasher::write(hash, &out[before..]);
        }
        Ok(())
    }

    fn u32(&mut self) -> Result<u32, RecordsError> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>().ok_or_else(cut)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], RecordsError> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(cut)?;
        self.rest = rest;
        Ok(bytes)
    }
}

fn cut() -> RecordsError {
    Codec::Lz4.corrupt("the frame ends early")
}

fn verify(stored: u32, computed: u32, wrong: &str) -> Result<(), RecordsError> {
    if stored == computed { Ok(()) } else { Err(Codec::Lz4.corrupt(wrong)) }
}

fn header_checksum(bytes: &[u8]) -> u8 {
    (XxHash32::oneshot(0, bytes) >> 8) as u8
}

/// Writes one frame of 64 KiB blocks, without checksums of blocks or content, as Kafka's writer does.
pub(super) struct Writer {
    out: Vec<u8>,
    block: Vec<u8>,
}

impl Writer {
    pub(super) fn new(mut out: Vec<u8>, wrong_checksum: bool) -> Self {
        let start = out.len();
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION_1 | INDEPENDENT_BLOCKS, BLOCK_64_KIB << 4]);
        let hashed_from = if wrong_checksum { start } else { start + MAGIC.len() };
        out.push(header_checksum(&out[hashed_from..]));
        Self { out, block: Vec::with_capacity(BLOCK_SIZE) }
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
        self.out.extend_from_slice(&[0; 4]);
        Ok(self.out)
    }

    fn flush(&mut self) -> Result<(), RecordsError> {
        if self.block.is_empty() {
            return Ok(());
        }
        let start = self.out.len();
        let data = start + 4;
        self.out.resize(data + lz4_flex::block::get_maximum_output_size(self.block.len()), 0);
        let size = lz4_flex::block::compress_into(&self.block, &mut self.out[data..])
            .map_err(|error| Codec::Lz4.failed(error))?;
        self.out.truncate(data + size);
        let mut header = size as u32;
        if size >= self.block.len() {
            header = self.block.len() as u32 | STORED;
            self.out.truncate(data);
            self.out.extend_from_slice(&self.block);
        }
        self.out[start..data].copy_from_slice(&header.to_le_bytes());
        self.block.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Decompressor;
    use super::*;

    fn frame(wrong_checksum: bool) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), wrong_checksum);
        writer.write(b"river river river river").unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn the_wrong_header_checksum_is_read_in_old_messages_only() {
        for (wrong, magic, accepted) in [
            (false, 0, true),
            (false, 1, true),
            (false, 2, true),
            (true, 0, true),
            (true, 1, true),
            (true, 2, false),
        ] {
            let frame = frame(wrong);
            let result = Decompressor::new(Codec::Lz4, magic, &frame, 100);
            assert_eq!(result.is_ok(), accepted, "wrong: {wrong}, magic {magic}");
        }
        let mut neither = frame(false);
        neither[6] ^= 0x55;
        assert!(Decompressor::new(Codec::Lz4, 0, &neither, 100).is_err());
    }

    #[test]
    fn kafkas_header_is_written() {
        assert_eq!(frame(false)[..7], [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82]);
    }
}
