//! What librdkafka reports, on standard error in log4j's layout.

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};

use super::super::output;

/// A context that writes warnings and errors, and is silent otherwise.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoggingContext;

const LOGGER: &str = "org.apache.kafka.clients.NetworkClient";

impl ClientContext for LoggingContext {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        if level as i32 <= RDKafkaLogLevel::Warning as i32 {
            output::log_warning(&format!("{fac}: {message}"), LOGGER);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // librdkafka logs the loss of a single connection itself.
        if !matches!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::BrokerTransportFailure)) {
            output::log_warning(reason, LOGGER);
        }
    }
}

impl ConsumerContext for LoggingContext {}

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
