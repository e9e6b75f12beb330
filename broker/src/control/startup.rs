//! What a broker does in ZooKeeper before it may open its logs: makes the paths, and learns its cluster's id and its own. Before, `protection`
//! looks for what it could not keep up.

use tracing::info;
use vltava_protocol::Uuid;
use zookeeper_client as zk;

use super::{
    session::{Session, persistent},
    znodes::{self, ZnodeError, paths},
};

/// Why a broker cannot start on this ZooKeeper.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// ZooKeeper refused.
    #[error("ZooKeeper refused {what} {path}: {source}")]
    ZooKeeper {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: String,
        /// What it said.
        source: zk::Error,
    },
    /// A znode makes no sense.
    #[error(transparent)]
    Znode(#[from] ZnodeError),
    /// The cluster's owner protected it, and the protection is not built.
    #[error(
        "{path}: {what}. Vltava does not enforce this yet, and does not open what its owner closed; remove it, or keep the broker that does"
    )]
    Protected {
        /// Where it was found.
        path: String,
        /// What was found.
        what: String,
    },
    /// `broker.id=-1` without permission to generate one.
    #[error("broker.id=-1: set broker.id, or broker.id.generation.enable=true")]
    NoBrokerId,
    /// All generated ids are taken.
    #[error("no broker id is left above reserved.broker.max.id={reserved}")]
    NoIdsLeft {
        /// `reserved.broker.max.id`.
        reserved: i32,
    },
}

pub(super) fn refused(what: &'static str, path: &str) -> impl FnOnce(zk::Error) -> StartupError {
    let path = path.to_owned();
    move |source| StartupError::ZooKeeper { what, path, source }
}

/// Makes the persistent paths, `/feature` and `/latest_producer_id_block`, where they are missing.
///
/// # Errors
/// When ZooKeeper refuses.
pub async fn make_paths(session: &Session) -> Result<(), StartupError> {
    for path in paths::PERSISTENT {
        session.make_path(path).await.map_err(refused("creating", path))?;
    }
    let feature = znodes::encode_feature(&znodes::FeatureNode::empty());
    create_if_missing(session, paths::FEATURE, &feature).await?;
    // Kafka writes null first, which the client cannot, and its brokers do not start on an empty one: no block is given out yet.
    let none = znodes::encode_producer_ids(znodes::ProducerIdBlock { broker: -1, first: 0, last: -1 });
    create_if_missing(session, paths::PRODUCER_IDS, &none).await.map(|_| ())
}

/// Creates a persistent znode; whether it was missing.
async fn create_if_missing(session: &Session, path: &str, data: &[u8]) -> Result<bool, StartupError> {
    let created =
        session.persist(|client| async move { client.create(path, data, &persistent()).await.map(|_| ()) });
    match created.await {
        Ok(()) => Ok(true),
        Err(zk::Error::NodeExists) => Ok(false),
        Err(error) => Err(refused("creating", path)(error)),
    }
}

/// The cluster's id; the first broker of a cluster makes it up.
///
/// # Errors
/// When ZooKeeper refuses, or the id makes no sense.
pub async fn cluster_id(session: &Session) -> Result<String, StartupError> {
    let path = paths::CLUSTER_ID;
    loop {
        if let Some((data, _)) = session.read(path).await.map_err(refused("reading", path))? {
            return Ok(znodes::decode_cluster_id(&data)?);
        }
        session.make_path("/cluster").await.map_err(refused("creating", "/cluster"))?;
        let id = random_id().to_string();
        // Whoever loses the race reads the winner's.
        if create_if_missing(session, path, &znodes::encode_cluster_id(&id)).await? {
            info!(cluster.id = id, "a new cluster");
        }
    }
}

/// A new id as Kafka makes them: a version 4 UUID that is not one of the reserved ones and does not begin with a dash, which tools
/// would take for an option.
#[must_use]
pub fn random_id() -> Uuid {
    loop {
        let id = Uuid::from(uuid::Uuid::new_v4().as_u128());
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}

/// A broker id above `reserved`: `/brokers/seqid` counts them by its data version.
///
/// # Errors
/// When ZooKeeper refuses, or no id is left.
pub async fn generate_broker_id(session: &Session, reserved: i32) -> Result<i32, StartupError> {
    let path = paths::BROKER_SEQUENCE;
    session.make_path(path).await.map_err(refused("creating", path))?;
    // A lost answer skips a number, which is no harm.
    let stat = session.persist(|client| async move { client.set_data(path, &[], None).await });
    let stat = stat.await.map_err(refused("writing", path))?;
    reserved.checked_add(stat.version).ok_or(StartupError::NoIdsLeft { reserved })
}
