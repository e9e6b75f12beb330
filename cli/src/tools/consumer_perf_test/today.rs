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
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance},
    error::KafkaError,
};

use super::super::{
    client::{self, LoggingContext, METRICS_INTERVAL_MS, Metrics, exception, is_passing, names::Role},
    failure::Failure,
    output,
};
use super::{
    options::Settings,
    progress::{self, Counts, Span},
};

/// The longest single wait for a record.
const TURN: Duration = Duration::from_millis(100);

/// How long the group has been without partitions, in milliseconds.
#[derive(Debug, Default)]
struct Rebalances {
    /// When the present one began, since 1970.
    since: AtomicI64,
    all: AtomicI64,
    /// Of this interval.
    recent: AtomicI64,
}

/// Measures rebalances.
struct Context {
    rebalances: Arc<Rebalances>,
    metrics: Metrics,
    log: LoggingContext,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        self.log.log(level, fac, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.log.error(error, reason);
    }

    fn stats(&self, report: Statistics) {
        self.metrics.report(report);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Revoke(_)) {
            self.rebalances.since.store(now(), Ordering::Relaxed);
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Assign(_)) {
            let took = now() - self.rebalances.since.load(Ordering::Relaxed);
            self.rebalances.all.fetch_add(took, Ordering::Relaxed);
            self.rebalances.recent.fetch_add(took, Ordering::Relaxed);
        }
    }
}

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
        output::line(progress::header(settings.detailed));
    }
    let rebalances = Arc::new(Rebalances::default());
    let metrics = Metrics::default();
    let context = Context { rebalances: rebalances.clone(), metrics: metrics.clone(), log: LoggingContext };
    let consumer: BaseConsumer<Context> =
        config.create_with_context(context).map_err(|error| client::refused(&error))?;
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
        let more = progress::total_without(rebalances.all.load(Ordering::Relaxed), span, counts);
        output::line(format_args!("{}{more}", progress::total(&settings.dates, span, counts)));
    }
    if settings.print_metrics {
        output::write(&metrics.table(Role::Consumer));
    }
    Ok(())
}

fn consume(
    settings: &Settings,
    consumer: &BaseConsumer<Context>,
    rebalances: &Rebalances,
) -> Result<Counts, Failure> {
    consumer.subscribe(&[&settings.topic]).map_err(|error| exception(&error))?;
    let (mut counts, mut reported) = (Counts::default(), Counts::default());
    let mut time = now();
    let (mut last_report, mut last_record) = (time, time);
    let interval = i64::try_from(settings.interval.as_millis()).unwrap_or(i64::MAX);
    while counts.messages < settings.messages && time - last_record <= settings.timeout_ms {
        let polled = consumer.poll(TURN);
        time = now();
        let record = match polled {
            None => continue,
            Some(Ok(record)) => record,
            Some(Err(error)) if is_passing(&error) => continue,
            Some(Err(error)) => return Err(exception(&error)),
        };
        last_record = time;
        counts.add(record.key_len() + record.payload_len());
        if time - last_report >= interval {
            let recent = rebalances.recent.swap(0, Ordering::Relaxed);
            if settings.detailed {
                let span = Span { from: last_report, to: time };
                let line = progress::interval(&settings.dates, 0, span, reported, counts);
                let more = progress::interval_without(recent, span, reported, counts);
                output::line(format_args!("{line}{more}"));
            }
            (last_report, reported) = (time, counts);
        }
    }
    if counts.messages < settings.messages {
        output::line(format_args!(
            "WARNING: Exiting before consuming the expected number of messages: timeout ({} ms) exceeded. You can use the --timeout option \
             to increase the timeout.",
            settings.timeout_ms
        ));
    }
    Ok(counts)
}
