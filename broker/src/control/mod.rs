//! The ZooKeeper session, the controller's shell, the metadata cache and the configuration that changes while the broker runs.
//!
//! A broker's life here: [`Control::connect`] (before logs are opened: the cluster's id and the broker's come from it), then
//! [`Control::join`] (when listeners are bound: they are what is registered), then [`Control::leave`].

mod alike;
pub mod configs;
mod connection;
mod controller;
mod garbage;
mod in_sync;
mod isr_znodes;
mod link;
pub mod member;
pub mod metadata_cache;
mod orders;
mod peers;
pub mod producer_ids;
mod protection;
pub mod registration;
mod requests;
mod serving;
pub mod session;
mod shutdown;
pub mod startup;
mod supervisor;
pub(crate) mod topic_names;
mod topic_settings;
mod topic_table;
pub mod topics;
pub mod znodes;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use vltava_cluster::controller::{ControllerOptions, Endpoint};
use vltava_settings::{BrokerConfig, ProtocolVersion, broker as keys};

pub use configs::Configs;
pub use connection::SessionEvents;
pub use controller::ControllerStatus;
pub use member::Member;
pub use metadata_cache::{LiveBroker, MetadataCache, PartitionMetadata, Snapshot, TopicMetadata};
pub use producer_ids::ProducerIdError;
pub use registration::RegistrationError;
pub use serving::ServingMember;
pub use session::{ConnectError, Session, ZooKeeperAddress};
pub use startup::{StartupError, random_id};
pub use topics::AdminError;

use crate::{metrics::Latency, partitions::now_ms};

/// Why a broker cannot take part in its cluster.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// ZooKeeper cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// ZooKeeper holds what this broker cannot start on.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// The broker cannot be registered.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The log directories belong to another cluster.
    #[error(
        "The Cluster ID {found} doesn't match the stored cluster.id {stored} in meta.properties. The broker is trying to join the wrong cluster. Configured zookeeper.connect may be wrong."
    )]
    OtherCluster {
        /// What ZooKeeper says.
        found: String,
        /// What the log directories say.
        stored: String,
    },
    /// The log directories belong to another broker.
    #[error(
        "Configured broker.id {configured} doesn't match stored broker.id {stored} in meta.properties. If you moved your data, make sure your configured broker.id matches. If you intend to create a new broker, you should remove all data in your data directories (log.dirs)."
    )]
    OtherBroker {
        /// What the configuration says.
        configured: i32,
        /// What the log directories say.
        stored: i32,
    },
    /// It has joined already.
    #[error("the broker has joined its cluster already")]
    JoinedAlready,
}

/// What `meta.properties` in the log directories says, if anything.
#[derive(Debug, Clone, Default)]
pub struct StoredIdentity {
    /// `cluster.id`.
    pub cluster_id: Option<String>,
    /// `broker.id`.
    pub broker_id: Option<i32>,
}

/// The handle to the ZooKeeper session's supervisor and to the controller. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) broker_id: i32,
    cluster_id: String,
    address: ZooKeeperAddress,
    configs: Arc<Configs>,
    /// The session, while there is one that is registered.
    session: Arc<ArcSwapOption<Session>>,
    broker_epoch: AtomicI64,
    status: watch::Sender<ControllerStatus>,
    /// What keeps this broker from standing for election.
    election_failure: Mutex<Option<String>>,
    producer_ids: producer_ids::ProducerIds,
    creating: topics::Creating,
    /// How long ZooKeeper takes to answer.
    latency: Arc<Latency>,
    session_events: SessionEvents,
    /// To the controller's shell on this broker, and its end until the broker joins.
    calls: mpsc::Sender<shutdown::Call>,
    calls_taken: Mutex<Option<shutdown::Calls>>,
    /// What this broker is told, by whoever is the controller; and its end until the broker joins.
    orders: mpsc::Sender<orders::Order>,
    orders_taken: Mutex<Option<mpsc::Receiver<orders::Order>>>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Shared {
    /// The zxid of this broker's registration; -1 before it.
    fn epoch(&self) -> i64 {
        self.broker_epoch.load(Ordering::SeqCst)
    }

    fn set_session(&self, session: &Session, broker_epoch: i64) {
        self.broker_epoch.store(broker_epoch, Ordering::SeqCst);
        self.session.store(Some(Arc::new(session.clone())));
    }
}

