//! All partitions that have a replica on this broker, and the controller's orders about them.
//!
//! Requests find a partition by its topic's name or id; both maps hold the same [`Topic`] values. LeaderAndIsr and StopReplica come as protocol structs,
//! delivered in process when the controller is this very broker; they are obeyed one after the other, and create and remove files, so they are
//! called from where that may take a moment.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI32, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use tracing::{error, info};
use vltava_cluster::replication::{FollowerState, LeaderState};
use vltava_log::{Log, TopicPartition};
use vltava_protocol::{ErrorCode, Uuid, messages::leader_and_isr::LeaderAndIsrPartitionState};

use super::{
    Hosted, Partition, PartitionError, Topic, TopicConfig, disk::Disk, fetch_sessions::FetchSessions,
    file_work::FileWork, leadership::LeadershipError, old_readers::OldReaders, partition::Surroundings,
    setup::Setup, storage::Storage, unopened::Unopened,
};
use crate::{fetchers::Fetchers, metrics::Metrics};

/// Resolves a topic's settings when it first appears here: topic keys over broker keys.
pub type TopicConfigs = Box<dyn Fn(&str) -> TopicConfig + Send + Sync>;

/// Told after a partition's leadership changed here, or it went away: for the coordinators that live on partitions. Called without any lock of the
/// partition, in the order of changes; must not block.
pub type LeadershipListener = Box<dyn Fn(&LeadershipChange) + Send + Sync>;

/// What became of a partition here.
#[derive(Debug, Clone)]
pub enum LeadershipChange {
    /// This broker leads it, in this epoch.
    Leads(Arc<Partition>, i32),
    /// This broker does not lead it any more, or never did.
    Follows(Arc<Partition>, i32),
    /// It is stopped, and deleted if `true`.
    Stopped(Arc<Partition>, bool),
}

/// All partitions of this broker.
pub struct Replicas {
    /// What all partitions share.
    pub surroundings: Arc<Surroundings>,
    /// The fetch sessions of all clients.
    pub sessions: FetchSessions,
    /// What clients of older formats read.
    pub old_readers: Arc<OldReaders>,
    /// What this broker follows is fetched by them.
    pub fetchers: Fetchers,
    /// Told when a log directory has failed, and with it partitions.
    pub disk_failures: Notify,
    topics: RwLock<Topics>,
    storage: Storage,
    /// What the controller asked for and could not be opened.
    pub(super) unopened: Unopened,
    configs: TopicConfigs,
    metrics: Arc<Metrics>,
    listener: OnceLock<LeadershipListener>,
    controller_epoch: AtomicI32,
    /// `producer.id.expiration.ms`, once it was changed.
    producer_id_expiration: Mutex<Option<i64>>,
    /// The controller's orders are obeyed one at a time.
    orders: Mutex<()>,
}

#[derive(Debug, Default)]
struct Topics {
    by_name: HashMap<Arc<str>, Arc<Topic>>,
    by_id: HashMap<Uuid, Arc<Topic>>,
}

impl Replicas {
    /// Over storage that is open. Its partitions become visible as the controller assigns them.
    pub fn new(setup: Setup) -> Self {
        Self {
            surroundings: Arc::new(setup.surroundings),
            sessions: FetchSessions::new(setup.sessions),
            old_readers: Arc::default(),
            fetchers: Fetchers::default(),
            disk_failures: Notify::new(),
            topics: RwLock::default(),
            storage: setup.storage,
            unopened: Unopened::default(),
            configs: setup.configs,
            metrics: setup.metrics,
            listener: OnceLock::new(),
            controller_epoch: AtomicI32::new(-1),
            producer_id_expiration: Mutex::new(None),
            orders: Mutex::new(()),
        }
    }

    /// This broker's id.
    pub fn broker_id(&self) -> i32 {
        self.surroundings.broker_id
    }

    /// Where file work goes that may block.
    pub fn files(&self) -> &FileWork {
        &self.surroundings.files
    }

    /// The log directories.
    pub fn storage(&self) -> &Storage {
        &self.storage
    }

    /// Who is told of changed leadership. Once, before the first order.
    pub fn on_leadership(&self, listener: LeadershipListener) {
        if self.listener.set(listener).is_err() {
            error!("a second listener to leadership is ignored");
        }
    }

