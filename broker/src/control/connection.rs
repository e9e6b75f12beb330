//! The connection below a session: its losses and returns are told and counted, and a session that nothing saves any more is given up.
//!
//! The client reconnects by itself, but ever more rarely, and goes on until 7/5 of the session timeout have passed. Longer than the
//! session timeout is in vain where ZooKeeper lives, and where it has just come back a session of our own choice is sooner there.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tracing::{info, warn};
use zookeeper_client as zk;

use super::session::{Session, ZooKeeperAddress};

/// How long each of the hosts is given to say why there is no connection.
const KNOCK: Duration = Duration::from_millis(500);
/// Hosts that are asked; an ensemble has no more.
const MOST_HOSTS: usize = 9;

/// What has happened to this broker's sessions, as Kafka's `SessionExpireListener` counts it.
#[derive(Debug, Default)]
pub struct SessionEvents {
    disconnects: AtomicU64,
    sync_connects: AtomicU64,
    expires: AtomicU64,
    auth_failures: AtomicU64,
}

impl SessionEvents {
    /// Lost connections.
    pub fn disconnects(&self) -> u64 {
        self.disconnects.load(Relaxed)
    }

    /// Connections made, the first of each session among them.
    pub fn sync_connects(&self) -> u64 {
        self.sync_connects.load(Relaxed)
    }

    /// Sessions that ended without our will.
    pub fn expires(&self) -> u64 {
        self.expires.load(Relaxed)
    }

    /// Sessions that ended because ZooKeeper did not believe who we are.
    pub fn auth_failures(&self) -> u64 {
        self.auth_failures.load(Relaxed)
    }

    fn count(&self, end: SessionEnd) {
        let counter = match end {
            SessionEnd::AuthFailed => &self.auth_failures,
            SessionEnd::Expired | SessionEnd::GivenUp(_) => &self.expires,
            SessionEnd::Closed => return,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SessionEnd {
    /// ZooKeeper said so, or so much time has passed at once that it must be.
    Expired,
    /// We gave it up after so long without connection.
    GivenUp(Duration),
    /// ZooKeeper does not believe who we are.
    AuthFailed,
    /// The client ended it.
    Closed,
}

impl SessionEnd {
    fn of(state: zk::SessionState) -> Option<Self> {
        match state {
            zk::SessionState::Expired => Some(Self::Expired),
            zk::SessionState::AuthFailed => Some(Self::AuthFailed),
            zk::SessionState::Closed => Some(Self::Closed),
            zk::SessionState::Disconnected
            | zk::SessionState::SyncConnected
            | zk::SessionState::ConnectedReadOnly => None,
        }
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("it has expired"),
            Self::GivenUp(lost) => write!(f, "no connection for {}ms, its timeout", lost.as_millis()),
            Self::AuthFailed => f.write_str("authentication failed"),
            Self::Closed => f.write_str("it was closed"),
        }
    }
}

/// Watches a session to its end. A session that is given up is over for all who hold it.
pub(super) async fn watch(
    session: &Session,
    address: &ZooKeeperAddress,
    events: &SessionEvents,
) -> SessionEnd {
    let patience = session.client().session_timeout();
    let mut watcher = session.client().state_watcher();
    let mut state = watcher.state();
    let mut lost = None;
    if is_connected(state) {
        events.sync_connects.fetch_add(1, Relaxed);
    }
    let end = loop {
        if let Some(end) = SessionEnd::of(state) {
            break end;
        }
        lost = match lost {
            None if !is_connected(state) => {
                events.disconnects.fetch_add(1, Relaxed);
                let since = Instant::now();
                let reason = why_unreachable(&address.connect).await;
                let session = session.client().session_id();
                warn!(%session, reason, "the connection to ZooKeeper is lost");
                Some(since)
            }
            Some(since) if is_connected(state) => {
                events.sync_connects.fetch_add(1, Relaxed);
                let (session, lost) = (session.client().session_id(), since.elapsed());
                info!(%session, lost_ms = lost.as_millis(), "connected to ZooKeeper again");
                None
            }
            as_before => as_before,
        };
        state = match lost {
            None => watcher.changed().await,
            Some(since) => match timeout_at(since + patience, watcher.changed()).await {
                Ok(state) => state,
                Err(_) => break SessionEnd::GivenUp(since.elapsed()),
            },
        };
    };
    session.give_up();
    events.count(end);
    end
}

/// Whether requests can be sent.
pub(super) fn is_connected(state: zk::SessionState) -> bool {
    matches!(state, zk::SessionState::SyncConnected | zk::SessionState::ConnectedReadOnly)
}

/// What each host of a connect string says to a connection: the client does not tell.
pub(super) async fn why_unreachable(connect: &str) -> String {
    let hosts = connect.split_once('/').map_or(connect, |(hosts, _)| hosts);
    let knocks = hosts.split(',').take(MOST_HOSTS).map(|host| async move {
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']'));
        let address = if has_port { host.to_owned() } else { format!("{host}:2181") };
        match timeout(KNOCK, TcpStream::connect(&address)).await {
            Ok(Ok(_)) => format!("{address}: it takes connections, but ended ours or says nothing"),
            Ok(Err(error)) => format!("{address}: {error}"),
            Err(_) => format!("{address}: no answer within {}ms", KNOCK.as_millis()),
        }
    });
    futures_util::future::join_all(knocks).await.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_host_tells_why_it_cannot_be_reached() {
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (open_at, closed_at) =
            (open.local_addr().expect("an address"), closed.local_addr().expect("an address"));
        drop(closed);
        let reason = why_unreachable(&format!("{closed_at},{open_at}/a/chroot")).await;
        assert!(reason.starts_with(&format!("{closed_at}: Connection refused")), "{reason}");
        assert!(reason.contains(&format!("{open_at}: it takes connections")), "{reason}");
    }
}
