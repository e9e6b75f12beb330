//! One ZooKeeper session, from its start to its end.
//!
//! The client heals lost connections by itself; expiry is terminal in it, and ends everything that was built on the session. Operations
//! here go on through lost connections and end only with the session.

use std::{future::Future, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use zookeeper_client as zk;

use super::connection;
use crate::metrics::Latency;

/// How many requests one read of many znodes keeps in flight.
pub(super) const PIPELINE: usize = 256;

/// Between two attempts while the connection is away.
const RETRY: Duration = Duration::from_millis(50);

/// How long closing a session that was given up may take.
const BURIAL: Duration = Duration::from_secs(2);

/// How to reach ZooKeeper.
#[derive(Debug, Clone)]
pub struct ZooKeeperAddress {
    /// `zookeeper.connect`: hosts and ports with an optional chroot at the end.
    pub connect: String,
    /// `zookeeper.session.timeout.ms`.
    pub session_timeout: Duration,
    /// `zookeeper.connection.timeout.ms`: how long the first connection may take.
    pub connection_timeout: Duration,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody answered in time.
    #[error("zookeeper.connect={connect}: no session within {}ms: {reason} ({last})", waited.as_millis())]
    Unreachable {
        /// The address.
        connect: String,
        /// How long it was tried.
        waited: Duration,
        /// What the hosts say.
        reason: String,
        /// The last failure.
        last: zk::Error,
    },
    /// The chroot cannot be made or used.
    #[error("zookeeper.connect={connect}: the chroot {chroot} cannot be used: {source}")]
    Chroot {
        /// The address.
        connect: String,
        /// The chroot.
        chroot: String,
        /// What ZooKeeper said.
        source: zk::Error,
    },
    /// The address makes no sense.
    #[error("zookeeper.connect={connect}: {source}")]
    Address {
        /// The address.
        connect: String,
        /// What is wrong with it.
        source: zk::Error,
    },
}

/// A session. Cloning shares it; it is closed, and its ephemeral nodes go, when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Session {
    client: zk::Client,
    latency: Arc<Latency>,
    given_up: CancellationToken,
}