impl Control {
    /// Connects to ZooKeeper and learns who this broker is.
    ///
    /// # Errors
    /// When ZooKeeper cannot be reached, protects what we would open, or belongs to another cluster than the log directories.
    pub async fn connect(config: Arc<BrokerConfig>, stored: &StoredIdentity) -> Result<Self, ControlError> {
        let ms = |value: i32| Duration::from_millis(u64::try_from(value).unwrap_or(0));
        let address = ZooKeeperAddress {
            connect: config.zookeeper_connect().to_owned(),
            session_timeout: ms(config.get(keys::ZOOKEEPER_SESSION_TIMEOUT_MS)),
            connection_timeout: ms(config.zookeeper_connection_timeout_ms()),
        };
        let latency = Arc::new(Latency::default());
        let session = Session::open(&address).await?.measured_by(&latency);
        protection::check(&session).await?;
        startup::make_paths(&session).await?;
        let cluster_id = startup::cluster_id(&session).await?;
        if let Some(stored) = stored.cluster_id.as_ref().filter(|stored| **stored != cluster_id) {
            return Err(ControlError::OtherCluster { found: cluster_id, stored: stored.clone() });
        }
        let broker_id = match (config.broker_id(), stored.broker_id) {
            (Some(configured), Some(stored)) if configured != stored => {
                return Err(ControlError::OtherBroker { configured, stored });
            }
            (Some(id), _) | (None, Some(id)) => id,
            (None, None) if config.get(keys::BROKER_ID_GENERATION_ENABLE) => {
                startup::generate_broker_id(&session, config.get(keys::RESERVED_BROKER_MAX_ID)).await?
            }
            (None, None) => return Err(StartupError::NoBrokerId.into()),
        };
        protection::check_brokers(&session, broker_id, &config).await?;
        Ok(Self::with(config, address, (cluster_id, broker_id), Some(session), latency))
    }

    /// A broker on its own: without ZooKeeper, cluster or controller. It cannot join; its configuration is its properties file.
    #[must_use]
    pub fn detached(config: Arc<BrokerConfig>, broker_id: i32) -> Self {
        let none = Duration::ZERO;
        let address =
            ZooKeeperAddress { connect: String::new(), session_timeout: none, connection_timeout: none };
        Self::with(config, address, (String::new(), broker_id), None, Arc::default())
    }

