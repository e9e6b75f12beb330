//! The group coordinator's shell: the machines of `cluster::groups` over partitions of `__consumer_offsets`.
//!
//! A [`Shard`] is one partition of the topic that this broker leads, with the groups that it keeps, each in a [`Slot`]
//! behind a lock of its own. What a machine wants written is appended under that lock, one `pwritev`; where the partition has other replicas,
//! a task waits for the high watermark, and the lock is free meanwhile. A shard is loaded by reading its partition from start to end
//! on a thread for file work; until then its groups answer COORDINATOR_LOAD_IN_PROGRESS. One task keeps the time of all groups.

mod load;
mod records;
mod shard;
mod slot;
mod timer;
pub(crate) mod zookeeper_offsets;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use vltava_cluster::groups::{Group, Limits, partition_for};
use vltava_protocol::ErrorCode;
use vltava_settings::BrokerConfig;
use vltava_settings::broker as keys;

use crate::Broker;
use crate::net::Complaints;
use crate::partitions::file_work::NotDone;
use crate::partitions::{FileWork, LeadershipChange, OFFSETS_TOPIC, Replicas};

pub use shard::Shard;
pub use slot::{Reply, Slot};

/// Between two attempts to read a partition that cannot be read; twice as long each time.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// The settings of the coordinator.
#[derive(Debug, Clone, Copy)]
struct Settings {
    limits: Limits,
    /// `offsets.topic.num.partitions`, until the topic exists.
    partitions: i32,
    /// `offsets.retention.minutes` in milliseconds.
    retention: i64,
    /// `offsets.retention.check.interval.ms`
    retention_check: i64,
    /// `offsets.load.buffer.size`
    load_buffer: u64,
    /// `offsets.commit.timeout.ms`: how long a write may take to reach enough replicas.
    commit_timeout: Duration,
    /// `offsets.topic.compression.codec`, as the record batches name it.
    codec: vltava_protocol::records::Codec,
}

/// The consumer groups that this broker coordinates.
#[derive(Debug, Clone)]
pub struct Groups(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    shards: RwLock<HashMap<i32, Arc<Shard>>>,
    timer: timer::Timer,
    /// Of offsets that ZooKeeper does not take or give.
    complaints: Complaints,
}

impl Groups {
    /// A coordinator of nothing yet.
    #[must_use]
    pub fn new(config: &BrokerConfig) -> Groups {
        use vltava_protocol::records::Codec;
        let codec = match config.get(keys::OFFSETS_TOPIC_COMPRESSION_CODEC) {
            1 => Codec::Gzip,
            2 => Codec::Snappy,
            3 => Codec::Lz4,
            4 => Codec::Zstd,
            _ => Codec::None,
        };
        let settings = Settings {
            limits: Limits {
                min_session_timeout: config.get(keys::GROUP_MIN_SESSION_TIMEOUT_MS),
                max_session_timeout: config.get(keys::GROUP_MAX_SESSION_TIMEOUT_MS),
                max_size: usize::try_from(config.get(keys::GROUP_MAX_SIZE)).unwrap_or(usize::MAX),
                initial_rebalance_delay: config.get(keys::GROUP_INITIAL_REBALANCE_DELAY_MS),
                max_offset_metadata: usize::try_from(config.get(keys::OFFSET_METADATA_MAX_BYTES))
                    .unwrap_or(0),
            },
            partitions: config.get(keys::OFFSETS_TOPIC_NUM_PARTITIONS),
            retention: i64::from(config.get(keys::OFFSETS_RETENTION_MINUTES)) * 60_000,
            retention_check: config.get(keys::OFFSETS_RETENTION_CHECK_INTERVAL_MS),
            load_buffer: u64::try_from(config.get(keys::OFFSETS_LOAD_BUFFER_SIZE)).unwrap_or(1 << 20),
            commit_timeout: Duration::from_millis(
                u64::try_from(config.get(keys::OFFSETS_COMMIT_TIMEOUT_MS)).unwrap_or(1),
            ),
            codec,
        };
        let (shards, timer) = (RwLock::default(), timer::Timer::default());
        Groups(Arc::new(Inner { settings, shards, timer, complaints: Complaints::new() }))
    }

    /// Where it is said that ZooKeeper does not take or give an offset.
    pub(crate) fn complaints(&self) -> &Complaints {
        &self.0.complaints
    }

    /// Follows the leadership of `__consumer_offsets` and keeps time until `stopping`. Once, before the controller's first order.
    pub fn run(&self, replicas: &Replicas, stopping: CancellationToken) {
        let runtime = Handle::current();
        let files = replicas.files().clone();
        let groups = self.clone();
        runtime.spawn(timer::keep(self.clone(), stopping));
        replicas.on_leadership(Box::new(move |change| groups.leadership_changed(change, &files, &runtime)));
    }

