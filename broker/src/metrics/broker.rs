//! What the broker's parts tell: replicas, logs, the controller, the state.

use std::{fmt::Write as _, sync::Arc};

use super::{Exposition, Latency, Samples, Source, groups};
use crate::{
    Broker,
    control::SessionEvents,
    http::Pages,
    partitions::{Partition, disk::Disk},
};

impl Source for Pages {
    fn expose(&self, exposition: &mut Exposition) {
        exposition
            .gauge(
                "kafka_server_kafkaserver_brokerstate",
                "Kafka's BrokerState: 1 starting, 2 recovering, 3 running, 6 shutting down.",
            )
            .sample(&[], f64::from(self.lifecycle.state().kafka()));
    }
}

impl Source for Broker {
    fn expose(&self, exposition: &mut Exposition) {
        let mut rows: Vec<Row> =
            self.replicas.partitions().into_iter().map(|p| Row::of(self.id, p)).collect();
        rows.sort_by(|a, b| a.key().cmp(&b.key()));
        expose_sums(exposition, self, &rows);
        partition_samples(
            exposition.gauge("kafka_log_log_size", "Bytes of a partition's segments."),
            rows.iter().map(|row| (row, row.size as f64)),
        );
        let led = || rows.iter().filter_map(|row| Some((row, row.led.as_ref()?)));
        for (name, help, of) in LED {
            partition_samples(exposition.gauge(name, help), led().map(|(row, led)| (row, of(led))));
        }
        drop(rows);
        expose_log_directories(exposition, self);
        expose_cleaners(exposition, self);
        expose_controller(exposition, self);
        groups::expose(exposition, self);
        expose_zookeeper(exposition, self.control.zookeeper_latency());
        expose_sessions(exposition, self.control.session_events());
    }
}

/// One replica on this broker. Gathered in one look, so that the numbers of a partition belong together.
struct Row {
    partition: Arc<Partition>,
    size: u64,
    led: Option<Led>,
}

/// What the leader of a partition knows.
struct Led {
    leader: i32,
    is_preferred: bool,
    replicas: usize,
    isr: usize,
    /// `min.insync.replicas`, or all of fewer replicas.
    wanted: usize,
    high_watermark: i64,
    log_start: i64,
}

impl Row {
    fn of(id: i32, partition: Arc<Partition>) -> Self {
        let led = (partition.leadership().leader == id).then(|| {
            let (isr, replicas, is_preferred) = partition.with_replication(|replication| {
                let replicas = replication.replicas();
                (replication.isr().committed().len(), replicas.len(), replicas.first() == Some(&id))
            });
            Led {
                leader: id,
                is_preferred,
                replicas,
                isr,
                wanted: partition.topic.config().min_insync_replicas.min(replicas.max(1)),
                high_watermark: partition.high_watermark(),
                log_start: partition.log_start(),
            }
        });
        Self { size: partition.reader().size(), led, partition }
    }

    fn key(&self) -> (&str, i32) {
        (&self.partition.topic.name, self.partition.index)
    }
}

fn partition_samples<'a>(mut samples: Samples<'_>, rows: impl Iterator<Item = (&'a Row, f64)>) {
    let mut number = String::new();
    for (row, value) in rows {
        let (topic, index) = row.key();
        number.clear();
        let _ = write!(number, "{index}");
        samples.sample(&[("topic", topic), ("partition", &number)], value);
    }
}

/// A number of each partition led here: its name, what it says, and where it is.
type OfLeader = (&'static str, &'static str, fn(&Led) -> f64);

fn flag(set: bool) -> f64 {
    f64::from(u8::from(set))
}

