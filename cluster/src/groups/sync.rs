//! SyncGroup and Heartbeat.

use std::collections::HashMap;

use vltava_protocol::ErrorCode;

use super::action::{Action, SyncAnswer, Waiter, Write, WriteId};
use super::moment::Moment;
use super::state::{Group, State};

/// A SyncGroup request.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncRequest {
    /// The generation that the member joined.
    pub generation: i32,
    /// The member's id.
    pub member_id: String,
    /// Its static name.
    pub instance_id: Option<String>,
    /// What the member believes the group's type to be (version 5 and later).
    pub protocol_type: Option<String>,
    /// What the member believes the chosen protocol to be (version 5 and later).
    pub protocol: Option<String>,
    /// From the leader: a part for each member, by member id.
    pub assignments: HashMap<String, Vec<u8>>,
}

/// The leader's assignment on its way to the log.
#[derive(Debug)]
pub(super) struct PendingAssignment {
    pub(super) write: WriteId,
    generation: i32,
    assignments: HashMap<String, Vec<u8>>,
}

impl Group {
    /// A member asks for its part; the leader brings all of them. The answer may come with a later event.
    pub fn sync(&mut self, request: SyncRequest, waiter: Waiter, now: Moment, out: &mut Vec<Action>) {
        if let Err(error) = self.accept_sync(&request) {
            out.push(Action::Sync(waiter, SyncAnswer::refused(error)));
            return;
        }
        if self.state == State::Stable {
            self.heard_of(&request.member_id, now);
            out.push(Action::Sync(waiter, self.synced(&request.member_id)));
            return;
        }
        let Some(member) = self.members.get_mut(&request.member_id) else { return };
        if let Some(given_up) = member.syncing.replace(waiter) {
            out.push(Action::Sync(given_up, SyncAnswer::refused(ErrorCode::RebalanceInProgress)));
        }
        member.expires_at = None;
        let leads = self.leader.as_deref() == Some(request.member_id.as_str());
        if leads && self.pending_assignment.is_none() {
            self.store_assignment(request.assignments, now, out);
        }
    }

    fn accept_sync(&self, request: &SyncRequest) -> Result<(), ErrorCode> {
        if self.state == State::Dead {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        self.validate(&request.member_id, request.instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |theirs: &Option<String>, ours: &Option<String>| theirs.is_some() && theirs != ours;
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        match self.state {
            State::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            State::Empty => Err(ErrorCode::UnknownMemberId),
            State::CompletingRebalance | State::Stable | State::Dead => Ok(()),
        }
    }

    fn store_assignment(
        &mut self,
        assignments: HashMap<String, Vec<u8>>,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let mut stored = self.stored(now);
        for member in &mut stored.members {
            // A member that the leader left out gets an empty part.
            member.assignment = assignments.get(&member.member_id).cloned().unwrap_or_default();
        }
        let write = self.write(Write::Group(stored), out);
        self.pending_assignment = Some(PendingAssignment { write, generation: self.generation, assignments });
    }

    pub(super) fn assignment_written(
        &mut self,
        error: Option<ErrorCode>,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        let Some(mut pending) = self.pending_assignment.take() else { return };
        if self.state != State::CompletingRebalance || pending.generation != self.generation {
            return;
        }
        if let Some(error) = error {
            self.drop_assignments(error, now, out);
            self.prepare_rebalance(now, out);
            return;
        }
        self.sync_deadline = None;
        self.enter(State::Stable, now);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assignment = pending.assignments.remove(&id).unwrap_or_default();
            if let Some(waiter) = member.syncing.take() {
                self.heard_of(&id, now);
                out.push(Action::Sync(waiter, self.synced(&id)));
            }
        }
    }

    fn synced(&self, member_id: &str) -> SyncAnswer {
        SyncAnswer {
            error: ErrorCode::None,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: self
                .members
                .get(member_id)
                .map(|member| member.assignment.clone())
                .unwrap_or_default(),
        }
    }

    /// Members that joined but never asked for their part hold up nobody for longer than the rebalance timeout (KAFKA-13419).
    pub(super) fn on_sync_deadline(&mut self, now: Moment, out: &mut Vec<Action>) {
        if self.sync_deadline.is_none_or(|deadline| deadline > now.steady) {
            return;
        }
        self.sync_deadline = None;
        if self.state != State::CompletingRebalance {
            return;
        }
        let silent: Vec<String> = self
            .members
            .values()
            .filter(|member| member.syncing.is_none())
            .map(|member| member.id.clone())
            .collect();
        for id in silent {
            self.remove_and_rebalance(&id, now, out);
        }
    }

    /// A member says that it lives.
    pub fn heartbeat(
        &mut self,
        generation: i32,
        member_id: &str,
        instance_id: Option<&str>,
        now: Moment,
    ) -> ErrorCode {
        if self.state == State::Dead {
            return ErrorCode::CoordinatorNotAvailable;
        }
        if let Err(error) = self.validate(member_id, instance_id) {
            return error;
        }
        if generation != self.generation {
            return ErrorCode::IllegalGeneration;
        }
        match self.state {
            State::Empty | State::Dead => ErrorCode::UnknownMemberId,
            State::CompletingRebalance | State::Stable => {
                self.heard_of(member_id, now);
                ErrorCode::None
            }
            State::PreparingRebalance => {
                self.heard_of(member_id, now);
                ErrorCode::RebalanceInProgress
            }
        }
    }
}
