//! The thread: connects to the leader, makes the logs agree, fetches, and again.

use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use tracing::{debug, info, warn};
use vltava_settings::{BrokerConfig, ProtocolVersion, broker as keys};

use super::{connection::Connection, exchange::Exchange, inbox::Inbox};
use crate::Broker;

/// An answer may be larger than `replica.fetch.response.max.bytes` by one batch of any size.
const LARGEST_ANSWER: usize = 1 << 30;

/// What a fetcher is told by the configuration.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) wait_ms: i32,
    pub(super) min_bytes: i32,
    pub(super) max_bytes: i32,
    pub(super) partition_bytes: i32,
    pub(super) back_off: Duration,
    pub(super) protocol: ProtocolVersion,
    patience: Duration,
    receive_buffer: Option<usize>,
    listener: String,
}

impl Manner {
    fn of(config: &BrokerConfig) -> Self {
        let ms = |value: i32| Duration::from_millis(u64::try_from(value).unwrap_or(0));
        Self {
            wait_ms: config.get(keys::REPLICA_FETCH_WAIT_MAX_MS),
            min_bytes: config.get(keys::REPLICA_FETCH_MIN_BYTES),
            max_bytes: config.get(keys::REPLICA_FETCH_RESPONSE_MAX_BYTES),
            partition_bytes: config.get(keys::REPLICA_FETCH_MAX_BYTES),
            back_off: ms(config.get(keys::REPLICA_FETCH_BACKOFF_MS)),
            protocol: config.inter_broker_protocol(),
            patience: ms(config.get(keys::REPLICA_SOCKET_TIMEOUT_MS)),
            // The default of 64 KiB bounds what a distant leader can have on its way; the system grows it by need.
            receive_buffer: config
                .is_given(keys::REPLICA_SOCKET_RECEIVE_BUFFER_BYTES.name())
                .then(|| usize::try_from(config.get(keys::REPLICA_SOCKET_RECEIVE_BUFFER_BYTES)).ok())
                .flatten(),
            listener: config.inter_broker_listener().to_owned(),
        }
    }
}

/// Fetches until `inbox` is over, or empty and `retire` says that it is out.
pub(super) fn run(broker: &Weak<Broker>, leader: i32, number: u64, inbox: &Inbox, retire: impl Fn() -> bool) {
    let mut open: Option<(Connection, Exchange)> = None;
    let mut is_lost = false;
    info!(leader, number, "fetcher begins");
    loop {
        let Some(due) = inbox.due() else {
            if inbox.is_over() || retire() {
                break;
            }
            continue;
        };
        let Some(broker) = broker.upgrade() else { break };
        let manner = Manner::of(&broker.control.configs().broker());
        let outcome = match &mut open {
            Some((connection, exchange)) => exchange.round(&broker, connection, inbox, &manner, due),
            none => connect(&broker, leader, number, inbox, &manner).and_then(|connection| {
                let (connection, exchange) = none.insert((connection, Exchange::new(leader)));
                exchange.round(&broker, connection, inbox, &manner, due)
            }),
        };
        match outcome {
            Ok(()) if is_lost => {
                is_lost = false;
                info!(leader, number, "the leader answers again");
            }
            Ok(()) => {}
            Err(error) => {
                open = None;
                inbox.waits_on(None);
                if inbox.is_over() {
                    break;
                }
                if std::mem::replace(&mut is_lost, true) {
                    debug!(leader, number, %error, "the leader cannot be fetched from");
                } else {
                    warn!(leader, number, %error, "the leader cannot be fetched from; trying again");
                }
                inbox.delay_all(manner.back_off.max(Duration::from_millis(10)));
            }
        }
    }
    info!(leader, number, "fetcher ends");
}

fn connect(
    broker: &Arc<Broker>,
    leader: i32,
    number: u64,
    inbox: &Inbox,
    manner: &Manner,
) -> io::Result<Connection> {
    let address = {
        let snapshot = broker.metadata.snapshot();
        let found = snapshot.broker(leader).and_then(|found| found.endpoint(&manner.listener));
        let (host, port) = found.ok_or_else(|| {
            let what = format!("broker {leader} is not known to live on listener {}", manner.listener);
            io::Error::new(io::ErrorKind::NotFound, what)
        })?;
        (host.to_owned(), u16::try_from(port).unwrap_or(0))
    };
    let client_id = format!("broker-{}-fetcher-{number}", broker.id);
    let connection =
        Connection::open(&address, &client_id, manner.patience, LARGEST_ANSWER, manner.receive_buffer)?;
    inbox.waits_on(Some(connection.handle()?));
    Ok(connection)
}
