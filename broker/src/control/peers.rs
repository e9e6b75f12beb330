//! How this broker speaks to others: by which listener, for how long, and in which versions, which `inter.broker.protocol.version` bounds.

use std::time::Duration;

use vltava_client::{ClientError, Connection};
use vltava_protocol::{ApiKey, wire::Request};
use vltava_settings::{BrokerConfig, ProtocolVersion, broker as keys};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    /// The listener by which brokers reach each other.
    pub(crate) listener: String,
    client_id: String,
    patience: Duration,
    protocol: ProtocolVersion,
}

/// From which inter-broker version on which version of an API is sent; the newest first. What is not listed is negotiated alone.
const VERSIONS: [(ApiKey, &[(&str, i16)]); 5] = [
    (ApiKey::LeaderAndIsr, &[("3.4-IV0", 7), ("3.2-IV0", 6), ("2.8-IV1", 5), ("2.4-IV1", 4)]),
    (ApiKey::UpdateMetadata, &[("3.4-IV0", 8), ("2.8-IV1", 7), ("2.4-IV1", 6)]),
    (ApiKey::StopReplica, &[("3.4-IV0", 4), ("2.6-IV0", 3)]),
    (ApiKey::ControlledShutdown, &[("2.4-IV1", 3)]),
    // By name before topics have ids (KIP-516), with the members' epochs from KIP-903 on.
    (ApiKey::AlterPartition, &[("3.5-IV1", 3), ("2.8-IV0", 2), ("2.7-IV2", 0)]),
];

impl Peers {
    /// As a broker's configuration says.
    pub(crate) fn of(config: &BrokerConfig, broker_id: i32) -> Self {
        let patience = config.get(keys::CONTROLLER_SOCKET_TIMEOUT_MS);
        Self {
            listener: config.inter_broker_listener().to_owned(),
            client_id: broker_id.to_string(),
            patience: Duration::from_millis(u64::try_from(patience).unwrap_or(0)),
            protocol: config.inter_broker_protocol(),
        }
    }

    /// Connects to a broker.
    pub(crate) async fn connect(&self, (host, port): &(String, u16)) -> Result<Connection, ClientError> {
        // An IPv6 address needs brackets before a port.
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Connection::open(&address, &self.client_id, self.patience).await
    }

    /// The version in which a request goes.
    pub(crate) fn version<R: Request>(&self, connection: &Connection, _: &R) -> Result<i16, ClientError> {
        self.version_of(connection, R::KEY)
    }

    /// The version in which a request of an API goes.
    pub(crate) fn version_of(&self, connection: &Connection, key: ApiKey) -> Result<i16, ClientError> {
        connection.version(key, self.highest(key))
    }

    fn highest(&self, key: ApiKey) -> i16 {
        let Some((_, versions)) = VERSIONS.iter().find(|(listed, _)| *listed == key) else { return i16::MAX };
        let reached = |since: &str| ProtocolVersion::parse(since).is_ok_and(|since| self.protocol >= since);
        versions.iter().find(|(since, _)| reached(since)).map_or(0, |(_, version)| *version)
    }
}
