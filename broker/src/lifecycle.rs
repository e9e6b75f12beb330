//! How far a broker is: what `/readyz` and the log tell.

use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

/// The states of a broker, in their order. Kafka's `BrokerState` has numbers of its own, see [`State::kafka`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// Reads its configuration and locks its directories.
    Starting = 0,
    /// Opens its logs.
    Recovering = 1,
    /// Joins its cluster.
    Registering = 2,
    /// Serves.
    Running = 3,
    /// Hands over and closes.
    Stopping = 4,
}

impl State {
    /// As an operator reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Recovering => "recovering",
            Self::Registering => "registering",
            Self::Running => "running",
            Self::Stopping => "stopping",
        }
    }

    /// The number of Kafka's `kafka_server_kafkaserver_brokerstate`.
    pub fn kafka(self) -> u8 {
        match self {
            Self::Starting | Self::Registering => 1,
            Self::Recovering => 2,
            Self::Running => 3,
            Self::Stopping => 6,
        }
    }
}

/// The state of a broker, for all to read.
#[derive(Debug, Default)]
pub struct Lifecycle(AtomicU8);

impl Lifecycle {
    /// Where the broker is.
    pub fn state(&self) -> State {
        match self.0.load(SeqCst) {
            0 => State::Starting,
            1 => State::Recovering,
            2 => State::Registering,
            3 => State::Running,
            _ => State::Stopping,
        }
    }

    /// Goes on to `state`; a broker never goes back.
    pub fn advance(&self, state: State) {
        self.0.fetch_max(state as u8, SeqCst);
    }
}
