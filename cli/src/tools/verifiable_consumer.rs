//! `kafka-verifiable-consumer`: what a member of a group is given, reads and commits, a line of JSON each.

use std::{collections::HashMap, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _, Rebalance},
    error::KafkaError,
    message::BorrowedMessage,
};
use serde::Serialize;

use super::{
    client::{self, ClientProperties, Context, OnRebalance, exception, is_passing, names::Role},
    events::{Bare, tell},
    failure::Failure,
    output,
    signals::Stop,
};

const NAME: &str = "verifiable-consumer";
const LOGGER: &str = "org.apache.kafka.tools.VerifiableConsumer";
/// The longest single wait for a record: a signal is noticed after so long.
const TURN: Duration = Duration::from_millis(50);
/// How many records are told of together at most, as `max.poll.records` is in Java.
const MOST_AT_ONCE: usize = 500;

/// Consume in a group and write a line of JSON for all that happens
#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// REQUIRED: the brokers to connect to
    #[arg(long, value_name = "HOST1:PORT1[,HOST2:PORT2[...]]")]
    bootstrap_server: Option<String>,
    /// The same, by the name that it had before Kafka 2.5
    #[arg(long, value_name = "HOST1:PORT1[,HOST2:PORT2[...]]")]
    broker_list: Option<String>,
    /// REQUIRED: the topic to consume
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// How the group works: CLASSIC or CONSUMER (KIP-848)
    #[arg(long, value_name = "GROUP_PROTOCOL", default_value = "CLASSIC")]
    group_protocol: String,
    /// Which assignor of the brokers' a group of protocol CONSUMER uses
    #[arg(long, value_name = "GROUP_REMOTE_ASSIGNOR")]
    group_remote_assignor: Option<String>,
    /// REQUIRED: the group
    #[arg(long, value_name = "GROUP_ID")]
    group_id: Option<String>,
    /// A name by which this member is known again (KIP-345)
    #[arg(long, value_name = "GROUP_INSTANCE_ID")]
    group_instance_id: Option<String>,
    /// How many records to consume; -1: until a signal comes
    #[arg(long, value_name = "MAX-MESSAGES", default_value_t = -1, allow_hyphen_values = true)]
    max_messages: i32,
    /// How long the group waits for a member that is silent, milliseconds
    #[arg(long, value_name = "TIMEOUT_MS", default_value_t = 30_000)]
    session_timeout: u32,
    /// Tell of each record
    #[arg(long)]
    verbose: bool,
    /// Commit offsets now and then instead of after each read
    #[arg(long)]
    enable_autocommit: bool,
    /// Where to begin without a committed offset: earliest, latest, or none
    #[arg(long, value_name = "RESETPOLICY", default_value = "earliest")]
    reset_policy: String,
    /// How partitions are shared out in a group of protocol CLASSIC
    #[arg(
        long,
        value_name = "ASSIGNMENTSTRATEGY",
        default_value = "org.apache.kafka.clients.consumer.RangeAssignor"
    )]
    assignment_strategy: String,
    /// A file with properties of the consumer, over which options win
    #[arg(long = "consumer.config", value_name = "CONFIG_FILE")]
    consumer_config: Option<PathBuf>,
}

impl Args {
    /// What is missing, in argparse4j's words.
    fn check(&self) -> Result<(), Failure> {
        let brokers = [&self.bootstrap_server, &self.broker_list];
        match brokers.into_iter().flatten().count() {
            _ if self.topic.is_none() => Err(Failure::usage("argument --topic is required")),
            _ if self.group_id.is_none() => Err(Failure::usage("argument --group-id is required")),
            0 => Err(Failure::usage("one of the arguments --bootstrap-server --broker-list is required")),
            1 => Ok(()),
            _ => Err(Failure::usage("argument --broker-list: not allowed with argument --bootstrap-server")),
        }
    }

