//! One partition of `__consumer_offsets` that this broker leads, and the groups in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use vltava_cluster::groups::{Group, Moment, Write};
use vltava_log::FlushJob;
use vltava_protocol::ErrorCode;
use vltava_protocol::records::validate::validate;

use super::load::Loaded;
use super::slot::{Slot, moment};
use super::timer::Timer;
use super::{Settings, records};
use crate::partitions::{Partition, PartitionError};

const LOADING: u8 = 0;
const OPEN: u8 = 1;
const GONE: u8 = 2;
/// Its records could not be read; they are tried again.
const FAILED: u8 = 3;

/// A partition of the topic and its groups.
#[derive(Debug)]
pub struct Shard {
    partition: Arc<Partition>,
    settings: Settings,
    stage: AtomicU8,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    runtime: Handle,
}

/// Where a write lies, and what it has to wait for.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) offset: i64,
    /// Whether enough replicas have it.
    pub(super) committed: bool,
    /// What `flush.messages` wants on disk before anybody is answered.
    pub(super) flush: Option<FlushJob>,
}

impl Shard {
    pub(super) fn loading(partition: Arc<Partition>, settings: Settings, runtime: Handle) -> Shard {
        Shard { partition, settings, stage: AtomicU8::new(LOADING), slots: Mutex::default(), runtime }
    }

    pub(super) fn is_loading(&self) -> bool {
        self.stage.load(Ordering::Acquire) == LOADING
    }

    /// Why its groups cannot be asked, if they cannot.
    pub(super) fn refusal(&self) -> Option<ErrorCode> {
        match self.stage.load(Ordering::Acquire) {
            LOADING => Some(ErrorCode::CoordinatorLoadInProgress),
            FAILED | GONE => Some(ErrorCode::NotCoordinator),
            _ => None,
        }
    }

    /// Its records could not be read: nobody is told to wait for them. Answers whether there is still somebody to read them for.
    pub(super) fn load_failed(&self) -> bool {
        let failed = self.stage.compare_exchange(LOADING, FAILED, Ordering::AcqRel, Ordering::Acquire);
        matches!(failed, Ok(_) | Err(FAILED))
    }

    pub(super) fn is_same(&self, partition: &Arc<Partition>) -> bool {
        Arc::ptr_eq(&self.partition, partition)
    }

    pub(super) fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// The partition's index.
    pub fn index(&self) -> i32 {
        self.partition.index
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(super) fn retention(&self) -> i64 {
        self.settings.retention
    }

    pub(super) fn commit_timeout(&self) -> Duration {
        self.settings.commit_timeout
    }

    /// Takes in what was read and answers from now on, unless leadership was lost meanwhile.
    pub(super) fn open(self: &Arc<Shard>, loaded: Loaded, timer: &Timer, now: Moment) {
        let mut slots = self.slots.lock();
        for group in loaded.into_groups(self.settings.limits, now) {
            let id = group.id().to_owned();
            let slot = Arc::new(Slot::new(self, timer.clone(), group));
            slot.schedule();
            slots.insert(id, slot);
        }
        drop(slots);
        let _ = self.stage.fetch_update(Ordering::AcqRel, Ordering::Acquire, |stage| {
            matches!(stage, LOADING | FAILED).then_some(OPEN)
        });
    }

    /// Leadership is lost: whoever waits looks for the coordinator again.
    pub(super) fn unload(&self) {
        self.stage.store(GONE, Ordering::Release);
        let slots: Vec<Arc<Slot>> = self.slots.lock().drain().map(|(_, slot)| slot).collect();
        for slot in slots {
            slot.unload(moment());
        }
    }

    /// The slot of a group, if there is one.
    pub fn slot(&self, group: &str) -> Option<Arc<Slot>> {
        self.slots.lock().get(group).cloned()
    }

    pub(super) fn slot_or(
        self: &Arc<Shard>,
        group: &str,
        timer: &Timer,
        make: impl FnOnce() -> Group,
    ) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(group) {
            return slot.clone();
        }
        let slot = Arc::new(Slot::new(self, timer.clone(), make()));
        slots.insert(group.to_owned(), slot.clone());
        slot
    }

    /// All groups of the shard.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots.lock().values().cloned().collect()
    }

    /// Drops a slot whose group is gone, unless another has taken its place.
    pub(super) fn forget(&self, group: &str, slot: &Slot) {
        let mut slots = self.slots.lock();
        if slots.get(group).is_some_and(|own| std::ptr::eq(Arc::as_ptr(own), slot)) {
            slots.remove(group);
        }
    }

    /// Appends a write. Where it takes more than one batch and a later one cannot be appended, the earlier ones stand: they are
    /// tombstones, of which the group hears nothing and which it writes again when it is asked again.
    pub(super) fn append(&self, group: &str, write: &Write, now: i64) -> Result<Written, ErrorCode> {
        if self.stage.load(Ordering::Acquire) == GONE {
            return Err(ErrorCode::NotCoordinator);
        }
        let rules = self.partition.topic.peek_config().rules_for_coordinator(now);
        let made = records::batches(group, write, self.settings.codec, rules.max_message_bytes, now);
        let made = made.map_err(|error| {
            tracing::warn!(group, %error, "a group's records cannot be made");
            ErrorCode::UnknownServerError
        })?;
        let (mut last_offset, mut flush) = (-1, None);
        for bytes in made {
            let batches = validate(&bytes, &rules).map_err(|invalid| {
                match ErrorCode::of(invalid.kind.error_code()) {
                    ErrorCode::MessageTooLarge if matches!(write, Write::Offsets(_)) => {
                        ErrorCode::InvalidCommitOffsetSize
                    }
                    _ => ErrorCode::UnknownServerError,
                }
            })?;
            let mut appended =
                self.partition.append(&batches, true, now).map_err(|error| coordinator_error(&error))?;
            flush = self.partition.due_flush(&mut appended).or(flush);
            last_offset = appended.last_offset;
        }
        let committed = self.partition.high_watermark() > last_offset;
        Ok(Written { offset: last_offset, committed, flush })
    }
}

/// What a failed append means to a group's client: look again, or look elsewhere.
pub(super) fn coordinator_error(error: &PartitionError) -> ErrorCode {
    match error.code() {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        _ => ErrorCode::UnknownServerError,
    }
}
