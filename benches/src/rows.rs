//! The rows: what is done to each broker, and which figures come of it.

use std::cell::Cell;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::brokers::{Broker, Kind};
use crate::load::{self, Produce};
use crate::{idle, latency, limits, measure, starting};

/// How much of everything, in one round.
#[derive(Debug)]
pub(crate) struct Scale {
    gigabytes: f64,
    seconds: u64,
    /// Bytes of the batches that Vltava was sent in the row that has the limit beside it: the limit moves the same.
    chunk: Cell<usize>,
}

impl Scale {
    pub(crate) fn new(gigabytes: f64, seconds: u64) -> Self {
        Self { gigabytes, seconds, chunk: Cell::new(LARGEST_BATCH) }
    }

    fn bytes(&self) -> u64 {
        (self.gigabytes * 1e9) as u64
    }
}

/// A figure's name and value; the name says its unit.
pub(crate) type Figure = (&'static str, f64);

pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) runs_on: &'static [Kind],
    pub(crate) run: fn(Kind, &Path, &Scale) -> Vec<Figure>,
}

pub(crate) const TOPIC: &str = "bench";

/// librdkafka's `batch.size` in these rows.
pub(crate) const LARGEST_BATCH: usize = 1_000_000;

/// What is read again and again in the rows that read from the page cache.
const CACHED: u64 = 1_000_000_000;

/// Bytes of a fetch in these rows: librdkafka's `fetch.message.max.bytes`.
pub(crate) const FETCH: u64 = 1 << 20;

/// Fetches before the ones that are measured: HotSpot's optimizing compiler takes a method after some 10,000 calls.
pub(crate) const WARMING_FETCHES: u64 = 10_000;

/// What the cold reader reads.
const COLD: u64 = 2_000_000_000;

const ALL: &[Kind] = &[Kind::Vltava, Kind::Kafka39, Kind::Kafka4, Kind::Limit];
const OURS: &[Kind] = &[Kind::Vltava];

pub(crate) const ROWS: &[Row] = &[
    Row { name: "produce 1 KiB", runs_on: ALL, run: |k, f, s| produced(k, f, s, 1, large(1024, "none")) },
    Row {
        name: "produce 1 KiB, lz4",
        runs_on: Kind::BROKERS,
        run: |k, f, s| produced(k, f, s, 1, large(1024, "lz4")),
    },
    Row {
        name: "produce 100 B",
        runs_on: Kind::BROKERS,
        run: |k, f, s| produced(k, f, s, 1, large(100, "none")),
    },
    Row {
        name: "produce 100 B, 100 partitions",
        runs_on: Kind::BROKERS,
        run: |k, f, s| produced(k, f, s, 100, large(100, "none")),
    },
    Row { name: "produce 100 B, 50 producers, no linger", runs_on: Kind::BROKERS, run: many_producers },
    Row { name: "consume 1 KiB", runs_on: ALL, run: consumed },
    Row { name: "cold reader beside a hot producer", runs_on: Kind::BROKERS, run: cold_reader },
    Row { name: "latency at 1,000/s", runs_on: Kind::BROKERS, run: |k, f, s| steady(k, f, s, 1_000) },
    Row { name: "latency at 10,000/s", runs_on: Kind::BROKERS, run: |k, f, s| steady(k, f, s, 10_000) },
    Row { name: "memory", runs_on: Kind::BROKERS, run: memory },
    Row { name: "10,000 idle connections", runs_on: Kind::BROKERS, run: idle_connections },
    Row { name: "start with an existing topic", runs_on: OURS, run: starting::with_topic },
    Row { name: "up on empty data", runs_on: OURS, run: starting::up },
];

fn large(record_bytes: usize, codec: &'static str) -> Produce {
    Produce { record_bytes, producers: 1, linger_ms: 5, codec, total_bytes: 0 }
}

/// Half of the load first, so that a JIT compiler is done with the code: after a tenth, Kafka still took three times the CPU of a warm one.
fn produced(kind: Kind, folder: &Path, scale: &Scale, partitions: i32, load: Produce) -> Vec<Figure> {
    let total = scale.bytes();
    if kind == Kind::Limit {
        return vec![("CPU s/GB", limits::receive_and_write(folder, total, scale.chunk.get()))];
    }
    let mut broker = Broker::start(kind, folder);
    load::create_topic(broker.address(), TOPIC, partitions);
    load::produce(broker.address(), TOPIC, Produce { total_bytes: total / 2, ..load });
    let before = measure::cpu_seconds(broker.process());
    let done = load::produce(broker.address(), TOPIC, Produce { total_bytes: total, ..load });
    let used = measure::cpu_seconds(broker.process()) - before;
    let batch = measure::mean_batch_bytes(&broker.data().join(format!("{TOPIC}-0")));
    if kind == Kind::Vltava {
        scale.chunk.set(batch as usize);
    }
    vec![
        ("records/s", done.records as f64 / done.seconds),
        ("CPU s/GB", used / (done.bytes as f64 / 1e9)),
        ("bytes a batch", batch),
    ]
}

