//! Start and stop of a broker, in order.
//!
//! Start: configuration (checked before), listeners bound (a port in use stops the start before anything else happens), directories and logs, the
//! ZooKeeper session, registration, service. Stop is the reverse.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use vltava_settings::{BrokerConfig, broker as keys};

use crate::{
    http::{HttpError, HttpListener, Pages},
    lifecycle::State,
    net::{BindError, ConnectionLimits, Limits, Listener, ListenerSpec, Network},
};

/// How long requests in flight may take when the broker stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener can't be opened.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// The HTTP listener can't be opened.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// A broker that serves.
#[derive(Debug)]
pub struct Server {
    network: Arc<Network>,
    pages: Arc<Pages>,
    listeners: Vec<(String, SocketAddr)>,
}

impl Server {
    /// Starts a broker on the present runtime. It serves when this returns.
    pub async fn start(config: BrokerConfig) -> Result<Self, StartError> {
        let pages = Arc::new(Pages::default());
        if let Some(listener) = http_listener(&config)? {
            tokio::spawn(listener.serve(pages.clone()));
        }
        let listeners = bind(&config)?;
        let network = Network::new(limits(&config));
        network.reap_idle();
        let names =
            listeners.iter().map(|listener| (listener.name().to_owned(), listener.address())).collect();
        pages.lifecycle.advance(State::Running);
        Ok(Self { network, pages, listeners: names })
    }

    /// The listeners with their actual ports, in the order of the configuration.
    pub fn listeners(&self) -> &[(String, SocketAddr)] {
        &self.listeners
    }

    /// Returns when the broker can't go on, with the reason.
    pub async fn failed(&self) -> String {
        std::future::pending().await
    }

    /// Stops: answers what is in flight and closes.
    pub async fn stop(self) {
        self.pages.lifecycle.advance(State::Stopping);
        self.network.stop(DRAIN).await;
    }
}

fn http_listener(config: &BrokerConfig) -> Result<Option<HttpListener>, HttpError> {
    let address = config.get(keys::VLTAVA_METRICS_LISTENER);
    if address.is_empty() { Ok(None) } else { HttpListener::bind(address).map(Some) }
}

fn bind(config: &BrokerConfig) -> Result<Vec<Listener>, BindError> {
    let backlog = config.get(keys::SOCKET_LISTEN_BACKLOG_SIZE);
    let spec = |listener: &vltava_settings::Listener| ListenerSpec {
        name: listener.bind.name.clone(),
        host: listener.bind.host.clone(),
        port: listener.bind.port,
    };
    config.listeners().iter().map(|listener| Listener::bind(&spec(listener), backlog)).collect()
}

/// The bounds of the network, as configured.
fn limits(config: &BrokerConfig) -> Limits {
    let positive = |value: i64| u64::try_from(value).ok().filter(|value| *value > 0);
    let buffer = |value: i32| usize::try_from(value).ok().filter(|value| *value > 0);
    Limits {
        request_max_bytes: usize::try_from(config.get(keys::SOCKET_REQUEST_MAX_BYTES)).unwrap_or(usize::MAX),
        request_memory: positive(config.get(keys::QUEUED_MAX_REQUEST_BYTES)),
        idle: positive(config.get(keys::CONNECTIONS_MAX_IDLE_MS)).map(Duration::from_millis),
        send_buffer: buffer(config.get(keys::SOCKET_SEND_BUFFER_BYTES)),
        receive_buffer: buffer(config.get(keys::SOCKET_RECEIVE_BUFFER_BYTES)),
        connections: connection_limits(config),
    }
}

fn connection_limits(config: &BrokerConfig) -> ConnectionLimits {
    let number =
        |value: i32| if value == i32::MAX { usize::MAX } else { usize::try_from(value).unwrap_or(0) };
    let rate = config.get(keys::MAX_CONNECTION_CREATION_RATE);
    let mut limits = ConnectionLimits {
        total: number(config.get(keys::MAX_CONNECTIONS)),
        per_address: number(config.get(keys::MAX_CONNECTIONS_PER_IP)),
        creation_rate: u32::try_from(rate).ok().filter(|_| rate != i32::MAX),
        ..ConnectionLimits::default()
    };
    for (host, limit) in config.connections_per_ip_overrides() {
        // Names are resolved once, as in Kafka.
        match std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), 0)) {
            Ok(addresses) => {
                limits
                    .overrides
                    .extend(addresses.map(|address| (address.ip().to_canonical(), number(limit))));
            }
            Err(error) => {
                tracing::warn!("max.connections.per.ip.overrides: {host} can't be resolved: {error}");
            }
        }
    }
    limits
}
