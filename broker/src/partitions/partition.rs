//! One partition with a replica here: its log and its replication under one short lock, and what readers see without it.
//!
//! The log owns bytes and the log end offset, [`Replication`] leadership and the high watermark; this is where they meet. Whoever changes either
//! takes the lock, publishes the high watermark to an atomic, lets go, and then wakes who waits. Readers take no lock.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering},
};

use super::{
    clock::steady_ms, disk::Disk, error::PartitionError, file_work::FileWork, in_sync::Proposals,
    leadership::Leadership, recent::Recent, topic::Topic, waiting::WaitList,
};
use parking_lot::{Mutex, MutexGuard};
use tracing::warn;
use vltava_cluster::replication::{Effect, EpochError, Replication, Rules};
use vltava_log::{AppendError, Appended, FlushJob, Log, LogError, LogReader, ReadError};
use vltava_protocol::records::validate::ValidBatches;

/// What the partitions of a broker share.
#[derive(Debug)]
pub struct Surroundings {
    /// This broker's id.
    pub broker_id: i32,
    /// `replica.lag.time.max.ms`
    pub replica_lag_ms: i64,
    /// `fetch.max.bytes`: no consumer gets more at once.
    pub fetch_max_bytes: u64,
    /// Where file work goes that may block.
    pub files: FileWork,
    /// Where changes of in-sync sets are asked for.
    pub proposals: Proposals,
    /// Whether a high watermark moved since they were last written down.
    pub high_watermark_moved: AtomicBool,
}

/// One partition.
#[derive(Debug)]
pub struct Partition {
    /// Its topic.
    pub topic: Arc<Topic>,
    /// Its number.
    pub index: i32,
    surroundings: Arc<Surroundings>,
    disk: Arc<Disk>,
    pub(super) state: Mutex<State>,
    pub(super) reader: LogReader,
    high_watermark: AtomicI64,
    leadership: AtomicU64,
    stage: AtomicU8,
    /// From here on the log was written a short while ago, and is in the page cache.
    pub(super) recent_from: AtomicI64,
    /// Bytes appended that the high watermark has not passed yet.
    uncommitted_bytes: AtomicI64,
    /// Who waits for bytes or for the high watermark.
    pub waits: WaitList,
}

/// What is behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) log: Log,
    pub(super) replication: Replication,
    pub(super) recent: Recent,
}

/// Works.
const ONLINE: u8 = 0;
/// Lost with its disk.
const OFFLINE: u8 = 1;
/// Deleted.
const GONE: u8 = 2;

impl Partition {
    /// A partition over an open log; `high_watermark` comes from the checkpoint.
    pub(super) fn new(
        topic: Arc<Topic>,
        index: i32,
        log: Log,
        high_watermark: i64,
        disk: Arc<Disk>,
        surroundings: Arc<Surroundings>,
    ) -> Arc<Self> {
        let rules = rules(&topic, &surroundings);
        let known = high_watermark.max(log.log_start_offset());
        let replication = Replication::new(surroundings.broker_id, log.log_end_offset(), known, rules);
        Arc::new(Self {
            topic,
            index,
            surroundings,
            disk,
            reader: log.reader(),
            high_watermark: AtomicI64::new(replication.high_watermark()),
            leadership: AtomicU64::new(Leadership { leader: -1, epoch: -1 }.pack()),
            stage: AtomicU8::new(ONLINE),
            recent_from: AtomicI64::new(log.log_end_offset()),
            uncommitted_bytes: AtomicI64::new(0),
            waits: WaitList::default(),
            state: Mutex::new(State { log, replication, recent: Recent::default() }),
        })
    }

    // What anybody may ask, without the lock.

    /// Everything below is committed.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    /// The offset that the next record gets.
    pub fn log_end(&self) -> i64 {
        self.reader.log_end_offset()
    }

    /// The first offset that there is.
    pub fn log_start(&self) -> i64 {
        self.reader.log_start_offset()
    }

    /// Below it every transaction is decided.
    pub fn last_stable_offset(&self) -> i64 {
        self.reader.last_stable_offset(self.high_watermark())
    }

    /// Who leads, and its epoch.
    pub fn leadership(&self) -> Leadership {
        Leadership::unpack(self.leadership.load(Ordering::Acquire))
    }

    /// Reads without any lock.
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// The disk that it lies on.
    pub fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    /// Whether the broker still has it.
    pub fn is_online(&self) -> bool {
        self.stage.load(Ordering::Acquire) == ONLINE
    }

    /// Whether it is online and led here, in the epoch that the client holds (-1: any).
    pub fn check_leader(&self, current_leader_epoch: i32) -> Result<Leadership, PartitionError> {
        self.check_online()?;
        let now = self.leadership();
        // Kafka compares epochs first: a client that is behind must learn it even from a follower.
        if current_leader_epoch >= 0 && current_leader_epoch != now.epoch {
            let (requested, current) = (current_leader_epoch, now.epoch);
            return Err(PartitionError::Epoch(if requested < current {
                EpochError::Fenced { requested, current }
            } else {
                EpochError::Unknown { requested, current }
            }));
        }
        if now.leader != self.surroundings.broker_id {
            return Err(PartitionError::NotLeader);
        }
        Ok(now)
    }

