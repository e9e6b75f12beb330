//! `kafka-mirror-maker` from one cluster to another: what arrives, what is committed, and what a crash costs.

#![allow(clippy::unwrap_used, clippy::panic)]

mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use vltava_testkit::apache::{Broker, Version, ZooKeeper};
use vltava_testkit::process::Running;
use vltava_testkit::wait;

use tool::{LIMIT, Place, run};

/// A record as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    partition: i32,
    key: Option<String>,
    value: Option<String>,
    headers: Vec<(String, Option<String>)>,
    time: Option<i64>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Sends records with keys, and tombstones, headers and times among them.
fn fill(brokers: &str, topic: &str, numbers: std::ops::Range<u32>) {
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("partitioner", "murmur2_random")
        .set("linger.ms", "5")
        .create()
        .unwrap();
    for number in numbers {
        let (key, value) = (format!("k{}", number % 7), format!("{number}"));
        let mut record: BaseRecord<'_, str, str> =
            BaseRecord::to(topic).key(key.as_str()).timestamp(1_600_000_000_000 + i64::from(number));
        if number % 10 == 3 {
            record = record.headers(
                OwnedHeaders::new()
                    .insert(Header { key: "h", value: Some(&value) })
                    .insert(Header { key: "none", value: None::<&str> }),
            );
        } else {
            record = record.payload(value.as_str());
        }
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(LIMIT).unwrap();
}

/// All records of a topic, by partition.
fn read(brokers: &str, topic: &str, partitions: i32) -> Vec<Record> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", "reader").create().unwrap();
    let mut all = Vec::new();
    for partition in 0..partitions {
        let Ok((low, high)) = consumer.fetch_watermarks(topic, partition, LIMIT) else { continue };
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Offset(low)).unwrap();
        consumer.assign(&list).unwrap();
        let mut next = low;
        let end = Instant::now() + LIMIT;
        while next < high {
            // What is no record is an event of the client's.
            let Some(record) = consumer.poll(Duration::from_millis(100)) else {
                assert!(Instant::now() < end, "{topic}-{partition} from {next} to {high}");
                continue;
            };
            let record = record.unwrap();
            next = record.offset() + 1;
            let headers = record.headers().map(|headers| {
                let of = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(text));
                headers.iter().map(of).collect()
            });
            all.push(Record {
                partition,
                key: record.key().map(text),
                value: record.payload().map(text),
                headers: headers.unwrap_or_default(),
                time: record.timestamp().to_millis(),
            });
        }
    }
    all
}

/// Two clusters, and the files that the tool is given.
struct Pair {
    from: Place,
    to: Place,
}

impl Pair {
    fn new(consumer: &str, producer: &str) -> Pair {
        let pair = Pair { from: Place::new(), to: Place::new() };
        let consumer = format!(
            "bootstrap.servers={}\ngroup.id=mirror\nauto.offset.reset=earliest\n{consumer}\n",
            pair.from.brokers()
        );
        pair.write("consumer", &consumer);
        pair.write("producer", &format!("bootstrap.servers={}\n{producer}\n", pair.to.brokers()));
        pair
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.from.folder.path().join(name), text).unwrap();
    }

    fn start(&self, name: &str, options: &str) -> Running {
        let line = format!(
            "kafka-mirror-maker.sh --consumer.config {{folder}}/consumer --producer.config {{folder}}/producer {options}"
        );
        Running::start(name, self.from.ours(&line), &self.from.folder.path().join(name))
    }

    fn arrived(&self, topic: &str, count: usize) -> Vec<Record> {
        wait::until(&format!("{count} records of {topic}"), LIMIT, || {
            let records = read(&self.to.brokers(), topic, 3);
            (records.len() >= count).then_some(records)
        })
    }

    /// The sum of the group's committed offsets.
    fn committed(&self, topic: &str) -> i64 {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", self.from.brokers())
            .set("group.id", "mirror")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..3 {
            list.add_partition(topic, partition);
        }
        let list = consumer.committed_offsets(list, LIMIT).unwrap();
        list.elements().iter().filter_map(|of| of.offset().to_raw().filter(|offset| *offset > 0)).sum()
    }
}

