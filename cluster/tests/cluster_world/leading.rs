//! What a leader does: fetches and produces are answered, the in-sync set is looked after. It mirrors the broker's `fetch_round`, `leadership` and
//! `in_sync`.

use vltava_cluster::{
    controller::IsrProposal,
    replication::{
        Effect, EpochAndEnd, FollowerFetch, IsrChange, LeaderState, Replication, Rules, divergence,
    },
};

use super::{
    Timer, World,
    flaw::Flaw,
    following::Asked,
    network::{Altered, Body, Line, Message, Refused},
    node::{PendingIsr, Produced},
    replica_log::Record,
};

pub(crate) const LAG: i64 = 500;
pub(crate) const MIN_ISR: usize = 2;

/// How long a fetch waits for records.
const LONGEST_WAIT: i64 = 120;

/// Records that one fetch brings at most.
const AT_ONCE: usize = 4;

/// Before a change of the in-sync set is asked for again.
const RETRY: i64 = 50;

/// A fetch that waits for records.
#[derive(Debug)]
pub(crate) struct WaitingFetch {
    asked: Asked,
    message: Message,
    until: i64,
}

/// What a leader answers.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub(crate) records: Vec<Record>,
    pub(crate) high_watermark: i64,
    pub(crate) diverging: Option<EpochAndEnd>,
}

pub(crate) fn rules() -> Rules {
    Rules { min_isr: MIN_ISR, lag_ms: LAG }
}

/// A change that the machine has not proposed.
fn behind_its_back(replica: &Replication, members: Vec<i32>) -> PendingIsr {
    let (leader_epoch, partition_epoch) = (replica.leader_epoch(), replica.partition_epoch());
    let member_epochs = vec![-1; members.len()];
    PendingIsr { leader_epoch, change: IsrChange { members, member_epochs, partition_epoch } }
}

impl World {
    /// Checks the leader epoch that a follower claims, epochs first.
    fn check_leader(&self, id: i32, leader_epoch: i32) -> Result<&Replication, Refused> {
        let replica = self.nodes[id as usize].replica().ok_or(Refused::NotNow)?;
        if leader_epoch < replica.leader_epoch() {
            return Err(Refused::Fenced);
        }
        if leader_epoch > replica.leader_epoch() || !replica.is_leader() {
            return Err(Refused::NotNow);
        }
        Ok(replica)
    }

    pub(crate) fn serve_fetch(&mut self, asked: Asked, message: Message) {
        let until = self.now + LONGEST_WAIT;
        let (id, answer) = (message.to, self.look(asked, &message));
        if matches!(&answer, Ok(found) if found.records.is_empty() && found.diverging.is_none()) {
            if let Some(process) = &mut self.nodes[id as usize].process {
                process.waiting_fetches.push(WaitingFetch { asked, message, until });
            }
            self.timer(id, LONGEST_WAIT, Timer::WaitIsOver);
            return;
        }
        self.answer(&message, Body::Fetched(answer));
    }