    fn properties(&self) -> Result<ClientProperties, Failure> {
        let mut properties = ClientProperties::new(Role::Consumer);
        if let Some(file) = &self.consumer_config {
            properties.read(file).map_err(|failure| Failure::usage(failure.message))?;
        }
        if self.group_protocol.eq_ignore_ascii_case("consumer") {
            properties.set("group.protocol", "consumer");
            properties.merge("group.remote.assignor", self.group_remote_assignor.as_deref(), None);
        } else {
            properties.set("partition.assignment.strategy", &self.assignment_strategy);
            // In the other protocol it is the group's, at the brokers.
            properties.set("session.timeout.ms", self.session_timeout);
        }
        let brokers = self.bootstrap_server.as_deref().or(self.broker_list.as_deref());
        properties.merge("bootstrap.servers", brokers, None);
        properties.merge("group.id", self.group_id.as_deref(), None);
        properties.merge("group.instance.id", self.group_instance_id.as_deref(), None);
        properties.set("enable.auto.commit", self.enable_autocommit);
        properties.set("auto.offset.reset", &self.reset_policy);
        Ok(properties)
    }
}

#[derive(Serialize)]
struct Partition {
    topic: String,
    partition: i32,
}

#[derive(Serialize)]
struct Partitions {
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Read<'a> {
    count: usize,
    partitions: Vec<&'a Summary>,
}

/// What has been read of a partition at once.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    topic: String,
    partition: i32,
    count: i64,
    min_offset: i64,
    max_offset: i64,
}

#[derive(Serialize)]
struct RecordData<'a> {
    key: Option<&'a str>,
    value: Option<&'a str>,
    topic: &'a str,
    partition: i32,
    offset: i64,
}

#[derive(Serialize)]
struct Committed<'a> {
    offsets: Vec<CommittedOffset<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    success: bool,
}

#[derive(Serialize)]
struct CommittedOffset<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
}

/// Tells of partitions that come and go.
struct Rebalances;

fn partitions(list: &TopicPartitionList) -> Partitions {
    let elements = list.elements();
    let partition = |of: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| Partition {
        topic: of.topic().to_owned(),
        partition: of.partition(),
    };
    Partitions { partitions: elements.iter().map(partition).collect() }
}

impl OnRebalance for Rebalances {
    fn before(&self, _: &BaseConsumer<Context<Self>>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(list) = rebalance {
            tell("partitions_revoked", partitions(list));
        }
    }

    fn after(&self, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(list) = rebalance {
            tell("partitions_assigned", partitions(list));
        }
    }
}

type Member = BaseConsumer<Context<Rebalances>>;

/// Consumes until there is a reason to end.
pub(crate) fn run(args: &Args) -> ExitCode {
    super::ended::<Args>(NAME, consume(args))
}

fn consume(args: &Args) -> Result<ExitCode, Failure> {
    args.check()?;
    let mut config = args.properties()?.config()?;
    // What has been told of counts as consumed, not what has been fetched.
    config.set("enable.auto.offset.store", "false");
    let member: Member =
        config.create_with_context(Context::new(Rebalances)).map_err(|error| client::refused(&error))?;
    let stop = Stop::new()?;
    tell("startup_complete", Bare {});
    if let Err(failure) = read(args, &member, &stop) {
        output::log_caused("Error during processing, terminating consumer process: ", LOGGER, failure);
    }
    // Leaves the group, which takes the partitions away.
    drop(member);
    tell("shutdown_complete", Bare {});
    Ok(stop.code().map_or(ExitCode::SUCCESS, ExitCode::from))
}

fn read(args: &Args, member: &Member, stop: &Stop) -> Result<(), Failure> {
    let topic = args.topic.as_deref().unwrap_or_default();
    member.subscribe(&[topic]).map_err(|error| exception(&error))?;
    let mut left = u64::try_from(args.max_messages).ok();
    while left != Some(0) && stop.code().is_none() {
        let mut batch = Batch::default();
        let mut wait = TURN;
        while batch.read < MOST_AT_ONCE {
            let Some(record) = poll(member, wait)? else { break };
            batch.read += 1;
            // What is beyond the limit has been read all the same, and counts as read, but not as consumed.
            if left != Some(0) {
                batch.add(&record, args.verbose);
                left = left.map(|left| left - 1);
            }
            wait = Duration::ZERO;
        }
        if batch.read == 0 {
            continue;
        }
        batch.tell();
        batch.commit(member, args.enable_autocommit)?;
    }
    Ok(())
}

