//! The options of Kafka's consumer performance tests from 0.8 to 3.9, and what they set.

use std::{path::PathBuf, time::Duration};

use clap::Parser;
use rand::Rng as _;

use super::super::{
    client::{self, ClientProperties, names::Role},
    era::{EraOption, Release},
    failure::Failure,
    java_text::DateFormat,
    output,
};
use super::progress::Form;

/// Measure how fast records can be consumed
#[derive(Debug, Parser)]
#[command(
    name = "consumer-perf-test",
    after_help = "With --zookeeper it is a consumer of Kafka 0.8 with --threads threads, each of which reads --messages messages at most.\n\n\
        --era 0.11 and --era 0.8 are about what the tools of those releases write, how long they wait, and that they always read from the beginning."
)]
pub(crate) struct Args {
    /// REQUIRED unless --broker-list or --zookeeper is given: the brokers to connect to
    #[arg(long, value_name = "brokers")]
    bootstrap_server: Option<String>,
    /// As --bootstrap-server, which is preferred
    #[arg(long, value_name = "brokers")]
    broker_list: Option<String>,
    /// Of 0.8 to 1.x: consume as a group in ZooKeeper, host1:port,host2:port/chroot
    #[arg(long, value_name = "urls")]
    pub(super) zookeeper: Option<String>,
    /// REQUIRED: the topic to consume
    #[arg(long)]
    topic: Option<String>,
    /// REQUIRED: how many messages to consume
    #[arg(long, value_name = "count")]
    messages: Option<u64>,
    /// The consumer group [default: perf-consumer-NUMBER]
    #[arg(long)]
    group: Option<String>,
    /// The bytes of one fetch of a partition (max.partition.fetch.bytes)
    #[arg(long, value_name = "bytes", default_value_t = 1 << 20)]
    fetch_size: u32,
    /// Begin with the latest record where the group has no offset yet, rather than with the earliest
    #[arg(long)]
    from_latest: bool,
    /// The socket's receive buffer in bytes (receive.buffer.bytes)
    #[arg(long, value_name = "bytes", default_value_t = 2 << 20, allow_hyphen_values = true)]
    socket_buffer_size: i32,
    /// With --zookeeper: threads that share the partitions [default: 10]; else ignored
    #[arg(long, value_name = "count")]
    threads: Option<u32>,
    /// Ignored: librdkafka has one thread for each broker
    #[arg(long, value_name = "count")]
    num_fetch_threads: Option<u32>,
    /// A file with properties of the consumer; the options win over it
    #[arg(long = "consumer.config", alias = "consumer-config", value_name = "file")]
    consumer_config: Option<PathBuf>,
    /// Print the client's metrics at the end
    #[arg(long)]
    print_metrics: bool,
    /// Print a line each --reporting-interval rather than one at the end
    #[arg(long)]
    show_detailed_stats: bool,
    /// Milliseconds between two lines
    #[arg(long, value_name = "interval_ms", default_value_t = 5000)]
    reporting_interval: u64,
    /// Stop when no record has come for so long, milliseconds [default: 10000; with --era 0.11 1000]
    #[arg(long, value_name = "milliseconds", num_args = 0..=1, default_missing_value = "10000", allow_hyphen_values = true)]
    timeout: Option<i64>,
    /// How times are written, a pattern of java.text.SimpleDateFormat
    #[arg(long, value_name = "date format", default_value = client::PERF_DATES)]
    date_format: String,
    /// No header above the lines
    #[arg(long)]
    hide_header: bool,
    /// Of 0.9 to 1.x: the default
    #[arg(long)]
    new_consumer: bool,
    /// Of 0.8: accepted; it is for the producer's test
    #[arg(long, value_name = "size")]
    message_size: Option<u32>,
    /// Of 0.8: accepted; it is for the producer's test
    #[arg(long, value_name = "size")]
    batch_size: Option<u32>,
    /// Of 0.8: accepted; it is for the producer's test
    #[arg(long, value_name = "codec")]
    compression_codec: Option<i32>,
    #[command(flatten)]
    era: EraOption,
}

