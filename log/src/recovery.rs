//! Opening a log: what is in the directory, what of it can be trusted, and making the rest good.
//!
//! After a clean shutdown nothing is read but names and sizes, and the producers' snapshot. After a crash each segment from
//! the recovery point on is read once: checksums, both indexes, aborted transactions, producers and leader epochs all come from that
//! one pass. The log ends before the first entry that is cut off, damaged or out of order; later segments go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use vltava_protocol::records::BatchHeader;

use crate::control;
use crate::disk::{self, Durable, Result};
use crate::epochs::{self, EpochHistory};
use crate::error::LogError;
use crate::log::{Active, Log, OpenOptions, seed};
use crate::names::{Kind, Suffix, segment_file};
use crate::open_files::Directory;
use crate::producers::Producers;
use crate::scan::{Checked, Scan};
use crate::segment::Segment;
use crate::shared::Shared;
use crate::snapshot;
use crate::time_index::TimestampOffset;
use crate::txn_index::AbortedTxn;

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

/// The names of a partition's directory.
#[derive(Debug, Default)]
struct Listing {
    /// Base offset to size.
    logs: BTreeMap<i64, u64>,
    /// Base offsets of index files, with sizes.
    others: BTreeMap<(i64, Kind), u64>,
    snapshots: BTreeSet<i64>,
}

impl Log {
    /// Opens the log in `directory`, made if it is not there. Waits for the disk.
    pub fn open(directory: &Path, options: OpenOptions) -> Result<(Self, Recovered)> {
        fs::create_dir_all(directory).map_err(|e| LogError::io(directory, "make", e))?;
        let mut recovered = Recovered::default();
        finish_replacements(directory)?;
        let listing = list(directory)?;
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
            producers = Producers::default();
            let end = opening.end_of(segments.last())?;
            opening.load_producers(&segments, &listing, end, &mut producers)?;
        }
        let mut end = opening.end_of(segments.last())?;
        if segments.is_empty() || end < start {
            for segment in segments.drain(..) {
                segment.remove()?;
            }
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
        for &offset in listing.snapshots.iter().filter(|offset| **offset > end) {
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
            start,
            end,
            recovery_point,
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
            unflushed_since: (recovery_point < end).then_some(options.now),
            snapshot_offset: listing.snapshots.iter().rev().find(|offset| **offset <= end).copied(),
        };
        Ok((log, recovered))
    }
}

/// Removes what was being removed or was unfinished, and puts finished replacements (`.swap`) into place, as Kafka does at start.
fn finish_replacements(directory: &Path) -> Result<()> {
    let names = names(directory)?;
    let parsed: Vec<_> = names.iter().filter_map(|name| Some((name, segment_file(name)?))).collect();
    let unfinished = parsed
        .iter()
        .filter(|(_, (_, _, suffix))| *suffix == Suffix::Cleaned)
        .map(|(_, (base, ..))| *base)
        .min();
    let mut swaps = Vec::new();
    for (name, (base, kind, suffix)) in &parsed {
        match suffix {
            Suffix::Deleted | Suffix::Cleaned => disk::remove(&directory.join(name))?,
            // The cleaner was still writing a later part of the same replacement: the originals are whole, it is not.
            Suffix::Swap if unfinished.is_some_and(|unfinished| *base >= unfinished) => {
                disk::remove(&directory.join(name))?;
            }
            Suffix::Swap => swaps.push((name, *base, *kind)),
            Suffix::None => {}
        }
    }
    let mut covered: Vec<(i64, i64)> = Vec::new();
    for (name, base, _) in swaps.iter().filter(|(_, _, kind)| *kind == Kind::Log) {
        covered.push((*base, last_offset(&directory.join(name))?.map_or(*base, |last| last + 1)));
    }
    let from = covered.iter().map(|(base, _)| *base).min();
    let to = covered.iter().map(|(_, end)| *end).max();
    if let (Some(from), Some(to)) = (from, to) {
        for (name, (base, _, suffix)) in &parsed {
            if *suffix == Suffix::None && (from..to).contains(base) {
                disk::remove(&directory.join(name))?;
            }
        }
    }
    for (name, base, kind) in swaps {
        disk::rename(&directory.join(name), &directory.join(kind.file_name(base)))?;
    }
    for name in names.iter().filter(|name| name.ends_with(".tmp")) {
        disk::remove(&directory.join(name))?;
    }
    Ok(())
}

