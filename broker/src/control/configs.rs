//! Configuration that lives in ZooKeeper: topics' overrides, and what brokers change while they run (KIP-226).
//!
//! `/config/changes` tells which entity changed; its znode tells how. All is read again with each new session, so that no
//! notification can be missed for good.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::{broadcast, watch};
use tracing::{error, info, warn};
use vltava_settings::{BrokerConfig, DynamicConfig, Level, TopicConfig};
use zookeeper_client as zk;

use super::{
    Member,
    garbage::Garbage,
    protection,
    session::{PIPELINE, Session},
    topic_table::{Overrides, Ticket, TopicTable},
    znodes::{self, Entity, ZnodeError, paths},
};
use crate::partitions::now_ms;

/// Changes that are kept for the controller until it looks.
const REMEMBERED: usize = 256;

/// A notification older than this is deleted by whoever sees it, milliseconds; Kafka's own limit.
const NOTIFICATION_EXPIRY_MS: i64 = 15 * 60 * 1000;

/// See the module.
#[derive(Debug)]
pub struct Configs {
    broker_id: i32,
    dynamic: ArcSwap<DynamicConfig>,
    topics: Arc<TopicTable>,
    session: Arc<ArcSwapOption<Session>>,
    /// Held while something is put in force and the member is told, so that it is told in the order in which things are in force.
    writing: Mutex<()>,
    changes: watch::Sender<u64>,
    /// What the controller wants to know, of any topic.
    changed: broadcast::Sender<Entity>,
    garbage: Garbage,
}

impl Configs {
    pub(super) fn new(
        broker_id: i32,
        fixed: Arc<BrokerConfig>,
        session: Arc<ArcSwapOption<Session>>,
    ) -> Self {
        let dynamic = ArcSwap::from_pointee(DynamicConfig::new(fixed));
        Self {
            broker_id,
            dynamic,
            topics: Arc::default(),
            session,
            writing: Mutex::new(()),
            changes: watch::Sender::new(0),
            changed: broadcast::Sender::new(REMEMBERED),
            garbage: Garbage::default(),
        }
    }

    /// The entities that change from now on, after the change has its effect here. A listener that is too slow is told so.
    pub(super) fn changed_entities(&self) -> broadcast::Receiver<Entity> {
        self.changed.subscribe()
    }

    /// The broker's configuration as it is now.
    pub fn broker(&self) -> Arc<BrokerConfig> {
        Arc::clone(self.dynamic.load().current())
    }

    /// The broker's configuration with its layers.
    pub fn dynamic(&self) -> Arc<DynamicConfig> {
        self.dynamic.load_full()
    }

    /// A topic's settings: its overrides over the broker's. Those of a topic that is not known are the broker's.
    pub fn topic(&self, name: &str) -> Arc<TopicConfig> {
        match self.topics.get(name) {
            Some(settings) => Arc::clone(&settings.config),
            None => Arc::new(self.dynamic.load().topic_defaults().clone()),
        }
    }

    /// Reads the overrides of topics that are not known, and of `fresh` ones in any case: a topic may have been made again. Answers the topics
    /// that ZooKeeper could not be asked about. One whose overrides make no sense is served without them, and nothing of it is deleted by retention.
    pub(super) async fn learn_topics<'a>(
        &self,
        topics: impl Iterator<Item = (&'a str, bool)>,
        member: &dyn Member,
    ) -> HashSet<String> {
        let unknown: Vec<String> = topics
            .filter(|(name, fresh)| *fresh || !self.knows_topic(name))
            .map(|(name, _)| name.to_owned())
            .collect();
        if unknown.is_empty() {
            return HashSet::new();
        }
        let Some(session) = self.session.load_full() else {
            error!(
                topics = unknown.len(),
                "topics' configurations cannot be read without a ZooKeeper session"
            );
            return unknown.into_iter().collect();
        };
        self.read_topics(&session, unknown, member).await
    }

