//! `.index` and `.timeindex` files.

use std::path::Path;

use super::{
    Era, Settings, base_offset,
    file::{self, LogFile},
    mismatches::Mismatches,
};
use crate::tools::{failure::Failure, output};

/// Relative offset u32, position u32.
const OFFSET_ENTRY: usize = 8;
/// Timestamp i64, relative offset u32.
const TIME_ENTRY: usize = 12;

/// Writes `offset: N position: N` for each entry, and compares it with the log.
pub(super) fn dump_offsets(
    settings: &Settings,
    path: &Path,
    mismatches: &mut Mismatches,
) -> Result<(), Failure> {
    let base = base_offset(path)?;
    let mut log = LogFile::open(&path.with_extension("log"), settings.era)?;
    let bytes = file::read(path)?;
    let entries: Vec<_> = bytes.chunks_exact(OFFSET_ENTRY).map(|e| (base + word(e, 0), word(e, 4))).collect();
    if settings.sanity_only {
        let last = entries.last().map_or(base, |(offset, _)| *offset);
        sane(
            path,
            bytes.len() % OFFSET_ENTRY == 0
                && (entries.is_empty() || last > base || bytes.iter().all(|b| *b == 0)),
        )?;
        return Ok(());
    }
    if entries.is_empty() {
        match settings.era {
            Era::New => output::line(format_args!("{} is empty.", path.display())),
            // The first of the slots that 0.11 preallocates for an active segment; ours is as long as its entries.
            Era::Old if !settings.verify_only => output::line(format_args!("offset: {base} position: 0")),
            Era::Old => {}
        }
        return Ok(());
    }
    for (index, (offset, position)) in entries.into_iter().enumerate() {
        // Zeros that a crash left behind.
        if offset == base && index > 0 {
            break;
        }
        log.seek(u64::try_from(position).unwrap_or_default())?;
        if let Some(entry) = log.next()? {
            // 0.11 indexed the first offset of a batch of which it had read no more, later versions its last.
            let found = entry.last_offset();
            if found != offset && entry.base_offset() != offset {
                mismatches.index(path, offset, found);
            }
        }
        if !settings.verify_only {
            output::line(format_args!("offset: {offset} position: {position}"));
        }
    }
    Ok(())
}

/// Writes `timestamp: N offset: N` for each entry, and compares it with the log.
pub(super) fn dump_times(
    settings: &Settings,
    path: &Path,
    mismatches: &mut Mismatches,
) -> Result<(), Failure> {
    let base = base_offset(path)?;
    let mut log = LogFile::open(&path.with_extension("log"), settings.era)?;
    let bytes = file::read(path)?;
    let entries: Vec<_> = bytes
        .chunks_exact(TIME_ENTRY)
        .map(|e| (i64::from_be_bytes(e[..8].try_into().unwrap_or_default()), base + word(e, 8)))
        .collect();
    if settings.sanity_only {
        return sane(path, bytes.len() % TIME_ENTRY == 0);
    }
    if entries.is_empty() && settings.era == Era::Old && !settings.verify_only {
        // As for the offset index: 0.11 shows preallocated slots.
        output::line(format_args!("timestamp: 0 offset: {base}"));
    }
    let mut previous = -1;
    for (index, (timestamp, offset)) in entries.into_iter().enumerate() {
        if offset == base && index > 0 {
            break;
        }
        compare(&mut log, path, timestamp, offset, mismatches)?;
        if previous >= timestamp {
            mismatches.out_of_order(path, timestamp, previous);
        }
        previous = timestamp;
        if !settings.verify_only {
            output::line(format_args!("timestamp: {timestamp} offset: {offset}"));
        }
    }
    Ok(())
}

/// Looks for the batch that ends with `offset`. Entries ascend, so the log is read once.
fn compare(
    log: &mut LogFile,
    path: &Path,
    timestamp: i64,
    offset: i64,
    mismatches: &mut Mismatches,
) -> Result<(), Failure> {
    while let Some(entry) = log.next()? {
        let (last, found) = (entry.last_offset(), entry.max_timestamp());
        if last < offset {
            continue;
        }
        if last != offset {
            mismatches.missing(path, offset, last);
        } else if found != timestamp {
            mismatches.timestamp(path, timestamp, found);
        }
        return Ok(());
    }
    mismatches.missing(path, offset, -1);
    Ok(())
}

fn sane(path: &Path, sane: bool) -> Result<(), Failure> {
    if !sane {
        let text = format!("Corrupt index found, index file ({})", path.display());
        return Err(Failure::new("org.apache.kafka.storage.internals.log.CorruptIndexException", text));
    }
    output::line(format_args!("{} passed sanity check.", path.display()));
    Ok(())
}

fn word(entry: &[u8], at: usize) -> i64 {
    entry
        .get(at..at + 4)
        .and_then(|word| word.try_into().ok())
        .map_or(0, |word| i64::from(u32::from_be_bytes(word)))
}
