//! What administrators change through requests: topics, their partitions, and configuration. All of it is written to ZooKeeper as Kafka's
//! tools write it; the controller sees it there, whoever wrote it.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;
use vltava_cluster::controller::{ReplicaAssignment, TopicAssignment};
use vltava_protocol::{ErrorCode, Uuid};
use vltava_settings::ProtocolVersion;
use zookeeper_client as zk;

use super::{
    Control, Session,
    configs::ReadError,
    session::{is_passing, persistent, sequential},
    startup::random_id,
    znodes::{self, Entity, paths},
};

/// How often a write that lost a race is tried again.
const ATTEMPTS: usize = 10;

/// Why a change was refused: the code that clients act on, and the words that people read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AdminError {
    /// The code.
    pub code: ErrorCode,
    /// The words.
    pub message: String,
}

impl AdminError {
    /// An error.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl From<zk::Error> for AdminError {
    fn from(error: zk::Error) -> Self {
        // Retriable: the change may or may not have been made.
        if is_passing(&error) || matches!(error, zk::Error::SessionExpired | zk::Error::ClientClosed) {
            return Self::new(ErrorCode::RequestTimedOut, format!("ZooKeeper: {error}"));
        }
        Self::new(ErrorCode::UnknownServerError, format!("ZooKeeper: {error}"))
    }
}

impl From<ReadError> for AdminError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::ZooKeeper { source, .. } => source.into(),
            ReadError::Znode(error) => Self::new(ErrorCode::UnknownServerError, error.to_string()),
        }
    }
}

impl From<znodes::ZnodeError> for AdminError {
    fn from(error: znodes::ZnodeError) -> Self {
        Self::new(ErrorCode::UnknownServerError, error.to_string())
    }
}

/// The topics that are being created for clients that asked for their metadata: each by one task at a time.
pub(super) type Creating = Mutex<HashSet<Arc<str>>>;

/// The largest number of topics that are created at once because clients asked for them; others are asked for again.
const MAX_CREATING: usize = 1000;

/// Whether the old settings stay in an alteration.
type Alteration<'a> =
    &'a (dyn Fn(&BTreeMap<String, String>) -> Result<BTreeMap<String, String>, AdminError> + Sync);

impl Control {
    fn admin_session(&self) -> Result<Arc<Session>, AdminError> {
        self.session().ok_or_else(|| {
            AdminError::new(ErrorCode::NotController, "This broker has no ZooKeeper session at the moment.")
        })
    }

