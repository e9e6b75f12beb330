//! The options of Kafka's console consumers from 0.8 to 3.9, and what they set.

use std::{collections::BTreeMap, collections::BTreeSet, path::PathBuf};

use clap::Parser;
use rand::Rng as _;

use super::super::{
    client::{self, ClientProperties, names::Role},
    era::{Era, EraOption},
    failure::Failure,
};
use super::formatter::{self, Formatter};

/// Read records from topics and write them to standard output
#[derive(Debug, Parser)]
#[command(
    name = "console-consumer",
    after_help = "Properties of the default formatter (--property): print.timestamp, print.partition, print.offset, print.headers, print.key (false), \
        print.value (true), key.separator=\\t, line.separator=\\n, headers.separator=',', null.literal=null, key.deserializer, value.deserializer, \
        headers.deserializer (String, ByteArray, Integer, Long, Short, Double, Float, Boolean, UUID: Kafka's class names).\n\n\
        Formatters: DefaultMessageFormatter, LoggingMessageFormatter, NoOpMessageFormatter, ChecksumMessageFormatter; for __consumer_offsets \
        OffsetsMessageFormatter and GroupMetadataMessageFormatter, for __transaction_state TransactionLogMessageFormatter: those of the package \
        org.apache.kafka.tools.consumer write JSON, the others text, as Kafka 3.9 or, with --era 0.11, as 0.11.\n\n\
        With --zookeeper it is a consumer of Kafka 0.8: group, owners and offsets live in ZooKeeper."
)]
pub(crate) struct Args {
    /// REQUIRED (unless --zookeeper is given): the brokers to connect to
    #[arg(long, value_name = "brokers", alias = "broker-list")]
    bootstrap_server: Option<String>,
    /// Of 0.8 to 1.x: consume as a group in ZooKeeper, host1:port,host2:port/chroot
    #[arg(long, value_name = "urls")]
    zookeeper: Option<String>,
    /// The topic to consume
    #[arg(long)]
    topic: Option<String>,
    /// A regular expression of topics to consume
    #[arg(long, alias = "whitelist", value_name = "regex")]
    include: Option<String>,
    /// A regular expression of topics not to consume; only with --zookeeper
    #[arg(long, value_name = "regex")]
    blacklist: Option<String>,
    /// The partition to consume; from its end unless --offset is given
    #[arg(long)]
    partition: Option<i32>,
    /// Where to begin in the partition: a number, 'earliest' or 'latest' [default: latest]
    #[arg(long, allow_hyphen_values = true)]
    offset: Option<String>,
    /// Begin with the earliest record where the group has no offset yet
    #[arg(long)]
    from_beginning: bool,
    /// The number of records after which to exit
    #[arg(long, value_name = "count", allow_hyphen_values = true)]
    max_messages: Option<i64>,
    /// Exit when no record has come for so long, milliseconds
    #[arg(long, value_name = "ms", allow_hyphen_values = true, alias = "consumer-timeout-ms")]
    timeout_ms: Option<i64>,
    /// Go on after a record that cannot be shown
    #[arg(long)]
    skip_message_on_error: bool,
    /// The consumer group [default: console-consumer-NUMBER, whose offsets nobody keeps]
    #[arg(long)]
    group: Option<String>,
    /// A property of the consumer by its Java name, name=value; may be given several times
    #[arg(long, value_name = "name=value", alias = "command-property")]
    consumer_property: Vec<String>,
    /// A file with properties of the consumer; --consumer-property wins over it
    #[arg(
        long = "consumer.config",
        alias = "consumer-config",
        alias = "command-config",
        value_name = "file"
    )]
    consumer_config: Option<PathBuf>,
    /// The class that writes records
    #[arg(long, value_name = "class")]
    formatter: Option<String>,
    /// A property of the formatter, name=value; may be given several times
    #[arg(long, value_name = "name=value", alias = "formatter-property")]
    property: Vec<String>,
    /// A file with properties of the formatter; --property wins over it
    #[arg(long, value_name = "file")]
    formatter_config: Option<PathBuf>,
    /// The class that reads keys
    #[arg(long, value_name = "class")]
    key_deserializer: Option<String>,
    /// The class that reads values
    #[arg(long, value_name = "class")]
    value_deserializer: Option<String>,
    /// read_committed or read_uncommitted [default: read_uncommitted]
    #[arg(long, value_name = "level")]
    isolation_level: Option<String>,
    /// Write shutdown_complete to standard output at the end, for system tests
    #[arg(long)]
    enable_systest_events: bool,
    /// The default, unless --zookeeper is given
    #[arg(long)]
    new_consumer: bool,
    /// With --zookeeper: forget the group's offsets first
    #[arg(long)]
    delete_consumer_offsets: bool,
    /// Of 0.8: accepted; there is no CSV reporter here
    #[arg(long)]
    csv_reporter_enabled: bool,
    /// Of 0.8: accepted with --csv-reporter-enabled
    #[arg(long, value_name = "directory")]
    metrics_dir: Option<PathBuf>,
    /// Of 0.8.0: the bytes of a fetch (fetch.message.max.bytes)
    #[arg(long, value_name = "bytes")]
    fetch_size: Option<u32>,
    /// Of 0.8.0: the least bytes of a fetch (fetch.min.bytes)
    #[arg(long, value_name = "bytes")]
    min_fetch_bytes: Option<u32>,
    /// Of 0.8.0: how long a fetch may wait, milliseconds (fetch.max.wait.ms)
    #[arg(long, value_name = "ms")]
    max_wait_ms: Option<u32>,
    /// Of 0.8.0: the socket's receive buffer in bytes (receive.buffer.bytes)
    #[arg(long, value_name = "bytes")]
    socket_buffer_size: Option<u32>,
    /// Of 0.8.0: how long an answer may take, milliseconds (request.timeout.ms)
    #[arg(long, value_name = "ms")]
    socket_timeout_ms: Option<u32>,
    /// Of 0.8.0: how long to wait before a lost leader is looked for again, milliseconds (refresh.leader.backoff.ms)
    #[arg(long, value_name = "ms")]
    refresh_leader_backoff_ms: Option<u32>,
    /// Of 0.8.0: between commits, milliseconds (auto.commit.interval.ms)
    #[arg(long = "autocommit.interval.ms", value_name = "ms")]
    auto_commit_interval_ms: Option<u32>,
    #[command(flatten)]
    era: EraOption,
}

