//! The options of Kafka's console producers from 0.8 to 3.9, and what they set.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::Parser;

use super::super::{
    client::{self, ClientProperties, names::Role},
    failure::Failure,
};

/// Read lines from standard input and publish them to Kafka
#[derive(Debug, Parser)]
#[command(
    name = "console-producer",
    after_help = "Properties of the line reader (--property): parse.key=false, parse.headers=false, ignore.error=false, key.separator=\\t, \
        headers.delimiter=\\t, headers.separator=',', headers.key.separator=:, null.marker=(none). With both, a line is \
        \"h1:v1,h2:v2...\\tkey\\tvalue\".\n\nA record that cannot be delivered is named on standard error; with --sync it ends the tool, with exit code 1."
)]
pub(crate) struct Args {
    /// REQUIRED unless --broker-list is given: the brokers to connect to, HOST1:PORT1,HOST2:PORT2
    #[arg(long, value_name = "brokers")]
    bootstrap_server: Option<String>,
    /// As --bootstrap-server, which is preferred
    #[arg(long, value_name = "brokers")]
    broker_list: Option<String>,
    /// REQUIRED: the topic to produce to
    #[arg(long)]
    topic: Option<String>,
    /// Send records one at a time as they arrive, and stop at the first that fails
    #[arg(long)]
    sync: bool,
    /// none, gzip, snappy, lz4 or zstd; without a value gzip
    #[arg(long, num_args = 0..=1, default_missing_value = "gzip", value_name = "codec")]
    compression_codec: Option<String>,
    /// Of 0.8.0: as --compression-codec gzip
    #[arg(long)]
    compress: bool,
    /// The bytes of a batch (batch.size) [default: 16384]; with --old-producer the number of its messages [default: 200]
    #[arg(long, value_name = "size")]
    batch_size: Option<u32>,
    /// How long a record waits for others, milliseconds (linger.ms) [default: 1000]
    #[arg(long, value_name = "ms")]
    timeout: Option<u64>,
    /// How often a request is repeated (retries) [default: 3]
    #[arg(long, value_name = "count")]
    message_send_max_retries: Option<u32>,
    /// How long to wait before a request is repeated, milliseconds (retry.backoff.ms) [default: 100]
    #[arg(long, value_name = "ms")]
    retry_backoff_ms: Option<u64>,
    /// Who must have a record before it counts as delivered: 0, 1 or -1 (acks) [default: -1]
    #[arg(long, value_name = "acks", allow_hyphen_values = true)]
    request_required_acks: Option<String>,
    /// How long brokers wait for each other, milliseconds (request.timeout.ms) [default: 1500]
    #[arg(long, value_name = "ms")]
    request_timeout_ms: Option<u32>,
    /// How old metadata may become, milliseconds (metadata.max.age.ms) [default: 300000]
    #[arg(long, value_name = "ms")]
    metadata_expiry_ms: Option<u64>,
    /// How long sending may block, and how long a record waits to be delivered, milliseconds (max.block.ms) [default: 60000]
    #[arg(long, value_name = "ms", alias = "metadata-fetch-timeout-ms")]
    max_block_ms: Option<u64>,
    /// The bytes that may wait to be sent (buffer.memory) [default: 33554432]
    #[arg(long, value_name = "bytes")]
    max_memory_bytes: Option<u64>,
    /// The bytes of a batch; wins over --batch-size (batch.size)
    #[arg(long, value_name = "bytes")]
    max_partition_memory_bytes: Option<u64>,
    /// The socket's send buffer in bytes (send.buffer.bytes) [default: 102400]
    #[arg(long, value_name = "bytes")]
    socket_buffer_size: Option<u32>,
    /// A property of the line reader, name=value; may be given several times
    #[arg(long, value_name = "name=value")]
    property: Vec<String>,
    /// A file with properties of the line reader; --property wins over it
    #[arg(long, value_name = "file")]
    reader_config: Option<PathBuf>,
    /// The class that reads lines: LineMessageReader
    #[arg(long, value_name = "class")]
    line_reader: Option<String>,
    /// A property of the producer by its Java name, name=value; may be given several times
    #[arg(long, value_name = "name=value", alias = "command-property")]
    producer_property: Vec<String>,
    /// A file with properties of the producer; --producer-property wins over it
    #[arg(
        long = "producer.config",
        alias = "producer-config",
        alias = "command-config",
        value_name = "file"
    )]
    producer_config: Option<PathBuf>,
    /// Of 0.8 to 1.x: the options mean what they meant to the Scala producer
    #[arg(long)]
    old_producer: bool,
    /// Of 0.8: the default
    #[arg(long, conflicts_with = "old_producer")]
    new_producer: bool,
    /// Of the Scala producer: kafka.serializer.DefaultEncoder or StringEncoder, which leave lines as they are
    #[arg(long, value_name = "class")]
    key_serializer: Option<String>,
    /// As --key-serializer
    #[arg(long, value_name = "class")]
    value_serializer: Option<String>,
    /// Of the Scala producer: how many messages may wait
    #[arg(long, value_name = "count")]
    queue_size: Option<u32>,
    /// Of the Scala producer: how long a full queue may block, milliseconds; -1: for ever
    #[arg(long = "queue-enqueuetimeout-ms", value_name = "ms", allow_hyphen_values = true)]
    queue_enqueue_timeout_ms: Option<i64>,
}