/// What the options say.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) zookeeper: Option<String>,
    pub(super) topic: String,
    pub(super) messages: u64,
    pub(super) group: String,
    pub(super) named_group: bool,
    pub(super) threads: u32,
    pub(super) client: ClientProperties,
    pub(super) print_metrics: bool,
    pub(super) detailed: bool,
    pub(super) interval: Duration,
    pub(super) timeout_ms: i64,
    pub(super) form: Form,
    pub(super) header: bool,
    /// Whether each run reads everything, whatever the group has read before.
    pub(super) anew: bool,
}

/// How long 0.11's tool waits for a record.
const OLD_TIMEOUT_MS: i64 = 1_000;
/// And 3.9's.
const TIMEOUT_MS: i64 = 10_000;

impl Args {
    /// Whether 3.9's tool says that it has no use for options that are given.
    pub(super) fn warns_of_threads(&self) -> bool {
        !self.is_old() && (self.threads.is_some() || self.num_fetch_threads.is_some())
    }

    /// Whether the tool of 0.8 or 0.11 is meant: where that is asked for, or a group in ZooKeeper.
    fn is_old(&self) -> bool {
        self.zookeeper.is_some() || self.release() != Release::V3_9
    }

    fn release(&self) -> Release {
        self.era.release.unwrap_or(if self.zookeeper.is_some() { Release::V0_11 } else { Release::V3_9 })
    }

    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let old = self.zookeeper.is_some();
        let topic = self.topic.clone().ok_or_else(|| Failure::missing("topic"))?;
        let messages = self.messages.ok_or_else(|| Failure::missing("messages"))?;
        let brokers = self.bootstrap_server.as_ref().or(self.broker_list.as_ref());
        if old {
            let others = [("broker-list", brokers.is_some()), ("new-consumer", self.new_consumer)];
            if let Some((option, _)) = others.iter().find(|(_, given)| *given) {
                return Err(Failure::usage(format!("Option [{option}] is not valid with [zookeeper].")));
            }
        } else if brokers.is_none() {
            return Err(Failure::missing(if self.is_old() { "broker-list" } else { "bootstrap-server" }));
        }
        if self.reporting_interval == 0 {
            return Err(Failure::illegal("Reporting interval must be greater than 0."));
        }
        let group = self.group.clone();
        let named_group = group.is_some();
        let group =
            group.unwrap_or_else(|| format!("perf-consumer-{}", rand::rng().random_range(0..100_000)));
        for (option, given) in
            [("print-metrics", self.print_metrics), ("num-fetch-threads", self.num_fetch_threads.is_some())]
        {
            if old && given {
                let text = format!("--{option} has no effect with --zookeeper");
                output::log_warning(&text, "kafka.tools.ConsumerPerformance$");
            }
        }
        let release = self.release();
        Ok(Settings {
            zookeeper: self.zookeeper.clone(),
            topic,
            messages,
            threads: self.threads.unwrap_or(10).clamp(1, 1024),
            client: self.client(brokers, &group)?,
            group,
            named_group,
            print_metrics: self.print_metrics,
            detailed: self.show_detailed_stats,
            interval: Duration::from_millis(self.reporting_interval),
            timeout_ms: self.timeout.unwrap_or(if self.is_old() { OLD_TIMEOUT_MS } else { TIMEOUT_MS }),
            form: Form {
                dates: DateFormat::new(&self.date_format)?,
                fetch_size: (release == Release::V0_8).then_some(self.fetch_size),
                rebalances: !self.is_old(),
            },
            header: !self.hide_header,
            // 0.8 forgets the group, and 0.11 goes back to the beginning of what it has been given; but not both with both consumers.
            anew: match release {
                Release::V0_8 => true,
                Release::V0_11 => !old,
                Release::V3_9 => false,
            },
        })
    }

    fn client(&self, brokers: Option<&String>, group: &str) -> Result<ClientProperties, Failure> {
        let mut client = ClientProperties::new(Role::Consumer);
        if let Some(path) = &self.consumer_config {
            client.read(path)?;
        }
        if let Some(brokers) = brokers {
            client.set("bootstrap.servers", brokers);
        }
        client.set("group.id", group);
        client.set("receive.buffer.bytes", self.socket_buffer_size);
        client.set("max.partition.fetch.bytes", self.fetch_size);
        client.set("auto.offset.reset", if self.from_latest { "latest" } else { "earliest" });
        client.set("check.crcs", "false");
        client.set_default("client.id", "perf-consumer-client");
        Ok(client)
    }
}
