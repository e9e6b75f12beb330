//! `kafka-verifiable-producer`: numbers become records, and each that arrives, or does not, a line of JSON.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use jiff::Timestamp;
use rdkafka::{
    Message as _,
    error::KafkaError,
    producer::{BaseRecord, DeliveryResult, Producer as _, ThreadedProducer},
    util::Timeout,
};
use serde::Serialize;

use super::{
    client::{self, ClientProperties, Context, OnDelivery, Room, exception, names::Role},
    events::{Bare, tell},
    failure::Failure,
    java_text, output,
    signals::Stop,
    throttle::Throttle,
};

const NAME: &str = "verifiable-producer";
/// The longest single sleep: a signal is noticed after so long.
const TURN: Duration = Duration::from_millis(50);
/// How long a full queue is waited for, as `max.block.ms` is in Java.
const MAX_BLOCK_MS: i64 = 60_000;
/// What Java's producer does unless it is told otherwise.
const DEFAULTS: [(&str, &str); 3] =
    [("linger.ms", "0"), ("batch.size", "16384"), ("delivery.timeout.ms", "120000")];

/// Send numbers and write a line of JSON for each that arrives
#[derive(Debug, Default, Parser)]
pub(crate) struct Args {
    /// REQUIRED: the topic to produce to
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// REQUIRED: the brokers to connect to
    #[arg(long, value_name = "HOST1:PORT1[,HOST2:PORT2[...]]")]
    bootstrap_server: Option<String>,
    /// The same, by the name that it had before Kafka 2.5
    #[arg(long, value_name = "HOST1:PORT1[,HOST2:PORT2[...]]")]
    broker_list: Option<String>,
    /// How many records to send; -1: until a signal comes
    #[arg(long, value_name = "MAX-MESSAGES", default_value_t = -1, allow_hyphen_values = true)]
    max_messages: i32,
    /// About how many records a second to send at most; -1: no limit
    #[arg(long, value_name = "THROUGHPUT", default_value_t = -1, allow_hyphen_values = true)]
    throughput: i32,
    /// Whose acknowledgement a record needs: 0, 1 or -1
    #[arg(long, value_name = "ACKS", default_value_t = -1, allow_hyphen_values = true)]
    acks: i32,
    /// A file with properties of the producer, which win over options
    #[arg(long = "producer.config", value_name = "CONFIG-FILE")]
    producer_config: Option<PathBuf>,
    /// The time that records have, milliseconds since 1970, which then advances; -1: when they are sent
    #[arg(long, value_name = "CREATE-TIME", default_value_t = -1, allow_hyphen_values = true)]
    message_create_time: i64,
    /// A number that stands before each value, with a dot between
    #[arg(long, value_name = "VALUE-PREFIX", allow_hyphen_values = true)]
    value_prefix: Option<i32>,
    /// Keys count from 0 to this number, exclusive, again and again; without it there are none
    #[arg(long, value_name = "REPEATING-KEYS", allow_hyphen_values = true)]
    repeating_keys: Option<i32>,
}

impl Args {
    /// What is missing, in argparse4j's words.
    fn check(&self) -> Result<&str, Failure> {
        let brokers = self.bootstrap_server.as_deref().or(self.broker_list.as_deref());
        match (&self.topic, brokers) {
            (None, _) => Err(Failure::usage("argument --topic is required")),
            (_, None) => {
                Err(Failure::usage("one of the arguments --bootstrap-server --broker-list is required"))
            }
            (Some(_), Some(_)) if self.bootstrap_server.is_some() && self.broker_list.is_some() => {
                Err(Failure::usage("argument --broker-list: not allowed with argument --bootstrap-server"))
            }
            (Some(_), Some(_)) if !(-1..=1).contains(&self.acks) => {
                let words =
                    format!("argument --acks: invalid choice: '{}' (choose from {{0,1,-1}})", self.acks);
                Err(Failure::usage(words))
            }
            (Some(_), Some(brokers)) => Ok(brokers),
        }
    }

    fn properties(&self, brokers: &str) -> Result<ClientProperties, Failure> {
        let mut properties = ClientProperties::new(Role::Producer);
        properties.set("bootstrap.servers", brokers);
        properties.set("acks", self.acks);
        properties.set("retries", 0);
        if let Some(file) = &self.producer_config {
            properties.read(file).map_err(|failure| Failure::usage(failure.message))?;
        }
        for (name, value) in DEFAULTS {
            properties.set_default(name, value);
        }
        Ok(properties)
    }
}

#[derive(Serialize)]
struct Arrived<'a> {
    key: Option<&'a str>,
    value: &'a str,
    offset: i64,
    topic: &'a str,
    partition: i32,
}

#[derive(Serialize)]
struct Lost<'a> {
    key: Option<&'a str>,
    value: &'a str,
    topic: &'a str,
    exception: String,
    message: String,
}

fn lost(topic: &str, key: Option<&str>, value: &str, error: &KafkaError) {
    let failure = exception(error);
    let exception = format!("class {}", failure.class);
    tell("producer_send_error", Lost { key, value, topic, exception, message: failure.message });
}

fn text(bytes: Option<&[u8]>) -> Option<&str> {
    bytes.and_then(|bytes| std::str::from_utf8(bytes).ok())
}