fn last_offset(log: &Path) -> Result<Option<i64>> {
    let file = disk::open(log)?;
    let size = file.metadata().map_err(|e| LogError::io(log, "read", e))?.len();
    let (file, path) = (Arc::new(file), || log.to_path_buf());
    let mut entries = crate::entry::Entries::new(&file, &path, 0, size);
    let mut last = None;
    while let Some(entry) = entries.next()? {
        last = Some(entry.last_offset);
    }
    Ok(last)
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let failed = |e| LogError::io(directory, "list", e);
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

fn list(directory: &Path) -> Result<Listing> {
    let mut listing = Listing::default();
    let size = |name: &str| {
        let path = directory.join(name);
        fs::metadata(&path).map(|m| m.len()).map_err(|e| LogError::io(&path, "read", e))
    };
    for name in names(directory)? {
        match segment_file(&name) {
            Some((base, Kind::Log, Suffix::None)) => {
                listing.logs.insert(base, size(&name)?);
            }
            Some((base, Kind::Snapshot, Suffix::None)) => {
                listing.snapshots.insert(base);
            }
            Some((base, kind, Suffix::None)) => {
                listing.others.insert((base, kind), size(&name)?);
            }
            _ => {}
        }
    }
    // Indexes without their log are left over from a removal that a crash cut short.
    for &(base, kind) in listing.others.keys().filter(|(base, _)| !listing.logs.contains_key(base)) {
        disk::remove(&directory.join(kind.file_name(base)))?;
    }
    Ok(listing)
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
            while let Checked::Entry(entry) = scan.next()? {
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
        let mut producers = Producers::default();
        let base = segments[from].base_offset();
        self.mend_indexes(&segments[..from], listing)?;
        self.load_producers(&segments[..from], listing, base, &mut producers)?;
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
        loop {
            let entry = match scan.next()? {
                Checked::Entry(entry) => entry,
                Checked::End => break,
            };
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

    /// The producers as of `end`: from the latest usable snapshot, then from the batches after it in `segments`.
    fn load_producers(
        &self,
        segments: &[Arc<Segment>],
        listing: &Listing,
        end: i64,
        producers: &mut Producers,
    ) -> Result<()> {
        let mut from = i64::MIN;
        for &offset in listing.snapshots.range(..=end).rev() {
            let path = self.snapshot_path(offset);
            match snapshot::load(&path, self.options.now, self.options.producer_id_expiration_ms) {
                Ok(Some(found)) => {
                    *producers = found;
                    from = offset;
                    break;
                }
                Ok(None) => {}
                Err(error @ LogError::Corrupt { .. }) => {
                    tracing::warn!(partition = %self.options.partition, %error, "the snapshot is left out");
                    disk::remove(&path)?;
                }
                Err(error) => return Err(error),
            }
        }
        if from == i64::MIN && self.options.clean_shutdown {
            // Written before there were producers' snapshots: there are no producers.
            return Ok(());
        }
        let first = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        for segment in segments.iter().skip(first).filter(|segment| segment.base_offset() < end) {
            let mut scan = Scan::headers(segment)?;
            while let Checked::Entry(entry) = scan.next()? {
                let Some(header) = entry.header.filter(BatchHeader::has_producer_id) else { continue };
                if entry.base_offset >= from && entry.base_offset < end {
                    replay(segment, &mut scan, &entry, &header, producers, false)?;
                }
            }
        }
        Ok(())
    }

    /// The offset after the last entry of the last segment.
    fn end_of(&self, last: Option<&Arc<Segment>>) -> Result<i64> {
        let Some(last) = last else { return Ok(0) };
        let mut scan = Scan::from_last_index_entry(last)?;
        let mut end = last.base_offset();
        while let Checked::Entry(entry) = scan.next()? {
            end = entry.last_offset + 1;
        }
        Ok(end)
    }

    fn snapshot_path(&self, offset: i64) -> std::path::PathBuf {
        self.place.file(&Kind::Snapshot.file_name(offset))
    }
}

/// Takes a batch found on disk into account.
fn replay(
    segment: &Segment,
    scan: &mut Scan<'_>,
    entry: &crate::entry::LogEntry,
    header: &BatchHeader,
    producers: &mut Producers,
    note_aborted: bool,
) -> Result<()> {
    let marker = if header.attributes.is_control() {
        let bytes = segment.read_entry(scan.file(), entry)?;
        let batch = vltava_protocol::records::Batch::parse(&bytes).map_err(|e| e.to_string());
        // Its checksum is right; a kind that is not understood changes nothing.
        batch.and_then(|batch| control::end_marker(&batch)).ok().flatten()
    } else {
        None
    };
    if let Some(done) = producers.update(header, marker, entry.base_offset) {
        if done.aborted && note_aborted {
            let others = producers.first_open_of_others(done.producer_id);
            segment.aborted().reserve(1)?;
            segment.aborted().append(AbortedTxn {
                producer_id: done.producer_id,
                first_offset: done.first_offset,
                last_offset: done.last_offset,
                last_stable_offset: others.unwrap_or(done.last_offset + 1),
            })?;
        }
        producers.complete(&done);
    }
    Ok(())
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
