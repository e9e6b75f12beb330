//! Replicas that the controller asked for and that could not be opened: why, and what was asked, so that it can be done when there is room again.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tracing::info;
use vltava_log::TopicPartition;
use vltava_protocol::{Uuid, messages::leader_and_isr::LeaderAndIsrPartitionState};

use super::{Hosted, Replicas};

/// How long a replica waits for the next attempt, in milliseconds, while its disk seems to have room (it may lack inodes, or have a quota).
const RETRY_MS: i64 = 10_000;

/// All replicas that could not be opened. At most one entry for each partition that has its place here.
#[derive(Debug, Default)]
pub(super) struct Unopened(Mutex<BTreeMap<(String, i32), Entry>>);

#[derive(Debug)]
struct Entry {
    reason: String,
    /// What was asked, if there may be room for it later; what is broken stays so until the broker starts again.
    asked: Option<Asked>,
}

#[derive(Debug, Clone)]
struct Asked {
    id: Uuid,
    state: LeaderAndIsrPartitionState<'static>,
    /// When it was last tried.
    tried: i64,
}

impl Unopened {
    /// A replica could not be opened for `reason`; `waits_for_room` if it may be opened later.
    pub(super) fn add(
        &self,
        (name, id): (&str, Uuid),
        state: &LeaderAndIsrPartitionState<'_>,
        reason: String,
        waits_for_room: bool,
        now: i64,
    ) {
        let asked = waits_for_room.then(|| Asked { id, state: owned(state), tried: now });
        self.0.lock().insert((name.to_owned(), state.partition_index), Entry { reason, asked });
    }

    /// It is open, or no longer asked for. Answers whether it was here and waited for room.
    pub(super) fn remove(&self, name: &str, index: i32) -> bool {
        self.0.lock().remove(&(name.to_owned(), index)).is_some_and(|entry| entry.asked.is_some())
    }

    /// Whether it may be tried again.
    pub(super) fn waits_for_room(&self, name: &str, index: i32) -> bool {
        self.0.lock().get(&(name.to_owned(), index)).is_some_and(|entry| entry.asked.is_some())
    }

    /// Why it is not open.
    pub(super) fn reason(&self, name: &str, index: i32) -> Option<String> {
        self.0.lock().get(&(name.to_owned(), index)).map(|entry| entry.reason.clone())
    }

    /// What is to be tried now: all that waits if a disk has just healed, else what has waited long enough, or what was tried at a time that is yet to come: the
    /// clock was put back.
    fn due(&self, healed: bool, now: i64) -> Vec<(String, Asked)> {
        let mut due = Vec::new();
        for ((name, _), entry) in self.0.lock().iter_mut() {
            if let Some(asked) = &mut entry.asked
                && (healed || !(0..RETRY_MS).contains(&(now - asked.tried)))
            {
                asked.tried = now;
                due.push((name.clone(), asked.clone()));
            }
        }
        due
    }
}

/// A replica that does not work.
#[derive(Debug)]
pub struct Broken {
    /// Its partition.
    pub partition: TopicPartition,
    /// Why.
    pub reason: String,
}

impl Replicas {
    /// The replicas that have their place here and do not work, by topic and number.
    pub fn broken(&self) -> Vec<Broken> {
        let mut broken = Vec::new();
        for topic in self.topics() {
            for (index, hosted) in topic.partitions() {
                if matches!(hosted, Hosted::Offline) {
                    let reason = self.unopened.reason(&topic.name, index);
                    broken.push(Broken {
                        partition: TopicPartition::new(&*topic.name, index),
                        reason: reason.unwrap_or_else(|| "the log directory is offline".to_owned()),
                    });
                }
            }
        }
        broken.sort_by(|a, b| {
            (&a.partition.topic, a.partition.partition).cmp(&(&b.partition.topic, b.partition.partition))
        });
        broken
    }

    /// Whether a replica could not be opened for want of room, and will be when there is some.
    pub fn waits_for_room(&self, topic: &str, index: i32) -> bool {
        self.unopened.waits_for_room(topic, index)
    }

    /// Opens replicas for which there was no room, and does with them what the controller last asked. Waits for the disk.
    pub(super) fn open_where_room_came(&self, healed: bool, now: i64) {
        if self.storage().disks().iter().all(|disk| disk.refuses_appends()) {
            return;
        }
        for (name, asked) in self.unopened.due(healed, now) {
            let _one_at_a_time = self.order();
            let index = asked.state.partition_index;
            // The controller may have stopped it meanwhile, or asked for something else, successfully.
            if !self.unopened.waits_for_room(&name, index) {
                continue;
            }
            if self.assign(&name, asked.id, &asked.state, now).is_ok() {
                info!(topic = name, partition = index, "there is room for the replica now, and it is open");
            }
        }
    }
}

fn owned(state: &LeaderAndIsrPartitionState<'_>) -> LeaderAndIsrPartitionState<'static> {
    LeaderAndIsrPartitionState {
        partition_index: state.partition_index,
        controller_epoch: state.controller_epoch,
        leader: state.leader,
        leader_epoch: state.leader_epoch,
        isr: state.isr.clone(),
        partition_epoch: state.partition_epoch,
        replicas: state.replicas.clone(),
        adding_replicas: state.adding_replicas.clone(),
        removing_replicas: state.removing_replicas.clone(),
        is_new: state.is_new,
        leader_recovery_state: state.leader_recovery_state,
        ..LeaderAndIsrPartitionState::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_put_back_makes_no_replica_wait() {
        let unopened = Unopened::default();
        let state = LeaderAndIsrPartitionState::default();
        unopened.add(("t", Uuid::ZERO), &state, String::new(), true, 3_600_000);
        let tried = |now| unopened.due(false, now).len();
        assert_eq!((tried(3_600_000 + RETRY_MS - 1), tried(3_600_000 + RETRY_MS)), (0, 1));
        assert_eq!((tried(100), tried(100 + RETRY_MS - 1), tried(100 + RETRY_MS)), (1, 0, 1));
    }
}
