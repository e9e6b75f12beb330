//! Opening a log: what is in the directory, what of it can be trusted, and making the rest good.
//!
//! After a clean shutdown nothing is read but names and sizes, and the producers' snapshot. After a crash each segment from
//! the recovery point on is read once: checksums, both indexes, aborted transactions, producers and leader epochs all come from that
//! one pass. The log ends before the first entry that is cut off, damaged or out of order; later segments go.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use vltava_protocol::records::BatchHeader;

use crate::disk::{self, Durable, Result};
use crate::entry::LogEntry;
use crate::epochs::{self, EpochHistory};
use crate::error::LogError;
use crate::flush::Unflushed;
use crate::listing::{self, Listing};
use crate::log::{Active, Log, OpenOptions, seed};
use crate::names::Kind;
use crate::open_files::Directory;
use crate::producers::Producers;
use crate::rebuild::{Rebuild, replay};
use crate::scan::Scan;
use crate::segment::Segment;
use crate::shared::{Bounds, Shared};
use crate::snapshot;
use crate::time_index::TimestampOffset;

/// What opening a log had to repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Segments that were read from end to end.
    pub segments_scanned: usize,
    /// Bytes that were read.
    pub bytes_scanned: u64,
    /// Bytes cut off the end: a torn or damaged tail.
    pub bytes_truncated: u64,
    /// Segments after the damage, removed.
    pub segments_removed: usize,
    /// Indexes made again because they were missing or not usable.
    pub indexes_rebuilt: usize,
}

impl Log {
    /// Opens the log in `directory`, made if it is not there. Waits for the disk.
    pub fn open(directory: &Path, options: OpenOptions) -> Result<(Self, Recovered)> {
        fs::create_dir_all(directory).map_err(|e| LogError::io(directory, "make", e))?;
        listing::finish_replacements(directory)?;
        let mut listing = listing::list(directory)?;
        let place = Directory::new(directory);
        let mut segments = found(&place, &listing, &options);
        let mut recovered = Recovered::default();
        let mut opening = Opening {
            place: &place,
            options: &options,
            epochs: EpochHistory::default(),
            stored_epochs: None,
            recovered: &mut recovered,
        };
        opening.load_epochs(&segments)?;
        let mut producers = opening.producers(&mut segments, &listing)?;
        let mut end = end_of(segments.last())?;
        let start = options.log_start_offset.max(segments.first().map_or(0, |segment| segment.base_offset()));
        if segments.is_empty() || end < start {
            opening.begin_anew(start, &mut segments, &mut listing)?;
            producers.clear();
            end = start;
        }
        opening.epochs.truncate_from_end(end);
        opening.epochs.truncate_from_start(start);
        let latest_snapshot = opening.drop_snapshots(end, &segments, &listing)?;
        let Opening { epochs, stored_epochs, .. } = opening;
        let epochs_are_news = stored_epochs.as_ref() != Some(&epochs);
        let recovery_point = if options.clean_shutdown { end } else { options.recovery_point.min(end) };
        let active = match segments.last() {
            Some(last) => Active::existing(last.clone(), options.now)?,
            None => return Err(LogError::Closed { directory: directory.to_owned() }),
        };
        let bounds = Bounds { start, end, recovery_point };
        let name = options.partition.to_string();
        let shared = Shared::new(place, name, options.files, segments, bounds, epochs);
        shared.set_first_open(producers.first_open());
        let log = Self {
            shared: Arc::new(shared),
            partition: options.partition,
            config: options.config,
            active,
            producers,
            producer_id_expiration_ms: options.producer_id_expiration_ms,
            jitter_seed: seed(directory),
            unflushed: Unflushed::after_recovery(recovery_point >= end),
            snapshot_offset: latest_snapshot,
        };
        if epochs_are_news {
            log.store_epochs_if_room()?;
        }
        Ok((log, recovered))
    }
}

/// The segments that are there, in order. Nothing is opened.
fn found(place: &Arc<Directory>, listing: &Listing, options: &OpenOptions) -> Vec<Arc<Segment>> {
    let segment = |(&base, &size): (&i64, &u64)| {
        let aborted = listing.others.get(&(base, Kind::TxnIndex)).copied().unwrap_or(0);
        Arc::new(Segment::new(place, base, &options.files, size, aborted))
    };
    listing.logs.iter().map(segment).collect()
}

struct Opening<'a> {
    place: &'a Arc<Directory>,
    options: &'a OpenOptions,
    epochs: EpochHistory,
    /// What their file holds, where there is one that can be read.
    stored_epochs: Option<EpochHistory>,
    recovered: &'a mut Recovered,
}