/// Tells what became of each record, and counts those that arrived.
#[derive(Default)]
struct Deliveries(AtomicU64);

impl OnDelivery for Arc<Deliveries> {
    type Opaque = ();

    fn delivered(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(record) => {
                self.0.fetch_add(1, Ordering::Relaxed);
                tell(
                    "producer_send_success",
                    Arrived {
                        key: text(record.key()),
                        value: text(record.payload()).unwrap_or_default(),
                        topic: record.topic(),
                        partition: record.partition(),
                        // Without an acknowledgement nobody knows it, which librdkafka says in numbers of its own.
                        offset: record.offset().max(-1),
                    },
                );
            }
            Err((error, record)) => {
                lost(record.topic(), text(record.key()), text(record.payload()).unwrap_or_default(), error);
            }
        }
    }
}

/// Sends until there is a reason to end.
pub(crate) fn run(args: &Args) -> ExitCode {
    super::ended::<Args>(NAME, produce(args))
}

fn produce(args: &Args) -> Result<ExitCode, Failure> {
    let brokers = args.check()?;
    let topic = args.topic.as_deref().unwrap_or_default();
    let properties = args.properties(brokers)?;
    let max_block = u64::try_from(properties.number("max.block.ms", MAX_BLOCK_MS)?).unwrap_or_default();
    let deliveries = Arc::new(Deliveries::default());
    let context = Context::new(deliveries.clone());
    let room = context.room.clone();
    let producer: ThreadedProducer<_> =
        properties.config()?.create_with_context(context).map_err(|error| client::refused(&error))?;
    let stop = Stop::new()?;
    let started = Instant::now();
    tell("startup_complete", Bare {});
    let sent = send(args, topic, &producer, (&room, Duration::from_millis(max_block)), &stop, started);
    // Every record has a deadline, so this ends.
    producer.flush(Timeout::Never).map_err(|error| exception(&error))?;
    tell("shutdown_complete", Bare {});
    let acked = deliveries.0.load(Ordering::Relaxed);
    tell_totals(sent, acked, args.throughput, started.elapsed());
    Ok(stop.code().map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// How many were sent.
fn send(
    args: &Args,
    topic: &str,
    producer: &ThreadedProducer<Context<Arc<Deliveries>>>,
    (room, max_block): (&Room, Duration),
    stop: &Stop,
    started: Instant,
) -> u64 {
    let most = u64::try_from(args.max_messages).unwrap_or(u64::MAX);
    let mut throttle = Throttle::new(f64::from(args.throughput));
    let mut time = Some(args.message_create_time).filter(|time| *time != -1);
    for number in 0..most {
        if stop.code().is_some() {
            return number;
        }
        let since = started.elapsed();
        let value =
            args.value_prefix.map_or_else(|| number.to_string(), |prefix| format!("{prefix}.{number}"));
        let key = key(args.repeating_keys, number);
        let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic).payload(&value);
        record.key = key.as_deref();
        if let Some(now) = &mut time {
            record = record.timestamp(*now);
            *now = now.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        }
        if let Err(error) = room.send(producer, record, max_block) {
            lost(topic, key.as_deref(), &value, &error);
        }
        if let Some(pause) = throttle.pause(number, since) {
            sleep(pause, stop);
        }
    }
    most
}

/// Keys count up to a number; one that is not above 0 is never met, as in Kafka's tool.
fn key(repeating: Option<i32>, number: u64) -> Option<String> {
    repeating.map(|most| match u64::try_from(most) {
        Ok(most) if most > 0 => (number % most).to_string(),
        _ => number.to_string(),
    })
}

/// Sleeps until a signal comes at the longest.
fn sleep(pause: Duration, stop: &Stop) {
    let started = Instant::now();
    while stop.code().is_none() {
        let left = pause.saturating_sub(started.elapsed());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(TURN));
    }
}

fn tell_totals(sent: u64, acked: u64, target: i32, took: Duration) {
    let average = java_text::double(1000.0 * (acked as f64 / took.as_millis() as f64));
    // Java's text of the number, which JSON's is not.
    let timestamp = Timestamp::now().as_millisecond();
    output::line(format_args!(
        r#"{{"timestamp":{timestamp},"name":"tool_data","sent":{sent},"acked":{acked},"target_throughput":{target},"avg_throughput":{average}}}"#
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_begin_again() {
        let keys = |most| (0..5).map(|number| key(most, number)).collect::<Vec<_>>();
        assert_eq!(keys(None), vec![None; 5]);
        assert_eq!(keys(Some(2)), ["0", "1", "0", "1", "0"].map(|key| Some(key.to_owned())));
    }

    #[test]
    fn what_is_missing_is_named_in_argparse4js_words() {
        let cases = [
            ("", "argument --topic is required"),
            ("--topic t", "one of the arguments --bootstrap-server --broker-list is required"),
            (
                "--topic t --broker-list b:1 --acks=2",
                "argument --acks: invalid choice: '2' (choose from {0,1,-1})",
            ),
        ];
        for (line, words) in cases {
            let args = Args::parse_from(std::iter::once("x").chain(line.split_whitespace()));
            assert_eq!(args.check().unwrap_err().message, words);
        }
    }
}