/// Waits for a record; what the client overcomes by itself is none.
fn poll(member: &Member, wait: Duration) -> Result<Option<BorrowedMessage<'_>>, Failure> {
    match member.poll(wait) {
        None => Ok(None),
        Some(Ok(record)) => Ok(Some(record)),
        Some(Err(error)) if is_passing(&error) => {
            output::log_warning(&error.to_string(), "org.apache.kafka.clients.NetworkClient");
            Ok(None)
        }
        Some(Err(error)) => Err(exception(&error)),
    }
}

/// What has been read at once.
#[derive(Debug, Default)]
struct Batch {
    read: usize,
    summaries: Vec<Summary>,
    places: HashMap<(String, i32), usize>,
}

impl Batch {
    fn add(&mut self, record: &BorrowedMessage<'_>, verbose: bool) {
        let (topic, partition, offset) = (record.topic(), record.partition(), record.offset());
        if verbose {
            let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let (key, value) = (text(record.key()), text(record.payload()));
            let data = RecordData { key: key.as_deref(), value: value.as_deref(), topic, partition, offset };
            tell("record_data", data);
        }
        self.count(topic, partition, offset);
    }

    fn count(&mut self, topic: &str, partition: i32, offset: i64) {
        let next = self.summaries.len();
        let place = *self.places.entry((topic.to_owned(), partition)).or_insert(next);
        match self.summaries.get_mut(place) {
            Some(summary) => {
                summary.count += 1;
                summary.max_offset = offset;
            }
            None => self.summaries.push(Summary {
                topic: topic.to_owned(),
                partition,
                count: 1,
                min_offset: offset,
                max_offset: offset,
            }),
        }
    }

    fn tell(&self) {
        tell("records_consumed", Read { count: self.read, partitions: self.summaries.iter().collect() });
    }

    /// Commits, and tells of it; with `later` librdkafka will, now and then.
    fn commit(&self, member: &Member, later: bool) -> Result<(), Failure> {
        let failed = |error: KafkaError| exception(&error);
        let mut list = TopicPartitionList::with_capacity(self.summaries.len());
        for of in &self.summaries {
            let next = Offset::Offset(of.max_offset + 1);
            list.add_partition_offset(&of.topic, of.partition, next).map_err(failed)?;
        }
        if later {
            // It fails for a partition that was taken away meanwhile: then it is the next owner's.
            let _ = member.store_offsets(&list);
            return Ok(());
        }
        let error = match member.commit(&list, CommitMode::Sync) {
            Ok(()) => None,
            Err(error)
                if error.rdkafka_error_code() == Some(rdkafka::error::RDKafkaErrorCode::FencedInstanceId) =>
            {
                return Err(failed(error));
            }
            Err(error) => Some(failed(error).message),
        };
        let offset = |of: &'_ Summary| of.max_offset + 1;
        let offsets = self.summaries.iter().map(|of| CommittedOffset {
            topic: &of.topic,
            partition: of.partition,
            offset: offset(of),
        });
        tell("offsets_committed", Committed { offsets: offsets.collect(), success: error.is_none(), error });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_at_once_is_told_by_partition() {
        let mut batch = Batch::default();
        for (partition, offset) in [(1, 5), (0, 2), (1, 6), (1, 9)] {
            batch.count("t", partition, offset);
        }
        let told: Vec<_> =
            batch.summaries.iter().map(|of| (of.partition, of.count, of.min_offset, of.max_offset)).collect();
        assert_eq!(told, [(1, 3, 5, 9), (0, 1, 2, 2)]);
    }

    #[test]
    fn what_is_missing_is_named_in_argparse4js_words() {
        let cases = [
            ("", "argument --topic is required"),
            ("--topic t", "argument --group-id is required"),
            ("--topic t --group-id g", "one of the arguments --bootstrap-server --broker-list is required"),
        ];
        for (line, words) in cases {
            let args = Args::parse_from(std::iter::once("x").chain(line.split_whitespace()));
            assert_eq!(args.check().unwrap_err().message, words);
        }
    }

    #[test]
    fn the_consumer_protocol_has_no_session_timeout_of_the_members() {
        let args = Args { group_protocol: "consumer".to_owned(), session_timeout: 5, ..Args::default() };
        assert_eq!(args.properties().unwrap().get("session.timeout.ms"), None);
        let args = Args { group_protocol: "CLASSIC".to_owned(), session_timeout: 5, ..Args::default() };
        assert_eq!(args.properties().unwrap().get("session.timeout.ms"), Some("5"));
    }
}
