//! The tool of Kafka 0.9 and later: one producer, and how long each record took.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    producer::{BaseRecord, DeliveryResult, Producer as _, ThreadedProducer},
    util::Timeout,
};

use super::super::{
    client::{self, Context, METRICS_INTERVAL_MS, OnDelivery, exception, names::Role},
    failure::Failure,
    output,
    throttle::Throttle,
};
use super::{options::Today, payload::Payloads, stats::Stats};

/// How long the beginning of transactions may take, as `max.block.ms` is in Java.
const MAX_BLOCK_MS: i64 = 60_000;

/// What Java's producer does unless it is told otherwise; measurements depend on it.
const DEFAULTS: [(&str, &str); 4] = [
    ("linger.ms", "0"),
    ("batch.size", "16384"),
    ("buffer.memory", "33554432"),
    ("delivery.timeout.ms", "120000"),
];

/// Counts what is acknowledged.
struct Deliveries {
    started: Instant,
    stats: Mutex<Stats>,
}

impl OnDelivery for Arc<Deliveries> {
    /// When the record was sent: microseconds since the start.
    type Opaque = usize;

    fn delivered(&self, result: &DeliveryResult<'_>, sent: usize) {
        match result {
            Ok(record) => {
                let now = self.started.elapsed();
                let latency = now.saturating_sub(Duration::from_micros(sent as u64));
                let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(line) = stats.record(record.payload_len(), latency, now) {
                    output::line(line);
                }
            }
            Err((error, _)) => eprintln!("{}", exception(error)),
        }
    }
}

type Producing = ThreadedProducer<Context<Arc<Deliveries>>>;

/// Sends the records and prints the lines.
pub(super) fn run(settings: &Today) -> Result<(), Failure> {
    let mut payloads = Payloads::new(&settings.source)?;
    let mut properties = settings.client.clone();
    // librdkafka bounds the delivery in a transaction by the transaction's own time-out, unless it is told to contradict that.
    let known = if settings.transaction_ms.is_some() { &DEFAULTS[..3] } else { &DEFAULTS };
    for (name, value) in known {
        properties.set_default(name, value);
    }
    let max_block = u64::try_from(properties.number("max.block.ms", MAX_BLOCK_MS)?).unwrap_or_default();
    let max_block = Duration::from_millis(max_block);
    let mut config = properties.config()?;
    if settings.print_metrics {
        config.set("statistics.interval.ms", METRICS_INTERVAL_MS);
    }
    let started = Instant::now();
    let deliveries =
        Arc::new(Deliveries { started, stats: Mutex::new(Stats::new(settings.records, settings.era)) });
    let context = Context::new(deliveries.clone());
    let (room, metrics) = (context.room.clone(), context.metrics.clone());
    let producer: Producing = config.create_with_context(context).map_err(|error| client::refused(&error))?;
    let mut transactions = Transactions::begin(settings.transaction_ms, &producer, max_block)?;
    let mut throttle = Throttle::new(settings.throughput);
    // Kafka's clock starts when the transactions are ready; ours, which runs already, is told.
    let ready = started.elapsed();
    for number in 0..settings.records {
        transactions.before_record(&producer)?;
        let sent = started.elapsed();
        let record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(&settings.topic, sent.as_micros() as usize)
                .payload(payloads.next(number));
        if let Err(error) = room.send(&producer, record, max_block) {
            eprintln!("{}", exception(&error));
        }
        transactions.after_record(&producer)?;
        if let Some(pause) = throttle.pause(number, sent.saturating_sub(ready)) {
            std::thread::sleep(pause);
        }
    }
    transactions.end(&producer)?;
    producer.flush(Timeout::Never).map_err(|error| exception(&error))?;
    let elapsed = started.elapsed().saturating_sub(ready);
    let total = deliveries.stats.lock().unwrap_or_else(PoisonError::into_inner).total_line(elapsed);
    output::line(total);
    if settings.print_metrics {
        output::write(&metrics.next_table(Role::Producer));
    }
    Ok(())
}

/// Transactions of a certain age, or none.
struct Transactions {
    age: Option<Duration>,
    since: Option<Instant>,
}

impl Transactions {
    fn begin(age_ms: Option<u64>, producer: &Producing, limit: Duration) -> Result<Transactions, Failure> {
        let age = age_ms.map(Duration::from_millis);
        if age.is_some() {
            producer.init_transactions(limit).map_err(|error| {
                let failure = exception(&error);
                let message = format!("transactions cannot be used: {}", failure.message);
                Failure { message, ..failure }
            })?;
        }
        Ok(Transactions { age, since: None })
    }

    fn before_record(&mut self, producer: &Producing) -> Result<(), Failure> {
        if self.age.is_some() && self.since.is_none() {
            producer.begin_transaction().map_err(|error| exception(&error))?;
            self.since = Some(Instant::now());
        }
        Ok(())
    }

    fn after_record(&mut self, producer: &Producing) -> Result<(), Failure> {
        match (self.age, self.since) {
            (Some(age), Some(since)) if since.elapsed() >= age => self.end(producer),
            _ => Ok(()),
        }
    }

    fn end(&mut self, producer: &Producing) -> Result<(), Failure> {
        if self.since.take().is_some() {
            producer.commit_transaction(Timeout::Never).map_err(|error| exception(&error))?;
        }
        Ok(())
    }
}
