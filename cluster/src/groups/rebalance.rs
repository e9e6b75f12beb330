//! From the first join of a rebalance to a new generation.

use std::collections::HashMap;

use vltava_protocol::ErrorCode;

use super::action::{Action, JoinAnswer, SyncAnswer, Write};
use super::moment::Moment;
use super::state::{Group, State};

/// The wait for members to join.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rebalance {
    /// When those who have not joined are left behind.
    pub(super) ends_at: i64,
    /// The wait of a group that was empty: it is cut short by nothing, and a member that comes meanwhile makes it longer, up to here (KIP-134).
    pub(super) extends_to: Option<i64>,
    /// Whether a member came during the present delay.
    pub(super) new_member: bool,
}

impl Group {
    /// The longest that any member asks to be waited for.
    fn rebalance_timeout(&self) -> i64 {
        self.members.values().map(|member| i64::from(member.rebalance_timeout)).max().unwrap_or(0)
    }

    pub(super) fn note_new_member(&mut self) {
        if let Some(rebalance) = &mut self.rebalance {
            rebalance.new_member = true;
        }
    }

    /// Starts a rebalance unless one is on.
    pub(super) fn prepare_rebalance(&mut self, now: Moment, out: &mut Vec<Action>) {
        match self.state {
            State::PreparingRebalance | State::Dead => return,
            // The assignment that members wait for will not come.
            State::CompletingRebalance => self.drop_assignments(ErrorCode::RebalanceInProgress, now, out),
            State::Empty | State::Stable => {}
        }
        let timeout = self.rebalance_timeout();
        let delay = i64::from(self.limits.initial_rebalance_delay).min(timeout);
        let from_empty = self.state == State::Empty;
        let ends_at = now.steady + if from_empty { delay } else { timeout };
        self.rebalance = Some(Rebalance {
            ends_at,
            extends_to: from_empty.then_some(now.steady + timeout),
            new_member: false,
        });
        self.sync_deadline = None;
        self.wake_by(ends_at);
        self.enter(State::PreparingRebalance, now);
    }

    /// Ends the wait early when there is nobody left to wait for.
    pub(super) fn try_complete_join(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.state != State::PreparingRebalance || self.rebalance.is_some_and(|r| r.extends_to.is_some()) {
            return;
        }
        let all_here = self.members.values().all(|member| member.joining.is_some());
        if all_here && self.promised_ids.is_empty() {
            self.complete_join(now, out);
        }
    }

    pub(super) fn on_rebalance_deadline(&mut self, now: Moment, out: &mut Vec<Action>) {
        let Some(rebalance) = self.rebalance.filter(|rebalance| rebalance.ends_at <= now.steady) else {
            return;
        };
        if let Some(limit) = rebalance.extends_to.filter(|limit| rebalance.new_member && *limit > now.steady)
        {
            let ends_at = limit.min(now.steady + i64::from(self.limits.initial_rebalance_delay));
            self.rebalance = Some(Rebalance { ends_at, new_member: false, ..rebalance });
            self.wake_by(ends_at);
            return;
        }
        self.complete_join(now, out);
    }

    /// The next generation: those who joined, and static members who may still come.
    fn complete_join(&mut self, now: Moment, out: &mut Vec<Action>) {
        let absent: Vec<String> = self
            .members
            .values()
            .filter(|member| member.joining.is_none() && !member.is_static())
            .map(|member| member.id.clone())
            .collect();
        for id in absent {
            self.forget(&id);
        }
        if !self.members.is_empty() && !self.elect_leader() {
            // Only static members, and none of them here: wait for one to lead.
            let ends_at = now.steady + self.rebalance_timeout().max(1);
            self.rebalance = Some(Rebalance { ends_at, extends_to: None, new_member: false });
            self.wake_by(ends_at);
            return;
        }
        self.rebalance = None;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        if self.members.is_empty() {
            self.protocol = None;
            self.leader = None;
            self.enter(State::Empty, now);
            let stored = self.stored(now);
            self.write(Write::Group(stored), out);
            return;
        }
        self.protocol = self.choose_protocol();
        self.enter(State::CompletingRebalance, now);
        let sync_deadline = now.steady + self.rebalance_timeout();
        self.sync_deadline = Some(sync_deadline);
        self.wake_by(sync_deadline);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let answer = self.joined(&id, false);
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.is_new = false;
            if let Some(waiter) = member.joining.take() {
                out.push(Action::Join(waiter, answer));
            }
            self.heard_of(&id, now);
        }
    }

    /// Keeps the leader if it joined, else takes the first who did. Whether there is one.
    fn elect_leader(&mut self) -> bool {
        let here = |id: &String| self.members.get(id).is_some_and(|member| member.joining.is_some());
        if self.leader.as_ref().is_some_and(here) {
            return true;
        }
        let first = self.members.values().find(|member| member.joining.is_some());
        let Some(first) = first.map(|member| member.id.clone()) else { return false };
        self.leader = Some(first);
        true
    }

    /// The protocol with most votes among those that all members speak; each member votes for the first of its own. Ties go to the
    /// one that comes first in the first member's list, so that the choice does not depend on a map's order.
    pub(super) fn choose_protocol(&self) -> Option<String> {
        let mut votes: HashMap<&str, usize> = HashMap::new();
        for member in self.members.values() {
            if let Some(vote) = member.vote(|name| self.spoken_by_all(name)) {
                *votes.entry(vote).or_default() += 1;
            }
        }
        let most = votes.values().copied().max()?;
        let order = self.members.values().flat_map(|member| member.protocols.iter().map(|(name, _)| name));
        order.into_iter().find(|name| votes.get(name.as_str()) == Some(&most)).cloned()
    }

    /// Nobody's assignment holds any more; whoever waits for one is told `error`.
    pub(super) fn drop_assignments(&mut self, error: ErrorCode, now: Moment, out: &mut Vec<Action>) {
        self.pending_assignment = None;
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assignment.clear();
            if let Some(waiter) = member.syncing.take() {
                out.push(Action::Sync(waiter, SyncAnswer::refused(error)));
                self.heard_of(&id, now);
            }
        }
    }

    /// Takes a member out, whatever it waits for; the caller answers that.
    pub(super) fn forget(&mut self, id: &str) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance_id) = &member.instance_id
            && self.static_members.get(instance_id).is_some_and(|bearer| bearer == id)
        {
            self.static_members.remove(instance_id);
        }
        if self.leader.as_deref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    /// Answers what a member waits for with an error.
    pub(super) fn refuse_waiters(&mut self, id: &str, error: ErrorCode, out: &mut Vec<Action>) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Some(waiter) = member.joining.take() {
            out.push(Action::Join(waiter, JoinAnswer::refused(error, id)));
        }
        if let Some(waiter) = member.syncing.take() {
            out.push(Action::Sync(waiter, SyncAnswer::refused(error)));
        }
    }

    /// A member is gone, by its own will or by time: the others share its part.
    pub(super) fn remove_and_rebalance(&mut self, id: &str, now: Moment, out: &mut Vec<Action>) {
        self.refuse_waiters(id, ErrorCode::UnknownMemberId, out);
        self.forget(id);
        match self.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(now, out),
            State::PreparingRebalance | State::Empty | State::Dead => {}
        }
    }
}
