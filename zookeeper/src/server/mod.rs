//! The server: a listener, a task for each connection, a thread for the log, and a clock.

mod committer;
mod connection;
mod dump;
mod figures;
mod four_letter;
mod outbox;
mod shared;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::figures::Monitor;
use self::shared::{Pacer, Shared, State};
use crate::ZooKeeperConfig;
use crate::engine::{Engine, Now, Rules};
use crate::storage::{Layout, Storage, StorageError, purge};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory can not be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The port can not be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// Of `clientPortAddress` and `clientPort`.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("no thread for the log: {0}")]
    Thread(#[source] io::Error),
}

/// A running server. Dropping it stops it without waiting; [`Server::stop`] waits.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    stopped: CancellationToken,
    tasks: TaskTracker,
    committer: Option<JoinHandle<()>>,
}

impl Server {
    /// Takes the data directory, recovers what is in it, and serves. Returns once clients can connect.
    pub async fn start(config: ZooKeeperConfig) -> Result<Server, StartError> {
        let address = SocketAddr::new(config.client_address, config.client_port);
        let listener =
            TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })?;
        let local_addr = listener.local_addr().map_err(|source| StartError::Listen { address, source })?;
        let layout = Layout {
            data_dir: config.data_dir.clone(),
            log_dir: config.data_log_dir.clone().unwrap_or_else(|| config.data_dir.clone()),
            sync: config.force_sync,
            ttl_enabled: config.extended_types,
        };
        let opened = tokio::task::spawn_blocking(move || Storage::open(&layout)).await;
        let (storage, recovered) = opened.map_err(|error| StartError::Thread(io::Error::other(error)))??;
        let rules = Rules {
            tick: config.tick_time,
            min_session_timeout: config.min_session_timeout,
            max_session_timeout: config.max_session_timeout,
            super_digest: config.super_digest.clone(),
            skip_acl: config.skip_acl,
            enforce_quota: config.enforce_quota,
        };
        tracing::info!(
            %local_addr,
            zxid = format_args!("{:#x}", recovered.tree.last_zxid),
            nodes = recovered.tree.len(),
            sessions = recovered.sessions.len(),
            replayed = recovered.replayed,
            "ZooKeeper serves"
        );
        let started = Instant::now();
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_millis() as i64);
        let engine = Engine::new(rules, recovered.tree, &recovered.sessions, Now { wall, steady: 0 });
        let shared = Arc::new(Shared {
            config,
            local_addr,
            started,
            state: parking_lot::Mutex::new(State::new(engine)),
            quota_warnings: Pacer::default(),
            refusal_warnings: Pacer::default(),
            work: parking_lot::Condvar::new(),
        });
        let purged = (storage.snapshot_dir().to_owned(), storage.log_dir().to_owned());
        let committer =
            committer::start(shared.clone(), storage, recovered.replayed).map_err(StartError::Thread)?;
        let server = Server {
            shared,
            stopped: CancellationToken::new(),
            tasks: TaskTracker::new(),
            committer: Some(committer),
        };
        server.spawn(accept(server.shared.clone(), listener, server.tasks.clone(), server.stopped.clone()));
        server.spawn(keep_time(server.shared.clone()));
        server.spawn(collect_containers(server.shared.clone()));
        if let Some(interval) = server.shared.config.purge_interval.filter(|interval| !interval.is_zero()) {
            server.spawn(purge_regularly(interval, purged, server.shared.config.snap_retain_count));
        }
        Ok(server)
    }

    /// Where clients connect: the real port, also when the configuration said 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.local_addr
    }

    /// Looks at the server's numbers.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor(self.shared.clone())
    }

    /// Stops: no new connections, the open ones closed (their sessions live on and can be taken up after a restart), everything accepted
    /// written to the log.
    pub async fn stop(mut self) {
        self.stopped.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.end_committer();
        if let Some(committer) = self.committer.take() {
            let _ = tokio::task::spawn_blocking(move || committer.join()).await;
        }
    }

    fn end_committer(&self) {
        self.shared.state.lock().stopping = true;
        self.shared.work.notify_all();
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopped = self.stopped.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = task => {}
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.cancel();
        self.end_committer();
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tasks: TaskTracker, stopped: CancellationToken) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => {
                let (shared, stopped) = (shared.clone(), stopped.clone());
                tasks.spawn(async move {
                    tokio::select! {
                        () = stopped.cancelled() => {}
                        () = connection::serve(shared, socket, peer) => {}
                    }
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: some must be closed first.
                if shared.refusal_warnings.may_warn() {
                    tracing::warn!(%error, "a connection was not accepted");
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Expires sessions: looks twice a tick, since deadlines fall on ticks.
async fn keep_time(shared: Arc<Shared>) {
    let tick = u64::try_from(shared.config.tick_time).unwrap_or(1);
    let mut interval = tokio::time::interval(Duration::from_millis((tick / 2).clamp(1, 1000)));
    loop {
        interval.tick().await;
        shared.with(Engine::tick);
    }
}

/// Deletes spent container and TTL nodes. Apache spreads them over the time; here a check deletes what a check's share of a minute allows.
async fn collect_containers(shared: Arc<Shared>) {
    let every = shared.config.container_check_interval;
    let share = (shared.config.containers_per_minute as f64 * every.as_secs_f64() / 60.0).ceil().max(1.0);
    let mut interval = tokio::time::interval(every);
    interval.tick().await;
    loop {
        interval.tick().await;
        shared.with(|engine, now| engine.collect_containers(now, share as usize));
    }
}

async fn purge_regularly(
    every: Duration,
    (snapshots, logs): (std::path::PathBuf, std::path::PathBuf),
    keep: usize,
) {
    let mut interval = tokio::time::interval(every);
    loop {
        interval.tick().await;
        let (snapshots, logs) = (snapshots.clone(), logs.clone());
        match tokio::task::spawn_blocking(move || purge(&snapshots, &logs, keep)).await {
            Ok(Err(error)) => tracing::error!(%error, "old snapshots were not purged"),
            Ok(Ok(count)) if count > 0 => tracing::info!(count, "old snapshots and log files purged"),
            _ => {}
        }
    }
}
