//! Records that may be appended, and how a leader gives them their offsets.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::records::message_builder::{MessageSetBuilder, MessageSetOptions};
use crate::records::message_set::Message;
use crate::records::{BATCH_OVERHEAD, BatchHeader, Codec, RecordsError};

/// What [`validate`](super::validate()) lets pass, in order. Holds one batch, the common case, without an allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValidBatches<'a> {
    /// The batches, or runs of messages.
    pub batches: SmallVec<[ValidBatch<'a>; 1]>,
    /// Records that were written anew, in another magic, codec or timestamp type (`ProduceMessageConversionsPerSec`).
    pub converted: u32,
}

impl ValidBatches<'_> {
    /// Offsets that the batches take.
    pub fn offsets(&self) -> i64 {
        self.batches.iter().map(|batch| i64::from(batch.header.last_offset_delta) + 1).sum()
    }

    /// Bytes that the batches take in the log. Of compressed messages of magic 0 an estimate: they are compressed again with
    /// their offsets.
    pub fn size(&self) -> usize {
        self.batches.iter().map(ValidBatch::size).sum()
    }

    /// Makes the batches independent of the request's bytes.
    pub fn into_owned(self) -> ValidBatches<'static> {
        let batches = self.batches.into_iter().map(ValidBatch::into_owned).collect();
        ValidBatches { batches, converted: self.converted }
    }
}

/// One batch of magic 2, or a run of messages of magic 0 or 1, ready but for its offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidBatch<'a> {
    /// 0, 1 or 2.
    pub magic: i8,
    /// The header to be stored. Of messages, the same facts: offsets, timestamps, attributes and count.
    ///
    /// The base offset is 0, except from [`Origin::Replication`](super::Origin::Replication), where it stays.
    pub header: BatchHeader,
    /// Whether offsets are stored as they came.
    pub(super) keep_offsets: bool,
    pub(super) data: Cow<'a, [u8]>,
}

impl ValidBatch<'_> {
    /// Bytes in the log; see [`ValidBatches::size`].
    pub fn size(&self) -> usize {
        self.data.len() + if self.magic == 2 { BATCH_OVERHEAD } else { 0 }
    }

    /// The header of a batch of magic 2 with base offset and leader epoch, to be written in front of [`body`](Self::body).
    /// `None` for messages: use [`write_to`](Self::write_to).
    ///
    /// Costs 61 bytes on the stack; the body is never touched.
    pub fn stamped_header(&self, base_offset: i64, leader_epoch: i32) -> Option<[u8; BATCH_OVERHEAD]> {
        (self.magic == 2).then(|| BatchHeader { base_offset, leader_epoch, ..self.header }.to_bytes())
    }

    /// What follows the header of a batch of magic 2; of messages, all of them with the offsets that they came with.
    pub fn body(&self) -> &[u8] {
        &self.data
    }

    /// Appends the batch or messages to `out` with their offsets, the first of which is `base_offset`. Messages that came by
    /// replication keep theirs.
    ///
    /// Magic 2 and plain messages are copied and stamped, as are wrappers of magic 1, whose inner offsets count from the
    /// first. A wrapper of magic 0 holds absolute offsets, so it is decompressed and compressed again here, with at most
    /// `output_limit` bytes decompressed.
    pub fn write_to(
        &self,
        base_offset: i64,
        leader_epoch: i32,
        output_limit: usize,
        mut out: Vec<u8>,
    ) -> Result<Vec<u8>, RecordsError> {
        if let Some(header) = self.stamped_header(base_offset, leader_epoch) {
            out.extend_from_slice(&header);
            out.extend_from_slice(&self.data);
            return Ok(out);
        }
        if self.keep_offsets {
            out.extend_from_slice(&self.data);
            return Ok(out);
        }
        let mut rest = &self.data[..];
        let mut offset = base_offset;
        while !rest.is_empty() {
            let message = Message::parse(rest)?;
            rest = &rest[message.bytes().len()..];
            if message.is_wrapper() && message.magic == 0 {
                (out, offset) = write_wrapper(&message, offset, output_limit, out)?;
                continue;
            }
            // One wrapper of magic 1 makes up a whole run; its offset is that of its last message.
            let stored = if message.is_wrapper() {
                base_offset + i64::from(self.header.last_offset_delta)
            } else {
                offset
            };
            out.extend_from_slice(&stored.to_be_bytes());
            out.extend_from_slice(&message.bytes()[8..]);
            offset = stored + 1;
        }
        Ok(out)
    }

    /// Makes the batch independent of the request's bytes.
    pub fn into_owned(self) -> ValidBatch<'static> {
        ValidBatch { data: Cow::Owned(self.data.into_owned()), ..self }
    }
}

/// Writes a wrapper of magic 0 again, its messages from `offset` on; also gives the offset behind it.
fn write_wrapper(
    wrapper: &Message<'_>,
    mut offset: i64,
    output_limit: usize,
    out: Vec<u8>,
) -> Result<(Vec<u8>, i64), RecordsError> {
    let codec: Codec = wrapper.codec()?;
    let options = MessageSetOptions { magic: 0, codec, level: None, log_append_time: None };
    let mut builder = MessageSetBuilder::new(out, options)?;
    let mut messages = wrapper.messages(output_limit)?;
    while let Some(message) = messages.next()? {
        builder.append(offset, message.timestamp, message.key, message.value)?;
        offset += 1;
    }
    Ok((builder.finish()?, offset))
}