/// The last seven are the exporter's names: each series comes from one pod, a partition's from its leader.
const LED: [OfLeader; 11] = [
    ("kafka_cluster_partition_replicascount", "Replicas of a partition led here.", |led| led.replicas as f64),
    ("kafka_cluster_partition_insyncreplicascount", "In-sync replicas of a partition led here.", |led| {
        led.isr as f64
    }),
    (
        "kafka_cluster_partition_underminisr",
        "1 if a partition led here is under its min.insync.replicas.",
        |led| flag(led.isr < led.wanted),
    ),
    ("kafka_cluster_partition_atminisr", "1 if a partition led here is at its min.insync.replicas.", |led| {
        flag(led.isr == led.wanted)
    }),
    ("kafka_topic_partition_current_offset", "The high watermark of a partition led here.", |led| {
        led.high_watermark as f64
    }),
    ("kafka_topic_partition_oldest_offset", "The log start offset of a partition led here.", |led| {
        led.log_start as f64
    }),
    ("kafka_topic_partition_leader", "The id of the partition's leader.", |led| f64::from(led.leader)),
    ("kafka_topic_partition_replicas", "Replicas.", |led| led.replicas as f64),
    ("kafka_topic_partition_in_sync_replica", "In-sync replicas.", |led| led.isr as f64),
    ("kafka_topic_partition_leader_is_preferred", "1 if the leader is the preferred one.", |led| {
        flag(led.is_preferred)
    }),
    ("kafka_topic_partition_under_replicated_partition", "1 if not all replicas are in sync.", |led| {
        flag(led.isr < led.replicas)
    }),
];

fn expose_sums(exposition: &mut Exposition, broker: &Broker, rows: &[Row]) {
    let count =
        |of: fn(&Led) -> bool| rows.iter().filter_map(|row| row.led.as_ref()).filter(|led| of(led)).count();
    for (name, help, value) in [
        ("kafka_server_replicamanager_partitioncount", "Replicas on this broker.", rows.len()),
        ("kafka_server_replicamanager_leadercount", "Partitions that this broker leads.", count(|_| true)),
        (
            "kafka_server_replicamanager_underreplicatedpartitions",
            "Partitions led here with fewer in-sync replicas than replicas.",
            count(|led| led.isr < led.replicas),
        ),
        (
            "kafka_server_replicamanager_underminisrpartitioncount",
            "Partitions led here with fewer in-sync replicas than min.insync.replicas.",
            count(|led| led.isr < led.wanted),
        ),
        (
            "kafka_server_replicamanager_atminisrpartitioncount",
            "Partitions led here with as many in-sync replicas as min.insync.replicas.",
            count(|led| led.isr == led.wanted),
        ),
        (
            "kafka_server_replicamanager_offlinereplicacount",
            "Replicas that have their place here and do not work: their log can't be opened, or its directory has failed.",
            broker.replicas.broken().len(),
        ),
        (
            "kafka_log_logmanager_offlinelogdirectorycount",
            "Log directories that have failed.",
            broker.replicas.storage().disks().iter().filter(|disk| disk.is_offline()).count(),
        ),
    ] {
        exposition.gauge(name, help).sample(&[], value as f64);
    }
}

/// A number of each log directory: its name, what it says, and where it is, if it is known.
type OfDisk = (&'static str, &'static str, fn(&Disk) -> Option<f64>);

const LOG_DIRECTORIES: [OfDisk; 3] = [
    (
        "vltava_log_directory_usable_bytes",
        "Bytes that are free for the broker below a log directory.",
        |disk| disk.space().map(|space| space.usable as f64),
    ),
    ("vltava_log_directory_total_bytes", "Bytes of the file system below a log directory.", |disk| {
        disk.space().map(|space| space.total as f64)
    }),
    ("vltava_log_directory_full", "1 if a log directory has no room and refuses appends.", |disk| {
        Some(flag(disk.is_full()))
    }),
];

fn expose_log_directories(exposition: &mut Exposition, broker: &Broker) {
    let disks = broker.replicas.storage().disks();
    let mut offline =
        exposition.gauge("kafka_log_logmanager_logdirectoryoffline", "1 if a log directory has failed.");
    for disk in disks {
        offline.sample(&[("logDirectory", &disk.path().to_string_lossy())], flag(disk.is_offline()));
    }
    for (name, help, of) in LOG_DIRECTORIES {
        let mut samples = exposition.gauge(name, help);
        for disk in disks {
            if let Some(value) = of(disk) {
                samples.sample(&[("path", &disk.path().to_string_lossy())], value);
            }
        }
    }
}

