//! What a topic and a broker ask of records that are to be appended.

use crate::records::compression::DEFAULT_OUTPUT_LIMIT;
use crate::records::{Codec, TimestampType};

/// Who wants records appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A client, by a Produce request of this version.
    Client {
        /// The request's version.
        produce_version: i16,
    },
    /// A coordinator of this broker, which may write control batches.
    Coordinator,
    /// The partition's leader: offsets and all else are kept, a last batch that is cut off is left out, and only structure
    /// and checksum are looked at.
    Replication,
}

/// A topic's `compression.type` and its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetCompression {
    /// `producer`: as it comes.
    #[default]
    Producer,
    /// One codec for all, `uncompressed` among them.
    Codec(
        /// The codec.
        Codec,
        /// Its level; `None` is the codec's default.
        Option<i32>,
    ),
}

/// What [`validate`](super::validate()) checks and assigns. The default is a topic without any configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Who asks.
    pub origin: Origin,
    /// The magic that the log keeps, from `message.format.version`: 0, 1 or 2.
    pub target_magic: i8,
    /// `compression.type`.
    pub compression: TargetCompression,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how far a `CreateTime` may be behind `now`.
    pub before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far it may be ahead of `now`.
    pub after_max_ms: i64,
    /// Whether `cleanup.policy` has `compact`: every record needs a key.
    pub compacted: bool,
    /// `max.message.bytes`: the largest batch or shallow message, overhead included.
    pub max_message_bytes: usize,
    /// The most that one request's records may decompress to, where they have to be opened.
    pub output_limit: usize,
    /// The broker's clock, in milliseconds.
    pub now: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            origin: Origin::Client { produce_version: 3 },
            target_magic: 2,
            compression: TargetCompression::Producer,
            timestamp_type: TimestampType::CreateTime,
            before_max_ms: i64::MAX,
            after_max_ms: i64::MAX,
            compacted: false,
            max_message_bytes: 1_048_588,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            now: 0,
        }
    }
}

impl Rules {
    /// Both time limits from the older `message.timestamp.difference.max.ms`.
    #[must_use]
    pub fn with_timestamp_difference(mut self, max_ms: i64) -> Self {
        self.before_max_ms = max_ms;
        self.after_max_ms = max_ms;
        self
    }

    /// Whether a `CreateTime` is within the limits.
    pub(super) fn allows_timestamp(&self, timestamp: i64) -> bool {
        let behind = self.now.saturating_sub(timestamp);
        behind <= self.before_max_ms && behind.saturating_neg() <= self.after_max_ms
    }
}
