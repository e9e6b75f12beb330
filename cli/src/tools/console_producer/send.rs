//! Sending the records, and telling of those that were not delivered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    Message,
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ThreadedProducer},
    util::Timeout,
};

use super::{lines::Line, options::Settings};
use crate::tools::{
    client::{self, Context, OnDelivery, Quiet, Room, exception},
    failure::Failure,
    output,
};

/// Where Kafka logs a record that was lost.
const LOGGER: &str = "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback";

/// How long a signal waits to learn whether there is a broker that takes what is left.
const ANSWER: Duration = Duration::from_millis(500);
/// And how long for that broker to take it.
const DRAIN: Duration = Duration::from_secs(30);

/// Writes a line for each lost record.
#[derive(Debug, Default)]
struct Deliveries {
    lost: Arc<AtomicBool>,
}

impl OnDelivery for Deliveries {
    type Opaque = ();

    fn delivered(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, record)) = result else { return };
        self.lost.store(true, Ordering::Relaxed);
        let length =
            |bytes: Option<&[u8]>| bytes.map_or("null".to_owned(), |bytes| format!("{} bytes", bytes.len()));
        let (key, value) = (length(record.key()), length(record.payload()));
        let text = format!(
            "Error when sending message to topic {} with key: {key}, value: {value} with error:",
            record.topic()
        );
        output::log_caused(&text, LOGGER, exception(error));
    }
}

/// A producer; clones share it.
#[derive(Clone)]
pub(super) struct Sender {
    producer: Arc<ThreadedProducer<Context<Deliveries>, NoCustomPartitioner>>,
    room: Room,
    quiet: Quiet,
    lost: Arc<AtomicBool>,
    topic: Arc<str>,
    sync: bool,
    max_block: Duration,
}

impl Sender {
    pub(super) fn new(settings: &Settings) -> Result<Self, Failure> {
        let deliveries = Deliveries::default();
        let lost = deliveries.lost.clone();
        let context = Context::new(deliveries);
        let (room, quiet) = (context.room.clone(), context.quiet());
        let producer =
            settings.client.config()?.create_with_context(context).map_err(|e| client::refused(&e))?;
        Ok(Self {
            producer: Arc::new(producer),
            room,
            quiet,
            lost,
            topic: settings.topic.as_str().into(),
            sync: settings.sync,
            max_block: settings.max_block,
        })
    }

    /// Hands a record over; with `--sync` it is delivered when this returns.
    pub(super) fn send(&self, line: &Line<'_>) -> Result<(), Failure> {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic);
        record.key = line.key;
        record.payload = line.value;
        if !line.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(line.headers.len());
            let headers = line
                .headers
                .iter()
                .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: *value }));
            record = record.headers(headers);
        }
        self.room.send(&self.producer, record, self.max_block).map_err(|error| exception(&error))?;
        if self.sync {
            self.producer.flush(Timeout::Never).map_err(|error| exception(&error))?;
            if self.lost.load(Ordering::Relaxed) {
                return Err(Failure::new(
                    "java.util.concurrent.ExecutionException",
                    "the record was not delivered",
                ));
            }
        }
        Ok(())
    }

    /// Waits until each record is delivered or lost. Every record has a deadline, so this ends.
    pub(super) fn close(&self) {
        if let Err(error) = self.producer.flush(Timeout::Never) {
            output::log_error(&exception(&error).to_string(), LOGGER);
        }
    }

    /// Sends what was typed before a signal, as long as that makes sense: records that no broker takes are dropped without a word, as
    /// Java's producer drops those that still wait for the topic's partitions.
    pub(super) fn close_at_signal(&self) {
        self.quiet.begin();
        if self.producer.in_flight_count() == 0 {
            return;
        }
        let known = self.producer.client().fetch_metadata(Some(&*self.topic), ANSWER);
        let taken =
            known.is_ok_and(|known| known.topics().iter().any(|topic| !topic.partitions().is_empty()));
        if taken {
            // Whether it has become empty or not: the process ends.
            let _ = self.producer.flush(DRAIN);
        }
    }
}