    async fn read_topics(
        &self,
        session: &Session,
        names: Vec<String>,
        member: &dyn Member,
    ) -> HashSet<String> {
        // The tickets first: whoever is told of a change from now on reads again.
        let tickets: Vec<Ticket> = names.iter().map(|name| self.topics.learn(name)).collect();
        let read = |ticket: Ticket| async move {
            let read = overrides(session, &Entity::Topic(ticket.name().to_owned())).await;
            (ticket, read)
        };
        let mut found = stream::iter(tickets).map(read).buffered(PIPELINE);
        let mut unread = HashSet::new();
        while let Some((ticket, overrides)) = found.next().await {
            match overrides {
                // A partition of it may be here already.
                Ok((overrides, _)) => self.put_topic(ticket, Overrides::Read(overrides), member),
                Err(ReadError::Znode(error)) => {
                    error!(%error, "the topic is served without its configuration, and keeps all its records, until the znode is put right");
                    self.put_topic(ticket, Overrides::Unreadable, member);
                }
                Err(error @ ReadError::ZooKeeper { .. }) => {
                    error!(topic = ticket.name(), %error, "the topic's configuration cannot be read");
                    unread.insert(ticket.name().to_owned());
                }
            }
        }
        unread
    }

    /// Whether a topic's overrides are known here.
    pub(super) fn knows_topic(&self, name: &str) -> bool {
        self.topics.get(name).is_some()
    }

    /// Waits, at most `patience`, until an entity's overrides have their effect here. A topic without a replica here has none.
    pub async fn wait_for(&self, patience: Duration, entity: &Entity, overrides: &BTreeMap<String, String>) {
        let there = || match entity {
            Entity::Topic(name) => {
                self.topics.get(name).is_none_or(|settings| settings.overrides == *overrides)
            }
            Entity::BrokerDefault => self.dynamic.load().values(Level::Cluster) == overrides,
            Entity::Broker(id) => {
                *id != self.broker_id || self.dynamic.load().values(Level::Broker) == overrides
            }
            Entity::Other(_) => true,
        };
        let mut changes = self.changes.subscribe();
        let wait = async { while !there() && changes.changed().await.is_ok() {} };
        let _late = tokio::time::timeout(patience, wait).await;
    }

    /// Puts in force what was read of a topic, unless it is out of date, and tells the member.
    fn put_topic(&self, ticket: Ticket, overrides: Overrides, member: &dyn Member) {
        let name = ticket.name().to_owned();
        let _one_writer = self.writing.lock();
        let Some((config, problems)) = ticket.put(overrides, self.dynamic.load().topic_defaults()) else {
            return;
        };
        for problem in problems {
            warn!(topic = name, %problem, "an override has no effect");
        }
        self.changes.send_modify(|count| *count += 1);
        member.topic_config_changed(&name, &config);
    }

    /// A topic has gone from this broker.
    pub(super) fn forget_topic(&self, name: &str) {
        self.topics.forget(name);
    }

    /// Reads an entity again and tells the member of what changed.
    pub(super) async fn reload(&self, session: &Session, entity: &Entity, member: &dyn Member) {
        match entity {
            Entity::Topic(name) => {
                let Some(ticket) = self.topics.reread(name) else { return };
                let Some(overrides) = read_again(session, entity).await else { return };
                info!(topic = name, ?overrides, "topic configuration");
                self.put_topic(ticket, Overrides::Read(overrides), member);
            }
            Entity::BrokerDefault => self.reload_broker(session, entity, Level::Cluster, member).await,
            Entity::Broker(id) if *id == self.broker_id => {
                self.reload_broker(session, entity, Level::Broker, member).await;
            }
            // Other brokers' values are theirs.
            Entity::Broker(_) => {}
            Entity::Other(_) => protection::tell_of_entity(session, entity).await,
        }
    }

    async fn reload_broker(&self, session: &Session, entity: &Entity, level: Level, member: &dyn Member) {
        if let Some(values) = read_again(session, entity).await {
            self.set_broker(level, values, member);
        }
    }

    fn set_broker(&self, level: Level, values: BTreeMap<String, String>, member: &dyn Member) {
        let _one_writer = self.writing.lock();
        let mut next = DynamicConfig::clone(&self.dynamic.load());
        if *next.values(level) == values {
            return;
        }
        info!(?level, keys = ?values.keys(), "dynamic broker configuration");
        for problem in next.replace(level, values) {
            protection::tell_of_value(level, &problem);
        }
        self.dynamic.store(Arc::new(next));
        self.changes.send_modify(|count| *count += 1);
        // The topics' defaults are the broker's values.
        for (name, config) in self.topics.rebase(self.dynamic.load().topic_defaults()) {
            member.topic_config_changed(&name, &config);
        }
        member.broker_config_changed(&self.broker());
    }

    /// Reads everything that is known here again.
    async fn reload_all(&self, session: &Session, member: &dyn Member) {
        for entity in [Entity::BrokerDefault, Entity::Broker(self.broker_id)] {
            self.reload(session, &entity, member).await;
        }
        protection::tell_of_all(session).await;
        stream::iter(self.topics.names())
            .for_each_concurrent(PIPELINE, |name| async move {
                self.reload(session, &Entity::Topic(name.to_string()), member).await;
            })
            .await;
    }

