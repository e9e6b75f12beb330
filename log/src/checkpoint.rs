//! The text files in which Kafka keeps small tables: a version, a count, a line for each entry.

use std::collections::BTreeMap;
use std::path::Path;

use crate::disk::{self, Durable, Result};
use crate::error::LogError;
use crate::names::TopicPartition;

/// More than the lines of a million partitions.
pub(crate) const MAX_BYTES: u64 = 512 << 20;

const VERSION: &str = "0";

pub(crate) fn format(lines: impl ExactSizeIterator<Item = String>) -> String {
    let mut text = format!("{VERSION}\n{}\n", lines.len());
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// Reads the entries; the error says what is wrong with the file.
pub(crate) fn parse<T>(bytes: &[u8], entry: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not text".to_owned())?;
    let mut lines = text.lines();
    match lines.next().map(str::trim) {
        Some(VERSION) => {}
        found => {
            return Err(format!("Unrecognized version of the checkpoint file: {}", found.unwrap_or("none")));
        }
    }
    let count =
        lines.next().and_then(|line| line.trim().parse::<usize>().ok()).ok_or("no count of entries")?;
    let mut entries = Vec::new();
    for line in lines.filter(|line| !line.is_empty()) {
        entries.push(entry(line).ok_or_else(|| format!("malformed line '{line}'"))?);
    }
    if entries.len() == count {
        Ok(entries)
    } else {
        Err(format!("Expected {count} entries in checkpoint file, but found only {}", entries.len()))
    }
}

/// A checkpoint of offsets in a log directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetCheckpoint {
    /// `recovery-point-offset-checkpoint`: everything before is on disk.
    RecoveryPoint,
    /// `replication-offset-checkpoint`: the high watermarks.
    HighWatermark,
    /// `log-start-offset-checkpoint`: where logs start that begin after their first segment's first offset.
    LogStart,
    /// `cleaner-offset-checkpoint`: how far compaction came.
    Cleaner,
}

impl OffsetCheckpoint {
    /// The file's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::HighWatermark => "replication-offset-checkpoint",
            Self::LogStart => "log-start-offset-checkpoint",
            Self::Cleaner => "cleaner-offset-checkpoint",
        }
    }

    /// Reads the table; an absent file is an empty one.
    pub fn read(self, log_dir: &Path) -> Result<BTreeMap<TopicPartition, i64>> {
        let path = log_dir.join(self.file_name());
        let Some(bytes) = disk::read_small(&path, MAX_BYTES)? else { return Ok(BTreeMap::new()) };
        let entries = parse(&bytes, |line| {
            let mut fields = line.split_ascii_whitespace();
            let partition = TopicPartition::new(fields.next()?, fields.next()?.parse().ok()?);
            let offset = fields.next()?.parse().ok()?;
            fields.next().is_none().then_some((partition, offset))
        })
        .map_err(|reason| LogError::corrupt(&path, 0, reason))?;
        Ok(entries.into_iter().collect())
    }

    /// Replaces the file, durably.
    pub fn write(self, log_dir: &Path, offsets: &BTreeMap<TopicPartition, i64>) -> Result<()> {
        let text =
            format(offsets.iter().map(|(tp, offset)| format!("{} {} {offset}", tp.topic, tp.partition)));
        disk::replace(&log_dir.join(self.file_name()), text.as_bytes(), Durable::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_back_and_the_file_is_kafkas() {
        let tmp = tempfile::tempdir().unwrap();
        let checkpoint = OffsetCheckpoint::RecoveryPoint;
        assert!(checkpoint.read(tmp.path()).unwrap().is_empty());
        let table = BTreeMap::from([(TopicPartition::new("b", 0), 7), (TopicPartition::new("a", 12), 42)]);
        checkpoint.write(tmp.path(), &table).unwrap();
        let text = std::fs::read_to_string(tmp.path().join("recovery-point-offset-checkpoint")).unwrap();
        assert_eq!(text, "0\n2\na 12 42\nb 0 7\n");
        assert_eq!(checkpoint.read(tmp.path()).unwrap(), table);
    }

    #[test]
    fn a_damaged_file_is_named_with_what_is_wrong() {
        let tmp = tempfile::tempdir().unwrap();
        for (text, reason) in [
            ("", "Unrecognized version"),
            ("1\n0\n", "Unrecognized version"),
            ("0\n", "no count"),
            ("0\n2\na 0 1\n", "Expected 2 entries"),
            ("0\n1\na 0\n", "malformed line 'a 0'"),
            ("0\n1\na 0 1 2\n", "malformed line"),
        ] {
            std::fs::write(tmp.path().join("replication-offset-checkpoint"), text).unwrap();
            let error = OffsetCheckpoint::HighWatermark.read(tmp.path()).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("replication-offset-checkpoint"), "{error}");
        }
    }
}
