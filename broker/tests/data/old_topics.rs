//! Topics whose `message.format.version` is an old one: compressed records are stored in wrappers, which tell their last offset only.

use vltava_broker::partitions::TopicConfig;
use vltava_log::LogConfig;
use vltava_protocol::records::{BatchOptions, Codec};

use crate::harness::{House, batch, fetch, message_set, produce};

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
