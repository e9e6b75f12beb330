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
        let mut recovered = Recovered::default();
        listing::finish_replacements(directory)?;
        let mut listing = listing::list(directory)?;
        let place = Directory::new(directory);
        let mut segments: Vec<Arc<Segment>> = listing
            .logs
            .iter()
            .map(|(&base, &size)| {
                let txn = listing.others.get(&(base, Kind::TxnIndex)).copied().unwrap_or(0);
                Arc::new(Segment::existing(&place, base, &options.files, size, txn))
            })
            .collect();
        let first_base = segments.first().map_or(options.log_start_offset, |segment| segment.base_offset());
        let mut start = options.log_start_offset.max(first_base);
        let mut opening = Opening { place: &place, options: &options, epochs: EpochHistory::load(directory).unwrap_or_else(|error| {
            tracing::warn!(partition = %options.partition, %error, "leader epochs are read from the batches");
            EpochHistory::default()
        }), recovered: &mut recovered };

        let from = opening.first_to_scan(&segments, &listing)?;
        let mut producers;
        if let Some(from) = from {
            producers = opening.recover(&mut segments, from, &listing)?;
        } else {
            opening.mend_indexes(&segments, &listing)?;
            let end = end_of(segments.last())?;
            producers = opening.rebuild().as_of(end, &segments, &listing.snapshots)?;
        }
        let mut end = end_of(segments.last())?;
        if segments.is_empty() || end < start {
            // What is known of producers and epochs was true of records that are gone.
            for segment in segments.drain(..) {
                segment.remove()?;
            }
            for offset in std::mem::take(&mut listing.snapshots) {
                disk::remove(&directory.join(Kind::Snapshot.file_name(offset)))?;
            }
            opening.epochs.clear();
            segments.push(Arc::new(Segment::create(&place, start, &options.files)?));
            producers.clear();
            end = start;
        }
        start = start.max(segments[0].base_offset());
        let mut epochs = opening.epochs;
        let before = epochs.clone();
        epochs.truncate_from_end(end);
        epochs.truncate_from_start(start);
        if epochs != before || !directory.join(epochs::FILE).exists() {
            epochs.store(directory, Durable::Later)?;
        }
        // Kept are those at segments' bases, from which a later recovery begins, and the latest.
        let latest = listing.snapshots.range(..=end).next_back();
        let needed = |offset: &i64| {
            *offset <= end
                && (Some(offset) == latest
                    || segments.binary_search_by_key(offset, |s| s.base_offset()).is_ok())
        };
        for &offset in listing.snapshots.iter().filter(|offset| !needed(offset)) {
            disk::remove(&directory.join(Kind::Snapshot.file_name(offset)))?;
        }
        producers.map_end_offset = end;
        let recovery_point = if options.clean_shutdown { end } else { options.recovery_point.min(end) };
        let active = match segments.last() {
            Some(last) => Active::existing(last.clone(), options.now)?,
            None => return Err(LogError::Closed { directory: directory.to_owned() }),
        };
        let shared = Shared::new(
            place.clone(),
            options.partition.to_string(),
            options.files.clone(),
            segments,
            Bounds { start, end, recovery_point },
            epochs,
        );
        shared.set_first_open(producers.first_open());
        let log = Self {
            shared: Arc::new(shared),
            partition: options.partition,
            config: options.config,
            active,
            producers,
            producer_id_expiration_ms: options.producer_id_expiration_ms,
            jitter_seed: seed(directory),
            unflushed: Unflushed::since((recovery_point < end).then_some(options.now)),
            snapshot_offset: latest.copied(),
        };
        Ok((log, recovered))
    }
}

struct Opening<'a> {
    place: &'a Arc<Directory>,
    options: &'a OpenOptions,
    epochs: EpochHistory,
    recovered: &'a mut Recovered,
}

impl Opening<'_> {
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
            builder.finish(segment)?;
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
                // Snapshots at segments' bases are what a later recovery begins with.
                snapshot::store(&self.snapshot_path(segment.base_offset()), &producers, Durable::Later)?;
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
            let new_epoch = self.epochs.latest().is_none_or(|latest| latest.epoch < entry.leader_epoch);
            if new_epoch {
                self.epochs.assign(entry.leader_epoch, entry.base_offset);
            }
            if let Some(header) = entry.header.filter(BatchHeader::has_producer_id) {
                replay(segment, &mut scan, &entry, &header, producers, true)?;
            }
            *next = entry.last_offset + 1;
            valid = entry.end();
        }
        let length = segment.file_length()?;
        self.recovered.bytes_scanned += valid;
        segment.set_size(valid);
        builder.finish(segment)?;
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

/// Builds both indexes of a segment from its entries.
struct IndexBuilder {
    interval: u64,
    since: u64,
    max: Option<TimestampOffset>,
}

impl IndexBuilder {
    fn new(interval: u32) -> Self {
        Self { interval: u64::from(interval), since: 0, max: None }
    }

    fn add(&mut self, segment: &Segment, entry: &crate::entry::LogEntry) -> Result<()> {
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

    fn finish(self, segment: &Segment) -> Result<()> {
        segment.set_max_timestamp(self.max);
        segment.finish()?;
        segment.settle()
    }
}
