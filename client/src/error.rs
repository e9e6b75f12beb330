//! What can go wrong between a client and a cluster.

use std::{fmt, io};

use vltava_protocol::ErrorCode;
use vltava_protocol::wire::{DecodeError, EncodeError};

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The bootstrap list is empty or an entry is not `host:port`.
    #[error("Invalid url in bootstrap.servers: {0}")]
    Address(String),
    /// No broker of the list could be reached; the last one's reason.
    #[error("no broker of {addresses} can be reached: {source}")]
    Unreachable {
        /// Those that were tried.
        addresses: String,
        /// Why the last one failed.
        source: io::Error,
    },
    /// A connection broke.
    #[error("connection to {address}: {source}")]
    Connection {
        /// The broker.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// No answer in time.
    #[error("Timed out waiting for {api} from {address}")]
    Timeout {
        /// The broker.
        address: String,
        /// The API's name.
        api: &'static str,
    },
    /// The broker speaks no version of the API that we speak.
    #[error("The broker {address} does not support {api}")]
    Unsupported {
        /// The broker.
        address: String,
        /// The API's name.
        api: &'static str,
    },
    /// The request cannot be said in the version that the broker speaks.
    #[error("{api} version {version}: {source}")]
    Request {
        /// The API's name.
        api: &'static str,
        /// The version agreed on.
        version: i16,
        /// Which field.
        source: EncodeError,
    },
    /// The answer makes no sense.
    #[error("{address} answered {api} with garbage: {reason}")]
    Answer {
        /// The broker.
        address: String,
        /// The API's name.
        api: &'static str,
        /// What was wrong.
        reason: String,
    },
    /// No broker with this id, or no leader, or no controller.
    #[error("{0}")]
    NoSuchNode(String),
    /// The whole request was refused.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl ClientError {
    pub(crate) fn garbage(address: &str, api: &'static str, source: &DecodeError) -> ClientError {
        ClientError::Answer { address: address.to_owned(), api, reason: source.to_string() }
    }
}

/// An error code that a broker answered for one thing asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The code.
    pub code: ErrorCode,
    /// The broker's own words, where it sent any.
    pub message: Option<String>,
}

impl ApiError {
    /// `Ok` for code 0. A code from the future counts as UNKNOWN_SERVER_ERROR.
    pub fn check(code: i16, message: Option<&str>) -> Result<(), ApiError> {
        match ErrorCode::try_from(code).unwrap_or(ErrorCode::UnknownServerError) {
            ErrorCode::None => Ok(()),
            code => Err(ApiError { code, message: message.map(str::to_owned) }),
        }
    }
}

impl fmt::Display for ApiError {
    /// The broker's words, else Kafka's message for the code: what its tools print.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or(self.code.message()))
    }
}

impl std::error::Error for ApiError {}