    /// [`overrides`] as Kafka sees them: a znode that makes no sense has none. So who alters them puts it right.
    ///
    /// # Errors
    /// ZooKeeper's.
    pub(super) async fn overrides_or_none(
        &self,
        session: &Session,
        entity: &Entity,
    ) -> Result<(BTreeMap<String, String>, Option<i32>), ReadError> {
        let (overrides, version) = znode(session, entity).await?;
        let is_news = self.garbage.is_news(&entity.znode(), version, &overrides);
        let none = |error| {
            if is_news {
                warn!(%error, "taken for no configuration");
            }
            BTreeMap::new()
        };
        Ok((overrides.unwrap_or_else(none), version))
    }

    /// Follows `/config/changes` until the session ends.
    pub(super) async fn follow(&self, session: &Session, member: &dyn Member) {
        let mut last: Option<String> = None;
        loop {
            let listed = session
                .persist(|client| async move { client.list_and_watch_children(paths::CONFIG_CHANGES).await })
                .await;
            let (mut names, watcher) = match listed {
                Ok(listed) => listed,
                Err(error) if session.is_over() => {
                    return info!(%error, "configuration is no longer followed in this session");
                }
                Err(error) => {
                    error!(%error, path = paths::CONFIG_CHANGES, "configuration cannot be followed");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            };
            names.sort_unstable();
            if last.is_none() {
                // What these say is in what is read now.
                self.reload_all(session, member).await;
                last = Some(names.last().cloned().unwrap_or_default());
            }
            for name in &names {
                let path = format!("{}/{name}", paths::CONFIG_CHANGES);
                let is_news = last.as_ref().is_none_or(|last| name > last);
                let (data, stat) = match session.read(&path).await {
                    Ok(Some(read)) => read,
                    Ok(None) => continue,
                    Err(_) if session.is_over() || !is_news => continue,
                    Err(error) => {
                        error!(%error, path, "a notification cannot be read: all configuration is read again");
                        self.reload_all(session, member).await;
                        last = Some(name.clone());
                        continue;
                    }
                };
                if is_news {
                    match znodes::decode_config_change(&path, &data) {
                        Ok(change) => {
                            self.reload(session, &change.entity, member).await;
                            // Without a controller here nobody listens.
                            let _ = self.changed.send(change.entity);
                        }
                        Err(error) => warn!(%error, "a notification is passed over"),
                    }
                    last = Some(name.clone());
                } else if now_ms() - stat.ctime > NOTIFICATION_EXPIRY_MS {
                    let path = path.as_str();
                    let _gone_already =
                        session.persist(|client| async move { client.delete(path, None).await }).await;
                }
            }
            watcher.changed().await;
        }
    }
}

/// Why overrides cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The znode makes no sense.
    #[error(transparent)]
    Znode(#[from] znodes::ZnodeError),
    /// ZooKeeper refused, or the session ended.
    #[error("{path}: {source}")]
    ZooKeeper {
        /// Which znode.
        path: String,
        /// What it said.
        source: zk::Error,
    },
}

/// What an entity's overrides are now; `None`, and a line in the log, where they cannot be read.
async fn read_again(session: &Session, entity: &Entity) -> Option<BTreeMap<String, String>> {
    match overrides(session, entity).await {
        Ok((overrides, _)) => Some(overrides),
        Err(error) => {
            error!(%entity, %error, "a changed configuration cannot be read; the old one stays");
            None
        }
    }
}

/// An entity's overrides and their data version; `None` for an entity without a znode.
///
/// # Errors
/// See [`ReadError`].
pub(crate) async fn overrides(
    session: &Session,
    entity: &Entity,
) -> Result<(BTreeMap<String, String>, Option<i32>), ReadError> {
    let (overrides, version) = znode(session, entity).await?;
    Ok((overrides?, version))
}

/// What an entity's znode says, and its data version.
async fn znode(
    session: &Session,
    entity: &Entity,
) -> Result<(Result<BTreeMap<String, String>, ZnodeError>, Option<i32>), ReadError> {
    let path = entity.znode();
    match session.read(&path).await {
        Ok(Some((data, stat))) => Ok((znodes::decode_config(&path, &data), Some(stat.version))),
        Ok(None) => Ok((Ok(BTreeMap::new()), None)),
        Err(source) => Err(ReadError::ZooKeeper { path, source }),
    }
}
