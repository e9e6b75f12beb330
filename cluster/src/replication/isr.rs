//! The in-sync replicas: those that the controller holds, and those that a change on its way would make them.

/// What the controller has confirmed, and at most one change that it has not answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Isr {
    committed: Vec<i32>,
    pending: Option<IsrChange>,
}

/// A change of the ISR that was proposed and is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsrChange {
    /// The proposed members, the leader among them.
    pub members: Vec<i32>,
    /// The broker epoch of each member as its fetches told it when the change was proposed; -1 where it is not known, and for the leader (KIP-903).
    pub member_epochs: Vec<i64>,
    /// The partition epoch that the change builds on.
    pub partition_epoch: i32,
}

impl Isr {
    /// The ISR as the controller states it; nothing is pending.
    pub fn committed_as(members: Vec<i32>) -> Self {
        Self { committed: members, pending: None }
    }

    /// The members that the controller holds.
    pub fn committed(&self) -> &[i32] {
        &self.committed
    }

    /// The change that waits for an answer.
    pub fn pending(&self) -> Option<&IsrChange> {
        self.pending.as_ref()
    }

    /// Whether `id` may be in sync in either outcome of the pending change: then it holds the high watermark back.
    pub fn is_maximal_member(&self, id: i32) -> bool {
        self.committed.contains(&id)
            || self.pending.as_ref().is_some_and(|change| change.members.contains(&id))
    }

    /// Notes a change as proposed. One at a time: the caller asks [`Isr::pending`] first.
    pub(super) fn propose(&mut self, change: IsrChange) {
        debug_assert!(self.pending.is_none(), "one ISR change at a time");
        self.pending = Some(change);
    }

    /// The controller's word replaces both.
    pub(super) fn confirm(&mut self, members: Vec<i32>) {
        self.committed = members;
        self.pending = None;
    }

    /// The change was refused and will not happen.
    pub(super) fn withdraw(&mut self) {
        self.pending = None;
    }
}
