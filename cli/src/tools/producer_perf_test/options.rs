//! The options of both tools, and what they set.

use std::path::PathBuf;

use clap::Parser;

use super::super::{
    client::{self, ClientProperties, check_addresses, names::Role},
    era::{Era, EraOption},
    failure::Failure,
    java_text::DateFormat,
};

/// Measure how fast records can be produced
#[derive(Debug, Parser)]
#[command(
    name = "producer-perf-test",
    after_help = "With --messages, --topics or --broker-list it is the tool of Kafka 0.8 to 1.x: several threads send messages of zeroes, and one line \
        says how many and how fast. Otherwise a line is printed every 5 seconds, and at the end one with the latencies' percentiles."
)]
pub(crate) struct Args {
    /// REQUIRED: the topic to produce to
    #[arg(long)]
    topic: Option<String>,
    /// REQUIRED: how many records to produce
    #[arg(long, value_name = "count", allow_hyphen_values = true)]
    num_records: Option<i64>,
    /// The bytes of a record; exactly one of this, --payload-file and --payload-monotonic
    #[arg(long, value_name = "bytes", allow_hyphen_values = true)]
    record_size: Option<i32>,
    /// A file of payloads in UTF-8, from which each record takes one by chance
    #[arg(long, value_name = "file")]
    payload_file: Option<PathBuf>,
    /// What separates payloads in the file, a regular expression
    #[arg(long, value_name = "delimiter", default_value = "\\n")]
    payload_delimiter: String,
    /// A record is its number, from 0 on
    #[arg(long)]
    payload_monotonic: bool,
    /// REQUIRED: about how many records a second to send at most; -1: no limit
    #[arg(long, value_name = "count", allow_hyphen_values = true)]
    throughput: Option<f64>,
    /// Properties of the producer by their Java names, name=value, several after one another; they win over --producer.config
    #[arg(long, value_name = "name=value", num_args = 1..)]
    producer_props: Vec<String>,
    /// A file with properties of the producer
    #[arg(long = "producer.config", alias = "producer-config", value_name = "file")]
    producer_config: Option<PathBuf>,
    /// Print the client's metrics at the end
    #[arg(long)]
    print_metrics: bool,
    /// The transactional id, with --transaction-duration-ms
    #[arg(long, value_name = "id", default_value = "performance-producer-default-transactional-id")]
    transactional_id: String,
    /// Send in transactions, each committed when it is so old, milliseconds; 0: no transactions
    #[arg(long, value_name = "ms", default_value_t = 0, allow_hyphen_values = true)]
    transaction_duration_ms: i64,

    /// Of 0.8: REQUIRED: the topics to produce to, with commas between them
    #[arg(long, value_name = "topic1,topic2")]
    topics: Option<String>,
    /// Of 0.8: REQUIRED: the brokers to connect to, HOST1:PORT1,HOST2:PORT2
    #[arg(long, value_name = "brokers")]
    broker_list: Option<String>,
    /// Of 0.8: REQUIRED: how many messages to send, shared among the threads
    #[arg(long, value_name = "count")]
    messages: Option<u64>,
    /// Of 0.8: the bytes of a message [default: 100]
    #[arg(long, value_name = "bytes")]
    message_size: Option<u32>,
    /// Of 0.8: messages have every size up to --message-size
    #[arg(long)]
    vary_message_size: bool,
    /// Of 0.8: threads that send, each with a producer of its own [default: 1]
    #[arg(long, value_name = "count")]
    threads: Option<u32>,
    /// Of 0.8: 0 none, 1 gzip, 2 snappy, 3 lz4 [default: 0]
    #[arg(long, value_name = "codec", allow_hyphen_values = true)]
    compression_codec: Option<i32>,
    /// Of 0.8: messages of a batch [default: 200]
    #[arg(long, value_name = "count")]
    batch_size: Option<u32>,
    /// Of 0.8: each message is acknowledged before the next is sent
    #[arg(long)]
    sync: bool,
    /// Of 0.8: whose acknowledgement a message needs: 0, 1 or -1 [default: -1]
    #[arg(long, value_name = "acks", allow_hyphen_values = true)]
    request_num_acks: Option<i32>,
    /// Of 0.8: how long a request may take, milliseconds [default: 3000]
    #[arg(long, value_name = "ms")]
    request_timeout_ms: Option<u32>,
    /// Of 0.8: how often a request is repeated [default: 3]
    #[arg(long, value_name = "count")]
    producer_num_retries: Option<u32>,
    /// Of 0.8: how long to wait before a request is repeated, milliseconds [default: 100]
    #[arg(long, value_name = "ms")]
    producer_retry_backoff_ms: Option<u32>,
    /// Of 0.8: messages tell their topic, thread and number, which counts from here
    #[arg(long, value_name = "id")]
    initial_message_id: Option<i64>,
    /// Of 0.8: how long a thread waits between two messages, milliseconds [default: 0]
    #[arg(long, value_name = "ms")]
    message_send_gap_ms: Option<u64>,
    /// Of 0.8: send with keys, as the Java producer of that tool does
    #[arg(long)]
    new_producer: bool,
    /// Of 0.8: how times are written, a pattern of java.text.SimpleDateFormat [default: yyyy-MM-dd HH:mm:ss:SSS]
    #[arg(long, value_name = "pattern")]
    date_format: Option<String>,
    /// Of 0.8: no header above the result
    #[arg(long)]
    hide_header: bool,
    /// Of 0.8: accepted; nothing is printed before the end
    #[arg(long, value_name = "ms")]
    reporting_interval: Option<u64>,
    /// Of 0.8: accepted, as --reporting-interval
    #[arg(long)]
    show_detailed_stats: bool,
    /// Of 0.8: accepted; there is no CSV reporter here
    #[arg(long)]
    csv_reporter_enabled: bool,
    /// Of 0.8: accepted with --csv-reporter-enabled
    #[arg(long, value_name = "directory")]
    metrics_dir: Option<PathBuf>,
    #[command(flatten)]
    era: EraOption,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Random(usize),
    File { path: PathBuf, delimiter: String },
    Numbers,
}

