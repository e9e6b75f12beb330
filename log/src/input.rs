//! What is to be appended, batch by batch: validated batches whose offsets are still open, or bytes whose offsets are given.

use std::borrow::Cow;

use vltava_protocol::records::validate::ValidBatch;
use vltava_protocol::records::{BATCH_OVERHEAD, Batch, BatchHeader, EndTxnMarker};

use crate::entry::LogEntry;

/// The batches of one append.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// Batches of magic 2, header and body apart.
    Batches(&'a [ValidBatch<'a>]),
    /// Whole entries of any magic, one after another.
    Bytes(&'a [u8]),
}

/// One batch, or one message of magic 0 or 1.
pub(crate) struct Item<'a> {
    pub(crate) entry: LogEntry,
    body: Body<'a>,
}

enum Body<'a> {
    /// What follows the header.
    AfterHeader(&'a [u8]),
    Whole(&'a [u8]),
}

impl<'a> Input<'a> {
    pub(crate) fn items(self) -> impl Iterator<Item = Item<'a>> {
        let (batches, mut rest) = match self {
            Self::Batches(batches) => (batches, &[][..]),
            Self::Bytes(bytes) => (&[][..], bytes),
        };
        let valid = batches.iter().filter_map(|batch| {
            let body = batch.body();
            let size = (BATCH_OVERHEAD + body.len()) as u64;
            let entry = LogEntry::of_batch(&batch.header, size)?;
            Some(Item { entry, body: Body::AfterHeader(body) })
        });
        let whole = std::iter::from_fn(move || {
            let entry = LogEntry::parse(rest, 0)?;
            let (bytes, after) = rest.split_at_checked(usize::try_from(entry.size).ok()?)?;
            rest = after;
            Some(Item { entry, body: Body::Whole(bytes) })
        });
        valid.chain(whole)
    }

    /// Bytes in the log.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Batches(batches) => batches.iter().map(ValidBatch::size).sum(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl<'a> Item<'a> {
    /// The producer's part of the header; `None` for batches of plain producers.
    pub(crate) fn produced(&self) -> Option<BatchHeader> {
        self.entry.header.filter(BatchHeader::has_producer_id)
    }

    /// What follows the header of a batch of magic 2.
    pub(crate) fn body(&self) -> &'a [u8] {
        match self.body {
            Body::AfterHeader(body) => body,
            Body::Whole(bytes) => bytes.get(BATCH_OVERHEAD..).unwrap_or_default(),
        }
    }

    /// The end of a transaction, where this is its control batch.
    pub(crate) fn marker(&self) -> Result<Option<EndTxnMarker>, String> {
        let Some(header) = self.entry.header.filter(|header| header.attributes.is_control()) else {
            return Ok(None);
        };
        let bytes = match self.body {
            // Control batches are tiny.
            Body::AfterHeader(body) => Cow::Owned([&header.to_bytes()[..], body].concat()),
            Body::Whole(bytes) => Cow::Borrowed(bytes),
        };
        Batch::parse(&bytes).and_then(|batch| batch.end_txn_marker()).map_err(|error| error.to_string())
    }
}
