//! `/brokers/ids/N`: how a broker says that it lives.

use std::time::Duration;

use tracing::{info, warn};
use vltava_cluster::controller::Endpoint;
use zookeeper_client as zk;

use super::{
    session::{Session, ephemeral, is_passing},
    znodes::{self, BrokerRegistration, paths},
};

/// Why a broker is not registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Another broker lives under this id.
    #[error(
        "broker.id={id} is taken: {path} belongs to a broker at {}, and has not gone within one session timeout. Give this broker another id, or stop the other",
        addresses(endpoints)
    )]
    Taken {
        /// The id.
        id: i32,
        /// The registration.
        path: String,
        /// Who is there.
        endpoints: Vec<Endpoint>,
    },
    /// ZooKeeper refused, or the session ended.
    #[error("{path} cannot be written: {source}")]
    ZooKeeper {
        /// The registration.
        path: String,
        /// What it said.
        source: zk::Error,
    },
}

/// Registers a broker, and returns its broker epoch: the zxid that created its znode.
///
/// A znode left by an earlier session is replaced at once if it names our own endpoints, since we hold the locks of our log directories: it can only be
/// our former self. The deletion is version-checked. Any other is given one session timeout to go.
///
/// # Errors
/// See [`RegistrationError`].
pub async fn register(
    session: &Session,
    id: i32,
    registration: &BrokerRegistration,
) -> Result<i64, RegistrationError> {
    let path = paths::broker(id);
    let data = znodes::encode_broker(registration);
    let failed = |source| RegistrationError::ZooKeeper { path: path.clone(), source };
    let deadline =
        tokio::time::Instant::now() + session.client().session_timeout() + Duration::from_millis(500);
    loop {
        match session.measure(session.client().create(&path, &data, &ephemeral())).await {
            Ok(_) | Err(zk::Error::NodeExists) => {}
            Err(error) if is_passing(&error) => {}
            Err(error) => return Err(failed(error)),
        }
        let Some((found, stat)) = session.read(&path).await.map_err(failed)? else { continue };
        if stat.ephemeral_owner == session.client().session_id().0 {
            info!(broker.id = id, broker.epoch = stat.czxid, "registered");
            return Ok(stat.czxid);
        }
        let there = znodes::decode_broker(&path, &found).map(|there| there.endpoints).unwrap_or_default();
        if same_addresses(&there, &registration.endpoints) {
            warn!(broker.id = id, "replacing the registration that an earlier session of this broker left");
            let version = Some(stat.version);
            match session.client().delete(&path, version).await {
                Ok(()) | Err(zk::Error::NoNode | zk::Error::BadVersion) => continue,
                Err(error) if is_passing(&error) => continue,
                Err(error) => return Err(failed(error)),
            }
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(RegistrationError::Taken { id, path, endpoints: there });
        }
        warn!(
            broker.id = id,
            there = addresses(&there),
            "the broker id is taken; waiting one session timeout for its owner to go"
        );
        wait_for_change(session, &path, deadline).await.map_err(failed)?;
    }
}

/// `host:port` of each endpoint, as a user writes them.
fn addresses(endpoints: &[Endpoint]) -> String {
    let all: Vec<String> =
        endpoints.iter().map(|end| format!("{}://{}:{}", end.listener, end.host, end.port)).collect();
    if all.is_empty() { "an address that cannot be read".to_owned() } else { all.join(", ") }
}

fn same_addresses(there: &[Endpoint], ours: &[Endpoint]) -> bool {
    there.len() == ours.len() && !ours.is_empty() && ours.iter().all(|endpoint| there.contains(endpoint))
}

async fn wait_for_change(
    session: &Session,
    path: &str,
    deadline: tokio::time::Instant,
) -> Result<(), zk::Error> {
    let watch = session.persist(|client| async move { client.check_and_watch_stat(path).await });
    let (Some(_), watcher) = watch.await? else { return Ok(()) };
    let _ = tokio::time::timeout_at(deadline, watcher.changed()).await;
    Ok(())
}