impl Session {
    /// Opens a session within the connection timeout, and makes the chroot if it is missing.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn open(address: &ZooKeeperAddress) -> Result<Self, ConnectError> {
        let connect = &address.connect;
        let (hosts, chroot) = connect.find('/').map_or((connect.as_str(), "/"), |at| connect.split_at(at));
        let chroot = if chroot.len() > 1 { chroot.trim_end_matches('/') } else { chroot };
        let started = tokio::time::Instant::now();
        let client = loop {
            let left = address.connection_timeout.saturating_sub(started.elapsed());
            let connector =
                zk::Client::connector().with_session_timeout(address.session_timeout).with_fail_eagerly();
            let last = match tokio::time::timeout(left, connector.connect(hosts)).await {
                Ok(Ok(client)) => break client,
                Ok(Err(source @ zk::Error::BadArguments(_))) => {
                    return Err(ConnectError::Address { connect: connect.clone(), source });
                }
                Ok(Err(error)) => error,
                Err(_) => zk::Error::Timeout,
            };
            if started.elapsed() + RETRY >= address.connection_timeout {
                return Err(ConnectError::Unreachable {
                    connect: connect.clone(),
                    waited: started.elapsed(),
                    reason: connection::why_unreachable(connect).await,
                    last,
                });
            }
            tokio::time::sleep(RETRY).await;
        };
        let session = Self { client, latency: Arc::default(), given_up: CancellationToken::new() };
        if chroot == "/" {
            return Ok(session);
        }
        let refused =
            |source| ConnectError::Chroot { connect: connect.clone(), chroot: chroot.to_owned(), source };
        session.make_path(chroot).await.map_err(refused)?;
        let client = session
            .client
            .chroot(chroot)
            .map_err(|_| refused(zk::Error::BadArguments(&"no absolute path")))?;
        Ok(Self { client, ..session })
    }

    /// The same session, which notes from now on how long answers take.
    #[must_use]
    pub fn measured_by(mut self, latency: &Arc<Latency>) -> Self {
        self.latency = Arc::clone(latency);
        self
    }

    /// Waits for an answer, and notes how long it took.
    pub async fn measure<T>(&self, request: impl Future<Output = T>) -> T {
        self.latency.measure(request).await
    }

    /// Opens the next session, for as long as it takes.
    pub async fn reopen(address: &ZooKeeperAddress) -> Self {
        let mut pause = RETRY;
        loop {
            match Self::open(address).await {
                Ok(session) => {
                    info!(session = %session.client.session_id(), "a new ZooKeeper session");
                    return session;
                }
                Err(error) => warn!(%error, "ZooKeeper cannot be reached; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Ends a session that we gave up, should it live on in ZooKeeper: what it holds would be in the way of the next one.
    pub(super) async fn bury(address: &ZooKeeperAddress, former: zk::SessionInfo) {
        let hosts = address.connect.find('/').map_or(address.connect.as_str(), |at| &address.connect[..at]);
        let connector = zk::Client::connector()
            .with_session(former)
            .with_session_timeout(address.session_timeout)
            .with_fail_eagerly();
        // It is closed with its only client. An error says that it has expired, or that it must be left to expire.
        drop(tokio::time::timeout(BURIAL, connector.connect(hosts)).await);
    }

    /// Whether ZooKeeper is there at this moment. A session lives on without, for a while.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        connection::is_connected(self.client.state())
    }

    /// Whether nothing more comes of this session.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.given_up.is_cancelled() || self.client.state().is_terminated()
    }

    /// Makes it over for all who hold it, whatever its client hopes for.
    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &zk::Client {
        &self.client
    }

    /// Waits for the session's end.
    pub async fn ended(&self) {
        let mut watcher = self.client.state_watcher();
        let terminated = async {
            let mut state = watcher.peek_state();
            while !state.is_terminated() {
                state = watcher.changed().await;
            }
        };
        tokio::select! {
            () = terminated => {}
            () = self.given_up.cancelled() => {}
        }
    }

    /// Repeats an operation that is harmless to repeat until it is answered or the session ends.
    ///
    /// # Errors
    /// The answer's error, or the session's end.
    pub async fn persist<T, F>(&self, mut operation: impl FnMut(zk::Client) -> F) -> Result<T, zk::Error>
    where
        F: Future<Output = Result<T, zk::Error>>,
    {
        loop {
            match self.measure(operation(self.client.clone())).await {
                Err(error) if is_passing(&error) => {
                    if self.is_over() {
                        return Err(zk::Error::SessionExpired);
                    }
                    tokio::time::sleep(RETRY).await;
                }
                answer => return answer,
            }
        }
    }

    /// A znode's content, `None` without znode.
    ///
    /// # Errors
    /// ZooKeeper's, other than lost connections.
    pub async fn read(&self, path: &str) -> Result<Option<(Vec<u8>, zk::Stat)>, zk::Error> {
        match self.persist(|client| async move { client.get_data(path).await }).await {
            Ok(found) => Ok(Some(found)),
            Err(zk::Error::NoNode) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A znode's children, `None` without znode.
    ///
    /// # Errors
    /// ZooKeeper's, other than lost connections.
    pub async fn children(&self, path: &str) -> Result<Option<Vec<String>>, zk::Error> {
        match self.persist(|client| async move { client.list_children(path).await }).await {
            Ok(found) => Ok(Some(found)),
            Err(zk::Error::NoNode) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a persistent znode without content, and its parents.
    ///
    /// # Errors
    /// ZooKeeper's, other than lost connections.
    pub async fn make_path(&self, path: &str) -> Result<(), zk::Error> {
        let ends = path.match_indices('/').skip(1).map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            let part = &path[..end];
            if self.persist(|client| async move { client.check_stat(part).await }).await?.is_some() {
                continue;
            }
            match self
                .persist(|client| async move { client.create(part, &[], &persistent()).await.map(|_| ()) })
                .await
            {
                Ok(()) | Err(zk::Error::NodeExists) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether an operation may succeed when it is tried again on the same session.
pub(crate) fn is_passing(error: &zk::Error) -> bool {
    matches!(error, zk::Error::ConnectionLoss | zk::Error::Timeout | zk::Error::Throttled)
}

/// A persistent znode that everybody may read and write, as Kafka makes them without ZooKeeper authentication.
pub(crate) const fn persistent() -> zk::CreateOptions<'static> {
    zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all())
}

/// An ephemeral znode that everybody may read and write.
pub(crate) const fn ephemeral() -> zk::CreateOptions<'static> {
    zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all())
}

/// A persistent znode with a number at the end of its name.
pub(crate) const fn sequential() -> zk::CreateOptions<'static> {
    zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all())
}
