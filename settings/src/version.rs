//! Versions of the inter-broker protocol, which also name message formats.

use std::fmt;

/// A version of the inter-broker protocol (`inter.broker.protocol.version`), from 0.8.0 to 3.9-IV0. They are ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion(u8);

/// Text that names no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Version {0} is not a valid version. The minimum version is 0.8.0, the maximum 3.9-IV0")]
pub struct InvalidVersion(String);

/// All versions in order: full name, and the name that stands for the latest of its release.
const VERSIONS: [(&str, &str); 55] = [
    ("0.8.0", "0.8.0"),
    ("0.8.1", "0.8.1"),
    ("0.8.2", "0.8.2"),
    ("0.9.0", "0.9.0"),
    ("0.10.0-IV0", "0.10.0"),
    ("0.10.0-IV1", "0.10.0"),
    ("0.10.1-IV0", "0.10.1"),
    ("0.10.1-IV1", "0.10.1"),
    ("0.10.1-IV2", "0.10.1"),
    ("0.10.2-IV0", "0.10.2"),
    ("0.11.0-IV0", "0.11.0"),
    ("0.11.0-IV1", "0.11.0"),
    ("0.11.0-IV2", "0.11.0"),
    ("1.0-IV0", "1.0"),
    ("1.1-IV0", "1.1"),
    ("2.0-IV0", "2.0"),
    ("2.0-IV1", "2.0"),
    ("2.1-IV0", "2.1"),
    ("2.1-IV1", "2.1"),
    ("2.1-IV2", "2.1"),
    ("2.2-IV0", "2.2"),
    ("2.2-IV1", "2.2"),
    ("2.3-IV0", "2.3"),
    ("2.3-IV1", "2.3"),
    ("2.4-IV0", "2.4"),
    ("2.4-IV1", "2.4"),
    ("2.5-IV0", "2.5"),
    ("2.6-IV0", "2.6"),
    ("2.7-IV0", "2.7"),
    ("2.7-IV1", "2.7"),
    ("2.7-IV2", "2.7"),
    ("2.8-IV0", "2.8"),
    ("2.8-IV1", "2.8"),
    ("3.0-IV0", "3.0"),
    ("3.0-IV1", "3.0"),
    ("3.1-IV0", "3.1"),
    ("3.2-IV0", "3.2"),
    ("3.3-IV0", "3.3"),
    ("3.3-IV1", "3.3"),
    ("3.3-IV2", "3.3"),
    ("3.3-IV3", "3.3"),
    ("3.4-IV0", "3.4"),
    ("3.5-IV0", "3.5"),
    ("3.5-IV1", "3.5"),
    ("3.5-IV2", "3.5"),
    ("3.6-IV0", "3.6"),
    ("3.6-IV1", "3.6"),
    ("3.6-IV2", "3.6"),
    ("3.7-IV0", "3.7"),
    ("3.7-IV1", "3.7"),
    ("3.7-IV2", "3.7"),
    ("3.7-IV3", "3.7"),
    ("3.7-IV4", "3.7"),
    ("3.8-IV0", "3.8"),
    ("3.9-IV0", "3.9"),
];

/// The index of a full name; evaluated by the compiler, which refuses a name that is not in the list.
const fn version(name: &str) -> ProtocolVersion {
    let mut index = 0;
    while index < VERSIONS.len() {
        if same(VERSIONS[index].0.as_bytes(), name.as_bytes()) {
            return ProtocolVersion(index as u8);
        }
        index += 1;
    }
    ProtocolVersion(VERSIONS[index].0.as_bytes()[0])
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut index = 0;
    while index < left.len() && index < right.len() && left[index] == right[index] {
        index += 1;
    }
    index == left.len() && index == right.len()
}