    fn leadership_changed(&self, change: &LeadershipChange, files: &FileWork, runtime: &Handle) {
        let (LeadershipChange::Leads(partition, _)
        | LeadershipChange::Follows(partition, _)
        | LeadershipChange::Stopped(partition, _)) = change;
        if &*partition.topic.name != OFFSETS_TOPIC {
            return;
        }
        let index = partition.index;
        if let LeadershipChange::Leads(partition, _) = change {
            let mut shards = self.0.shards.write();
            if shards.get(&index).is_some_and(|shard| shard.is_same(partition)) {
                // A new epoch of our own leadership: nobody else can have written meanwhile.
                return;
            }
            let shard = Arc::new(Shard::loading(partition.clone(), self.0.settings, runtime.clone()));
            shards.insert(index, shard.clone());
            drop(shards);
            let (groups, files) = (self.clone(), files.clone());
            runtime.spawn(async move { groups.load(shard, &files).await });
        } else if let Some(shard) = self.0.shards.write().remove(&index) {
            shard.unload();
        }
    }

    /// Reads a shard's partition, again and again where that fails: a disk may heal, and a batch that is none may be removed by its operator.
    async fn load(&self, shard: Arc<Shard>, files: &FileWork) {
        let buffer = self.0.settings.load_buffer;
        let mut pause = FIRST_RETRY;
        loop {
            let reading = shard.clone();
            match files.read(move || load::load(&reading, buffer)).await {
                // What was read may not be all: nothing is to be taken for "nothing committed".
                Ok(Ok(_)) if !shard.partition().is_online() => {}
                Ok(Ok(loaded)) => {
                    let count = loaded.groups();
                    shard.open(loaded, &self.0.timer, slot::moment());
                    if count > 0 {
                        info!(partition = shard.index(), groups = count, "groups loaded");
                    }
                    return;
                }
                Ok(Err(error)) => {
                    error!(partition = shard.index(), %error, "the groups of this partition cannot be loaded; trying again");
                }
                Err(NotDone::Stopping) => return,
                Err(error) => {
                    warn!(partition = shard.index(), %error, "loading groups was cut short; trying again")
                }
            }
            if !shard.load_failed() {
                return;
            }
            tokio::time::sleep(pause).await;
            if !shard.load_failed() {
                return;
            }
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    /// The shard that keeps `group`.
    ///
    /// # Errors
    /// NOT_COORDINATOR if its partition is not led here or cannot be read, COORDINATOR_LOAD_IN_PROGRESS while it is read.
    pub fn shard(&self, broker: &Broker, group: &str) -> Result<Arc<Shard>, ErrorCode> {
        let snapshot = broker.metadata.snapshot();
        let partitions = snapshot.topic(OFFSETS_TOPIC).map(|topic| topic.partitions.len());
        let partitions = partitions.and_then(|count| i32::try_from(count).ok()).filter(|count| *count > 0);
        let index = partition_for(group, partitions.unwrap_or(self.0.settings.partitions));
        let shard = self.0.shards.read().get(&index).cloned().ok_or(ErrorCode::NotCoordinator)?;
        shard.refusal().map_or(Ok(shard), Err)
    }

    /// The slot of a group that exists.
    ///
    /// # Errors
    /// As [`Groups::shard`]; `missing` where there is no such group.
    pub fn existing(&self, broker: &Broker, group: &str, missing: ErrorCode) -> Result<Arc<Slot>, ErrorCode> {
        let shard = self.shard(broker, group)?;
        // Leadership may have been lost in between, and with it the slots.
        shard.slot(group).ok_or_else(|| shard.refusal().unwrap_or(missing))
    }

    /// The slot of a group, made if need be.
    ///
    /// # Errors
    /// As [`Groups::shard`].
    pub fn or_new(&self, broker: &Broker, group: &str) -> Result<Arc<Slot>, ErrorCode> {
        let shard = self.shard(broker, group)?;
        let slot =
            shard.slot_or(group, &self.0.timer, || Group::new(group, self.0.settings.limits, slot::moment()));
        shard.refusal().map_or(Ok(slot), Err)
    }

    /// Whether any shard is still being read: ListGroups can't be answered whole.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.0.shards.read().values().any(|shard| shard.is_loading())
    }

    /// All groups.
    #[must_use]
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        let shards: Vec<Arc<Shard>> = self.0.shards.read().values().cloned().collect();
        shards.iter().flat_map(|shard| shard.slots()).collect()
    }
}

/// The topics that a consumer's subscription names.
pub fn subscribed(subscription: &[u8]) -> Option<Vec<String>> {
    let parsed = vltava_protocol::consumer::ConsumerProtocolSubscription::parse(subscription).ok()?;
    Some(parsed.topics.iter().map(ToString::to_string).collect())
}
