//! What ends a tool: the exception that Kafka's tool throws, and its message.

use std::fmt;

use vltava_broker::control::ConnectError;
use vltava_client::{ApiError, ClientError};
use vltava_protocol::ErrorCode;
use vltava_settings::Problem;
use zookeeper_client as zk;

const CONNECTING: &str = "org.apache.kafka.common.KafkaException";

/// Why a tool cannot do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The class of the exception, which is part of what Kafka's tools print.
    pub(crate) class: &'static str,
    /// The message.
    pub(crate) message: String,
    /// Whether the options themselves are wrong: then they are listed after the message.
    pub(crate) usage: bool,
}

impl Failure {
    pub(crate) fn new(class: &'static str, message: impl Into<String>) -> Failure {
        Failure { class, message: message.into(), usage: false }
    }

    /// `java.lang.IllegalArgumentException`, which Kafka's tools throw for most mistakes of their user.
    pub(crate) fn illegal(message: impl Into<String>) -> Failure {
        Failure::new("java.lang.IllegalArgumentException", message)
    }

    /// Options that are missing or contradict each other.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { usage: true, ..Failure::illegal(message) }
    }

    /// What the user said of the connection to a cluster makes no client: an address or a property file.
    pub(crate) fn connecting(message: impl Into<String>) -> Failure {
        Failure::new(CONNECTING, message)
    }

    /// Whether it is one of [`Failure::connecting`].
    pub(crate) fn is_of_connecting(&self) -> bool {
        self.class == CONNECTING
    }

    /// `Missing required argument "[topic]"`.
    pub(crate) fn missing(option: &str) -> Failure {
        Failure::usage(format!("Missing required argument \"[{option}]\""))
    }

    /// `Option "[list]" can't be used with option "[config]"`.
    pub(crate) fn conflict(used: &str, with: &str) -> Failure {
        Failure::usage(format!("Option \"[{used}]\" can't be used with option \"[{with}]\""))
    }
}

/// The class and the message, as a stack trace begins.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        Failure::new(exception(error.code), error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let class = match &error {
            ClientError::Api(error) => exception(error.code),
            ClientError::Address(_) => "org.apache.kafka.common.config.ConfigException",
            ClientError::Unsupported { .. } | ClientError::Request { .. } => {
                "org.apache.kafka.common.errors.UnsupportedVersionException"
            }
            ClientError::Timeout { .. } | ClientError::Unreachable { .. } => {
                "org.apache.kafka.common.errors.TimeoutException"
            }
            ClientError::Connection { .. } => "org.apache.kafka.common.errors.DisconnectException",
            ClientError::NoSuchNode(_) => "org.apache.kafka.common.errors.BrokerNotAvailableException",
            ClientError::Answer { .. } => "org.apache.kafka.common.protocol.types.SchemaException",
        };
        Failure::new(class, error.to_string())
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::new("org.I0Itec.zkclient.exception.ZkTimeoutException", error.to_string())
    }
}

impl From<zk::Error> for Failure {
    fn from(error: zk::Error) -> Failure {
        Failure::new("org.I0Itec.zkclient.exception.ZkException", format!("ZooKeeper: {error}"))
    }
}

impl From<vltava_broker::control::znodes::ZnodeError> for Failure {
    fn from(error: vltava_broker::control::znodes::ZnodeError) -> Failure {
        Failure::new("kafka.common.KafkaException", error.to_string())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        let class = match &problem {
            Problem::Value(vltava_settings::InvalidValue::Unknown { .. }) => {
                "org.apache.kafka.common.errors.InvalidConfigurationException"
            }
            _ => "org.apache.kafka.common.config.ConfigException",
        };
        Failure::new(class, problem.to_string())
    }
}

/// The exception that Kafka's clients make of an error code; those that its tools are known to meet.
fn exception(code: ErrorCode) -> &'static str {
    use ErrorCode as Code;
    match code {
        Code::TopicAlreadyExists => "org.apache.kafka.common.errors.TopicExistsException",
        Code::InvalidTopic => "org.apache.kafka.common.errors.InvalidTopicException",
        Code::InvalidReplicationFactor => "org.apache.kafka.common.errors.InvalidReplicationFactorException",
        Code::InvalidPartitions => "org.apache.kafka.common.errors.InvalidPartitionsException",
        Code::InvalidReplicaAssignment => "org.apache.kafka.common.errors.InvalidReplicaAssignmentException",
        Code::InvalidConfig => "org.apache.kafka.common.errors.InvalidConfigurationException",
        Code::InvalidRequest => "org.apache.kafka.common.errors.InvalidRequestException",
        Code::UnknownTopicOrPartition => "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
        Code::UnknownTopicId => "org.apache.kafka.common.errors.UnknownTopicIdException",
        Code::OffsetOutOfRange => "org.apache.kafka.common.errors.OffsetOutOfRangeException",
        Code::LeaderNotAvailable => "org.apache.kafka.common.errors.LeaderNotAvailableException",
        Code::NotLeaderOrFollower => "org.apache.kafka.common.errors.NotLeaderOrFollowerException",
        Code::NotController => "org.apache.kafka.common.errors.NotControllerException",
        Code::RequestTimedOut => "org.apache.kafka.common.errors.TimeoutException",
        Code::TopicDeletionDisabled => "org.apache.kafka.common.errors.TopicDeletionDisabledException",
        Code::PolicyViolation => "org.apache.kafka.common.errors.PolicyViolationException",
        Code::UnsupportedVersion => "org.apache.kafka.common.errors.UnsupportedVersionException",
        Code::GroupIdNotFound => "org.apache.kafka.common.errors.GroupIdNotFoundException",
        Code::NonEmptyGroup => "org.apache.kafka.common.errors.GroupNotEmptyException",
        Code::GroupSubscribedToTopic => "org.apache.kafka.common.errors.GroupSubscribedToTopicException",
        Code::UnknownMemberId => "org.apache.kafka.common.errors.UnknownMemberIdException",
        Code::CoordinatorNotAvailable => "org.apache.kafka.common.errors.CoordinatorNotAvailableException",
        Code::CoordinatorLoadInProgress => {
            "org.apache.kafka.common.errors.CoordinatorLoadInProgressException"
        }
        Code::NotCoordinator => "org.apache.kafka.common.errors.NotCoordinatorException",
        Code::InvalidGroupId => "org.apache.kafka.common.errors.InvalidGroupIdException",
        Code::KafkaStorageError => "org.apache.kafka.common.errors.KafkaStorageException",
        Code::ClusterAuthorizationFailed => "org.apache.kafka.common.errors.ClusterAuthorizationException",
        Code::UnknownServerError => "org.apache.kafka.common.errors.UnknownServerException",
        _ => "org.apache.kafka.common.errors.ApiException",
    }
}
