//! Topics whose `message.format.version` is an old one: compressed records are stored in wrappers, which tell their last offset only.

use vltava_broker::partitions::TopicConfig;
use vltava_log::LogConfig;
use vltava_protocol::records::{BatchOptions, Codec, MessageSetBuilder, MessageSetOptions};

use crate::{
    harness::{House, batch, fetch, message_set, produce},
    offsets::{list, listed},
};

const VALUES: [&str; 3] = ["first", "second", "third"];

#[tokio::test]
async fn compressed_records_of_old_formats_get_the_offsets_that_their_producer_is_told() {
    for (magic, codec) in
        [(0, Codec::Gzip), (0, Codec::Snappy), (1, Codec::Gzip), (1, Codec::Lz4), (1, Codec::None)]
    {
        let directory = tempfile::tempdir().unwrap();
        let config = LogConfig { segment_bytes: 400, index_interval_bytes: 100, ..LogConfig::default() };
        let house = House::over(directory.path(), move |_| {
            let mut topic = TopicConfig::new(config.clone(), 1, None);
            topic.rules.target_magic = magic;
            topic
        });
        house.lead("t", 1);
        let newer = batch(&VALUES, BatchOptions { codec, ..Default::default() });
        let same = message_set(magic, codec, &VALUES);
        for round in 0..20 {
            // By a producer of the topic's own time, then by one of ours.
            let (version, records) = if round % 2 == 0 { (i16::from(magic) + 1, &same) } else { (9, &newer) };
            let (error, base, ..) = house.produced(version, &produce("t", 0, 1, records)).await;
            assert_eq!((error, base), (0, 3 * round), "magic {magic}, {codec:?}, by version {version}");
        }
        let segments: Vec<i64> = std::fs::read_dir(directory.path().join("t-0"))
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".log")?.parse().ok())
            .collect();
        assert!(segments.len() > 3, "magic {magic}, {codec:?}: {segments:?}");
        assert!(segments.iter().all(|base| base % 3 == 0), "magic {magic}, {codec:?}: {segments:?}");
        // Whoever asks for an offset gets it, with what else its wrapper holds.
        let version = if magic == 0 { 1 } else { 3 };
        for offset in 0..60 {
            let request = fetch("t", 0, offset);
            let found = house.fetched(version, &request).await.values;
            let at = found.iter().position(|(at, _)| *at == offset);
            let at = at.unwrap_or_else(|| panic!("magic {magic}, {codec:?}: {offset} is not in {found:?}"));
            assert_eq!(found[at].1, VALUES[usize::try_from(offset % 3).unwrap()]);
        }
    }
}

#[tokio::test]
async fn a_time_leads_to_a_record_inside_a_wrapper() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        let house = House::with_config(|_| {
            let mut topic = TopicConfig::default();
            topic.rules.target_magic = 1;
            topic
        });
        house.lead("t", 1);
        for timestamps in [[100, 300, 200], [400, 450, 500]] {
            let options = MessageSetOptions { magic: 1, codec, level: None, log_append_time: None };
            let mut set = MessageSetBuilder::new(Vec::new(), options).unwrap();
            for (offset, timestamp) in (0..).zip(timestamps) {
                set.append(offset, timestamp, Some(b"k"), Some(b"v")).unwrap();
            }
            let (error, ..) = house.produced(2, &produce("t", 0, 1, &set.finish().unwrap())).await;
            assert_eq!(error, 0, "{codec:?}");
        }
        for (asked, expected) in [
            (0, (100, 0)),
            (101, (300, 1)),
            (301, (400, 3)),
            (401, (450, 4)),
            (500, (500, 5)),
            (-3, (500, 5)),
        ] {
            let (error, timestamp, offset, _) = listed(&house, 7, &list("t", 0, asked)).await;
            assert_eq!((error, timestamp, offset), (0, expected.0, expected.1), "{codec:?}, from {asked}");
        }
        assert_eq!(listed(&house, 7, &list("t", 0, 501)).await.2, -1, "{codec:?}");
    }
}
