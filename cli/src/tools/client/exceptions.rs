//! librdkafka's errors under the names of Java's exceptions.

use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::super::failure::Failure;

/// A class of `org.apache.kafka.common.errors`.
macro_rules! common {
    ($name:literal) => {
        concat!("org.apache.kafka.common.errors.", $name)
    };
}

/// The exceptions that producing and consuming are known to meet.
const CLASSES: &[(Code, &str)] = &[
    (Code::AutoOffsetReset, "org.apache.kafka.clients.consumer.NoOffsetForPartitionException"),
    (Code::NoOffset, "org.apache.kafka.clients.consumer.NoOffsetForPartitionException"),
    (Code::OffsetOutOfRange, "org.apache.kafka.clients.consumer.OffsetOutOfRangeException"),
    (Code::AllBrokersDown, common!("DisconnectException")),
    (Code::Authentication, common!("SaslAuthenticationException")),
    (Code::BrokerTransportFailure, common!("DisconnectException")),
    (Code::ClusterAuthorizationFailed, common!("ClusterAuthorizationException")),
    (Code::CoordinatorNotAvailable, common!("CoordinatorNotAvailableException")),
    (Code::FencedInstanceId, common!("FencedInstanceIdException")),
    (Code::GroupAuthorizationFailed, common!("GroupAuthorizationException")),
    (Code::InconsistentGroupProtocol, common!("InconsistentGroupProtocolException")),
    (Code::InvalidGroupId, common!("InvalidGroupIdException")),
    (Code::InvalidMessage, common!("CorruptRecordException")),
    (Code::InvalidRequest, common!("InvalidRequestException")),
    (Code::InvalidRequiredAcks, common!("InvalidRequiredAcksException")),
    (Code::InvalidSessionTimeout, common!("InvalidSessionTimeoutException")),
    (Code::InvalidTimestamp, common!("InvalidTimestampException")),
    (Code::InvalidTopic, common!("InvalidTopicException")),
    (Code::InvalidTransactionTimeout, common!("InvalidTxnTimeoutException")),
    (Code::KafkaStorageError, common!("KafkaStorageException")),
    (Code::LeaderNotAvailable, common!("LeaderNotAvailableException")),
    (Code::MessageBatchTooLarge, common!("RecordBatchTooLargeException")),
    (Code::MessageSizeTooLarge, common!("RecordTooLargeException")),
    (Code::MessageTimedOut, common!("TimeoutException")),
    (Code::NotEnoughReplicas, common!("NotEnoughReplicasException")),
    (Code::NotEnoughReplicasAfterAppend, common!("NotEnoughReplicasAfterAppendException")),
    (Code::NotLeaderForPartition, common!("NotLeaderOrFollowerException")),
    (Code::OperationTimedOut, common!("TimeoutException")),
    (Code::PolicyViolation, common!("PolicyViolationException")),
    (Code::ProducerFenced, common!("ProducerFencedException")),
    (Code::QueueFull, common!("TimeoutException")),
    (Code::RequestTimedOut, common!("TimeoutException")),
    (Code::SaslAuthenticationFailed, common!("SaslAuthenticationException")),
    (Code::TopicAuthorizationFailed, common!("TopicAuthorizationException")),
    (Code::TransactionalIdAuthorizationFailed, common!("TransactionalIdAuthorizationException")),
    (Code::UnknownPartition, common!("UnknownTopicOrPartitionException")),
    (Code::UnknownTopic, common!("UnknownTopicOrPartitionException")),
    (Code::UnknownTopicOrPartition, common!("UnknownTopicOrPartitionException")),
    (Code::UnsupportedCompressionType, common!("UnsupportedCompressionTypeException")),
    (Code::UnsupportedFeature, common!("UnsupportedVersionException")),
    (Code::UnsupportedForMessageFormat, common!("UnsupportedForMessageFormatException")),
    (Code::UnsupportedVersion, common!("UnsupportedVersionException")),
];

/// The exception that Java's clients throw where librdkafka reports `error`.
pub(crate) fn exception(error: &KafkaError) -> Failure {
    let code = error.rdkafka_error_code();
    let message = match (error, code) {
        // Its text is the broker's or librdkafka's own, and says more than the code.
        (KafkaError::Transaction(cause), _) => cause.string(),
        (_, Some(code)) => code.to_string(),
        (_, None) => error.to_string(),
    };
    let known = CLASSES.iter().find(|(known, _)| Some(*known) == code);
    Failure::new(known.map_or("org.apache.kafka.common.KafkaException", |(_, class)| class), message)
}
