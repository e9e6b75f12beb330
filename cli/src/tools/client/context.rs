//! What librdkafka reports: its log and errors, on standard error in log4j's layout; its statistics; and what a tool itself waits for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{DeliveryResult, ProducerContext},
    util::IntoOpaque,
};

use super::{super::output, Metrics, Room};

const LOGGER: &str = "org.apache.kafka.clients.NetworkClient";

/// A context that writes warnings and errors, keeps the latest statistics where they are asked for, and tells `T` the rest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context<T> {
    /// Who hears of deliveries ([`OnDelivery`]) or of rebalances ([`OnRebalance`]).
    pub(crate) hears: T,
    /// A producer's queue.
    pub(crate) room: Room,
    /// The latest statistics.
    pub(crate) metrics: Metrics,
    quiet: Quiet,
}

/// A context that only logs.
pub(crate) type LoggingContext = Context<()>;

/// Whether nothing is logged any more. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quiet(Arc<AtomicBool>);

impl Quiet {
    /// From now on.
    pub(crate) fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has begun.
    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Who hears what became of records.
pub(crate) trait OnDelivery: Send + Sync {
    /// What a record carries, to be known again.
    type Opaque: IntoOpaque;

    /// A record has been delivered or lost.
    fn delivered(&self, result: &DeliveryResult<'_>, opaque: Self::Opaque);
}

/// Who hears of partitions that come and go.
pub(crate) trait OnRebalance: Send + Sync + Sized + 'static {
    /// Partitions are about to be given or taken.
    fn before(&self, _: &BaseConsumer<Context<Self>>, _: &Rebalance<'_>) {}

    /// They have been.
    fn after(&self, _: &Rebalance<'_>) {}
}

impl OnRebalance for () {}

impl<T> Context<T> {
    /// A context that tells `hears`.
    pub(crate) fn new(hears: T) -> Self {
        Self { hears, room: Room::default(), metrics: Metrics::default(), quiet: Quiet::default() }
    }

    /// What ends its logging.
    pub(crate) fn quiet(&self) -> Quiet {
        self.quiet.clone()
    }
}

impl<T: Send + Sync> ClientContext for Context<T> {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        if level as i32 <= RDKafkaLogLevel::Warning as i32 && !self.quiet.is_on() {
            output::log_warning(&format!("{fac}: {message}"), LOGGER);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka logs the loss of a single connection itself.
        let logged = matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::BrokerTransportFailure));
        if !logged && !self.quiet.is_on() {
            output::log_warning(reason, LOGGER);
        }
    }

    fn stats(&self, report: Statistics) {
        self.metrics.report(report);
    }
}

impl<T: OnDelivery> ProducerContext for Context<T> {
    type DeliveryOpaque = T::Opaque;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: T::Opaque) {
        self.room.made();
        self.hears.delivered(result, opaque);
    }
}

impl<T: OnRebalance> ConsumerContext for Context<T> {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.hears.before(consumer, rebalance);
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        self.hears.after(rebalance);
    }
}

/// Whether a client overcomes an error by itself, as Java's do, which log a warning and go on.
pub(crate) fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let Some(code) = error.rdkafka_error_code() else { return false };
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::RequestTimedOut
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::RebalanceInProgress
            | Code::IllegalGeneration
            | Code::UnknownMemberId
            | Code::KafkaStorageError
            | Code::FencedLeaderEpoch
            | Code::UnknownLeaderEpoch
            | Code::OffsetNotAvailable
            | Code::PartitionEOF
            | Code::NetworkException
            | Code::WaitingForCoordinator
            | Code::PollExceeded
    )
}
