//! Changes of in-sync sets that leaders ask for (AlterPartition, KIP-497).
//!
//! A leader counts the union of the old set and the one asked for until it is answered, so every question is: with the state that
//! stands, with a refusal, or, where this is the controller no longer, by whoever carries the question.

use std::collections::BTreeSet;

use super::event::{Action, Write};
use super::machine::Controller;
use super::model::{LeaderAndIsr, StateNode, TopicName};
use super::topics::PartitionState;

/// What a leader asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsrProposal {
    /// Named in the answer.
    pub ticket: u64,
    /// The broker that asks.
    pub broker: i32,
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The epoch in which it leads.
    pub leader_epoch: i32,
    /// The data version of the `state` znode that it builds on.
    pub partition_epoch: i32,
    /// The set, with the broker epoch of each member as far as the leader knows it; -1 where it does not.
    pub isr: Vec<(i32, i64)>,
    /// Whether it is still recovering from an unclean election (KIP-704).
    pub recovering: bool,
}

/// Why an in-sync set is not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IsrRefusal {
    /// UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID.
    #[error("there is no such partition")]
    UnknownPartition,
    /// NOT_CONTROLLER: the leader knows a later epoch than this controller.
    #[error("the leader epoch is newer than the controller's")]
    FromTheFuture,
    /// FENCED_LEADER_EPOCH.
    #[error("another leader has been elected")]
    Fenced,
    /// INVALID_UPDATE_VERSION.
    #[error("the partition's state has changed since")]
    Outdated,
    /// INVALID_REQUEST.
    #[error("the change makes no sense")]
    Invalid,
    /// INELIGIBLE_REPLICA.
    #[error("a member does not live, or is about to stop")]
    Ineligible,
    /// To be asked again: a write of the state is under way, or came to nothing.
    #[error("not now")]
    NotNow,
}

impl Controller {
    /// Answers at once what needs no write; what does is answered when it is written.
    pub(super) fn alter_isr(&mut self, proposal: IsrProposal) {
        let ticket = proposal.ticket;
        match self.judge_isr(&proposal) {
            Ok(Verdict::Stands(node)) => self.outbox.act(Action::AnswerIsr { ticket, outcome: Ok(node) }),
            Ok(Verdict::Write(write)) => {
                let topic = self.topics.get_mut(&proposal.topic);
                if let Some(partition) = topic.and_then(|t| t.partitions.get_mut(&proposal.partition)) {
                    partition.in_flight = true;
                    partition.asked = Some(ticket);
                    self.outbox.act(Action::Write(write));
                }
            }
            Err(refusal) => {
                self.outbox.act(Action::AnswerIsr { ticket, outcome: Err(refusal) });
                if matches!(refusal, IsrRefusal::Outdated | IsrRefusal::Fenced) {
                    // What it does not know may have been told in an answer that was lost, and to nobody else.
                    self.outbox.lead_or_follow(proposal.broker, &proposal.topic, proposal.partition, false);
                }
            }
        }
    }

    /// In Kafka's order: a state that is wanted already is confirmed whatever version the leader knows, since the answer to its first question
    /// may have been lost.
    fn judge_isr(&self, proposal: &IsrProposal) -> Result<Verdict, IsrRefusal> {
        if self.is_loading() {
            return Err(IsrRefusal::NotNow);
        }
        let topic = self.topics.get(&proposal.topic).filter(|topic| topic.is_live());
        let topic = topic.ok_or(IsrRefusal::UnknownPartition)?;
        let partition = topic.partitions.get(&proposal.partition).ok_or(IsrRefusal::UnknownPartition)?;
        let PartitionState::Known { state, version } = &partition.state else {
            return Err(IsrRefusal::UnknownPartition);
        };
        if partition.in_flight || partition.in_doubt {
            return Err(IsrRefusal::NotNow);
        }
        if proposal.leader_epoch > state.leader_epoch {
            return Err(IsrRefusal::FromTheFuture);
        }
        if proposal.leader_epoch < state.leader_epoch {
            return Err(IsrRefusal::Fenced);
        }
        let isr: Vec<i32> = proposal.isr.iter().map(|(id, _)| *id).collect();
        if isr == state.isr && proposal.recovering == state.recovering && proposal.partition_epoch <= *version
        {
            return Ok(Verdict::Stands(StateNode { state: state.clone(), version: *version, modified: 0 }));
        }
        if proposal.partition_epoch > *version {
            return Err(IsrRefusal::FromTheFuture);
        }
        if proposal.partition_epoch < *version {
            return Err(IsrRefusal::Outdated);
        }
        let distinct: BTreeSet<i32> = isr.iter().copied().collect();
        let is_sound = proposal.broker == state.leader
            && isr.contains(&state.leader)
            && distinct.len() == isr.len()
            && isr.iter().all(|id| partition.assignment.replicas.contains(id))
            && !(proposal.recovering && (isr.len() > 1 || !state.recovering));
        if !is_sound {
            return Err(IsrRefusal::Invalid);
        }
        let may_join = |(id, epoch): &(i32, i64)| {
            let lives = self.brokers.get(id).is_some_and(|broker| *epoch < 0 || broker.epoch == *epoch);
            // A member that stays is not asked whether it is about to stop: it is the controller that takes it out then.
            state.isr.contains(id) || (lives && !self.leaving.contains(id) && !partition.failed.contains(id))
        };
        if !proposal.isr.iter().all(may_join) {
            return Err(IsrRefusal::Ineligible);
        }
        let state = LeaderAndIsr {
            isr,
            recovering: proposal.recovering,
            controller_epoch: self.controller_epoch(),
            ..state.clone()
        };
        Ok(Verdict::Write(Write::UpdateState {
            topic: proposal.topic.clone(),
            created: topic.created,
            partition: proposal.partition,
            state,
            expected: *version,
        }))
    }
}

enum Verdict {
    Stands(StateNode),
    Write(Write),
}
