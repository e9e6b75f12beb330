//! The consumer of Kafka 0.9 and later.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, Rebalance},
    message::BorrowedMessage,
};

use super::super::{
    client::{self, Context, METRICS_INTERVAL_MS, OnRebalance, exception, is_passing, names::Role},
    failure::Failure,
    output,
};
use super::{
    options::Settings,
    progress::{Counts, Interval, Span},
};

/// The longest single wait for a record.
const TURN: Duration = Duration::from_millis(100);
/// How long 0.11's tool waits for its partitions.
const JOIN_MS: i64 = 10_000;
/// How long going to the partitions' beginnings may take: one try, and all.
const SEEK: Duration = Duration::from_secs(1);
const SEEK_MS: i64 = 10_000;

/// How long the group has been without partitions, in milliseconds.
#[derive(Debug, Default)]
struct Rebalances {
    /// When the present one began, since 1970.
    since: AtomicI64,
    all: AtomicI64,
    /// Of this interval.
    recent: AtomicI64,
}

impl OnRebalance for Arc<Rebalances> {
    fn before(&self, _: &BaseConsumer<Context<Self>>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Revoke(_)) {
            self.since.store(now(), Ordering::Relaxed);
        }
    }

    fn after(&self, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            let took = now() - self.since.load(Ordering::Relaxed);
            self.all.fetch_add(took, Ordering::Relaxed);
            self.recent.fetch_add(took, Ordering::Relaxed);
        }
    }
}

type Consumer = BaseConsumer<Context<Arc<Rebalances>>>;

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// Consumes and prints.
pub(super) fn run(settings: &Settings) -> Result<(), Failure> {
    let mut config = settings.client.config()?;
    if settings.print_metrics {
        config.set("statistics.interval.ms", METRICS_INTERVAL_MS);
    }
    if settings.header {
        output::line(settings.form.header(settings.detailed));
    }
    let rebalances = Arc::new(Rebalances::default());
    let context = Context::new(rebalances.clone());
    let metrics = context.metrics.clone();
    let consumer: Consumer = config.create_with_context(context).map_err(|error| client::refused(&error))?;
    let from = now();
    rebalances.since.store(from, Ordering::Relaxed);
    let counts = consume(settings, &consumer, &rebalances)?;
    let span = Span { from, to: now() };
    if settings.print_metrics {
        // Reports are handed over by polling, and what they would bring besides is no longer asked for.
        let seen = metrics.count();
        while metrics.count() < seen + 2 && now() < span.to + 5_000 {
            let _ = consumer.poll(TURN);
        }
    }
    drop(consumer);
    if !settings.detailed {
        output::line(settings.form.total(span, counts, rebalances.all.load(Ordering::Relaxed)));
    }
    if settings.print_metrics {
        output::write(&metrics.table(Role::Consumer));
    }
    Ok(())
}

fn consume(settings: &Settings, consumer: &Consumer, rebalances: &Rebalances) -> Result<Counts, Failure> {
    consumer.subscribe(&[&settings.topic]).map_err(|error| exception(&error))?;
    if settings.anew {
        join(consumer)?;
        go_to_beginning(consumer)?;
    }
    let (mut counts, mut reported) = (Counts::default(), Counts::default());
    let mut time = now();
    let (mut last_report, mut last_record) = (time, time);
    let interval = i64::try_from(settings.interval.as_millis()).unwrap_or(i64::MAX);
    while counts.messages < settings.messages && time - last_record <= settings.timeout_ms {
        let record = poll(consumer)?;
        time = now();
        let Some(record) = record else { continue };
        last_record = time;
        counts.add(record.key_len() + record.payload_len());
        if time - last_report >= interval {
            let recent = rebalances.recent.swap(0, Ordering::Relaxed);
            if settings.detailed {
                let span = Span { from: last_report, to: time };
                let counts = Interval { before: reported, now: counts };
                output::line(settings.form.interval(0, span, counts, recent));
            }
            (last_report, reported) = (time, counts);
        }
    }
    if counts.messages < settings.messages && settings.form.rebalances {
        output::line(format_args!(
            "WARNING: Exiting before consuming the expected number of messages: timeout ({} ms) exceeded. You can use the --timeout option \
             to increase the timeout.",
            settings.timeout_ms
        ));
    }
    Ok(counts)
}

/// Waits a turn for a record; what the client overcomes by itself is none.
fn poll(consumer: &Consumer) -> Result<Option<BorrowedMessage<'_>>, Failure> {
    match consumer.poll(TURN) {
        None => Ok(None),
        Some(Ok(record)) => Ok(Some(record)),
        Some(Err(error)) if is_passing(&error) => Ok(None),
        Some(Err(error)) => Err(exception(&error)),
    }
}

/// Waits until the group has given partitions, as 0.11's tool does, which begins to measure after that.
fn join(consumer: &Consumer) -> Result<(), Failure> {
    let end = now() + JOIN_MS;
    while consumer.assignment().map_err(|error| exception(&error))?.count() == 0 {
        if now() >= end {
            return Err(Failure::new("java.lang.Exception", "Timed out waiting for initial group join."));
        }
        // What comes already is read again from the beginning.
        poll(consumer)?;
    }
    Ok(())
}

/// Goes to the beginning of every partition, wherever the group is.
fn go_to_beginning(consumer: &Consumer) -> Result<(), Failure> {
    let failed = |error| exception(&error);
    let assigned = consumer.assignment().map_err(failed)?;
    let mut beginning = TopicPartitionList::with_capacity(assigned.count());
    for partition in assigned.elements() {
        beginning
            .add_partition_offset(partition.topic(), partition.partition(), Offset::Beginning)
            .map_err(failed)?;
    }
    let end = now() + SEEK_MS;
    loop {
        let moved = consumer.seek_partitions(beginning.clone(), SEEK).map_err(failed)?;
        let Some(error) = moved.elements().iter().find_map(|partition| partition.error().err()) else {
            return Ok(());
        };
        // A partition that librdkafka has not begun to fetch yet cannot be moved.
        if now() >= end {
            return Err(exception(&error));
        }
        poll(consumer)?;
    }
}