fn many_producers(kind: Kind, folder: &Path, scale: &Scale) -> Vec<Figure> {
    let load = Produce { record_bytes: 100, producers: 50, linger_ms: 0, codec: "none", total_bytes: 0 };
    produced(kind, folder, scale, 1, load)
}

fn consumed(kind: Kind, folder: &Path, scale: &Scale) -> Vec<Figure> {
    if kind == Kind::Limit {
        return vec![("CPU s/GB", limits::send_file(folder, scale.bytes(), scale.chunk.get()))];
    }
    let mut broker = Broker::start(kind, folder);
    load::create_topic(broker.address(), TOPIC, 1);
    let size = CACHED.min(scale.bytes());
    let written =
        load::produce(broker.address(), TOPIC, Produce { total_bytes: size, ..large(1024, "none") });
    if kind == Kind::Vltava {
        let batch = measure::mean_batch_bytes(&broker.data().join(format!("{TOPIC}-0")));
        scale.chunk.set(batch as usize);
    }
    for _ in 0..WARMING_FETCHES.div_ceil(size.div_ceil(FETCH)) {
        load::consume(broker.address(), TOPIC, 1, written.records);
    }
    let before = measure::cpu_seconds(broker.process());
    let (mut records, mut bytes, mut seconds) = (0, 0, 0.0);
    for _ in 0..scale.bytes().div_ceil(size) {
        let done = load::consume(broker.address(), TOPIC, 1, written.records);
        (records, bytes, seconds) = (records + done.records, bytes + done.bytes, seconds + done.seconds);
    }
    let used = measure::cpu_seconds(broker.process()) - before;
    vec![("records/s", records as f64 / seconds), ("CPU s/GB", used / (bytes as f64 / 1e9))]
}

/// Tells the kernel to forget what it has cached of a folder's files.
fn forget(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            forget(&path);
        } else if let Ok(file) = std::fs::File::open(&path) {
            file.sync_all().expect("a disk");
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).expect("fadvise");
        }
    }
}

/// The latency of a hot topic's producer while another client reads gigabytes that are not in the page cache.
fn cold_reader(kind: Kind, folder: &Path, scale: &Scale) -> Vec<Figure> {
    let broker = Broker::start(kind, folder);
    let address = broker.address();
    load::create_topic(address, TOPIC, 1);
    load::create_topic(address, "hot", 1);
    let size = scale.bytes().min(COLD);
    let written = load::produce(address, TOPIC, Produce { total_bytes: size, ..large(1024, "none") });
    latency::steady(address, "hot", 1_000, Duration::from_secs(5));
    forget(&broker.data());
    let reader = std::thread::spawn(move || load::consume(address, TOPIC, 1, written.records));
    let times = latency::steady(address, "hot", 1_000, Duration::from_secs(scale.seconds));
    let read = reader.join().expect("the cold reader");
    vec![
        ("hot p99 ms", measure::percentile(&times, 0.99)),
        ("hot p99.9 ms", measure::percentile(&times, 0.999)),
        ("cold MB/s", read.bytes as f64 / 1e6 / read.seconds),
    ]
}

fn steady(kind: Kind, folder: &Path, scale: &Scale, rate: u64) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder);
    load::create_topic(broker.address(), TOPIC, 1);
    latency::steady(broker.address(), TOPIC, rate, Duration::from_secs(scale.seconds / 3 + 1));
    let before = (measure::cpu_seconds(broker.process()), Instant::now());
    let times = latency::steady(broker.address(), TOPIC, rate, Duration::from_secs(scale.seconds));
    let used = measure::cpu_seconds(broker.process()) - before.0;
    vec![
        ("p50 ms", measure::percentile(&times, 0.5)),
        ("p99 ms", measure::percentile(&times, 0.99)),
        ("p99.9 ms", measure::percentile(&times, 0.999)),
        ("cores", used / before.1.elapsed().as_secs_f64()),
    ]
}

fn memory(kind: Kind, folder: &Path, scale: &Scale) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder);
    load::create_topic(broker.address(), TOPIC, 1);
    let idle = measure::resident_bytes(broker.process());
    let total_bytes = (scale.bytes() / 10).min(400_000_000);
    let load = Produce { record_bytes: 100, producers: 50, linger_ms: 0, codec: "none", total_bytes };
    load::produce(broker.address(), TOPIC, load);
    let loaded = measure::peak_resident_bytes(broker.process());
    vec![("idle MB", idle / 1e6), ("under 50 producers MB", loaded / 1e6)]
}

fn idle_connections(kind: Kind, folder: &Path, _: &Scale) -> Vec<Figure> {
    const COUNT: usize = 10_000;
    let mut broker = Broker::start(kind, folder);
    let first = idle::connections(broker.address(), 100);
    let before = measure::resident_bytes(broker.process());
    let open = idle::connections(broker.address(), COUNT);
    let after = measure::resident_bytes(broker.process());
    drop((first, open));
    vec![("KB a connection", (after - before) / 1e3 / COUNT as f64), ("MB in all", after / 1e6)]
}