impl Opening<'_> {
    /// The leader epochs by their file. One that is damaged (a file system may keep a new name and lose what was written under it) is made again from the batches.
    fn load_epochs(&mut self, segments: &[Arc<Segment>]) -> Result<()> {
        let directory = self.place.path();
        match EpochHistory::load(&directory) {
            Ok(epochs) => {
                self.stored_epochs = directory.join(epochs::FILE).exists().then(|| epochs.clone());
                self.epochs = epochs;
            }
            Err(error @ LogError::Corrupt { .. }) => {
                tracing::warn!(partition = %self.options.partition, %error, "leader epochs are read from the batches");
                for segment in segments {
                    let mut scan = Scan::checked(segment)?;
                    while let Some(entry) = scan.next()? {
                        self.note_epoch(&entry);
                    }
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn note_epoch(&mut self, entry: &LogEntry) {
        if self.epochs.latest().is_none_or(|latest| latest.epoch < entry.leader_epoch) {
            self.epochs.assign(entry.leader_epoch, entry.base_offset);
        }
    }

    /// Makes good what a crash left, and answers the producers at the end.
    fn producers(&mut self, segments: &mut Vec<Arc<Segment>>, listing: &Listing) -> Result<Producers> {
        if let Some(from) = self.first_to_scan(segments, listing)? {
            return self.recover(segments, from, listing);
        }
        self.mend_indexes(segments, listing)?;
        let end = end_of(segments.last())?;
        self.rebuild().as_of(end, segments, &listing.snapshots)
    }

    /// An empty log that starts at `start`: what is known of producers and epochs was true of records that are gone.
    fn begin_anew(
        &mut self,
        start: i64,
        segments: &mut Vec<Arc<Segment>>,
        listing: &mut Listing,
    ) -> Result<()> {
        for segment in segments.drain(..) {
            segment.remove()?;
        }
        for offset in std::mem::take(&mut listing.snapshots) {
            disk::remove(&self.snapshot_path(offset))?;
        }
        self.epochs.clear();
        segments.push(Arc::new(Segment::create(self.place, start, &self.options.files)?));
        Ok(())
    }

    /// Removes the snapshots that nobody needs: kept are those at segments' bases, from which a later recovery begins, and the latest, which is answered.
    fn drop_snapshots(&self, end: i64, segments: &[Arc<Segment>], listing: &Listing) -> Result<Option<i64>> {
        let latest = listing.snapshots.range(..=end).next_back().copied();
        let needed = |offset: i64| {
            offset <= end
                && (Some(offset) == latest
                    || segments.binary_search_by_key(&offset, |segment| segment.base_offset()).is_ok())
        };
        for &offset in listing.snapshots.iter().filter(|offset| !needed(**offset)) {
            disk::remove(&self.snapshot_path(offset))?;
        }
        Ok(latest)
    }

    /// The first segment that has to be read: the one with the recovery point after a crash, or the first whose transaction
    /// index is damaged.
    fn first_to_scan(&self, segments: &[Arc<Segment>], listing: &Listing) -> Result<Option<usize>> {
        let mut first = None;
        if !self.options.clean_shutdown && !segments.is_empty() {
            let point = self.options.recovery_point;
            first =
                Some(segments.partition_point(|segment| segment.base_offset() <= point).saturating_sub(1));
        }
        for (at, segment) in segments.iter().enumerate().take(first.unwrap_or(usize::MAX)) {
            let size = listing.others.get(&(segment.base_offset(), Kind::TxnIndex)).copied().unwrap_or(0);
            if size > 0 && (size % 34 != 0 || !segment.aborted().is_sane(segment.base_offset())?) {
                return Ok(Some(at));
            }
        }
        Ok(first)
    }

    /// Makes indexes again that are missing or can't be indexes, of segments that are otherwise trusted.
    fn mend_indexes(&mut self, segments: &[Arc<Segment>], listing: &Listing) -> Result<()> {
        for segment in segments {
            let base = segment.base_offset();
            let whole = |kind, entry| listing.others.get(&(base, kind)).is_some_and(|size| size % entry == 0);
            if whole(Kind::Index, 8) && whole(Kind::TimeIndex, 12) {
                continue;
            }
            self.recovered.indexes_rebuilt += 1;
            segment.offsets().entries().create()?;
            segment.times().entries().create()?;
            let mut builder = IndexBuilder::new(self.options.config.index_interval_bytes);
            let mut scan = Scan::headers(segment)?;
            while let Some(entry) = scan.next()? {
                builder.add(segment, &entry)?;
            }
            finish_if_room(builder, segment)?;
        }
        Ok(())
    }

    /// Reads segments from `from` on. Answers the producers at the end.
    fn recover(
        &mut self,
        segments: &mut Vec<Arc<Segment>>,
        from: usize,
        listing: &Listing,
    ) -> Result<Producers> {
        let base = segments[from].base_offset();
        self.mend_indexes(&segments[..from], listing)?;
        let mut producers = self.rebuild().as_of(base, &segments[..from], &listing.snapshots)?;
        let mut next = base;
        let mut at = from;
        while at < segments.len() {
            let segment = segments[at].clone();
            if at > from {
                // Snapshots at segments' bases are what a later recovery begins with; where there is no room, it begins further back.
                let path = self.snapshot_path(segment.base_offset());
                disk::if_room(snapshot::store(&path, &producers, Durable::Later))?;
            }
            let whole = self.recover_segment(&segment, &mut next, &mut producers)?;
            at += 1;
            if !whole {
                for lost in segments.drain(at..) {
                    self.recovered.segments_removed += 1;
                    self.recovered.bytes_truncated += lost.size();
                    lost.remove()?;
                }
            }
        }
        Ok(producers)
    }

    /// Reads one segment and makes everything beside its `.log` again. False if its tail had to be cut.
    fn recover_segment(
        &mut self,
        segment: &Segment,
        next: &mut i64,
        producers: &mut Producers,
    ) -> Result<bool> {
        *next = (*next).max(segment.base_offset());
        segment.reset_indexes()?;
        self.recovered.segments_scanned += 1;
        self.recovered.indexes_rebuilt += 1;
        let mut builder = IndexBuilder::new(self.options.config.index_interval_bytes);
        let mut scan = Scan::checked(segment)?;
        let mut valid = 0;
        while let Some(entry) = scan.next()? {
            let far = entry.last_offset - segment.base_offset() > i64::from(i32::MAX);
            let in_order =
                if entry.header.is_some() { entry.base_offset >= *next } else { entry.last_offset >= *next };
            if far || !in_order {
                break;
            }
            builder.add(segment, &entry)?;
            self.note_epoch(&entry);
            if let Some(header) = entry.header.filter(BatchHeader::has_producer_id) {
                replay(segment, &mut scan, &entry, &header, producers, true)?;
            }
            *next = entry.last_offset + 1;
            valid = entry.end();
        }
        let length = segment.file_length()?;
        self.recovered.bytes_scanned += valid;
        segment.set_size(valid);
        finish_if_room(builder, segment)?;
        if valid < length {
            tracing::warn!(partition = %self.options.partition, segment = segment.base_offset(), valid, length,
                "the segment's end is not valid and is cut off");
            self.recovered.bytes_truncated += length - valid;
            segment.cut_file(valid)?;
        }
        Ok(valid == length)
    }

    fn rebuild(&self) -> Rebuild<'_> {
        Rebuild {
            directory: self.place,
            partition: &self.options.partition,
            now: self.options.now,
            expiration_ms: self.options.producer_id_expiration_ms,
            trust_no_snapshot: self.options.clean_shutdown,
        }
    }

    fn snapshot_path(&self, offset: i64) -> std::path::PathBuf {
        self.place.file(&Kind::Snapshot.file_name(offset))
    }
}

/// The offset after the last entry of the last segment.
pub(crate) fn end_of(last: Option<&Arc<Segment>>) -> Result<i64> {
    let Some(last) = last else { return Ok(0) };
    if last.size() == 0 {
        return Ok(last.base_offset());
    }
    let mut scan = Scan::from_last_index_entry(last)?;
    let mut end = last.base_offset();
    while let Some(entry) = scan.next()? {
        end = entry.last_offset + 1;
    }
    Ok(end)
}

/// Without room for the indexes their entries wait in memory for the flush that moves the recovery point: the segment can be read meanwhile, and is read
/// again if that never comes.
fn finish_if_room(builder: IndexBuilder, segment: &Segment) -> Result<()> {
    disk::if_room(builder.finish(segment))
}

/// Builds both indexes of a segment from its entries.
pub(crate) struct IndexBuilder {
    interval: u64,
    since: u64,
    max: Option<TimestampOffset>,
}

impl IndexBuilder {
    pub(crate) fn new(interval: u32) -> Self {
        Self { interval: u64::from(interval), since: 0, max: None }
    }

    pub(crate) fn add(&mut self, segment: &Segment, entry: &LogEntry) -> Result<()> {
        if entry.max_timestamp >= 0 && self.max.is_none_or(|max| max.timestamp < entry.max_timestamp) {
            self.max = Some(TimestampOffset { timestamp: entry.max_timestamp, offset: entry.last_offset });
        }
        if self.since > self.interval {
            segment.offsets().append(entry.last_offset, u32::try_from(entry.position).unwrap_or(u32::MAX))?;
            if let Some(max) = self.max {
                segment.times().append(max)?;
            }
            self.since = 0;
        }
        self.since += entry.size;
        Ok(())
    }

    /// Writes what has not been written; where that fails for want of room, it waits in memory.
    pub(crate) fn finish(self, segment: &Segment) -> Result<()> {
        segment.set_max_timestamp(self.max);
        segment.finish()?;
        segment.settle()
    }
}