impl ProtocolVersion {
    /// 0.8.0: the oldest.
    pub const OLDEST: ProtocolVersion = version("0.8.0");
    /// 0.9.0: the newer LeaderAndIsr era, with quotas and security.
    pub const V0_9_0: ProtocolVersion = version("0.9.0");
    /// 0.10.0-IV0: message sets of magic 1.
    pub const V0_10_0_IV0: ProtocolVersion = version("0.10.0-IV0");
    /// 0.10.1-IV2: ListOffsets by time.
    pub const V0_10_1_IV2: ProtocolVersion = version("0.10.1-IV2");
    /// 0.11.0-IV0: record batches of magic 2.
    pub const V0_11_0_IV0: ProtocolVersion = version("0.11.0-IV0");
    /// 0.11.0-IV2: truncation by leader epoch (KIP-101).
    pub const V0_11_0_IV2: ProtocolVersion = version("0.11.0-IV2");
    /// 2.1-IV0: zstd.
    pub const V2_1_IV0: ProtocolVersion = version("2.1-IV0");
    /// 2.4-IV1: LeaderAndIsr with adding and removing replicas.
    pub const V2_4_IV1: ProtocolVersion = version("2.4-IV1");
    /// 2.7-IV0: finalized features.
    pub const V2_7_IV0: ProtocolVersion = version("2.7-IV0");
    /// 2.7-IV2: ISR changes go through AlterPartition (KIP-497).
    pub const V2_7_IV2: ProtocolVersion = version("2.7-IV2");
    /// 2.8-IV0: topic ids (KIP-516).
    pub const V2_8_IV0: ProtocolVersion = version("2.8-IV0");
    /// 3.0-IV0: producer ids come from the controller (AllocateProducerIds).
    pub const V3_0_IV0: ProtocolVersion = version("3.0-IV0");
    /// 3.0-IV1: the message format is magic 2 whatever `log.message.format.version` says (KIP-724).
    pub const V3_0_IV1: ProtocolVersion = version("3.0-IV1");
    /// 3.1-IV0: Fetch by topic id.
    pub const V3_1_IV0: ProtocolVersion = version("3.1-IV0");
    /// 3.9-IV0: the newest, and the default.
    pub const NEWEST: ProtocolVersion = version("3.9-IV0");

    /// Reads a version as Kafka does: a full name (`2.7-IV2`), a release (`2.7`, the latest of it) or one with a patch level
    /// (`2.7.1`, `0.10.2.1`).
    ///
    /// # Errors
    ///
    /// No version from 0.8.0 to 3.9-IV0 has this name.
    pub fn parse(text: &str) -> Result<ProtocolVersion, InvalidVersion> {
        let segments = if text.starts_with("0.") { 3 } else { 2 };
        let end = text.match_indices('.').nth(segments - 1).map_or(text.len(), |(at, _)| at);
        let name = &text[..end];
        let found = VERSIONS.iter().rposition(|&(full, release)| name == full || name == release);
        let index = found.and_then(|index| u8::try_from(index).ok());
        index.map(ProtocolVersion).ok_or_else(|| InvalidVersion(text.to_owned()))
    }

    /// The full name, such as `2.7-IV2`.
    #[must_use]
    pub fn name(self) -> &'static str {
        VERSIONS[usize::from(self.0)].0
    }

    /// The release's name, such as `2.7`.
    #[must_use]
    pub fn release(self) -> &'static str {
        VERSIONS[usize::from(self.0)].1
    }

    /// The newest record format of this version: magic 0 before 0.10, 1 before 0.11, then 2.
    #[must_use]
    pub fn record_magic(self) -> i8 {
        match self {
            version if version < Self::V0_10_0_IV0 => 0,
            version if version < Self::V0_11_0_IV0 => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_releases_and_patch_levels_are_read() {
        for (text, name) in [
            ("0.8.0", "0.8.0"),
            ("0.8.2.2", "0.8.2"),
            ("0.9.0.1", "0.9.0"),
            ("0.10.0", "0.10.0-IV1"),
            ("0.10.0-IV0", "0.10.0-IV0"),
            ("0.11.0.2", "0.11.0-IV2"),
            ("1.0", "1.0-IV0"),
            ("2.7", "2.7-IV2"),
            ("2.7.1", "2.7-IV2"),
            ("3.9.2", "3.9-IV0"),
            ("3.9-IV0", "3.9-IV0"),
        ] {
            assert_eq!(ProtocolVersion::parse(text).map(ProtocolVersion::name), Ok(name), "{text}");
        }
        for text in ["", "0.7", "0.8", "4.0", "3.10", "2.7-IV9", "three", "0.", "3"] {
            assert!(ProtocolVersion::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_version_reads_its_own_name_and_they_are_in_order() {
        let versions: Vec<_> =
            VERSIONS.iter().map(|(name, _)| ProtocolVersion::parse(name).unwrap()).collect();
        assert!(versions.is_sorted());
        assert_eq!(versions.first(), Some(&ProtocolVersion::OLDEST));
        assert_eq!(versions.last(), Some(&ProtocolVersion::NEWEST));
        assert_eq!(ProtocolVersion::V0_9_0.record_magic(), 0);
        assert_eq!(ProtocolVersion::V0_10_1_IV2.record_magic(), 1);
        assert_eq!(ProtocolVersion::V0_11_0_IV0.record_magic(), 2);
    }
}
