//! Messages between brokers. On a connection one question is answered before the next is asked; a connection that breaks loses the question or its
//! answer, and what was sent on it may still arrive, after what is sent on the next.

use vltava_cluster::controller::{BrokerRequest, IsrProposal};
use vltava_cluster::replication::EpochAndEnd;

use super::{World, following::Asked, leading::Fetched, replica_log::Record};

/// How long a question waits for its answer before its connection is given up.
pub(crate) const PATIENCE: i64 = 400;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    Fetch,
    AlterPartition,
    Order,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) from: i32,
    pub(crate) to: i32,
    /// The process that it is for: another one knows no such connection.
    pub(crate) incarnation: u64,
    pub(crate) line: Line,
    /// Tells questions apart; an answer repeats it.
    pub(crate) number: u64,
    pub(crate) body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Fetch(Asked),
    Fetched(Result<Fetched, Refused>),
    AskForEnd { leader_epoch: i32, epoch: i32 },
    End(Result<EpochAndEnd, Refused>),
    AlterPartition { broker_epoch: i64, proposal: IsrProposal },
    Altered(Altered),
    Order { broker_epoch: i64, request: BrokerRequest },
    Obeyed(Vec<vltava_cluster::controller::Event>),
}

/// Why a leader does not answer, as far as a follower makes a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// FENCED_LEADER_EPOCH.
    Fenced,
    /// Anything that passes.
    NotNow,
    /// OFFSET_OUT_OF_RANGE, with the leader's end.
    OutOfRange(i64),
}

/// What the controller says to a change of the in-sync set.
#[derive(Debug, Clone)]
pub(crate) enum Altered {
    Confirmed {
        isr: Vec<i32>,
        leader_epoch: i32,
        partition_epoch: i32,
    },
    /// For good.
    Refused,
    /// The controller knows a newer state.
    Outdated,
    /// To be asked again.
    NotNow,
}

impl Fetched {
    pub(crate) fn new(records: Vec<Record>, high_watermark: i64, diverging: Option<EpochAndEnd>) -> Self {
        Self { records, high_watermark, diverging }
    }
}

impl World {
    /// Asks another broker; the number is what the answer repeats.
    pub(crate) fn ask(&mut self, from: i32, to: i32, line: Line, body: Body) -> u64 {
        let number = self.next_number();
        let incarnation = self.nodes[to as usize].incarnation;
        let is_listening =
            self.nodes[to as usize].process.as_ref().is_some_and(|process| process.broker_epoch >= 0);
        if is_listening {
            self.send(Message { from, to, incarnation, line, number, body });
        }
        // Nobody listens: that is known at once. Else it is found out by waiting.
        let patience = if is_listening { PATIENCE } else { 20 };
        self.timer(from, patience, super::Timer::GiveUp { line, peer: to, number });
        number
    }

    pub(crate) fn answer(&mut self, question: &Message, body: Body) {
        let (from, to) = (question.to, question.from);
        let incarnation = self.nodes[to as usize].incarnation;
        self.send(Message { from, to, incarnation, line: question.line, number: question.number, body });
    }

    fn send(&mut self, message: Message) {
        let ends = (message.from.min(message.to), message.from.max(message.to));
        if message.from == message.to {
            // In process.
            self.at(self.now + 1, super::Event::Arrives(Box::new(message)));
            return;
        }
        if self.cut.contains(&ends) {
            return;
        }
        let delay = match self.lot.draw(200) {
            0..=3 if !self.is_healed => return,
            4..=7 if !self.is_healed => 100 + self.lot.draw(1_500) as i64,
            8..=19 => 1 + self.lot.draw(60) as i64,
            _ => 1 + self.lot.draw(6) as i64,
        };
        self.at(self.now + delay, super::Event::Arrives(Box::new(message)));
    }

    pub(crate) fn arrived(&mut self, message: Message) {
        let node = &self.nodes[message.to as usize];
        if node.incarnation != message.incarnation || node.process.is_none() {
            return;
        }
        self.note(|| format!("{} <- {}: {:?}", message.to, message.from, message.body));
        match &message.body {
            Body::Fetch(asked) => self.serve_fetch(*asked, message.clone()),
            Body::AskForEnd { leader_epoch, epoch } => self.serve_end(*leader_epoch, *epoch, &message),
            Body::AlterPartition { broker_epoch, proposal } => {
                self.alter_partition(*broker_epoch, proposal.clone(), &message);
            }
            Body::Order { broker_epoch, request } => {
                let events = self.obey(message.to, message.from, *broker_epoch, request.clone());
                self.answer(&message, Body::Obeyed(events));
            }
            Body::Fetched(answer) => self.fetched(message.to, message.from, message.number, answer.clone()),
            Body::End(answer) => self.told_end(message.to, message.from, message.number, *answer),
            Body::Altered(answer) => self.altered(message.to, message.number, answer.clone()),
            Body::Obeyed(events) => self.obeyed(message.to, message.from, message.number, events.clone()),
        }
    }
}