/// What the options say.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) topic: String,
    pub(super) sync: bool,
    pub(super) client: ClientProperties,
    pub(super) reader: BTreeMap<String, String>,
    /// How long a full queue may block.
    pub(super) max_block: Duration,
    pub(super) warnings: Vec<String>,
}

impl Args {
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let topic = self.topic.clone().ok_or_else(|| Failure::missing("topic"))?;
        let brokers = self.bootstrap_server.as_ref().or(self.broker_list.as_ref());
        let brokers = brokers.ok_or_else(|| Failure::missing("broker-list"))?;
        client::check_addresses(brokers)?;
        let mut reader = BTreeMap::new();
        if let Some(path) = &self.reader_config {
            let file = client::read_properties(path)?;
            reader.extend(file.iter().map(|(k, v)| (k.to_owned(), v.to_owned())));
        }
        for pair in &self.property {
            let (name, value) = client::key_value(pair)?;
            reader.insert(name.to_owned(), value.to_owned());
        }
        if let Some(class) = self.line_reader.as_ref().filter(|class| !super::is_line_reader(class)) {
            return Err(Failure::new("java.lang.ClassNotFoundException", class));
        }
        let client = self.client(brokers)?;
        // 0.8 and 0.11 bound the wait for room by these.
        let max_block = match self.queue_enqueue_timeout_ms {
            Some(-1) => u64::MAX / 2,
            Some(limit) => u64::try_from(limit).unwrap_or_default(),
            None => u64::try_from(client.number("max.block.ms", 60_000)?).unwrap_or_default(),
        };
        let max_block = Duration::from_millis(max_block);
        Ok(Settings { topic, sync: self.sync, client, reader, max_block, warnings: self.warnings() })
    }

    fn client(&self, brokers: &str) -> Result<ClientProperties, Failure> {
        let mut client = ClientProperties::new(Role::Producer);
        if let Some(path) = &self.producer_config {
            client.read(path)?;
        }
        client.extend_pairs(&self.producer_property)?;
        client.set("bootstrap.servers", brokers);
        client.set_default("client.id", "console-producer");
        let codec = self.compression_codec.as_deref().or(self.compress.then_some("gzip"));
        client.merge("compression.type", codec, None);
        client.merge("linger.ms", self.timeout, Some("1000"));
        client.merge("acks", self.request_required_acks.as_ref(), Some("-1"));
        client.merge("request.timeout.ms", self.request_timeout_ms, Some("1500"));
        client.merge("retries", self.message_send_max_retries, Some("3"));
        client.merge("retry.backoff.ms", self.retry_backoff_ms, Some("100"));
        client.merge("metadata.max.age.ms", self.metadata_expiry_ms, Some("300000"));
        client.merge("max.block.ms", self.max_block_ms, Some("60000"));
        client.merge("buffer.memory", self.max_memory_bytes, Some("33554432"));
        client.merge("send.buffer.bytes", self.socket_buffer_size, Some("102400"));
        if self.old_producer {
            client.merge("batch.num.messages", self.batch_size, Some("200"));
            client.merge("queue.buffering.max.messages", self.queue_size, Some("10000"));
        } else {
            client.merge("batch.size", self.batch_size, Some("16384"));
        }
        client.merge("batch.size", self.max_partition_memory_bytes, None);
        // librdkafka has one deadline for waiting for metadata, for room and for delivery; Java's first one is max.block.ms.
        let deadline = client.get("max.block.ms").unwrap_or("60000").to_owned();
        client.set_default("delivery.timeout.ms", &deadline);
        Ok(client)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (option, class) in
            [("key-serializer", &self.key_serializer), ("value-serializer", &self.value_serializer)]
        {
            let Some(class) = class else { continue };
            let known = ["DefaultEncoder", "StringEncoder", "ByteArraySerializer", "StringSerializer"];
            if !known.iter().any(|name| class.ends_with(name)) {
                warnings.push(format!(
                    "--{option} {class}: there is no such class here; lines are sent as they are"
                ));
            }
        }
        if self.queue_size.is_some() && !self.old_producer {
            warnings.push("--queue-size has an effect with --old-producer only".to_owned());
        }
        warnings
    }
}
