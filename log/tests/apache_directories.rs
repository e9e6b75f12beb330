//! Directories of real Apache Kafka brokers, old and new: opened after a clean stop and after kill -9, read back equal, appended
//! to, and taken over again by the same Apache broker.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test can do nothing better with it")]

mod records;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use records::{append, batch, read};
use vltava_log::{LoadOptions, LoadProgress, LoadedLog, Log, LogDirs, TopicPartition};
use vltava_testkit::apache::{Broker, Version, ZooKeeper};
use vltava_testkit::{java, wait};

const TOPIC: &str = "river";
const LIMIT: Duration = Duration::from_secs(120);

/// A consumer's view: offset, timestamp, value.
type View = Vec<(i64, i64, String)>;

struct Era {
    version: Version,
    codecs: &'static [&'static str],
    delete_records: &'static str,
    has_topic_ids: bool,
}

struct Cluster {
    era: Era,
    zookeeper: ZooKeeper,
    broker: Option<Broker>,
    folder: PathBuf,
}

impl Cluster {
    fn start(era: Era, folder: &Path) -> Self {
        let zookeeper = ZooKeeper::start(era.version, folder);
        let mut cluster = Self { era, zookeeper, broker: None, folder: folder.to_owned() };
        cluster.start_broker();
        cluster
    }

    fn start_broker(&mut self) {
        let overrides = [
            "log.segment.bytes=3000",
            "log.index.interval.bytes=500",
            "log.index.size.max.bytes=4096",
            "offsets.topic.num.partitions=1",
            "transaction.state.log.num.partitions=1",
            "offsets.topic.segment.bytes=100000",
            "transaction.state.log.segment.bytes=100000",
            "zookeeper.session.timeout.ms=4000",
            "group.initial.rebalance.delay.ms=0",
        ];
        let connect = self.zookeeper.address().to_string();
        self.broker = Some(Broker::start(self.era.version, 0, &connect, &self.folder, &overrides));
    }

    fn bootstrap(&self) -> String {
        self.broker.as_ref().unwrap().address().to_string()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data-0")
    }

    fn records(&self, arguments: &[&str]) -> String {
        let libraries = self.era.version.class_path();
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java");
        let classes =
            java::compile(&format!("log-records-{}", self.era.version.number()), &sources, &libraries);
        let output = java::program(&format!("{}:{libraries}", classes.display()), "Records")
            .args(arguments)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    fn write(&self, prefix: &str) {
        let bootstrap = self.bootstrap();
        self.records(&[&["write", &bootstrap, TOPIC, prefix], self.era.codecs].concat());
    }

    /// What Apache's consumer sees, and where it stops.
    fn view(&self, isolation: &str) -> (View, i64) {
        let text = self.records(&["read", &self.bootstrap(), TOPIC, isolation]);
        let mut view = Vec::new();
        let mut end = -1;
        for line in text.lines() {
            let fields: Vec<&str> = line.splitn(3, ' ').collect();
            match fields[..] {
                ["end", offset] => end = offset.parse().unwrap(),
                [offset, timestamp, value] => {
                    view.push((offset.parse().unwrap(), timestamp.parse().unwrap(), value.to_owned()));
                }
                _ => panic!("unexpected line {line}"),
            }
        }
        (view, end)
    }

    fn delete_records(&self, offset: i64) {
        let file = self.folder.join("delete.json");
        fs::write(
            &file,
            format!(
                r#"{{"version":1,"partitions":[{{"topic":"{TOPIC}","partition":0,"offset":{offset}}}]}}"#
            ),
        )
        .unwrap();
        let mut tool = self.era.version.tool(self.era.delete_records);
        let output = tool
            .args(["--bootstrap-server", &self.bootstrap(), "--offset-json-file"])
            .arg(&file)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains(&format!("low_watermark: {offset}")), "{text}");
    }

    fn stop(&mut self) {
        let status = self.broker.take().unwrap().process().stop(LIMIT);
        assert!(status.success() || status.code() == Some(143), "{status}");
    }

    fn kill(&mut self) {
        self.broker.take().unwrap().process().kill();
        // The next broker of this id can't register before the session of the dead one is over.
        let address = self.zookeeper.address();
        wait::until("the dead broker's session ends", LIMIT, || {
            (!ask(address, "dump").contains("/brokers/ids/0")).then_some(())
        });
    }
}