/// What the options of today's tool say.
#[derive(Debug)]
pub(super) struct Today {
    pub(super) topic: String,
    pub(super) records: u64,
    pub(super) source: Source,
    pub(super) throughput: f64,
    pub(super) client: ClientProperties,
    pub(super) print_metrics: bool,
    pub(super) era: Era,
    /// How old a transaction becomes, where there are transactions.
    pub(super) transaction_ms: Option<u64>,
}

/// What the options of the tool of 0.8 say.
#[derive(Debug)]
pub(super) struct Scala {
    pub(super) topics: Vec<String>,
    pub(super) messages: u64,
    pub(super) message_size: u32,
    pub(super) fixed_size: bool,
    pub(super) threads: u32,
    pub(super) codec: i32,
    pub(super) batch_size: u32,
    pub(super) sync: bool,
    pub(super) first_id: Option<i64>,
    pub(super) gap_ms: u64,
    pub(super) with_keys: bool,
    pub(super) date_format: DateFormat,
    pub(super) header: bool,
    pub(super) client: ClientProperties,
}

/// The options of which exactly one says what records hold.
const SOURCES: [&str; 3] = ["--record-size", "--payload-file", "--payload-monotonic"];

/// The most that a record may hold: what the largest request carries.
const LARGEST: i32 = 1 << 30;