    // Finding.

    /// A topic that has a partition here.
    pub fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().by_name.get(name).cloned()
    }

    /// A topic that has a partition here.
    pub fn topic_by_id(&self, id: &Uuid) -> Option<Arc<Topic>> {
        self.topics.read().by_id.get(id).cloned()
    }

    /// All topics that have a partition here.
    pub fn topics(&self) -> Vec<Arc<Topic>> {
        self.topics.read().by_name.values().cloned().collect()
    }

    /// One partition. Cost: two hash look-ups under read locks.
    pub fn partition(&self, topic: &str, index: i32) -> Result<Arc<Partition>, PartitionError> {
        let topics = self.topics.read();
        let topic = topics.by_name.get(topic).ok_or(PartitionError::Unknown)?;
        hosted(topic.partition(index))
    }

    /// One partition by its topic's id.
    pub fn partition_by_id(&self, id: &Uuid, index: i32) -> Result<Arc<Partition>, PartitionError> {
        let topics = self.topics.read();
        let topic = topics.by_id.get(id).ok_or(PartitionError::UnknownId)?;
        hosted(topic.partition(index))
    }

    /// All partitions that are online.
    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        let online = |topic: &Arc<Topic>| {
            topic.partitions().into_iter().filter_map(|(_, hosted)| match hosted {
                Hosted::Online(partition) => Some(partition),
                Hosted::Offline => None,
            })
        };
        self.topics().iter().flat_map(online).collect()
    }

    // Obeying the controller.

    /// Notes the epoch of a controller that gives an order; an older one than known is refused.
    pub(super) fn admit_controller(&self, epoch: i32) -> Result<(), ErrorCode> {
        let known = self.controller_epoch.fetch_max(epoch, Ordering::AcqRel);
        if epoch < known { Err(ErrorCode::StaleControllerEpoch) } else { Ok(()) }
    }

    /// Takes the right to obey an order.
    pub(super) fn order(&self) -> parking_lot::MutexGuard<'_, ()> {
        self.orders.lock()
    }

    /// Obeys LeaderAndIsr for one partition: makes its log if need be, then leads or follows.
    pub(super) fn assign(
        &self,
        name: &str,
        id: Uuid,
        state: &LeaderAndIsrPartitionState<'_>,
        now: i64,
    ) -> Result<(), ErrorCode> {
        let local = self.broker_id();
        if !state.replicas.contains(&local) {
            return Err(ErrorCode::UnknownTopicOrPartition);
        }
        let topic = self.topic_for(name, id)?;
        let partition = match topic.partition(state.partition_index) {
            Some(Hosted::Online(partition)) => partition,
            Some(Hosted::Offline) if !self.unopened.waits_for_room(name, state.partition_index) => {
                return Err(ErrorCode::KafkaStorageError);
            }
            Some(Hosted::Offline) | None => self.host(&topic, state, now)?,
        };
        let outcome = if state.leader == local {
            let leader = LeaderState {
                leader_epoch: state.leader_epoch,
                partition_epoch: state.partition_epoch,
                isr: state.isr.clone(),
                replicas: state.replicas.clone(),
            };
            partition.become_leader(leader)
        } else {
            partition.become_follower(FollowerState {
                leader_id: state.leader,
                leader_epoch: state.leader_epoch,
                partition_epoch: state.partition_epoch,
                replicas: state.replicas.clone(),
            })
        };
        match outcome {
            Ok(()) => {}
            Err(LeadershipError::Stale(stale)) => {
                info!(topic = name, partition = state.partition_index, %stale, "LeaderAndIsr is stale");
                return Err(ErrorCode::StaleControllerEpoch);
            }
            Err(LeadershipError::Partition(error)) => return Err(error.code()),
        }
        if state.leader == local {
            self.fetchers.unfollow(&partition);
        } else {
            self.fetchers.follow(&partition, state.leader, state.leader_epoch);
        }
        let change = if state.leader == local {
            LeadershipChange::Leads(partition, state.leader_epoch)
        } else {
            LeadershipChange::Follows(partition, state.leader_epoch)
        };
        self.tell(&change);
        Ok(())
    }

    /// Obeys StopReplica for one partition. A partition that is not here is stopped already; its files are removed all the same, if
    /// they are there and sound. Those of a log that could not be opened stay for the operator, and the controller is told that they do.
    pub(super) fn stop(
        &self,
        name: &str,
        index: i32,
        leader_epoch: i32,
        delete: bool,
        now: i64,
    ) -> Result<(), ErrorCode> {
        let hosted = self.topic(name).and_then(|topic| topic.partition(index).map(|hosted| (topic, hosted)));
        let Some((topic, hosted)) = hosted else {
            if delete
                && let Err(error) = self.storage.delete_unclaimed(&TopicPartition::new(name, index), now)
            {
                error!(topic = name, partition = index, %error, "cannot delete a replica's files");
                return Err(ErrorCode::KafkaStorageError);
            }
            return Ok(());
        };
        let Hosted::Online(partition) = hosted else {
            return if delete { self.give_up(&topic, index, now) } else { Err(ErrorCode::KafkaStorageError) };
        };
        // -1: no epoch told (old controllers). -2: the topic is deleted, whatever the epoch.
        if leader_epoch >= 0 && leader_epoch < partition.leadership().epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        self.fetchers.unfollow(&partition);
        partition.stop();
        let mut outcome = Ok(());
        if delete {
            match self.storage.delete(&partition, now) {
                Ok(()) => {
                    topic.remove(index);
                    self.forget_if_empty(&topic);
                    partition.go_away();
                }
                // It stays, without a leader: the controller asks again, and a topic of the same name must not find its records.
                Err(error) => {
                    partition.judge(&error);
                    error!(topic = name, partition = index, %error, "cannot delete a replica's files");
                    outcome = Err(ErrorCode::KafkaStorageError);
                }
            }
        }
        self.tell(&LeadershipChange::Stopped(partition, delete && outcome.is_ok()));
        outcome
    }

    /// Deletes a replica that could not be opened for want of room: whatever there is of it. One that is broken otherwise stays for its owner to see.
    fn give_up(&self, topic: &Arc<Topic>, index: i32, now: i64) -> Result<(), ErrorCode> {
        if !self.unopened.waits_for_room(&topic.name, index) {
            return Err(ErrorCode::KafkaStorageError);
        }
        let name = TopicPartition::new(&*topic.name, index);
        if let Err(error) = self.storage.discard_begun(&name, now) {
            error!(topic = %topic.name, partition = index, %error, "cannot delete a replica's files");
            return Err(ErrorCode::KafkaStorageError);
        }
        self.unopened.remove(&topic.name, index);
        topic.remove(index);
        self.forget_if_empty(topic);
        Ok(())
    }

    /// New settings of a topic, from the next append, read or round of upkeep on.
    pub fn reconfigure(&self, name: &str, config: TopicConfig) {
        let Some(topic) = self.topic(name) else { return };
        topic.set_config(Arc::new(config));
        for (_, hosted) in topic.partitions() {
            if let Hosted::Online(partition) = hosted {
                partition.reconfigure();
            }
        }
    }

    /// `producer.id.expiration.ms` as it is now, for the partitions that are here and those that will be.
    pub fn set_producer_id_expiration(&self, expiration_ms: i64) {
        *self.producer_id_expiration.lock() = Some(expiration_ms);
        for partition in self.partitions() {
            partition.with_log(|log| log.set_producer_id_expiration_ms(expiration_ms));
        }
    }

    /// A log directory is lost: its partitions answer with storage errors from now on.
    pub(super) fn disk_lost(&self, disk: &Arc<Disk>) {
        // Those who are told of leaderships are told in the order in which they change.
        let _one_at_a_time = self.order();
        let mut lost = 0;
        for topic in self.topics() {
            for (index, hosted) in topic.partitions() {
                if let Hosted::Online(partition) = hosted
                    && Arc::ptr_eq(partition.disk(), disk)
                {
                    topic.host(index, Hosted::Offline);
                    partition.go_offline();
                    self.fetchers.unfollow(&partition);
                    self.tell(&LeadershipChange::Stopped(partition, false));
                    lost += 1;
                }
            }
        }
        // Who calls may do so more than once for the same failure.
        if lost > 0 {
            error!(directory = %disk.path().display(), partitions = lost, "partitions went offline with their log directory");
            self.disk_failures.notify_one();
        }
    }

    /// A follower's log was cut off at `end`: after a crash nothing behind it may be taken for flushed or for cleaned. Waits for the disk.
    pub(crate) fn log_was_cut(&self, partition: &Partition, end: i64) {
        let name = TopicPartition::new(&*partition.topic.name, partition.index);
        let dirs = self.storage.dirs();
        if dirs.cleaned_to(&name).is_some_and(|cleaned| cleaned > end) {
            dirs.set_cleaned_to(&name, end);
        }
        dirs.checkpoint();
        self.lose_failed_disks();
    }

    fn tell(&self, change: &LeadershipChange) {
        if let Some(listener) = self.listener.get() {
            listener(change);
        }
    }

    /// The topic of that name and id; a name whose id is another belongs to a life of the topic that is over or not yet known.
    fn topic_for(&self, name: &str, id: Uuid) -> Result<Arc<Topic>, ErrorCode> {
        if let Some(topic) = self.topic(name) {
            let agree = topic.id == id || id.is_zero() || topic.id.is_zero();
            return if agree { Ok(topic) } else { Err(ErrorCode::InconsistentTopicId) };
        }
        // Asked for under the lock: settings that change from now on find the topic, those that changed before are what is told.
        let mut topics = self.topics.write();
        let config = Arc::new((self.configs)(name));
        let name: Arc<str> = name.into();
        let topic = Topic::new(name.clone(), id, self.metrics.topic(&name), config);
        topics.by_name.insert(name, topic.clone());
        if !id.is_zero() {
            topics.by_id.insert(id, topic.clone());
        }
        Ok(topic)
    }

    fn forget_if_empty(&self, topic: &Arc<Topic>) {
        if !topic.is_empty() {
            return;
        }
        let mut topics = self.topics.write();
        topics.by_name.remove(&topic.name);
        topics.by_id.remove(&topic.id);
        drop(topics);
        self.metrics.forget_topic(&topic.name);
    }

    /// Opens what is on disk, or makes a new log. What can't be opened answers with storage errors until the broker starts again; what lacks room,
    /// until there is room.
    fn host(
        &self,
        topic: &Arc<Topic>,
        state: &LeaderAndIsrPartitionState<'_>,
        now: i64,
    ) -> Result<Arc<Partition>, ErrorCode> {
        let index = state.partition_index;
        let opened = self.storage.open(topic, index, state.is_new, now).map_err(|error| {
            let stored = self.storage.broken(&TopicPartition::new(&*topic.name, index));
            let reason = stored.map_or_else(|| error.to_string(), |stored| stored.to_string());
            error!(topic = %topic.name, partition = index, error = %reason, "cannot open a replica");
            self.unopened.add((&topic.name, topic.id), state, reason, error.is_disk_full(), now);
            self.storage.judge(&error);
            topic.host(index, Hosted::Offline);
            ErrorCode::KafkaStorageError
        })?;
        self.unopened.remove(&topic.name, index);
        let super::storage::Opened { log, disk, high_watermark } = opened;
        Ok(self.put(topic, index, log, high_watermark, disk))
    }

    fn put(
        &self,
        topic: &Arc<Topic>,
        index: i32,
        log: Log,
        high_watermark: i64,
        disk: Arc<Disk>,
    ) -> Arc<Partition> {
        let surroundings = self.surroundings.clone();
        let partition = Partition::new(topic.clone(), index, log, high_watermark, disk, surroundings);
        topic.host(index, Hosted::Online(partition.clone()));
        // Looked at when others can see the partition, so that it misses no change.
        let expiration = *self.producer_id_expiration.lock();
        if let Some(expiration_ms) = expiration {
            partition.with_log(|log| log.set_producer_id_expiration_ms(expiration_ms));
        }
        partition
    }
}

impl std::fmt::Debug for Replicas {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replicas")
            .field("broker", &self.broker_id())
            .field("topics", &self.topics.read().by_name.len())
            .finish_non_exhaustive()
    }
}

fn hosted(found: Option<Hosted>) -> Result<Arc<Partition>, PartitionError> {
    match found {
        Some(Hosted::Online(partition)) => Ok(partition),
        Some(Hosted::Offline) => Err(PartitionError::Storage),
        None => Err(PartitionError::Unknown),
    }
}