fn ask(address: SocketAddr, word: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(word.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Every log of the directory, ours among them.
fn load(data: &Path, now: i64) -> (LogDirs, Vec<LoadedLog>) {
    let dirs = LogDirs::open(&[data.to_owned()], 100, 86_400_000).unwrap();
    let logs = Mutex::new(Vec::new());
    let progress = LoadProgress::default();
    let loading = dirs.load(&LoadOptions {
        threads_per_directory: 2,
        config: &|_| std::sync::Arc::default(),
        deliver: &|loaded| logs.lock().unwrap().push(loaded),
        progress: &progress,
        now,
    });
    assert!(loading.failures.is_empty(), "{:?}", loading.failures);
    (dirs, logs.into_inner().unwrap())
}

fn ours(logs: &mut [LoadedLog]) -> &mut LoadedLog {
    let wanted = TopicPartition::new(TOPIC, 0);
    logs.iter_mut().find(|loaded| *loaded.log.partition() == wanted).unwrap()
}

/// What our reader gives to a consumer of all records, or of committed ones.
fn our_view(log: &Log, committed: bool) -> View {
    let reader = log.reader();
    let end = reader.log_end_offset();
    let bound = if committed { reader.last_stable_offset(end) } else { end };
    let start = reader.log_start_offset();
    let aborted = if committed { reader.aborted_transactions(start, bound).unwrap() } else { Vec::new() };
    read(&reader, start, bound)
        .into_iter()
        .filter(|seen| !seen.control)
        .filter(|seen| {
            !aborted.iter().any(|a| {
                a.producer_id == seen.producer_id && (a.first_offset..a.last_offset).contains(&seen.offset)
            })
        })
        .map(|seen| (seen.offset, seen.timestamp, seen.text()))
        .collect()
}

fn assert_equal(ours: &View, theirs: &View) {
    for (our, their) in ours.iter().zip(theirs) {
        assert_eq!(our, their);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// Appends some records, as the leader of the latest epoch.
fn append_ours(log: &mut Log, prefix: &str, now: i64, view: &mut View) {
    let epoch = log.latest_epoch().unwrap();
    for i in 0..50 {
        let value = format!("{prefix}-{i}");
        let appended = append(log, &batch(now + i, &[&value]), epoch, now).unwrap();
        view.push((appended.first_offset, now + i, value));
    }
}

fn close(dirs: &LogDirs, mut logs: Vec<LoadedLog>) {
    logs.iter_mut().for_each(|loaded| loaded.log.close().unwrap());
    assert!(dirs.mark_clean_shutdown(-1).is_empty());
}

/// Apache's dump tool on every file of the topic.
fn assert_dump_accepts(directory: &Path) {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().path().display().to_string();
        if [".log", ".index", ".timeindex", ".txnindex", ".snapshot"].iter().any(|end| name.ends_with(end)) {
            names.push(name);
        }
    }
    let output = Version::V3_9
        .tool("kafka.tools.DumpLogSegments")
        .args(["--deep-iteration", "--files", &names.join(",")])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for complaint in
        ["Mismatches in", "Non-", "not found", "timestamp mismatch", "out of order", "isvalid: false"]
    {
        assert!(!text.contains(complaint), "the tool says «{complaint}»:\n{text}");
    }
}

fn now() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
}

fn a_directory_changes_hands(era: Era) {
    let tmp = tempfile::tempdir().unwrap();
    let has_topic_ids = era.has_topic_ids;
    let mut cluster = Cluster::start(era, tmp.path());
    let topic = cluster.data().join(format!("{TOPIC}-0"));

    cluster.write("first");
    cluster.delete_records(7);
    let (mut all, end) = cluster.view("read_uncommitted");
    let (committed, stable) = cluster.view("read_committed");
    assert!(all.len() > 400 && committed.len() < all.len() && stable < end);
    cluster.stop();

    // After a clean stop: nothing is read but what a consumer asks for.
    let (dirs, mut logs) = load(&cluster.data(), now());
    assert!(dirs.directories()[0].was_clean_shutdown());
    assert_eq!(dirs.identity().unwrap().broker_id, Some(0));
    let loaded = ours(&mut logs);
    assert_eq!(loaded.recovered, vltava_log::Recovered::default());
    let log = &mut loaded.log;
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (7, end));
    assert!(log.segment_count() > 3);
    assert_eq!(log.topic_id().unwrap().is_some(), has_topic_ids);
    assert_equal(&our_view(log, false), &all);
    assert_equal(&our_view(log, true), &committed);
    assert_eq!(log.reader().last_stable_offset(end), stable);
    assert!(log.producers().len() > 3, "idempotent producers are known from the snapshot");
    append_ours(log, "ours", now(), &mut all);
    close(&dirs, logs);
    drop(dirs);
    assert_dump_accepts(&topic);

    // The Apache broker takes it over with what we added, and goes on.
    cluster.start_broker();
    assert_equal(&cluster.view("read_uncommitted").0, &all);
    cluster.write("second");
    let (mut all, end) = cluster.view("read_uncommitted");
    let (committed, stable) = cluster.view("read_committed");
    cluster.kill();

    // After kill -9: what is not known to be flushed is read again, and all of it is there.
    let (dirs, mut logs) = load(&cluster.data(), now());
    assert!(!dirs.directories()[0].was_clean_shutdown());
    let loaded = ours(&mut logs);
    assert!(loaded.recovered.segments_scanned > 0);
    let log = &mut loaded.log;
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (7, end));
    assert_equal(&our_view(log, false), &all);
    assert_equal(&our_view(log, true), &committed);
    assert_eq!(log.reader().last_stable_offset(end), stable);
    append_ours(log, "ours again", now(), &mut all);
    close(&dirs, logs);
    drop(dirs);
    assert_dump_accepts(&topic);
    cluster.start_broker();
    assert_equal(&cluster.view("read_uncommitted").0, &all);
    cluster.stop();
}

#[test]
fn a_directory_of_kafka_0_11_changes_hands() {
    a_directory_changes_hands(Era {
        version: Version::V0_11,
        codecs: &["none", "gzip", "snappy", "lz4"],
        delete_records: "kafka.admin.DeleteRecordsCommand",
        has_topic_ids: false,
    });
}

#[test]
fn a_directory_of_kafka_3_9_changes_hands() {
    a_directory_changes_hands(Era {
        version: Version::V3_9,
        codecs: &["none", "gzip", "snappy", "lz4", "zstd"],
        delete_records: "org.apache.kafka.tools.DeleteRecordsCommand",
        has_topic_ids: true,
    });
}