#[test]
fn records_arrive_as_they_were_and_where_their_keys_belong() {
    let pair = Pair::new("", "");
    for topic in ["orders-eu", "orders-us", "other"] {
        pair.from.topic(topic, 3);
        pair.to.topic(topic, 3);
        fill(&pair.from.brokers(), topic, 0..200);
    }
    let mut copying = pair.start("copy", "--whitelist 'orders-(?!us).*,none' --num.streams 2");
    let arrived = pair.arrived("orders-eu", 200);
    assert_eq!(arrived, read(&pair.from.brokers(), "orders-eu", 3));
    // A clean end commits what has arrived, though the interval is a minute.
    assert_eq!(copying.stop(LIMIT).code(), Some(143), "{}", copying.output());
    assert_eq!((pair.committed("orders-eu"), pair.to.records("orders-eu")), (200, 200));
    assert!(
        read(&pair.to.brokers(), "orders-us", 3).is_empty()
            && read(&pair.to.brokers(), "other", 3).is_empty()
    );
    // The next one goes on from there, and all but a list of topics are copied.
    fill(&pair.from.brokers(), "orders-eu", 200..250);
    let mut copying = pair.start("again", "--blacklist orders-us --offset.commit.interval.ms 100");
    assert_eq!(pair.arrived("orders-eu", 250).len(), 250);
    assert_eq!(pair.arrived("other", 200).len(), 200);
    wait::until("offsets are committed", LIMIT, || (pair.committed("orders-eu") == 250).then_some(()));
    assert_eq!(copying.stop(LIMIT).code(), Some(143));
    assert!(read(&pair.to.brokers(), "orders-us", 3).is_empty());
}

/// Keys and their values in order, each value where it first came.
fn firsts(records: &[Record]) -> BTreeMap<String, Vec<u32>> {
    let mut of: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for record in records {
        let number = (record.time.unwrap() - 1_600_000_000_000) as u32;
        if seen.insert(number) {
            of.entry(record.key.clone().unwrap()).or_default().push(number);
        }
    }
    of
}

#[test]
fn nothing_is_lost_by_kill_minus_9_and_nothing_overtakes() {
    let pair = Pair::new("", "");
    pair.from.topic("t", 3);
    pair.to.topic("t", 3);
    let brokers = pair.from.brokers();
    let filling = std::thread::spawn(move || {
        for step in 0..60 {
            fill(&brokers, "t", step * 200..(step + 1) * 200);
        }
    });
    for round in 0..5 {
        let mut copying = pair.start(&format!("copy-{round}"), "--include t --offset.commit.interval.ms 50");
        let before = read(&pair.to.brokers(), "t", 3).len();
        let end = Instant::now() + LIMIT;
        while read(&pair.to.brokers(), "t", 3).len() < before + 500
            && Instant::now() < end
            && !filling.is_finished()
        {
            std::thread::park_timeout(Duration::from_millis(20));
        }
        copying.kill();
    }
    filling.join().unwrap();
    let mut copying = pair.start("last", "--include t --offset.commit.interval.ms 50");
    wait::until("all are committed", LIMIT, || (pair.committed("t") == 12_000).then_some(()));
    assert_eq!(copying.stop(LIMIT).code(), Some(143));
    let (sent, arrived) = (read(&pair.from.brokers(), "t", 3), read(&pair.to.brokers(), "t", 3));
    assert_eq!(sent.len(), 12_000);
    assert_eq!(firsts(&arrived), firsts(&sent));
}

