//! Start and stop of a broker, in order.
//!
//! Start: listeners are bound first (a port in use stops the start before anything else happens; clients that come early wait in the
//! backlog), directories locked, ZooKeeper asked who we are, logs opened, the broker registered. Connections are served when the broker knows its
//! cluster, so that no client is told to come back later. Stop is the reverse, and leaves the mark of a clean shutdown.

mod assembly;
mod watch;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use vltava_log::LogError;
use vltava_settings::{BrokerConfig, broker as keys};

use crate::{
    Broker,
    api::Dispatcher,
    control::{Control, ControlError, ServingMember, StoredIdentity},
    http::{HttpError, HttpListener, Pages},
    lifecycle::State,
    metrics::{Collector, NetworkMetrics, SharedSource},
    net::{BindError, Listener, ListenerSpec, Network},
    partitions::look_for_laggards,
    partitions::{Storage, upkeep},
};

/// How long requests in flight may take when the broker stops.
const DRAIN: Duration = Duration::from_secs(2);

/// How long service waits for the first metadata from the controller, which may be another broker.
const FIRST_METADATA: Duration = Duration::from_secs(10);

/// Why a broker does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener can't be opened.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// The HTTP listener can't be opened.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The log directories can't be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The cluster can't be joined.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// A fault of ours.
    #[error("starting was cut short: {0}")]
    CutShort(#[from] JoinError),
}

/// A broker that serves.
#[derive(Debug)]
pub struct Server {
    broker: Arc<Broker>,
    network: Arc<Network>,
    pages: Arc<Pages>,
    listeners: Vec<(String, SocketAddr)>,
    http: Option<Http>,
    upkeep: Mutex<Option<JoinHandle<()>>>,
    stopping: CancellationToken,
}

/// The HTTP listener at work.
#[derive(Debug)]
struct Http {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Http {
    /// Also when a start fails later on.
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts a broker on the present runtime. It serves when this returns.
    pub async fn start(config: BrokerConfig) -> Result<Self, StartError> {
        let began = std::time::Instant::now();
        let pages = Arc::new(Pages::default());
        let http = open_pages(&config, &pages)?;
        let listeners = bind(&config)?;
        assembly::raise_open_files();
        let config = Arc::new(config);

        let dirs = assembly::open_directories(config.clone()).await?;
        let identity = dirs.identity()?;
        let stored = StoredIdentity { cluster_id: identity.cluster_id, broker_id: identity.broker_id };
        let control = Control::connect(config.clone(), &stored).await?;
        dirs.claim(&vltava_log::Identity::new(control.broker_id(), Some(control.cluster_id().to_owned())))?;

        let storage = Storage::new(dirs);
        *pages.loading.write() = Some(storage.progress.clone());
        pages.lifecycle.advance(State::Recovering);
        let storage = assembly::load(storage, config.clone(), &control).await?;
        let broker = assembly::broker(&config, control, storage);

        let network = Network::new(assembly::limits(&config));
        let counts = listeners.iter().map(|l| (l.name().to_owned(), l.counts().clone())).collect();
        let runtime = tokio::runtime::Handle::current().metrics();
        let sources: Vec<SharedSource> = vec![
            broker.metrics.clone(),
            broker.clone(),
            pages.clone(),
            Arc::new(NetworkMetrics::new(network.clone(), counts, runtime)),
        ];
        pages.show(broker.clone(), Collector::new(sources));
        let server = Self {
            listeners: listeners.iter().map(|l| (l.name().to_owned(), l.address())).collect(),
            broker,
            network,
            pages,
            http,
            upkeep: Mutex::default(),
            stopping: CancellationToken::new(),
        };
        match server.join(&config, listeners).await {
            Ok(()) => {
                tracing::info!(
                    broker.id = server.broker.id,
                    cluster.id = server.broker.control.cluster_id(),
                    took_ms = began.elapsed().as_millis() as u64,
                    "started"
                );
                Ok(server)
            }
            Err(error) => {
                // The logs are open: they are closed cleanly, so that the next start finds nothing to recover.
                server.stop().await;
                Err(error)
            }
        }
    }