    pub(super) fn check_online(&self) -> Result<(), PartitionError> {
        match self.stage.load(Ordering::Acquire) {
            ONLINE => Ok(()),
            OFFLINE => Err(PartitionError::Storage),
            _ => Err(PartitionError::Unknown),
        }
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    // Appending.

    /// Appends what a producer sent, as the leader. With `acks_all` it is refused while too few replicas are in sync.
    ///
    /// Cost: the lock, one `pwritev` under it, one clock read by the caller; no allocation. Waiters are woken after the lock is let go.
    pub fn append(
        self: &Arc<Self>,
        batches: &ValidBatches<'_>,
        acks_all: bool,
        now: i64,
    ) -> Result<Appended, PartitionError> {
        self.check_leader(-1)?;
        if self.disk.refuses_appends() {
            return Err(PartitionError::Storage);
        }
        let (appended, effect) = {
            let mut state = self.state.lock();
            let State { log, replication, recent } = &mut *state;
            if !replication.is_leader() {
                return Err(PartitionError::NotLeader);
            }
            if acks_all && replication.refuses_acks_all() {
                return Err(self.not_enough_replicas(replication));
            }
            let appended = match log.append(batches, replication.leader_epoch(), now) {
                Ok(appended) => appended,
                Err(AppendError::Storage(error)) => return Err(self.failed(&state, &error)),
                Err(error) => return Err(PartitionError::Append(error)),
            };
            // Followers are judged by a clock that nobody sets; where there are none it is not read.
            let moment = if replication.replicas().len() > 1 { steady_ms() } else { 0 };
            let effect = replication.on_append(log.log_end_offset(), moment);
            self.note_recent(recent, &appended);
            self.publish(effect);
            (appended, effect)
        };
        self.announce(effect, i64::try_from(appended.bytes).unwrap_or(i64::MAX));
        Ok(appended)
    }

    pub(super) fn note_recent(&self, recent: &mut Recent, appended: &Appended) {
        if let Some(from) = recent.appended(appended.first_offset, appended.bytes) {
            self.recent_from.store(from, Ordering::Relaxed);
        }
    }

    /// Runs what an append left to do for durability, where no request waits for it.
    pub fn after_append(self: &Arc<Self>, appended: &mut Appended) {
        if let Some(job) = self.due_flush(appended) {
            self.flush_later(job);
        }
    }

    /// As [`after_append`](Self::after_append), but gives the flush that `flush.messages` asks for to the caller, whose answer
    /// has to wait for it: Kafka flushes before it answers.
    pub fn due_flush(self: &Arc<Self>, appended: &mut Appended) -> Option<FlushJob> {
        if let Some(job) = appended.rolled.take() {
            self.flush_later(job);
        }
        if appended.flush_due { self.state.lock().log.flush_job() } else { None }
    }

    /// Runs a flush on the threads for file work, and waits for it.
    pub async fn flush(&self, job: FlushJob) -> Result<(), PartitionError> {
        match self.surroundings.files.read(move || job.run()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                self.warn_of_flush(&error);
                Err(PartitionError::from_log(&error, |failure| self.judge(failure)))
            }
            Err(_) => Err(PartitionError::Storage),
        }
    }

    /// Whether the records up to `offset` (exclusive) are committed to enough replicas: the answer to acks=all once the high watermark is there.
    pub fn is_committed(&self, offset: i64) -> Option<Result<(), PartitionError>> {
        if let Err(error) = self.check_leader(-1) {
            return Some(Err(error));
        }
        (self.high_watermark() >= offset).then_some(Ok(()))
    }

    /// New settings of the topic.
    pub(super) fn reconfigure(&self) {
        let rules = rules(&self.topic, &self.surroundings);
        let effect = {
            let mut state = self.state.lock();
            state.log.set_config(self.topic.config().log.clone());
            let effect = state.replication.set_rules(rules, steady_ms());
            self.publish(effect);
            effect
        };
        self.announce(effect, 0);
    }

    /// Its disk is lost: every request from now on is answered with a storage error.
    pub(super) fn go_offline(&self) {
        self.stage.store(OFFLINE, Ordering::Release);
        self.waits.wake_all();
    }

    /// It is deleted: nobody finds it any more, and who waits on it is told so. Its log comes out for its files to be removed.
    pub(super) fn go_away(&self) {
        self.stage.store(GONE, Ordering::Release);
        self.waits.wake_all();
    }

    /// Work on the log under the lock: short, and without waiting for the disk.
    pub(super) fn with_log<T>(&self, work: impl FnOnce(&mut Log) -> T) -> T {
        work(&mut self.state.lock().log)
    }

