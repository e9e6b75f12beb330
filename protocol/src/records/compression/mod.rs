//! Compression as Kafka's clients frame it: gzip, snappy, lz4 and zstd, each with a limit on what comes out.
//!
//! Decompression appends to a buffer of the caller, a block or a chunk at a time, so that a bomb costs no more memory than one
//! block and no more work than the limit.

mod lz4;
mod snappy;

use std::io::{Read, Write};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::{Codec, RecordsError};

/// A generous limit for the decompressed size of one batch: 128 MiB.
pub const DEFAULT_OUTPUT_LIMIT: usize = 128 << 20;

/// What gzip and zstd decompress at a time.
const CHUNK: usize = 32 << 10;

/// The largest window that a zstd frame may ask for, as a power of two: that of the highest level, and the limit of the
/// library that Java clients use.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

impl Codec {
    /// The levels that the codec's configuration key takes (KIP-390), where it has one.
    ///
    /// `gzip` also takes -1, its own default. The levels of `lz4` are accepted, and all give the same fast compression.
    pub fn levels(self) -> Option<std::ops::RangeInclusive<i32>> {
        match self {
            Self::None | Self::Snappy => None,
            Self::Gzip => Some(1..=9),
            Self::Lz4 => Some(1..=17),
            Self::Zstd => Some(-131_072..=22),
        }
    }

    #[allow(clippy::needless_pass_by_value)] // For `map_err`.
    fn corrupt(self, reason: impl std::fmt::Display) -> RecordsError {
        RecordsError::Decompression { codec: self, reason: format!("{reason}") }
    }

    #[allow(clippy::needless_pass_by_value)]
    fn failed(self, reason: impl std::fmt::Display) -> RecordsError {
        RecordsError::Compression { codec: self, reason: format!("{reason}") }
    }
}

/// Decompresses the body of one batch or wrapper message.
pub struct Decompressor<'a> {
    codec: Codec,
    inner: Input<'a>,
    limit: usize,
    left: usize,
}

