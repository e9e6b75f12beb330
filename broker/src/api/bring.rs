//! Records that a fetch found and that can't leave as they are: cold ones, ones to be converted or to be searched for zstd for older clients, and those
//! beside which the list of aborted transactions has to be read. All of this waits for the disk: on a thread for file work.

use std::sync::Arc;

use vltava_log::{AbortedTxn, FileSlice};

use crate::{
    net::Reservation,
    partitions::{
        Copies, Found, OldReaders, Partition, PartitionError, Read, Ready, fetch_sessions::Wanted,
        old_readers::Conversion, ready_from_disk, without_zstd::without_zstd,
    },
};

/// What one partition has for a response.
pub(super) struct Piece {
    partition: Arc<Partition>,
    read: Read,
    slice: FileSlice,
    offset: i64,
    max_bytes: u64,
}

/// A piece that was brought in.
#[derive(Default)]
pub(super) struct Brought {
    pub(super) records: Ready,
    pub(super) aborted: Vec<AbortedTxn>,
}

impl From<Ready> for Brought {
    fn from(records: Ready) -> Self {
        Self { records, aborted: Vec::new() }
    }
}

/// What a reader who gets records as the log has them is told of beside them, and what it knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader {
    /// Whether it reads what was committed alone.
    pub(super) committed: bool,
    pub(super) knows_zstd: bool,
}

/// Each partition's piece, in the order of the request.
pub(super) type Outcomes = Vec<Result<Brought, PartitionError>>;

impl Piece {
    /// `None` where nothing was found.
    pub(super) fn of(found: &Found, want: &Wanted) -> Option<Self> {
        Some(Self {
            partition: found.partition.clone()?,
            read: found.read.as_ref().ok()?.clone(),
            slice: found.slice()?.clone(),
            offset: want.fetch_offset,
            max_bytes: u64::try_from(want.max_bytes).unwrap_or(0),
        })
    }

    /// The records, and for a reader of committed ones which transactions among them were aborted: one that is not told would be taken for
    /// committed, so a list that can't be read is an error.
    fn as_it_is(&self, reader: Reader, copies: &mut Copies) -> Result<Brought, PartitionError> {
        let Self { partition, read, slice, .. } = self;
        let records = ready_from_disk(slice, copies).map_err(|error| partition.io_failed(error))?;
        let records = if reader.knows_zstd { records } else { without_zstd(records)? };
        let aborted = if reader.committed { partition.aborted_in(read)? } else { Vec::new() };
        Ok(Brought { records, aborted })
    }

    fn converted(&self, conversion: &mut Conversion, by: &OldReaders) -> Result<Brought, PartitionError> {
        by.read(conversion, &self.partition, &self.slice, self.offset, self.max_bytes).map(Brought::from)
    }
}

/// Brings in records that leave as the log has them.
pub(super) fn as_they_are(pieces: &[Option<Piece>], reader: Reader) -> Outcomes {
    let mut copies = Copies::default();
    let bring = |piece: &Piece| piece.as_it_is(reader, &mut copies);
    pieces.iter().map(with(bring)).collect()
}

/// Converts records, as many as one response may hold. The clients of these versions ask for the same partitions in the same order every time, so it begins
/// with another one each time: none is passed over for ever.
pub(super) fn converted(
    pieces: &[Option<Piece>],
    mut conversion: Conversion,
    by: &OldReaders,
) -> (Outcomes, Option<Reservation>) {
    let (before, after) = pieces.split_at(rand::random_range(0..=pieces.len()));
    let bring = |piece: &Piece| piece.converted(&mut conversion, by);
    let mut outcomes: Outcomes = after.iter().chain(before).map(with(bring)).collect();
    outcomes.rotate_left(after.len());
    (outcomes, Some(conversion.finish()))
}

fn with(
    mut bring: impl FnMut(&Piece) -> Result<Brought, PartitionError>,
) -> impl FnMut(&Option<Piece>) -> Result<Brought, PartitionError> {
    move |piece| piece.as_ref().map_or(Ok(Brought::default()), &mut bring)
}
