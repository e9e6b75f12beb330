//! Names of files and directories, as Kafka writes and reads them.

use std::fmt;

/// A topic's name and a partition's number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: String,
    /// The partition, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// What a directory inside a log directory is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionDirectory {
    /// `topic-0`
    Current(TopicPartition),
    /// `topic-0.<uuid>-future`: a replica moving in from another log directory.
    Future(TopicPartition),
    /// `topic-0.<uuid>-delete` or `topic-0.<uuid>-stray`: to be removed.
    Deleted,
}

impl PartitionDirectory {
    /// Reads a directory's name; `None` for one that is not a partition's.
    pub fn parse(name: &str) -> Option<Self> {
        for (suffix, deleted) in [("-delete", true), ("-stray", true), ("-future", false)] {
            let Some(rest) = name.strip_suffix(suffix) else { continue };
            // A topic may itself be called `x-delete`; without the identifier it is no marker.
            let Some((partition, id)) = rest.rsplit_once('.') else { continue };
            if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
                let partition = topic_partition(partition);
                return if deleted { Some(Self::Deleted) } else { partition.map(Self::Future) };
            }
        }
        topic_partition(name).map(Self::Current)
    }
}

fn topic_partition(name: &str) -> Option<TopicPartition> {
    let (topic, number) = name.rsplit_once('-')?;
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let partition = number.parse().ok().filter(|_| digits)?;
    (!topic.is_empty()).then(|| TopicPartition::new(topic, partition))
}

/// The longest file name of the file systems we run on; Kafka shortens the topic to stay below it.
const MAX_FILE_NAME: usize = 255;

/// `topic-0.<uuid>-delete`, the topic cut so that the name fits; `id` is 32 hexadecimal digits.
pub(crate) fn deleted_directory(partition: &TopicPartition, id: u128) -> String {
    let suffix = format!("-{}.{id:032x}-delete", partition.partition);
    let mut topic = partition.topic.as_str();
    while topic.len() + suffix.len() > MAX_FILE_NAME {
        let mut end = topic.len() - 1;
        while !topic.is_char_boundary(end) {
            end -= 1;
        }
        topic = &topic[..end];
    }
    format!("{topic}{suffix}")
}

/// A file of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Log,
    Index,
    TimeIndex,
    TxnIndex,
    Snapshot,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] =
        [Self::Log, Self::Index, Self::TimeIndex, Self::TxnIndex, Self::Snapshot];

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Index => "index",
            Self::TimeIndex => "timeindex",
            Self::TxnIndex => "txnindex",
            Self::Snapshot => "snapshot",
        }
    }

    /// `00000000000000000042.log`
    pub(crate) fn file_name(self, base_offset: i64) -> String {
        format!("{base_offset:020}.{}", self.extension())
    }
}

/// What follows the extension of a segment's file while it is being replaced or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Suffix {
    None,
    /// Removal was decided; the file goes when its delay is over, or at start.
    Deleted,
    /// The cleaner was writing it: unfinished, worthless.
    Cleaned,
    /// The cleaner had finished it: it replaces the segments it was made from.
    Swap,
}

impl Suffix {
    const ALL: [Self; 4] = [Self::None, Self::Deleted, Self::Cleaned, Self::Swap];

    /// The suffix of a number, as `as u8` gives it.
    pub(crate) fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::None)
    }

    pub(crate) fn text(self) -> &'static str {
        ["", ".deleted", ".cleaned", ".swap"][self as usize]
    }
}

/// Reads `00000000000000000042.log.swap` and the like.
pub(crate) fn segment_file(name: &str) -> Option<(i64, Kind, Suffix)> {
    let (rest, suffix) = Suffix::ALL[1..]
        .iter()
        .find_map(|suffix| Some((name.strip_suffix(suffix.text())?, *suffix)))
        .unwrap_or((name, Suffix::None));
    let (base, extension) = rest.split_once('.')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    let digits = !base.is_empty() && base.bytes().all(|b| b.is_ascii_digit());
    Some((base.parse().ok().filter(|_| digits)?, kind, suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_name_says_what_it_holds() {
        let id = "0123456789abcdef0123456789abcdef";
        let current = |topic, n| Some(PartitionDirectory::Current(TopicPartition::new(topic, n)));
        let table = [
            ("clicks-0".to_owned(), current("clicks", 0)),
            ("a-b-12".to_owned(), current("a-b", 12)),
            ("__consumer_offsets-49".to_owned(), current("__consumer_offsets", 49)),
            (format!("clicks-0.{id}-delete"), Some(PartitionDirectory::Deleted)),
            (format!("clicks-0.{id}-stray"), Some(PartitionDirectory::Deleted)),
            (format!("a.b-3.{id}-future"), Some(PartitionDirectory::Future(TopicPartition::new("a.b", 3)))),
            ("x-delete-0".to_owned(), current("x-delete", 0)),
            ("x-0-delete".to_owned(), None),
            ("-0".to_owned(), None),
            ("clicks".to_owned(), None),
            ("clicks-+1".to_owned(), None),
            ("clicks-99999999999".to_owned(), None),
        ];
        for (name, expected) in table {
            assert_eq!(PartitionDirectory::parse(&name), expected, "{name}");
        }
    }

    #[test]
    fn a_deleted_directory_fits_the_file_system_and_is_recognised() {
        for topic in ["t".to_owned(), "t".repeat(249)] {
            let name = deleted_directory(&TopicPartition::new(topic, 7), 0xfeed);
            assert!(name.len() <= 255);
            assert_eq!(PartitionDirectory::parse(&name), Some(PartitionDirectory::Deleted));
        }
    }

    #[test]
    fn a_file_name_says_offset_kind_and_fate() {
        let table = [
            ("00000000000000000042.log", Some((42, Kind::Log, Suffix::None))),
            ("00000000000000000000.timeindex.deleted", Some((0, Kind::TimeIndex, Suffix::Deleted))),
            ("00000000000000000007.log.swap", Some((7, Kind::Log, Suffix::Swap))),
            ("00000000000000000007.index.cleaned", Some((7, Kind::Index, Suffix::Cleaned))),
            ("00000000000000000007.snapshot", Some((7, Kind::Snapshot, Suffix::None))),
            ("leader-epoch-checkpoint", None),
            ("partition.metadata", None),
            ("-1.log", None),
            ("99999999999999999999.log", None),
        ];
        for (name, expected) in table {
            assert_eq!(segment_file(name), expected, "{name}");
        }
        assert_eq!(Kind::Log.file_name(42), "00000000000000000042.log");
    }
}
