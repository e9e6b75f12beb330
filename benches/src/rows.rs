//! The rows: what is done to each broker, and which figures come of it.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::brokers::{Broker, Kind};
use crate::load::{self, Produce};
use crate::{idle, latency, limits, measure};

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) gigabytes: f64,
    pub(crate) seconds: u64,
}

/// A figure's name and value; the name says its unit.
pub(crate) type Figure = (&'static str, f64);

pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// For a row that measures the machine or is ours alone.
    pub(crate) only: Option<Kind>,
    pub(crate) run: fn(Kind, &Path, Scale) -> Vec<Figure>,
}

const TOPIC: &str = "bench";

pub(crate) const ROWS: &[Row] = &[
    Row { name: "limit: receive, CRC-32C, pwrite", only: Some(Kind::Vltava), run: limit_write },
    Row { name: "limit: sendfile", only: Some(Kind::Vltava), run: limit_send },
    Row { name: "produce 1 KiB", only: None, run: |k, f, s| produced(k, f, s, 1, large(1024, "none")) },
    Row { name: "produce 1 KiB, lz4", only: None, run: |k, f, s| produced(k, f, s, 1, large(1024, "lz4")) },
    Row { name: "produce 100 B", only: None, run: |k, f, s| produced(k, f, s, 1, large(100, "none")) },
    Row {
        name: "produce 100 B, 100 partitions",
        only: None,
        run: |k, f, s| produced(k, f, s, 100, large(100, "none")),
    },
    Row { name: "produce 100 B, 50 producers without linger", only: None, run: many_producers },
    Row { name: "consume 1 KiB", only: None, run: consumed },
    Row { name: "cold reader beside a hot one", only: None, run: cold_reader },
    Row { name: "latency at 1,000/s", only: None, run: |k, f, s| steady(k, f, s, 1_000) },
    Row { name: "latency at 10,000/s", only: None, run: |k, f, s| steady(k, f, s, 10_000) },
    Row { name: "memory", only: None, run: memory },
    Row { name: "10,000 idle connections", only: None, run: idle_connections },
    Row { name: "start with an existing topic", only: Some(Kind::Vltava), run: start },
];

fn large(record_bytes: usize, codec: &'static str) -> Produce {
    Produce { record_bytes, producers: 1, linger_ms: 5, codec, total_bytes: 0 }
}

fn limit_write(_: Kind, folder: &Path, scale: Scale) -> Vec<Figure> {
    vec![("CPU s/GB", limits::receive_and_write(folder, (scale.gigabytes * 1e9) as u64))]
}

fn limit_send(_: Kind, folder: &Path, scale: Scale) -> Vec<Figure> {
    vec![("CPU s/GB", limits::send_file(folder, (scale.gigabytes * 1e9) as u64))]
}

/// A tenth of the load first, so that a JIT compiler has seen the code.
fn produced(kind: Kind, folder: &Path, scale: Scale, partitions: i32, load: Produce) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder, 1);
    load::create_topic(broker.address(), TOPIC, partitions);
    let total = (scale.gigabytes * 1e9) as u64;
    load::produce(broker.address(), TOPIC, Produce { total_bytes: total / 10, ..load });
    let before = measure::cpu_seconds(broker.process());
    let done = load::produce(broker.address(), TOPIC, Produce { total_bytes: total, ..load });
    let used = measure::cpu_seconds(broker.process()) - before;
    vec![("records/s", done.records as f64 / done.seconds), ("CPU s/GB", used / (done.bytes as f64 / 1e9))]
}

fn many_producers(kind: Kind, folder: &Path, scale: Scale) -> Vec<Figure> {
    let load = Produce { record_bytes: 100, producers: 50, linger_ms: 0, codec: "none", total_bytes: 0 };
    // Small requests cost a hundred times as much a byte: a tenth of the bytes runs as long.
    produced(kind, folder, Scale { gigabytes: scale.gigabytes / 10.0, ..scale }, 1, load)
}

fn consumed(kind: Kind, folder: &Path, scale: Scale) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder, 1);
    load::create_topic(broker.address(), TOPIC, 1);
    // A gigabyte that stays in the page cache, read again and again.
    let size = 1_000_000_000_u64.min((scale.gigabytes * 1e9) as u64);
    let written =
        load::produce(broker.address(), TOPIC, Produce { total_bytes: size, ..large(1024, "none") });
    load::consume(broker.address(), TOPIC, 1, written.records);
    let before = measure::cpu_seconds(broker.process());
    let (mut records, mut bytes, mut seconds) = (0, 0, 0.0);
    for _ in 0..(scale.gigabytes * 1e9 / size as f64).ceil() as u64 {
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
fn cold_reader(kind: Kind, folder: &Path, scale: Scale) -> Vec<Figure> {
    let broker = Broker::start(kind, folder, 1);
    let address = broker.address();
    load::create_topic(address, TOPIC, 1);
    load::create_topic(address, "hot", 1);
    let size = ((scale.gigabytes * 1e9) as u64).min(4_000_000_000);
    let written = load::produce(address, TOPIC, Produce { total_bytes: size, ..large(1024, "none") });
    latency::steady(address, "hot", 1_000, Duration::from_secs(5));
    forget(folder);
    let reader = std::thread::spawn(move || load::consume(address, TOPIC, 1, written.records));
    let times = latency::steady(address, "hot", 1_000, Duration::from_secs(scale.seconds));
    let read = reader.join().expect("the cold reader");
    vec![
        ("hot p99 ms", measure::percentile(&times, 0.99)),
        ("hot p99.9 ms", measure::percentile(&times, 0.999)),
        ("cold MB/s", read.bytes as f64 / 1e6 / read.seconds),
    ]
}

fn steady(kind: Kind, folder: &Path, scale: Scale, rate: u64) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder, 1);
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

fn memory(kind: Kind, folder: &Path, _: Scale) -> Vec<Figure> {
    let mut broker = Broker::start(kind, folder, 1);
    load::create_topic(broker.address(), TOPIC, 1);
    let idle = measure::resident_bytes(broker.process());
    let load =
        Produce { record_bytes: 100, producers: 50, linger_ms: 0, codec: "none", total_bytes: 200_000_000 };
    load::produce(broker.address(), TOPIC, load);
    let loaded = measure::peak_resident_bytes(broker.process());
    vec![("idle MB", idle / 1e6), ("under 50 producers MB", loaded / 1e6)]
}

fn idle_connections(kind: Kind, folder: &Path, _: Scale) -> Vec<Figure> {
    const COUNT: usize = 10_000;
    let mut broker = Broker::start(kind, folder, 1);
    let first = idle::connections(broker.address(), 100);
    let before = measure::resident_bytes(broker.process());
    let open = idle::connections(broker.address(), COUNT);
    let after = measure::resident_bytes(broker.process());
    drop((first, open));
    vec![("KB a connection", (after - before) / 1e3 / COUNT as f64)]
}

fn start(_: Kind, folder: &Path, _: Scale) -> Vec<Figure> {
    let Broker::Vltava(mut server) = Broker::start(Kind::Vltava, folder, 1) else { return Vec::new() };
    load::create_topic(server.address(), TOPIC, 1);
    let status = server.broker().stop(Duration::from_secs(30));
    assert!(status.success(), "the broker did not stop cleanly: {status}");
    let address = server.address();
    let start = Instant::now();
    let first = std::thread::spawn(move || idle::first_record(address, TOPIC, start));
    server.start_again();
    vec![("ms from exec to the first record", first.join().expect("a first record"))]
}