/// The parts of all requests whose latency is told, and how a label names them.
const QUANTILES: [(f64, &str); 6] =
    [(0.5, "0.50"), (0.75, "0.75"), (0.95, "0.95"), (0.98, "0.98"), (0.99, "0.99"), (0.999, "0.999")];

fn expose_cleaners(exposition: &mut Exposition, broker: &Broker) {
    let figures = broker.cleaners.figures();
    for (name, help, value) in figures.gauges() {
        exposition.gauge(name, help).sample(&[], value as f64);
    }
    exposition
        .counter("vltava_log_cleanings_total", "Cleanings of a compacted partition that were finished.")
        .sample(&[], figures.cleanings() as f64);
}

fn expose_zookeeper(exposition: &mut Exposition, latency: &Latency) {
    let found = latency.quantiles_ms(QUANTILES.map(|(part, _)| part));
    let mut samples = exposition.gauge(
        "kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms",
        "How long ZooKeeper took to answer in the last minute or two, in milliseconds.",
    );
    for ((_, label), value) in QUANTILES.iter().zip(found) {
        samples.sample(&[("quantile", label)], value);
    }
    exposition
        .counter(
            "kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms_count",
            "Requests that ZooKeeper has answered.",
        )
        .sample(&[], latency.count() as f64);
}

fn expose_sessions(exposition: &mut Exposition, events: &SessionEvents) {
    for (name, help, value) in [
        (
            "kafka_server_sessionexpirelistener_zookeeperdisconnectspersec_total",
            "Connections to ZooKeeper that were lost.",
            events.disconnects(),
        ),
        (
            "kafka_server_sessionexpirelistener_zookeepersyncconnectspersec_total",
            "Connections to ZooKeeper that were made.",
            events.sync_connects(),
        ),
        (
            "kafka_server_sessionexpirelistener_zookeeperexpirespersec_total",
            "ZooKeeper sessions that expired or were given up.",
            events.expires(),
        ),
        (
            "kafka_server_sessionexpirelistener_zookeeperauthfailurespersec_total",
            "ZooKeeper sessions that ended because authentication failed.",
            events.auth_failures(),
        ),
    ] {
        exposition.counter(name, help).sample(&[], value as f64);
    }
}

fn expose_controller(exposition: &mut Exposition, broker: &Broker) {
    let status = *broker.control.controller_status().borrow();
    for (name, help, value) in [
        (
            "kafka_controller_kafkacontroller_activecontrollercount",
            "1 on the broker that is the controller.",
            usize::from(status.active),
        ),
        (
            "kafka_controller_kafkacontroller_offlinepartitionscount",
            "Partitions without leader, told by the controller.",
            status.offline_partitions,
        ),
        (
            "kafka_controller_kafkacontroller_preferredreplicaimbalancecount",
            "Partitions that another than the preferred replica leads, told by the controller.",
            status.preferred_imbalance,
        ),
        (
            "kafka_controller_kafkacontroller_globaltopiccount",
            "Topics, told by the controller.",
            status.topics,
        ),
        (
            "kafka_controller_kafkacontroller_globalpartitioncount",
            "Partitions, told by the controller.",
            status.partitions,
        ),
    ] {
        exposition.gauge(name, help).sample(&[], value as f64);
    }
    exposition
        .counter(
            "kafka_controller_controllerstats_uncleanleaderelections_total",
            "Leaders elected that were not in sync, told by the controller.",
        )
        .sample(&[], status.unclean_elections as f64);
    if !status.active {
        return;
    }
    let metadata = broker.metadata.snapshot();
    exposition
        .gauge("kafka_brokers", "Brokers in the cluster, told by the controller.")
        .sample(&[], metadata.broker_count() as f64);
    let mut addresses = exposition.gauge("kafka_broker_info", "Where a broker is, told by the controller.");
    for live in metadata.brokers() {
        let Some((_, host, port)) = live.endpoints.first() else { continue };
        addresses.sample(&[("id", &live.id.to_string()), ("address", &format!("{host}:{port}"))], 1.0);
    }
    let mut topics =
        exposition.gauge("kafka_topic_partitions", "Partitions of a topic, told by the controller.");
    for topic in metadata.topics() {
        topics.sample(&[("topic", &topic.name)], topic.partitions.len() as f64);
    }
}
