//! Where records go: one producer for all streams, and whether all that it was given has arrived.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    Message as _, Timestamp,
    message::{BorrowedMessage, Headers as _},
    producer::{BaseRecord, DeliveryResult, Producer as _, ThreadedProducer},
    util::Timeout,
};

use super::options::Settings;
use crate::tools::{
    client::{self, Context, OnDelivery, Room, exception},
    failure::Failure,
    output,
};

/// The longest single wait for acknowledgements: a failure of another stream is noticed after so long.
const TURN: Duration = Duration::from_millis(200);

/// Tells of records that did not arrive.
#[derive(Debug)]
struct Deliveries {
    failed: Arc<AtomicBool>,
    aborts: bool,
}

impl OnDelivery for Deliveries {
    type Opaque = ();

    fn delivered(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, record)) = result else { return };
        self.lost(record.topic(), record.key(), record.payload(), &exception(error));
    }
}

impl Deliveries {
    fn lost(&self, topic: &str, key: Option<&[u8]>, value: Option<&[u8]>, failure: &Failure) {
        // Of the records that follow one that ended the tool nobody wants to hear.
        if self.aborts && self.failed.swap(true, Ordering::AcqRel) {
            return;
        }
        let length =
            |bytes: Option<&[u8]>| bytes.map_or("null".to_owned(), |bytes| format!("{} bytes", bytes.len()));
        let text = format!(
            "Error when sending message to topic {topic} with key: {}, value: {} with error:",
            length(key),
            length(value)
        );
        output::log_caused(
            &text,
            "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback",
            failure,
        );
    }
}

/// The other cluster.
pub(super) struct Target {
    producer: ThreadedProducer<Context<Deliveries>>,
    room: Room,
    failed: Arc<AtomicBool>,
    sync: bool,
    max_block: Duration,
}

impl Target {
    pub(super) fn new(settings: &Settings) -> Result<Target, Failure> {
        let failed = Arc::new(AtomicBool::new(false));
        let context = Context::new(Deliveries { failed: failed.clone(), aborts: settings.abort_on_failure });
        let room = context.room.clone();
        let max_block = settings.producer.number("max.block.ms", i64::MAX)?;
        let config = settings.producer.config()?;
        let producer = config.create_with_context(context).map_err(|error| client::refused(&error))?;
        let max_block = Duration::from_millis(u64::try_from(max_block).unwrap_or_default());
        Ok(Target { producer, room, failed, sync: settings.sync, max_block })
    }

    /// The tool ends, and commits nothing more.
    pub(super) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    /// Whether it does.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Hands a record over: key, value, headers and time as they are, to the topic of the same name.
    pub(super) fn send(&self, from: &BorrowedMessage<'_>) {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(from.topic());
        record.key = from.key();
        record.payload = from.payload();
        if let Timestamp::CreateTime(time) | Timestamp::LogAppendTime(time) = from.timestamp() {
            record = record.timestamp(time);
        }
        if let Some(headers) = from.headers().filter(|headers| headers.count() > 0) {
            record = record.headers(headers.detach());
        }
        if let Err(error) = self.room.send(&self.producer, record, self.max_block) {
            let failure = exception(&error);
            self.producer.context().hears.lost(from.topic(), from.key(), from.payload(), &failure);
        }
        if self.sync {
            self.flush();
        }
    }

    /// Waits until all that was handed over has arrived, and says whether offsets may be committed.
    pub(super) fn flush(&self) -> bool {
        while !self.has_failed() {
            match self.producer.flush(Timeout::After(TURN)) {
                Ok(()) => return !self.has_failed(),
                // Not all yet.
                Err(error) if client::is_passing(&error) => {}
                Err(error) => {
                    output::log_error(&exception(&error).to_string(), super::LOGGER);
                    self.fail();
                }
            }
        }
        false
    }
}