    /// Writes a new topic and its overrides. It is usable when the metadata cache says so.
    ///
    /// # Errors
    /// TOPIC_ALREADY_EXISTS, or ZooKeeper's.
    pub async fn create_topic(
        &self,
        name: &str,
        replicas: Vec<Vec<i32>>,
        overrides: &BTreeMap<String, String>,
    ) -> Result<Uuid, AdminError> {
        let session = self.admin_session()?;
        let exists =
            || AdminError::new(ErrorCode::TopicAlreadyExists, format!("Topic '{name}' already exists."));
        let (path, config_path) = (paths::topic(name), paths::topic_config(name));
        // Nobody is told of ids before 2.8.
        let has_ids = self.configs().broker().inter_broker_protocol() >= ProtocolVersion::V2_8_IV0;
        let id = has_ids.then(random_id);
        let partitions =
            (0..).zip(replicas).map(|(n, replicas)| (n, ReplicaAssignment::of(replicas))).collect();
        let topic = znodes::encode_topic(&TopicAssignment { topic_id: id, partitions });
        let config = znodes::encode_config(overrides);
        for _ in 0..ATTEMPTS {
            if let Some((data, _)) = session.read(&path).await? {
                // Ours, if the answer to the attempt before was lost.
                let ours = data == topic;
                return if ours { Ok(id.unwrap_or_default()) } else { Err(exists()) };
            }
            // Overrides that an earlier topic left are replaced, in the same transaction.
            let mut writer = session.client().new_multi_writer();
            if session.read(&config_path).await?.is_some() {
                writer.add_set_data(&config_path, &config, None)?;
            } else {
                writer.add_create(&config_path, &config, &persistent())?;
            }
            writer.add_create(&path, &topic, &persistent())?;
            match session.measure(writer.commit()).await.map_err(zk::Error::from) {
                Ok(_) => return Ok(id.unwrap_or_default()),
                Err(zk::Error::NodeExists | zk::Error::NoNode) => {}
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(exists())
    }

    /// Creates a topic in the background because a client asked for its metadata, unless that is under way. The outcome is seen
    /// in the metadata; failures are logged.
    pub fn create_in_background(
        &self,
        name: &str,
        replicas: Vec<Vec<i32>>,
        overrides: BTreeMap<String, String>,
    ) -> bool {
        let name: Arc<str> = name.into();
        {
            let mut creating = self.shared.creating.lock();
            if creating.len() >= MAX_CREATING || !creating.insert(name.clone()) {
                return false;
            }
        }
        let control = self.clone();
        tokio::spawn(async move {
            match control.create_topic(&name, replicas, &overrides).await {
                Ok(id) => {
                    tracing::info!(topic = &*name, %id, "created for a client that asked for its metadata")
                }
                Err(error) if error.code == ErrorCode::TopicAlreadyExists => {}
                Err(error) => tracing::warn!(topic = &*name, %error, "not created"),
            }
            control.shared.creating.lock().remove(&name);
        });
        true
    }

    /// Asks for a topic's deletion. It is gone when the metadata cache says so.
    ///
    /// # Errors
    /// ZooKeeper's.
    pub async fn request_deletion(&self, name: &str) -> Result<(), AdminError> {
        let session = self.admin_session()?;
        let path = paths::delete_topic(name);
        let path = path.as_str();
        let made = session
            .persist(|client| async move { client.create(path, &[], &persistent()).await.map(|_| ()) })
            .await;
        match made {
            Ok(()) | Err(zk::Error::NodeExists) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A topic's assignment as ZooKeeper has it; `None` without the topic.
    ///
    /// # Errors
    /// ZooKeeper's.
    pub async fn assignment(&self, name: &str) -> Result<Option<TopicAssignment>, AdminError> {
        let path = paths::topic(name);
        let Some((data, _)) = self.admin_session()?.read(&path).await? else { return Ok(None) };
        Ok(Some(znodes::decode_topic(&path, &data)?))
    }

    /// Adds partitions to a topic that has `before` of them.
    ///
    /// # Errors
    /// UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS when the topic has grown meanwhile, or ZooKeeper's.
    pub async fn add_partitions(
        &self,
        name: &str,
        before: usize,
        added: &[Vec<i32>],
    ) -> Result<(), AdminError> {
        let session = self.admin_session()?;
        let path = paths::topic(name);
        for _ in 0..ATTEMPTS {
            let Some((data, stat)) = session.read(&path).await? else {
                return Err(AdminError::new(
                    ErrorCode::UnknownTopicOrPartition,
                    format!("The topic '{name}' does not exist."),
                ));
            };
            let mut assignment = znodes::decode_topic(&path, &data)?;
            if assignment.partitions.len() != before {
                return Err(AdminError::new(
                    ErrorCode::InvalidPartitions,
                    format!("Topic '{name}' has {} partitions by now.", assignment.partitions.len()),
                ));
            }
            for (number, replicas) in (before..).zip(added) {
                let number = i32::try_from(number).unwrap_or(i32::MAX);
                assignment.partitions.insert(number, ReplicaAssignment::of(replicas.clone()));
            }
            let data = znodes::encode_topic(&assignment);
            match session.measure(session.client().set_data(&path, &data, Some(stat.version))).await {
                Ok(_) => return Ok(()),
                Err(zk::Error::BadVersion | zk::Error::NoNode) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AdminError::new(ErrorCode::RequestTimedOut, "Others are changing the topic at the same time."))
    }

    /// An entity's overrides as ZooKeeper has them.
    ///
    /// # Errors
    /// ZooKeeper's.
    pub async fn overrides(&self, entity: &Entity) -> Result<BTreeMap<String, String>, AdminError> {
        Ok(self.configs().overrides_or_none(&*self.admin_session()?, entity).await?.0)
    }

    /// Replaces an entity's overrides by what `alter` makes of them, and notifies every broker.
    ///
    /// # Errors
    /// What `alter` refuses, or ZooKeeper's.
    pub async fn alter_overrides(
        &self,
        entity: &Entity,
        alter: Alteration<'_>,
    ) -> Result<BTreeMap<String, String>, AdminError> {
        let session = self.admin_session()?;
        let path = entity.znode();
        for _ in 0..ATTEMPTS {
            let (before, version) = self.configs().overrides_or_none(&session, entity).await?;
            let after = alter(&before)?;
            let data = znodes::encode_config(&after);
            let mut writer = session.client().new_multi_writer();
            match version {
                Some(version) => writer.add_set_data(&path, &data, Some(version))?,
                None => writer.add_create(&path, &data, &persistent())?,
            }
            writer.add_create(
                paths::CONFIG_CHANGE_PREFIX,
                &znodes::encode_config_change(entity),
                &sequential(),
            )?;
            match session.measure(writer.commit()).await.map_err(zk::Error::from) {
                Ok(_) => return Ok(after),
                Err(zk::Error::BadVersion | zk::Error::NodeExists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AdminError::new(
            ErrorCode::RequestTimedOut,
            "Others are changing the configuration at the same time.",
        ))
    }
}
