//! Compacted topics, the offsets of groups among them, stay small while the broker runs and lose no key, whenever it is killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use vltava_client::admin::{GroupOffset, TopicPartition, commit_offsets, group_offsets};
use vltava_protocol::records::{BatchBuilder, BatchOptions, Codec};
use vltava_testkit::vltava::Server;
use vltava_testkit::wait;
use vltava_tests::member::LIMIT;
use vltava_tests::stage::an_hour_ago;

use crate::raw::Raw;

const KEYS: usize = 40;

/// A batch whose values say their keys.
fn keyed(values: &[String], codec: Codec) -> Vec<u8> {
    let options = BatchOptions { codec, ..BatchOptions::default() };
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (time, value) in (an_hour_ago()..).zip(values) {
        let key = value.split(' ').next().unwrap();
        builder.append(time, Some(key.as_bytes()), Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().0
}

fn size(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let is_log = |file: &fs::DirEntry| file.path().extension().is_some_and(|extension| extension == "log");
    files.filter(is_log).map(|file| file.metadata().map_or(0, |metadata| metadata.len())).sum()
}

#[test]
fn a_compacted_topic_keeps_each_keys_latest_record_across_kill_9_and_stays_small() {
    let folder = tempfile::tempdir().unwrap();
    let settings = ["log.cleaner.backoff.ms=50", "log.cleaner.threads=2", "offsets.topic.num.partitions=1"];
    let mut server = Server::start(folder.path(), &settings);
    let raw = Raw::new(server.address());
    let configs =
        [("cleanup.policy", "compact"), ("segment.bytes", "20000"), ("min.cleanable.dirty.ratio", "0.01")];
    raw.create_topic("latest", 1, &configs);
    let directory = server.data().join("latest-0");
    let mut written: BTreeMap<i64, String> = BTreeMap::new();
    let mut number = 0;
    for round in 0..4 {
        for at in 0..150 {
            let codec = Codec::ALL[at % Codec::ALL.len()];
            let values: Vec<String> = (0..10)
                .map(|_| {
                    number += 1;
                    format!("key-{} {number} {}", number * 7 % KEYS, "x".repeat(60))
                })
                .collect();
            let first = raw.produce_when_led("latest", &keyed(&values, codec));
            written.extend((first..).zip(values));
        }
        // In the midst of whatever the cleaners are doing.
        if round % 2 == 0 {
            server.broker().kill();
            server.start_again();
        }
        wait::until("the topic is small", LIMIT, || (size(&directory) < 60_000).then_some(()));
        let found = wait::until("it is led", LIMIT, || raw.read("latest", 0).ok());
        assert!(found.iter().all(|(offset, value)| written.get(offset) == Some(value)), "round {round}");
        let latest = |records: &mut dyn Iterator<Item = (&i64, &String)>| -> BTreeMap<String, i64> {
            records.map(|(offset, value)| (value.split(' ').next().unwrap().to_owned(), *offset)).collect()
        };
        let expected = latest(&mut written.iter());
        let read = latest(&mut found.iter().map(|(offset, value)| (offset, value)));
        assert_eq!(read, expected, "round {round}");
        assert_eq!(expected.len(), KEYS);
    }
    // Where the cleaner came to is written down as Kafka writes it.
    let checkpoint = fs::read_to_string(server.data().join("cleaner-offset-checkpoint")).unwrap();
    assert!(checkpoint.lines().any(|line| line.starts_with("latest 0 ")), "{checkpoint}");
}

#[test]
fn the_offsets_of_groups_stay_small_and_are_all_there() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "log.cleaner.backoff.ms=50",
        "log.cleaner.min.cleanable.ratio=0.01",
        "offsets.topic.num.partitions=1",
        "offsets.topic.segment.bytes=10000",
    ];
    let mut server = Server::start(folder.path(), &settings);
    let raw = Raw::new(server.address());
    raw.create_topic("t", 3, &[]);
    let partition = |partition| TopicPartition { topic: "t".to_owned(), partition };
    let commit = |raw: &Raw, group: &str, offset: i64| {
        let offsets = (0..3).map(|n| {
            let offset =
                GroupOffset { offset: offset + i64::from(n), leader_epoch: None, metadata: String::new() };
            (partition(n), offset)
        });
        let offsets = offsets.collect();
        let results = raw.admin(async |client| commit_offsets(client, group, &offsets).await);
        assert!(results.values().all(Result::is_ok), "{results:?}");
    };
    wait::until("groups can be coordinated", LIMIT, || {
        let ready = raw.admin(async |client| Ok(group_offsets(client, "first").await.is_ok()));
        ready.then_some(())
    });
    for round in 0..200 {
        commit(&raw, "first", round * 10);
        commit(&raw, "second", round * 10 + 5);
    }
    let directory = server.data().join("__consumer_offsets-0");
    wait::until("the offsets are small", LIMIT, || (size(&directory) < 30_000).then_some(()));
    server.broker().kill();
    server.start_again();
    for (group, last) in [("first", 1990), ("second", 1995)] {
        let found = wait::until("the group is loaded", LIMIT, || {
            raw.admin(async |client| Ok(group_offsets(client, group).await.ok()))
        });
        let offsets: Vec<i64> = (0..3).map(|n| found[&partition(n)].offset).collect();
        assert_eq!(offsets, [last, last + 1, last + 2], "{group}");
    }
}