    /// Looks again for those who wait: something came, the leadership changed, or the time is up.
    pub(crate) fn wake_fetches(&mut self, id: i32, is_news: bool) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        let now = self.now;
        let (woken, asleep): (Vec<_>, Vec<_>) = std::mem::take(&mut process.waiting_fetches)
            .into_iter()
            .partition(|waiting| is_news || waiting.until <= now);
        process.waiting_fetches = asleep;
        for waiting in woken {
            let answer = self.look(waiting.asked, &waiting.message);
            self.answer(&waiting.message, Body::Fetched(answer));
        }
    }

    fn look(&mut self, asked: Asked, message: &Message) -> Result<Fetched, Refused> {
        let id = message.to;
        self.check_leader(id, asked.leader_epoch)?;
        let log = &self.nodes[id as usize].log;
        let mut diverging = None;
        if asked.last_epoch >= 0 && self.flaw != Some(Flaw::NoTruncationByEpoch) {
            let end = log.end_of_epoch(asked.last_epoch);
            if end.epoch < 0 || end.end < 0 {
                return Err(Refused::OutOfRange(log.end()));
            }
            diverging = divergence(asked.last_epoch, asked.offset, end);
        }
        if diverging.is_some() {
            let high_watermark = self.high_watermark(id);
            return Ok(Fetched::new(Vec::new(), high_watermark, diverging));
        }
        if asked.offset > log.end() {
            return Err(Refused::OutOfRange(log.end()));
        }
        let records = log.from(asked.offset, AT_ONCE);
        self.follower_fetched(id, message.from, asked)?;
        Ok(Fetched::new(records, self.high_watermark(id), None))
    }

    fn follower_fetched(&mut self, id: i32, follower: i32, asked: Asked) -> Result<(), Refused> {
        let now = self.clock(id);
        let flaw = self.flaw;
        let broker_epoch =
            if flaw == Some(Flaw::FetchesWithoutBrokerEpochs) { -1 } else { asked.broker_epoch };
        let Some(replica) = self.replica_mut(id) else { return Err(Refused::NotNow) };
        let fetch = FollowerFetch {
            follower,
            broker_epoch,
            leader_epoch: asked.leader_epoch,
            log_end: asked.offset,
            log_start: 0,
        };
        let effect = replica.on_fetch(fetch, now).map_err(|_| Refused::NotNow)?;
        let may_join_anyway = flaw == Some(Flaw::JoinsBelowEpochStart)
            && replica.pending_isr().is_none()
            && !replica.isr().committed().contains(&follower)
            && asked.offset >= replica.high_watermark();
        if may_join_anyway {
            let members = replica.isr().committed().iter().copied().chain([follower]).collect();
            let pending = behind_its_back(replica, members);
            if self.nodes[id as usize].process.as_ref().is_some_and(|process| process.carrier.asked.is_none())
            {
                self.ask_controller(id, pending);
            }
        }
        self.obey_effect(id, effect);
        Ok(())
    }

    pub(crate) fn serve_end(&mut self, leader_epoch: i32, epoch: i32, message: &Message) {
        let end = self
            .check_leader(message.to, leader_epoch)
            .map(|_| self.nodes[message.to as usize].log.end_of_epoch(epoch));
        self.answer(message, Body::End(end));
    }

    /// A producer with acks=all.
    pub(crate) fn produce(&mut self, id: i32, value: u64, above: i64) {
        let now = self.clock(id);
        let node = &mut self.nodes[id as usize];
        let Some(replica) = node.process.as_mut().and_then(|process| process.replica.as_mut()) else {
            return;
        };
        if !replica.is_leader() || replica.refuses_acks_all() {
            return;
        }
        let offset = node.log.end();
        node.log.append(Record { epoch: replica.leader_epoch(), value });
        let effect = replica.on_append(node.log.end(), now);
        if let Some(process) = &mut node.process {
            process.produces.push(Produced { value, offset, above });
        }
        self.note(|| format!("{id}: value {value} at {offset}"));
        self.obey_effect(id, effect);
        self.wake_fetches(id, true);
    }

    /// Answers the producers whose records are committed, or whose leader leads no more.
    pub(crate) fn wake_produces(&mut self, id: i32) {
        let high_watermark = self.high_watermark(id);
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        if process.produces.is_empty() {
            return;
        }
        if !process.replica.as_ref().is_some_and(Replication::is_leader) {
            process.produces.clear();
            return;
        }
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut process.produces)
            .into_iter()
            .partition(|produced| produced.offset < high_watermark);
        process.produces = waiting;
        for Produced { value, offset, above } in done {
            self.laws.acknowledge(value, offset, above);
        }
    }

    /// What consumers and followers are told.
    pub(crate) fn high_watermark(&self, id: i32) -> i64 {
        let node = &self.nodes[id as usize];
        match node.replica() {
            Some(replica) if replica.is_leader() && self.flaw == Some(Flaw::HighWatermarkFromLogEnd) => {
                node.log.end()
            }
            Some(replica) => replica.high_watermark(),
            None => -1,
        }
    }

    pub(crate) fn obey_effect(&mut self, id: i32, effect: Effect) {
        if effect.high_watermark.is_some() || self.flaw == Some(Flaw::HighWatermarkFromLogEnd) {
            self.show(id);
            self.wake_produces(id);
        }
        if effect.propose_isr {
            self.carry(id);
        }
    }

    /// Time passed: laggards are looked for.
    pub(crate) fn look_for_laggards(&mut self, id: i32) {
        let (now, flaw) = (self.clock(id), self.flaw);
        let Some(replica) = self.replica_mut(id) else { return };
        let effect = replica.on_tick(now);
        if effect.propose_isr && flaw == Some(Flaw::ShrunkIsrCountsAtOnce) {
            self.carry(id);
            let Some(replica) = self.replica_mut(id) else { return };
            let Some(change) = replica.pending_isr().cloned() else { return };
            let (leader_epoch, partition_epoch) = (replica.leader_epoch(), replica.partition_epoch());
            let counted = replica.on_isr_confirmed(change.members, leader_epoch, partition_epoch, now);
            self.obey_effect(id, counted);
            return;
        }
        self.obey_effect(id, effect);
    }

    /// Asks the controller for what is pending, if nothing else is being asked.
    pub(crate) fn carry(&mut self, id: i32) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        process.carrier.has_work = true;
        if process.carrier.asked.is_some() {
            return;
        }
        process.carrier.has_work = false;
        let Some(replica) = &process.replica else { return };
        let Some(change) = replica.pending_isr().cloned() else { return };
        let pending = PendingIsr { leader_epoch: replica.leader_epoch(), change };
        self.ask_controller(id, pending);
    }

    fn ask_controller(&mut self, id: i32, pending: PendingIsr) {
        let Some(process) = &self.nodes[id as usize].process else { return };
        let to = if process.office.is_some() { id } else { process.controller };
        let epochs = pending.change.member_epochs.iter().copied();
        let proposal = IsrProposal {
            ticket: 0,
            broker: id,
            topic: super::TOPIC.into(),
            partition: 0,
            leader_epoch: pending.leader_epoch,
            partition_epoch: pending.change.partition_epoch,
            isr: pending.change.members.iter().copied().zip(epochs).collect(),
            recovering: false,
        };
        let broker_epoch = process.broker_epoch;
        if to < 0 {
            if let Some(process) = &mut self.nodes[id as usize].process {
                process.carrier.has_work = true;
            }
            self.timer(id, RETRY, Timer::Carry);
            return;
        }
        let number = self.ask(id, to, Line::AlterPartition, Body::AlterPartition { broker_epoch, proposal });
        if let Some(process) = &mut self.nodes[id as usize].process {
            process.carrier.asked = Some((number, pending));
        }
    }

    pub(crate) fn altered(&mut self, id: i32, number: u64, answer: Altered) {
        let now = self.clock(id);
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        let Some((_, pending)) = process.carrier.asked.take_if(|(asked, _)| *asked == number) else { return };
        let Some(replica) = &mut process.replica else { return };
        match answer {
            Altered::Confirmed { isr, leader_epoch, partition_epoch } => {
                let effect = replica.on_isr_confirmed(isr, leader_epoch, partition_epoch, now);
                self.obey_effect(id, effect);
            }
            Altered::Refused => {
                let effect = replica.on_isr_refused(pending.change.partition_epoch, now);
                self.obey_effect(id, effect);
            }
            Altered::Outdated => {}
            Altered::NotNow => {
                process.carrier.has_work = true;
                self.timer(id, RETRY, Timer::Carry);
                return;
            }
        }
        if self.nodes[id as usize].process.as_ref().is_some_and(|process| process.carrier.has_work) {
            self.carry(id);
        }
    }

    /// The connection to the controller is given up: asked again.
    pub(crate) fn alter_given_up(&mut self, id: i32, number: u64) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        if process.carrier.asked.take_if(|(asked, _)| *asked == number).is_some() {
            process.carrier.has_work = true;
            self.timer(id, RETRY, Timer::Carry);
        }
    }

    pub(crate) fn lead(&mut self, id: i32, state: LeaderState) {
        let now = self.clock(id);
        let node = &mut self.nodes[id as usize];
        let end = node.log.end();
        let Some(process) = &mut node.process else { return };
        let epoch = state.leader_epoch;
        let checkpoint = node.log.checkpoint;
        let replica = process.replica.get_or_insert_with(|| Replication::new(id, end, checkpoint, rules()));
        let is_news = !replica.is_leader() || replica.leader_epoch() < epoch;
        let Ok(effect) = replica.become_leader(state, end, now) else { return };
        if is_news {
            node.log.assign_epoch(epoch);
            // One broker leads an epoch once: a second process would have another log.
            self.laws.leads(id, epoch);
            // Who is told late, in an epoch that is over, commits nothing.
            if self.zookeeper.state.as_ref().is_some_and(|held| held.state.leader_epoch == epoch) {
                self.laws.holds_everything("leads:", id, &node.log, 0);
            }
        }
        if let Some(process) = &mut self.nodes[id as usize].process {
            for fetcher in process.fetchers.values_mut() {
                fetcher.followed = None;
            }
        }
        self.show(id);
        self.obey_effect(id, effect);
        self.wake_fetches(id, true);
    }
}
