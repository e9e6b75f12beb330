//! Changes of the in-sync set that a leader proposes, and what the controller says to them.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;
use vltava_cluster::replication::{Effect, IsrChange};

use super::{Partition, clock::steady_ms};

/// Where partitions whose in-sync set is to change go: each at most once for each change, and it has one change at a time.
#[derive(Debug)]
pub struct Proposals {
    sender: mpsc::UnboundedSender<Arc<Partition>>,
    receiver: Mutex<Option<Proposed>>,
}

/// The other end.
pub type Proposed = mpsc::UnboundedReceiver<Arc<Partition>>;

impl Default for Proposals {
    fn default() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender, receiver: Mutex::new(Some(receiver)) }
    }
}

impl Proposals {
    /// The other end, for whoever carries them to the controller; once.
    pub fn take(&self) -> Option<Proposed> {
        self.receiver.lock().take()
    }
}

/// A change that waits for the controller's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingIsr {
    /// The epoch in which this broker leads.
    pub leader_epoch: i32,
    /// What is asked for, and what it builds on.
    pub change: IsrChange,
}

impl Partition {
    /// The change that is to be asked for, while this broker leads.
    pub fn pending_isr(&self) -> Option<PendingIsr> {
        self.with_replication(|replication| {
            let change = replication.pending_isr()?.clone();
            Some(PendingIsr { leader_epoch: replication.leader_epoch(), change })
        })
    }

    /// The controller's word: this is the in-sync set.
    pub fn isr_confirmed(self: &Arc<Self>, isr: Vec<i32>, leader_epoch: i32, partition_epoch: i32) {
        self.on_replication(|replication| {
            replication.on_isr_confirmed(isr, leader_epoch, partition_epoch, steady_ms())
        });
    }

    /// The change will never be made.
    pub fn isr_refused(self: &Arc<Self>, partition_epoch: i32) {
        self.on_replication(|replication| replication.on_isr_refused(partition_epoch, steady_ms()));
    }

    /// Time passed: followers that have fallen behind are proposed to leave.
    pub fn look_for_laggards(self: &Arc<Self>) {
        self.on_replication(|replication| replication.on_tick(steady_ms()));
    }

    fn on_replication(
        self: &Arc<Self>,
        happens: impl FnOnce(&mut vltava_cluster::replication::Replication) -> Effect,
    ) {
        let effect = {
            let mut state = self.state.lock();
            let effect = happens(&mut state.replication);
            self.publish(effect);
            effect
        };
        self.announce(effect, 0);
        self.propose(effect);
    }

    /// Hands a proposed change on. After the lock was let go.
    pub(super) fn propose(self: &Arc<Self>, effect: Effect) {
        if effect.propose_isr {
            // Nobody takes proposals any more when the broker stops.
            let _ = self.surroundings().proposals.sender.send(Arc::clone(self));
        }
    }
}