    /// A look at replication under the lock.
    pub fn with_replication<T>(&self, look: impl FnOnce(&Replication) -> T) -> T {
        look(&self.state.lock().replication)
    }

    /// Moves the log's start up to `offset` (-1: the high watermark) and answers the low watermark: the least start over all replicas.
    pub fn delete_records(&self, offset: i64) -> Result<i64, PartitionError> {
        self.check_leader(-1)?;
        let policy = self.topic.peek_config().log.cleanup_policy;
        if !policy.delete {
            return Err(PartitionError::Policy { topic: self.topic.name.to_string(), partition: self.index });
        }
        let high_watermark = self.high_watermark();
        let target = if offset == -1 { high_watermark } else { offset };
        if target < 0 || target > high_watermark {
            return Err(PartitionError::OffsetOutOfRange(format!(
                "The offset {target} for partition {}-{} is out of range: the high watermark is {high_watermark}.",
                self.topic.name, self.index
            )));
        }
        let mut state = self.state.lock();
        if let Err(error) = state.log.increment_log_start_offset(target, high_watermark) {
            return Err(match error {
                ReadError::Storage(error) => self.failed(&state, &error),
                error @ ReadError::OffsetOutOfRange { .. } => {
                    PartitionError::OffsetOutOfRange(error.to_string())
                }
            });
        }
        let start = state.log.log_start_offset();
        state.replication.low_watermark(start).map_err(|_| PartitionError::NotLeader)
    }

    // Durability and failures.

    /// Queues a flush; one that finds no place is dropped, and covered by the next.
    pub fn flush_later(self: &Arc<Self>, job: FlushJob) {
        let partition = self.clone();
        let _ = self.surroundings.files.upkeep(move || {
            if let Err(error) = job.run() {
                partition.judge(&error);
                partition.warn_of_flush(&error);
            }
        });
    }

    fn warn_of_flush(&self, error: &LogError) {
        // A full disk is told by the disk, and a log that was deleted meanwhile needs no flush.
        if !matches!(error, LogError::DiskFull { .. } | LogError::Closed { .. }) {
            warn!(topic = %self.topic.name, partition = self.index, %error, "flush failed");
        }
    }

    /// Tells the disk of a failure. If it takes the directory offline, this partition is offline at once, its neighbours with the
    /// next round of upkeep.
    pub(super) fn judge(&self, failure: &LogError) {
        self.disk.judge(failure);
        if self.disk.is_offline() && self.is_online() {
            self.go_offline();
        }
    }

    pub(super) fn failed(&self, _held: &MutexGuard<'_, State>, error: &LogError) -> PartitionError {
        PartitionError::from_log(error, |failure| {
            self.disk.judge(failure);
            if self.disk.is_offline() {
                self.go_offline();
            }
        })
    }

    fn not_enough_replicas(&self, replication: &Replication) -> PartitionError {
        PartitionError::NotEnoughReplicas {
            isr: replication.isr().committed().to_vec(),
            min_isr: self.topic.peek_config().min_insync_replicas,
            topic: self.topic.name.to_string(),
            partition: self.index,
        }
    }

    /// Publishes what changed, under the lock.
    pub(super) fn publish(&self, effect: Effect) {
        if let Some(mark) = effect.high_watermark {
            self.high_watermark.store(mark, Ordering::Release);
            // A load, not a store, where it is told already: the line is shared by all partitions.
            let moved = &self.surroundings.high_watermark_moved;
            if !moved.load(Ordering::Relaxed) {
                moved.store(true, Ordering::Release);
            }
        }
    }

    pub(super) fn publish_leadership(&self, replication: &Replication) {
        let now = Leadership { leader: replication.leader_id(), epoch: replication.leader_epoch() };
        self.leadership.store(now.pack(), Ordering::Release);
    }

    /// Wakes who waits, after the lock was let go: what was appended becomes readable when the high watermark passes it. Counting all
    /// bytes as readable at the first move may wake a poll early; it looks and sleeps again.
    pub(super) fn announce(&self, effect: Effect, appended: i64) {
        let Some(mark) = effect.high_watermark else {
            if appended > 0 {
                self.uncommitted_bytes.fetch_add(appended, Ordering::Relaxed);
                self.waits.advanced(appended, 0, None);
            }
            return;
        };
        // Without followers nothing is ever uncommitted: a load, not a swap.
        let earlier = if self.uncommitted_bytes.load(Ordering::Relaxed) == 0 {
            0
        } else {
            self.uncommitted_bytes.swap(0, Ordering::Relaxed)
        };
        self.waits.advanced(appended, appended.saturating_add(earlier), Some(mark));
    }
}

fn rules(topic: &Topic, surroundings: &Surroundings) -> Rules {
    Rules { min_isr: topic.peek_config().min_insync_replicas, lag_ms: surroundings.replica_lag_ms }
}