    /// Registers, waits for the cluster's metadata, serves.
    async fn join(&self, config: &BrokerConfig, listeners: Vec<Listener>) -> Result<(), StartError> {
        self.pages.lifecycle.advance(State::Registering);
        self.broker.replicas.fetchers.serve(&self.broker);
        self.broker.groups.run(&self.broker.replicas, self.stopping.clone());
        let endpoints = assembly::endpoints(config, &listeners);
        let network = self.network.clone();
        let broker = self.broker.clone();
        let member = ServingMember::new(self.broker.clone(), move |config: &Arc<BrokerConfig>| {
            network.set_connection_limits(assembly::connection_limits(config));
            broker.replicas.files().set_threads(assembly::file_threads(config));
            broker.replicas.set_producer_id_expiration(assembly::producer_id_expiration(config));
            if broker.cleaners.is_running() {
                broker.cleaners.run(&broker, assembly::cleaners(config));
            }
        });
        self.broker.control.join(Arc::new(member), endpoints).await?;
        watch::first_metadata(&self.broker, FIRST_METADATA).await;

        let service = Arc::new(Dispatcher::new(self.broker.clone()));
        for listener in listeners {
            tracing::info!(listener = listener.name(), address = %listener.address(), "serves");
            self.network.serve(listener, service.clone());
        }
        self.network.reap(self.broker.replicas.old_readers.memory().clone());
        let schedule = assembly::schedule(config);
        self.broker.cleaners.run(&self.broker, assembly::cleaners(&self.broker.control.configs().broker()));
        let upkeep = tokio::spawn(upkeep::keep(self.broker.clone(), schedule, self.stopping.clone()));
        *self.upkeep.lock() = Some(upkeep);
        let lag_ms = config.get(keys::REPLICA_LAG_TIME_MAX_MS);
        tokio::spawn(look_for_laggards(self.broker.clone(), lag_ms, self.stopping.clone()));
        self.pages.lifecycle.advance(State::Running);
        Ok(())
    }

    /// The listeners with their actual addresses, in the order of the configuration.
    pub fn listeners(&self) -> &[(String, SocketAddr)] {
        &self.listeners
    }

    /// Where `/metrics`, `/healthz` and `/readyz` are, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|http| http.address)
    }

    /// The broker's parts.
    pub fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Returns when the broker can't go on, with the reason.
    pub async fn failed(&self) -> String {
        watch::all_directories_lost(&self.broker).await
    }

    /// Stops: answers what is in flight, leaves the cluster, closes the logs.
    pub async fn stop(self) {
        self.pages.lifecycle.advance(State::Stopping);
        self.broker.control.hand_over(&self.broker.metadata).await;
        self.network.stop(DRAIN).await;
        self.stopping.cancel();
        let upkeep = self.upkeep.lock().take();
        if let Some(Err(error)) = futures_util::future::OptionFuture::from(upkeep).await {
            tracing::error!("upkeep was cut short: {error}");
        }
        let epoch = self.broker.control.broker_epoch();
        self.broker.control.leave().await;
        let broker = self.broker.clone();
        let close = move || {
            broker.replicas.fetchers.stop();
            broker.cleaners.stop();
            broker.replicas.close(epoch);
        };
        if let Err(error) = tokio::task::spawn_blocking(close).await {
            tracing::error!("closing the logs was cut short: {error}");
        }
        // The pages hold the broker, and the broker the locks of its directories.
        if let Some(mut http) = self.http {
            http.task.abort();
            let _ = (&mut http.task).await;
        }
        self.pages.hide();
        tracing::info!(broker.id = self.broker.id, "shut down completed");
    }
}

fn open_pages(config: &BrokerConfig, pages: &Arc<Pages>) -> Result<Option<Http>, HttpError> {
    let address = config.get(keys::VLTAVA_METRICS_LISTENER);
    if address.is_empty() {
        return Ok(None);
    }
    let listener = HttpListener::bind(keys::VLTAVA_METRICS_LISTENER.name(), address)?;
    let address = listener.address();
    Ok(Some(Http { address, task: tokio::spawn(listener.serve(pages.clone())) }))
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