#[test]
fn a_record_that_the_target_refuses_ends_the_tool_or_is_left_out() {
    // Brokers refuse a whole batch.
    let pair = Pair::new("", "batch.num.messages=1");
    pair.from.topic("t", 3);
    let small = "kafka-topics.sh --bootstrap-server {brokers} --create --topic t --partitions 3 --replication-factor 1 --config max.message.bytes=300";
    run(pair.to.ours(small)).good();
    let producer: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", pair.from.brokers()).create().unwrap();
    for (number, length) in [10, 5_000, 10].into_iter().enumerate() {
        let value = format!("{number}").repeat(length);
        producer
            .send(BaseRecord::<str, str>::to("t").partition(0).payload(value.as_str()))
            .map_err(|(error, _)| error)
            .unwrap();
        producer.flush(LIMIT).unwrap();
    }
    let mut copying = pair.start("aborts", "--include t --offset.commit.interval.ms 50");
    assert_eq!(copying.wait(LIMIT).code(), Some(255), "{}", copying.output());
    assert!(copying.output().contains("RecordTooLargeException"), "{}", copying.output());
    assert!(pair.committed("t") < 3);
    let mut copying =
        pair.start("goes-on", "--include t --offset.commit.interval.ms 50 --abort.on.send.failure false");
    wait::until("all are committed", LIMIT, || (pair.committed("t") == 3).then_some(()));
    assert_eq!(copying.stop(LIMIT).code(), Some(143));
    let arrived = read(&pair.to.brokers(), "t", 3);
    assert!(arrived.iter().any(|record| record.value.as_deref() == Some("2222222222")), "{arrived:?}");
}

#[test]
fn what_kafkas_tool_copies_ours_goes_on_with() {
    let pair = Pair::new("", "");
    pair.from.topic("t", 3);
    pair.to.topic("t", 3);
    fill(&pair.from.brokers(), "t", 0..100);
    let line = "kafka-mirror-maker.sh --consumer.config {folder}/consumer --producer.config {folder}/producer --whitelist t";
    let theirs = pair.from.theirs(Version::V3_9, line);
    let mut copying = Running::start("theirs", theirs, &pair.from.folder.path().join("theirs"));
    pair.arrived("t", 100);
    assert_eq!(copying.stop(LIMIT).code(), Some(143));
    fill(&pair.from.brokers(), "t", 100..200);
    let mut copying = pair.start("ours", "--whitelist t");
    assert_eq!(pair.arrived("t", 200), read(&pair.from.brokers(), "t", 3));
    assert_eq!(copying.stop(LIMIT).code(), Some(143));
    // What is missing is told in the same words.
    let first = |said: tool::Said| {
        (said.err.lines().find(|line| line.starts_with("Missing")).map(str::to_owned), said.code)
    };
    let line = "kafka-mirror-maker.sh --consumer.config {folder}/consumer --whitelist t";
    assert_eq!(first(run(pair.from.ours(line))), first(run(pair.from.theirs(Version::V3_9, line))));
}

#[test]
fn a_group_of_0_8_in_zookeeper_is_a_source_too() {
    let pair = Pair::new("", "");
    pair.to.topic("t", 3);
    let folder = tempfile::TempDir::new().unwrap();
    let zookeeper = ZooKeeper::start(Version::V3_9, folder.path());
    let connect = zookeeper.address().to_string();
    let apache = Broker::start(Version::V0_11, 0, &connect, folder.path(), &["num.partitions=3"]);
    let consumer = format!("zookeeper.connect={connect}\ngroup.id=old\nauto.offset.reset=smallest\n");
    pair.write("consumer", &consumer);
    fill(&apache.address().to_string(), "t", 0..100);
    let mut copying = pair.start("copy", "--whitelist t --offset.commit.interval.ms 100 --num.streams 2");
    assert_eq!(pair.arrived("t", 100), read(&apache.address().to_string(), "t", 3));
    let offsets = || {
        let of = |partition: u32| {
            let line = format!("zookeeper-shell.sh {connect} get /consumers/old/offsets/t/{partition}");
            run(pair.from.ours(&line))
                .out
                .lines()
                .filter_map(|line| line.trim().parse::<u32>().ok())
                .sum::<u32>()
        };
        (0..3).map(of).sum::<u32>()
    };
    wait::until("offsets are committed", LIMIT, || (offsets() == 100).then_some(()));
    copying.kill();
    fill(&apache.address().to_string(), "t", 100..150);
    let mut copying = pair.start("again", "--whitelist t");
    let numbers: BTreeSet<i64> = wait::until("all have arrived", LIMIT, || {
        let numbers: BTreeSet<i64> =
            read(&pair.to.brokers(), "t", 3).into_iter().filter_map(|record| record.time).collect();
        (numbers.len() == 150).then_some(numbers)
    });
    assert_eq!(numbers.len(), 150);
    assert_eq!(copying.stop(LIMIT).code(), Some(143), "{}", copying.output());
    assert_eq!(offsets(), 150);
}