    fn with(
        config: Arc<BrokerConfig>,
        address: ZooKeeperAddress,
        (cluster_id, broker_id): (String, i32),
        session: Option<Session>,
        latency: Arc<Latency>,
    ) -> Self {
        let (calls, taken) = mpsc::channel(shutdown::WAITING);
        let (orders, received) = mpsc::channel(orders::WAITING);
        let offered = Arc::new(ArcSwapOption::from(session.map(Arc::new)));
        let shared = Shared {
            broker_id,
            cluster_id,
            address,
            configs: Arc::new(Configs::new(broker_id, config, Arc::clone(&offered))),
            session: offered,
            broker_epoch: AtomicI64::new(-1),
            status: watch::Sender::new(ControllerStatus::default()),
            election_failure: Mutex::default(),
            producer_ids: producer_ids::ProducerIds::default(),
            creating: topics::Creating::default(),
            latency,
            session_events: SessionEvents::default(),
            calls,
            calls_taken: Mutex::new(Some(taken)),
            orders,
            orders_taken: Mutex::new(Some(received)),
            running: Mutex::new(None),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Registers the broker under its advertised endpoints, and takes part in the cluster from then on.
    ///
    /// # Errors
    /// When another broker has the id, or ZooKeeper refuses.
    pub async fn join(&self, member: Arc<dyn Member>, endpoints: Vec<Endpoint>) -> Result<(), ControlError> {
        if self.shared.running.lock().is_some() {
            return Err(ControlError::JoinedAlready);
        }
        let config = self.configs().broker();
        let session = match self.shared.session.load_full() {
            Some(session) if !session.is_over() => Session::clone(&session),
            // Opening the logs took longer than a session lasts without us.
            _ => Session::open(&self.shared.address).await?.measured_by(&self.shared.latency),
        };
        let Some(received) = self.shared.orders_taken.lock().take() else {
            return Err(ControlError::JoinedAlready);
        };
        let Some(calls) = self.shared.calls_taken.lock().take() else {
            return Err(ControlError::JoinedAlready);
        };
        let registration = znodes::BrokerRegistration {
            endpoints,
            rack: config.get(keys::BROKER_RACK).map(str::to_owned),
            timestamp_ms: now_ms(),
            jmx_port: -1,
        };
        let epoch = registration::register(&session, self.shared.broker_id, &registration).await?;
        self.shared.set_session(&session, epoch);
        let stop = CancellationToken::new();
        let obey = orders::obey(Arc::clone(&member), Arc::clone(&self.shared), received, stop.clone());
        let obey = tokio::spawn(obey);
        let mut tasks = vec![obey];
        if let Some(proposed) = member.take_proposed() {
            let carry = in_sync::carry(self.clone(), Arc::clone(&member), proposed, stop.clone());
            tasks.push(tokio::spawn(carry));
        }
        let supervisor = supervisor::Supervisor {
            shared: Arc::clone(&self.shared),
            member,
            registration,
            controller: ControllerOptions {
                delete_topics: config.get(keys::DELETE_TOPIC_ENABLE),
                unclean_election: config.get(keys::UNCLEAN_LEADER_ELECTION_ENABLE),
                topic_ids: config.inter_broker_protocol() >= ProtocolVersion::V2_8_IV0,
            },
            calls,
            stop: stop.clone(),
        };
        tasks.insert(0, tokio::spawn(supervisor.run(session)));
        *self.shared.running.lock() = Some(Running { stop, tasks });
        Ok(())
    }

    /// Takes the registration back, ends the session, and waits until no order is being obeyed any more.
    pub async fn leave(&self) {
        let running = self.shared.running.lock().take();
        if let Some(Running { stop, tasks }) = running {
            stop.cancel();
            for task in tasks {
                if let Err(error) = task.await {
                    tracing::error!(%error, "a task of the control plane ended badly");
                }
            }
        }
        self.shared.session.store(None);
    }

    /// `broker.id`.
    #[must_use]
    pub fn broker_id(&self) -> i32 {
        self.shared.broker_id
    }

    /// The cluster's id, 22 characters.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// The zxid of this broker's registration; -1 before it.
    #[must_use]
    pub fn broker_epoch(&self) -> i64 {
        self.shared.epoch()
    }

    /// Topics' and brokers' configuration as it is now.
    #[must_use]
    pub fn configs(&self) -> &Arc<Configs> {
        &self.shared.configs
    }

    /// The session, `None` while there is none.
    #[must_use]
    pub fn session(&self) -> Option<Arc<Session>> {
        self.shared.session.load_full().filter(|session| !session.is_over())
    }

    /// How long ZooKeeper takes to answer this broker.
    #[must_use]
    pub fn zookeeper_latency(&self) -> &Latency {
        &self.shared.latency
    }

    /// What has happened to this broker's sessions.
    #[must_use]
    pub fn session_events(&self) -> &SessionEvents {
        &self.shared.session_events
    }

    /// What metrics and probes want to know of the controller on this broker; changes are told.
    #[must_use]
    pub fn controller_status(&self) -> watch::Receiver<ControllerStatus> {
        self.shared.status.subscribe()
    }

    /// What keeps this broker from standing for election, if anything does.
    #[must_use]
    pub fn election_failure(&self) -> Option<String> {
        self.shared.election_failure.lock().clone()
    }

    /// Whether this broker is the controller, and has read everything.
    #[must_use]
    pub fn is_active_controller(&self) -> bool {
        self.shared.status.borrow().active
    }

    /// An id for an idempotent producer.
    ///
    /// # Errors
    /// See [`ProducerIdError`].
    pub async fn next_producer_id(&self) -> Result<i64, ProducerIdError> {
        let session = self.session();
        let patience = self.configs().broker().get(keys::REQUEST_TIMEOUT_MS);
        let patience = Duration::from_millis(u64::try_from(patience).unwrap_or(0));
        self.shared.producer_ids.next(session.as_deref(), self.shared.broker_id, patience).await
    }

    /// The broker that `/controller` names.
    pub async fn current_controller(&self) -> Option<i32> {
        controller::current_controller(&*self.session()?).await
    }
}