/// The topics to consume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Topics {
    One(String),
    Matching(String),
    NotMatching(String),
}

/// Where a partition's consumption begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Earliest,
    Latest,
    At(i64),
}

/// What the options say.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) zookeeper: Option<String>,
    pub(super) topics: Topics,
    pub(super) partition: Option<(i32, Start)>,
    pub(super) max_messages: Option<u64>,
    pub(super) timeout_ms: Option<u64>,
    pub(super) skip_message_on_error: bool,
    pub(super) systest_events: bool,
    pub(super) delete_offsets: bool,
    pub(super) from_beginning: bool,
    pub(super) client: ClientProperties,
    pub(super) group: String,
    /// Whether the group is the user's, and not this process's own.
    pub(super) named_group: bool,
    pub(super) formatter: Formatter,
}

impl Args {
    /// Checks the options in the order of Kafka's tool.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        let old = self.zookeeper.is_some();
        let others =
            [("bootstrap-server", self.bootstrap_server.is_some()), ("new-consumer", self.new_consumer)];
        if let Some((option, _)) = others.iter().find(|(_, given)| old && *given) {
            return Err(Failure::usage(format!("Option [{option}] is not valid with [zookeeper].")));
        }
        let topics = self.topics(old)?;
        if old && (self.partition.is_some() || self.offset.is_some()) {
            return Err(Failure::usage(
                "Partition-offset based consumption is supported in the new consumer only.",
            ));
        }
        let partition = self.partition(&topics)?;
        if !old && self.bootstrap_server.is_none() {
            return Err(Failure::missing("bootstrap-server"));
        }
        let (client, group, named_group) = self.client(old)?;
        if named_group && self.partition.is_some() {
            return Err(Failure::usage("Options group and partition cannot be specified together."));
        }
        let timeout_ms = match self.timeout_ms {
            None => client.get("consumer.timeout.ms").and_then(|text| text.trim().parse().ok()),
            // Java's consumer takes a negative wait for no limit.
            Some(timeout) => u64::try_from(timeout).ok(),
        };
        Ok(Settings {
            zookeeper: self.zookeeper.clone(),
            topics,
            partition,
            max_messages: self.max_messages.and_then(|count| u64::try_from(count).ok()),
            timeout_ms,
            skip_message_on_error: self.skip_message_on_error,
            systest_events: self.enable_systest_events,
            delete_offsets: self.delete_consumer_offsets,
            from_beginning: self.from_beginning,
            client,
            group,
            named_group,
            formatter: self.formatter()?,
        })
    }

    fn topics(&self, old: bool) -> Result<Topics, Failure> {
        let given = [
            self.topic.clone().map(Topics::One),
            self.include.clone().map(Topics::Matching),
            self.blacklist.clone().filter(|_| old).map(Topics::NotMatching),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(topics), None) => Ok(topics),
            _ if old => Err(Failure::usage("Exactly one of whitelist/blacklist/topic is required.")),
            _ if self.era.era() == Some(Era::Old) => {
                Err(Failure::usage("Exactly one of whitelist/topic is required."))
            }
            _ => Err(Failure::usage("Exactly one of --include/--topic is required. ")),
        }
    }

    fn partition(&self, topics: &Topics) -> Result<Option<(i32, Start)>, Failure> {
        let Some(partition) = self.partition else {
            return match self.offset {
                Some(_) => Err(Failure::usage("The partition is required when offset is specified.")),
                None => Ok(None),
            };
        };
        if !matches!(topics, Topics::One(_)) {
            return Err(Failure::usage("The topic is required when partition is specified."));
        }
        if self.from_beginning && self.offset.is_some() {
            return Err(Failure::usage("Options from-beginning and offset cannot be specified together."));
        }
        let start = match self.offset.as_deref() {
            None if self.from_beginning => Start::Earliest,
            None => Start::Latest,
            Some(text) => match (text.to_ascii_lowercase().as_str(), text.parse::<i64>()) {
                ("earliest", _) => Start::Earliest,
                ("latest", _) => Start::Latest,
                (_, Ok(offset)) if offset >= 0 => Start::At(offset),
                _ => {
                    return Err(Failure::usage(format!(
                        "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long."
                    )));
                }
            },
        };
        Ok(Some((partition, start)))
    }

    /// The client's properties, its group, and whether the user named that.
    fn client(&self, old: bool) -> Result<(ClientProperties, String, bool), Failure> {
        let mut file = ClientProperties::new(Role::Consumer);
        if let Some(path) = &self.consumer_config {
            file.read(path)?;
        }
        let mut pairs = ClientProperties::new(Role::Consumer);
        pairs.extend_pairs(&self.consumer_property)?;
        let named: BTreeSet<&str> = [self.group.as_deref(), pairs.get("group.id"), file.get("group.id")]
            .into_iter()
            .flatten()
            .collect();
        if named.len() > 1 {
            let named: Vec<_> = named.iter().map(|group| format!("'{group}'")).collect();
            return Err(Failure::usage(format!(
                "The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') \
                 do not match. Detected group ids: {}",
                named.join(", ")
            )));
        }
        let group = named.first().map(|group| (*group).to_owned());
        let mut client = file;
        client.extend_pairs(&self.consumer_property)?;
        self.set_offset_reset(&mut client, old)?;
        if let Some(brokers) = &self.bootstrap_server {
            client.set("bootstrap.servers", brokers);
        }
        client.set_default("client.id", "console-consumer");
        // As Java's consumer does, and librdkafka does not by default.
        client.set_default("check.crcs", "true");
        client.merge("isolation.level", self.isolation_level.as_ref(), Some("read_uncommitted"));
        client.merge("fetch.message.max.bytes", self.fetch_size, None);
        client.merge("fetch.min.bytes", self.min_fetch_bytes, None);
        client.merge("fetch.max.wait.ms", self.max_wait_ms, None);
        client.merge("receive.buffer.bytes", self.socket_buffer_size, None);
        client.merge("request.timeout.ms", self.socket_timeout_ms, None);
        client.merge("refresh.leader.backoff.ms", self.refresh_leader_backoff_ms, None);
        client.merge("auto.commit.interval.ms", self.auto_commit_interval_ms, None);
        let named = group.is_some();
        let group = group.unwrap_or_else(|| {
            if !old {
                client.set_default("enable.auto.commit", "false");
            }
            format!("console-consumer-{}", rand::rng().random_range(0..100_000))
        });
        client.set("group.id", &group);
        Ok((client, group, named))
    }

    fn set_offset_reset(&self, client: &mut ClientProperties, old: bool) -> Result<(), Failure> {
        if let Some(reset) = client.get("auto.offset.reset") {
            if self.from_beginning && !matches!(reset, "earliest" | "smallest") && !old {
                let text = format!(
                    "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option"
                );
                return Err(Failure { usage: false, ..Failure::usage(text) });
            }
            if !self.from_beginning {
                return Ok(());
            }
        }
        client.set("auto.offset.reset", if self.from_beginning { "earliest" } else { "latest" });
        Ok(())
    }

    fn formatter(&self) -> Result<Formatter, Failure> {
        let mut properties = BTreeMap::new();
        if let Some(path) = &self.formatter_config {
            let file = client::read_properties(path)?;
            properties.extend(file.iter().map(|(k, v)| (k.to_owned(), v.to_owned())));
        }
        for (name, class) in
            [("key.deserializer", &self.key_deserializer), ("value.deserializer", &self.value_deserializer)]
        {
            if let Some(class) = class {
                properties.insert(name.to_owned(), class.clone());
            }
        }
        for pair in &self.property {
            let (name, value) = client::key_value(pair)?;
            properties.insert(name.to_owned(), value.to_owned());
        }
        let class = self.formatter.as_deref().unwrap_or("DefaultMessageFormatter");
        Formatter::named(class, &properties, self.era.era().unwrap_or(Era::New))
    }

    /// What is said of a formatter whose class has a new name.
    pub(super) fn renamed_formatter(&self) -> Option<String> {
        let old = self.era.era() == Some(Era::Old);
        self.formatter.as_deref().filter(|_| !old).and_then(formatter::renamed)
    }

    /// Options that are accepted and do nothing.
    pub(super) fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        if self.csv_reporter_enabled || self.metrics_dir.is_some() {
            warnings.push(client::NO_CSV);
        }
        if self.blacklist.is_some() && self.zookeeper.is_none() {
            warnings.push("--blacklist has an effect with --zookeeper only");
        }
        warnings
    }
}