impl Args {
    /// Options that are accepted and do nothing.
    pub(super) fn warning(&self) -> Option<&'static str> {
        (self.csv_reporter_enabled || self.metrics_dir.is_some()).then_some(client::NO_CSV)
    }

    /// Whether the options are those of 0.8.
    pub(super) fn is_scala(&self) -> bool {
        self.topics.is_some() || self.broker_list.is_some() || self.messages.is_some()
    }

    pub(super) fn today(&self) -> Result<Today, Failure> {
        // In the order in which Kafka's tool misses them.
        self.check_sources()?;
        let required = |name: &str| Failure::usage(format!("argument --{name} is required"));
        let throughput = self.throughput.ok_or_else(|| required("throughput"))?;
        let records = self.num_records.ok_or_else(|| required("num-records"))?;
        let topic = self.topic.clone().ok_or_else(|| required("topic"))?;
        let source = self.source()?;
        if self.producer_props.is_empty() && self.producer_config.is_none() {
            return Err(Failure::usage("Either --producer-props or --producer.config must be specified."));
        }
        let records = u64::try_from(records).ok().filter(|count| *count > 0);
        let records =
            records.ok_or_else(|| Failure::illegal("--num-records: at least one record must be sent"))?;
        Ok(Today {
            topic,
            records,
            source,
            throughput,
            client: self.client()?,
            print_metrics: self.print_metrics,
            era: self.era.era().unwrap_or(Era::New),
            transaction_ms: u64::try_from(self.transaction_duration_ms).ok().filter(|age| *age > 0),
        })
    }

    /// Refuses two sources of payloads.
    fn check_sources(&self) -> Result<(), Failure> {
        let mut used = self.sources();
        match (used.next(), used.next()) {
            (Some(one), Some(other)) => {
                Err(Failure::usage(format!("argument {other}: not allowed with argument {one}")))
            }
            _ => Ok(()),
        }
    }

    fn sources(&self) -> impl Iterator<Item = &'static str> {
        let given = [self.record_size.is_some(), self.payload_file.is_some(), self.payload_monotonic];
        SOURCES.into_iter().zip(given).filter_map(|(name, given)| given.then_some(name))
    }

    fn source(&self) -> Result<Source, Failure> {
        if self.sources().next().is_none() {
            return Err(Failure::usage(format!("one of the arguments {} is required", SOURCES.join(" "))));
        }
        if let Some(path) = &self.payload_file {
            let delimiter = self.payload_delimiter.clone();
            return Ok(Source::File { path: path.clone(), delimiter });
        }
        let Some(size) = self.record_size else { return Ok(Source::Numbers) };
        if !(0..=LARGEST).contains(&size) {
            return Err(Failure::illegal(format!("--record-size {size}: allowed are 0 to {LARGEST}")));
        }
        Ok(Source::Random(usize::try_from(size).unwrap_or_default()))
    }

    fn client(&self) -> Result<ClientProperties, Failure> {
        let mut client = ClientProperties::new(Role::Producer);
        if let Some(path) = &self.producer_config {
            client.read(path)?;
        }
        for pair in &self.producer_props {
            let mut parts = pair.split('=');
            let (Some(name), Some(value), None) = (parts.next(), parts.next(), parts.next()) else {
                return Err(Failure::illegal(format!("Invalid property: {pair}")));
            };
            client.set(name, value);
        }
        client.set_default("client.id", "perf-producer-client");
        if self.transaction_duration_ms > 0 {
            client.set("transactional.id", &self.transactional_id);
        }
        Ok(client)
    }

    pub(super) fn scala(&self) -> Result<Scala, Failure> {
        let missing = || {
            let all = [
                ("topics", self.topics.is_some()),
                ("broker-list", self.broker_list.is_some()),
                ("messages", self.messages.is_some()),
            ];
            all.iter().find(|(_, given)| !given).map_or("messages", |(name, _)| name)
        };
        let (Some(topics), Some(brokers), Some(messages)) = (&self.topics, &self.broker_list, self.messages)
        else {
            return Err(Failure::missing(missing()));
        };
        check_addresses(brokers)?;
        let codec = self.compression_codec.unwrap_or(0);
        if !(0..=3).contains(&codec) {
            return Err(Failure::new(
                "kafka.common.UnknownCodecException",
                format!("{codec} is an unknown compression codec"),
            ));
        }
        Ok(Scala {
            topics: topics.split(',').map(str::to_owned).collect(),
            messages,
            message_size: self.message_size.unwrap_or(100),
            fixed_size: !self.vary_message_size,
            threads: self.threads.unwrap_or(1).clamp(1, 1024),
            codec,
            batch_size: self.batch_size.unwrap_or(200).max(1),
            sync: self.sync,
            first_id: self.initial_message_id,
            gap_ms: self.message_send_gap_ms.unwrap_or(0),
            with_keys: self.new_producer,
            date_format: DateFormat::new(self.date_format.as_deref().unwrap_or(client::PERF_DATES))?,
            header: !self.hide_header,
            client: self.scala_client(brokers, codec)?,
        })
    }

    fn scala_client(&self, brokers: &str, codec: i32) -> Result<ClientProperties, Failure> {
        let mut client = ClientProperties::new(Role::Producer);
        if let Some(path) = &self.producer_config {
            client.read(path)?;
        }
        client.set("bootstrap.servers", brokers);
        client.set("client.id", "producer-performance");
        client.set("compression.codec", codec);
        client.set("send.buffer.bytes", 64 << 10);
        client.set("acks", self.request_num_acks.unwrap_or(-1));
        // The Java producer of that tool is not told.
        if !self.new_producer {
            client.set("request.timeout.ms", self.request_timeout_ms.unwrap_or(3000));
        }
        client.set("retries", self.producer_num_retries.unwrap_or(3));
        client.set("retry.backoff.ms", self.producer_retry_backoff_ms.unwrap_or(100));
        if !self.new_producer && !self.sync {
            // The Scala producer waits for a batch of so many, or for five seconds.
            client.set("batch.num.messages", self.batch_size.unwrap_or(200).max(1));
            client.set_default("queue.buffering.max.ms", "5000");
        }
        Ok(client)
    }
}