enum Input<'a> {
    Plain(&'a [u8]),
    Gzip(Box<MultiGzDecoder<&'a [u8]>>),
    Snappy(snappy::Blocks<'a>),
    Lz4(lz4::Blocks<'a>),
    Zstd(Box<zstd::stream::read::Decoder<'static, &'a [u8]>>),
}

impl<'a> Decompressor<'a> {
    /// Starts on `data`. Fails where the data does not begin as its codec's should.
    ///
    /// `magic` is that of the batch or wrapper: with 0 and 1 an lz4 frame may carry the wrong header checksum of old clients
    /// (KAFKA-3160). `limit` bounds the bytes that come out.
    pub fn new(codec: Codec, magic: i8, data: &'a [u8], limit: usize) -> Result<Self, RecordsError> {
        let inner = match codec {
            Codec::None => Input::Plain(data),
            Codec::Gzip => Input::Gzip(Box::new(MultiGzDecoder::new(data))),
            Codec::Snappy => Input::Snappy(snappy::Blocks::new(data)?),
            Codec::Lz4 => Input::Lz4(lz4::Blocks::new(data, magic < 2)?),
            Codec::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(data).map_err(|error| codec.corrupt(error))?;
                decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(|error| codec.corrupt(error))?;
                Input::Zstd(Box::new(decoder))
            }
        };
        Ok(Self { codec, inner, limit, left: limit })
    }

    /// Appends the next block or chunk to `out`: the bytes appended, 0 at the end.
    ///
    /// After an error `out` may hold a part of the block.
    pub fn append_to(&mut self, out: &mut Vec<u8>) -> Result<usize, RecordsError> {
        let too_much = RecordsError::OutputLimit { codec: self.codec, limit: self.limit };
        let before = out.len();
        match &mut self.inner {
            Input::Plain(data) => {
                let (chunk, rest) = data.split_at(data.len().min(CHUNK));
                out.extend_from_slice(chunk);
                *data = rest;
            }
            Input::Gzip(decoder) => read_chunk(decoder, out).map_err(|error| self.codec.corrupt(error))?,
            Input::Zstd(decoder) => read_chunk(decoder, out).map_err(|error| self.codec.corrupt(error))?,
            Input::Snappy(blocks) => blocks.append_to(out, self.left)?.ok_or_else(|| too_much.clone())?,
            Input::Lz4(blocks) => blocks.append_to(out)?,
        }
        let appended = out.len() - before;
        self.left = self.left.checked_sub(appended).ok_or(too_much)?;
        Ok(appended)
    }
}

impl std::fmt::Debug for Decompressor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decompressor")
            .field("codec", &self.codec)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

fn read_chunk(from: &mut impl Read, out: &mut Vec<u8>) -> std::io::Result<()> {
    let before = out.len();
    out.resize(before + CHUNK, 0);
    let read = from.read(&mut out[before..]);
    out.truncate(before + *read.as_ref().unwrap_or(&0));
    read.map(|_| ())
}

/// Compresses onto the end of a buffer, which it owns until [`finish`](Self::finish).
pub struct Compressor {
    codec: Codec,
    inner: Output,
}

enum Output {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Snappy(Box<snappy::Writer>),
    Lz4(Box<lz4::Writer>),
    Zstd(Box<zstd::stream::write::Encoder<'static, Vec<u8>>>),
}

impl Compressor {
    /// Starts behind what is in `out`. `level` is one of [`Codec::levels`], or `None` for the codec's default.
    ///
    /// For `magic` 0, lz4 writes the wrong header checksum that its readers expect (KAFKA-3160), as Kafka does.
    pub fn new(codec: Codec, magic: i8, level: Option<i32>, out: Vec<u8>) -> Result<Self, RecordsError> {
        if let (Some(level), Some(levels)) = (level, codec.levels())
            && !levels.contains(&level)
            && !(codec == Codec::Gzip && level == -1)
        {
            return Err(codec.failed(format_args!("there is no level {level}, only {levels:?}")));
        }
        let inner = match codec {
            Codec::None => Output::Plain(out),
            Codec::Gzip => {
                let level = level
                    .and_then(|level| u32::try_from(level).ok())
                    .map_or_else(Compression::default, Compression::new);
                Output::Gzip(Box::new(GzEncoder::new(out, level)))
            }
            Codec::Snappy => Output::Snappy(Box::new(snappy::Writer::new(out))),
            Codec::Lz4 => Output::Lz4(Box::new(lz4::Writer::new(out, magic == 0))),
            Codec::Zstd if magic < 2 => return Err(RecordsError::Unsupported { magic, what: "zstd" }),
            Codec::Zstd => {
                let encoder =
                    zstd::stream::write::Encoder::new(out, level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL))
                        .map_err(|error| codec.failed(error))?;
                Output::Zstd(Box::new(encoder))
            }
        };
        Ok(Self { codec, inner })
    }

    /// The buffer itself, where nothing is compressed: writing to it saves a copy.
    pub(super) fn plain(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.inner {
            Output::Plain(out) => Some(out),
            _ => None,
        }
    }

    /// Compresses `data`; some of it may stay in the compressor's own block until more comes.
    pub fn write(&mut self, data: &[u8]) -> Result<(), RecordsError> {
        match &mut self.inner {
            Output::Plain(out) => out.extend_from_slice(data),
            Output::Gzip(encoder) => encoder.write_all(data).map_err(|error| self.codec.failed(error))?,
            Output::Zstd(encoder) => encoder.write_all(data).map_err(|error| self.codec.failed(error))?,
            Output::Snappy(writer) => writer.write(data)?,
            Output::Lz4(writer) => writer.write(data)?,
        }
        Ok(())
    }

    /// The buffer so far, without what the compressor still holds back.
    pub fn written(&self) -> &[u8] {
        match &self.inner {
            Output::Plain(out) => out,
            Output::Gzip(encoder) => encoder.get_ref(),
            Output::Zstd(encoder) => encoder.get_ref(),
            Output::Snappy(writer) => writer.written(),
            Output::Lz4(writer) => writer.written(),
        }
    }

    /// Writes what is left and gives the buffer back.
    pub fn finish(self) -> Result<Vec<u8>, RecordsError> {
        match self.inner {
            Output::Plain(out) => Ok(out),
            Output::Gzip(encoder) => encoder.finish().map_err(|error| self.codec.failed(error)),
            Output::Zstd(encoder) => encoder.finish().map_err(|error| self.codec.failed(error)),
            Output::Snappy(writer) => writer.finish(),
            Output::Lz4(writer) => writer.finish(),
        }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").field("codec", &self.codec).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compress(codec: Codec, magic: i8, level: Option<i32>, data: &[u8]) -> Vec<u8> {
        let mut compressor = Compressor::new(codec, magic, level, b"in front".to_vec()).unwrap();
        for part in data.chunks(1000) {
            compressor.write(part).unwrap();
        }
        compressor.finish().unwrap().split_off(8)
    }

    fn decompress(codec: Codec, magic: i8, data: &[u8], limit: usize) -> Result<Vec<u8>, RecordsError> {
        let mut out = Vec::new();
        let mut decompressor = Decompressor::new(codec, magic, data, limit)?;
        while decompressor.append_to(&mut out)? > 0 {}
        Ok(out)
    }

    /// Half of it compressible, more than two blocks of any codec.
    fn sample() -> Vec<u8> {
        let mut state = 1u32;
        (0..200_000u32)
            .map(|i| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if i / 70_000 == 1 { (state >> 24) as u8 } else { (i / 50) as u8 }
            })
            .collect()
    }

    #[test]
    fn every_codec_and_level_gives_back_what_went_in() {
        for codec in Codec::ALL {
            let levels = match codec {
                Codec::Gzip => vec![None, Some(-1), Some(1), Some(9)],
                Codec::Lz4 => vec![None, Some(1), Some(17)],
                Codec::Zstd => vec![None, Some(-5), Some(1), Some(19)],
                Codec::None | Codec::Snappy => vec![None],
            };
            for level in levels {
                for data in [&sample()[..], b"", b"x"] {
                    let compressed = compress(codec, 2, level, data);
                    assert_eq!(
                        decompress(codec, 2, &compressed, data.len()).unwrap(),
                        data,
                        "{codec} {level:?}"
                    );
                    if data.len() > 100 && codec != Codec::None {
                        assert!(compressed.len() < data.len() / 2, "{codec} {level:?}: {}", compressed.len());
                    }
                }
            }
        }
    }

    #[test]
    fn a_level_outside_the_range_is_refused() {
        for (codec, level) in [(Codec::Gzip, 0), (Codec::Gzip, 10), (Codec::Lz4, 18), (Codec::Zstd, 23)] {
            let error = Compressor::new(codec, 2, Some(level), Vec::new()).unwrap_err();
            assert!(error.to_string().contains("level"), "{error}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 64 << 20];
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let bomb = compress(codec, 2, None, &zeros);
            assert!(bomb.len() < 4 << 20, "{codec}: {}", bomb.len());
            let mut out = Vec::new();
            let mut decompressor = Decompressor::new(codec, 2, &bomb, 100_000).unwrap();
            let error = loop {
                match decompressor.append_to(&mut out) {
                    Ok(n) => assert!(n > 0, "{codec} ended"),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, RecordsError::OutputLimit { codec, limit: 100_000 });
            assert!(out.capacity() < 1 << 20, "{codec}: {}", out.capacity());
        }
    }

    #[test]
    fn cut_data_is_an_error() {
        let data = sample();
        for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let compressed = compress(codec, 2, None, &data);
            for cut in [1, 3, 7, compressed.len() / 2, compressed.len() - 1] {
                let result = decompress(codec, 2, &compressed[..cut], 1 << 20);
                assert!(result.is_err() || result.unwrap().len() < data.len(), "{codec} cut to {cut}");
            }
        }
    }

    #[test]
    fn zstd_does_not_go_into_old_messages() {
        let error = Compressor::new(Codec::Zstd, 1, None, Vec::new()).unwrap_err();
        assert_eq!(error, RecordsError::Unsupported { magic: 1, what: "zstd" });
    }
}
