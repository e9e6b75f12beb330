//! The files of a partition's directory, and what Kafka does at start with those that were being replaced or removed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::disk::{self, Result};
use crate::error::LogError;
use crate::names::{Kind, Suffix, segment_file};

/// The names of a partition's directory.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Base offset to size.
    pub(crate) logs: BTreeMap<i64, u64>,
    /// Indexes by base offset, with their sizes.
    pub(crate) others: BTreeMap<(i64, Kind), u64>,
    pub(crate) snapshots: BTreeSet<i64>,
}

/// Removes what was being removed or was unfinished, and puts finished replacements (`.swap`) into place, as Kafka does at start.
pub(crate) fn finish_replacements(directory: &Path) -> Result<()> {
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

pub(crate) fn list(directory: &Path) -> Result<Listing> {
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
