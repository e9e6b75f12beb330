//! Who leads a partition, and what the controller and followers tell it.

use std::sync::Arc;

use vltava_cluster::replication::{
    FetchRefused, FollowerFetch, FollowerState, LeaderState, Replication, Role, StaleState, UnknownReplica,
};

use super::{Partition, clock::steady_ms, error::PartitionError, partition::State};

/// Who leads, and since which epoch: one word, so that readers see both of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// The leader, -1 if there is none.
    pub leader: i32,
    /// Its epoch, -1 before the first.
    pub epoch: i32,
}

impl Leadership {
    pub(super) fn pack(self) -> u64 {
        u64::from(self.leader.cast_unsigned()) << 32 | u64::from(self.epoch.cast_unsigned())
    }

    pub(super) fn unpack(word: u64) -> Self {
        let half = |bits: u64| (bits & u64::from(u32::MAX)) as u32;
        Self { leader: half(word >> 32).cast_signed(), epoch: half(word).cast_signed() }
    }
}

/// LeaderAndIsr could not be obeyed.
#[derive(Debug, thiserror::Error)]
pub enum LeadershipError {
    /// STALE_CONTROLLER_EPOCH's smaller sister: an older leader or partition epoch.
    #[error(transparent)]
    Stale(#[from] StaleState),
    /// The log refused.
    #[error(transparent)]
    Partition(PartitionError),
}

impl Partition {
    /// Whether its high watermark has reached the start of its own epoch: before that a new leader may know an end that is behind what the last
    /// leader told.
    pub fn knows_its_end(&self) -> bool {
        match self.with_replication(Replication::role) {
            Role::Leader { start } => self.high_watermark() >= start,
            Role::Idle | Role::Follower { .. } => false,
        }
    }

    /// This replica leads from now on. Its epoch is noted in the log, even if it writes nothing in it.
    pub(super) fn become_leader(&self, state: LeaderState) -> Result<(), LeadershipError> {
        let effect = {
            let mut inner = self.state.lock();
            let State { log, replication, .. } = &mut *inner;
            let epoch = state.leader_epoch;
            let is_news = !replication.is_leader() || replication.leader_epoch() < epoch;
            let end = log.log_end_offset();
            let effect = replication.become_leader(state, end, steady_ms())?;
            let noted = if is_news { log.assign_epoch(epoch, end) } else { Ok(()) };
            // It leads, whatever became of the note: the first append makes that again.
            self.publish(effect);
            self.publish_leadership(replication);
            if let Err(error) = noted {
                return Err(LeadershipError::Partition(self.failed(&inner, &error)));
            }
            effect
        };
        self.announce(effect, 0);
        // Whoever waited under another leadership has to look again.
        self.waits.wake_all();
        Ok(())
    }

    /// Another replica leads, or nobody.
    pub(super) fn become_follower(&self, state: FollowerState) -> Result<(), LeadershipError> {
        {
            let mut inner = self.state.lock();
            inner.replication.become_follower(state)?;
            self.publish_leadership(&inner.replication);
        }
        self.waits.wake_all();
        Ok(())
    }

    /// A follower fetched: everything below the offset that it asked for is on its disk.
    pub fn follower_fetched(self: &Arc<Self>, fetch: FollowerFetch) -> Result<(), PartitionError> {
        let effect = {
            let mut state = self.state.lock();
            let effect = state.replication.on_fetch(fetch, steady_ms()).map_err(|refused| match refused {
                FetchRefused::Replica(UnknownReplica(id)) => PartitionError::NotReplica(id),
                FetchRefused::Epoch(error) => error.into(),
                FetchRefused::Outlived { .. } => PartitionError::NotLeader,
            })?;
            self.publish(effect);
            effect
        };
        self.announce(effect, 0);
        self.propose(effect);
        Ok(())
    }

    /// The controller told the replica to stop; it stays on disk.
    pub(super) fn stop(&self) {
        {
            let mut state = self.state.lock();
            state.replication.stop();
            self.publish_leadership(&state.replication);
        }
        self.waits.wake_all();
    }
}
