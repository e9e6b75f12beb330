//! The machine: one event after the other.

use std::collections::{BTreeMap, BTreeSet};

use vltava_protocol::Uuid;

use super::election::{self, Live};
use super::event::{Action, Event, Write, WriteOutcome};
use super::isr::IsrRefusal;
use super::model::{Broker, LeaderAndIsr, StateNode, TopicAssignment, TopicName};
use super::outbox::Outbox;
use super::topics::{PartitionState, Phase, Topics};

/// What the configuration says to the controller.
#[derive(Debug, Clone, Copy)]
pub struct ControllerOptions {
    /// `delete.topic.enable`: without it, requests to delete a topic are dropped.
    pub delete_topics: bool,
    /// `unclean.leader.election.enable`, where a topic says nothing else.
    pub unclean_election: bool,
    /// Whether topics have ids: from inter-broker version 2.8 on (KIP-516). Before, brokers would not be told of them, and clients that were would find nobody.
    pub topic_ids: bool,
}

impl Default for ControllerOptions {
    fn default() -> Self {
        Self { delete_topics: true, unclean_election: false, topic_ids: true }
    }
}

/// The controller; see the [module](super).
#[derive(Debug)]
pub struct Controller {
    pub(super) options: ControllerOptions,
    pub(super) unclean_topics: BTreeMap<TopicName, bool>,
    pub(super) term: Option<Term>,
    pub(super) brokers: Live,
    /// Those of them that are about to stop.
    pub(super) leaving: BTreeSet<i32>,
    pub(super) topics: Topics,
    /// The topics that are to be deleted, with the zxid that created the request.
    pub(super) deletions: BTreeMap<TopicName, i64>,
    pub(super) outbox: Outbox,
    unclean_elections: u64,
}

/// One time in office.
#[derive(Debug)]
pub(super) struct Term {
    /// The controller epoch.
    pub(super) epoch: i32,
    /// The data version of `/controller_epoch`.
    pub(super) epoch_version: i32,
    /// What the first reads have brought so far.
    pub(super) loading: Loading,
}

/// The first reads of a term. Brokers are told nothing until all have come, so that elections are decided in memory at once and a
/// broker's first LeaderAndIsr names all its partitions.
#[derive(Debug, Default)]
pub(super) struct Loading {
    pub(super) brokers: bool,
    pub(super) topics: bool,
    pub(super) deletions: bool,
    pub(super) done: bool,
}

impl Controller {
    /// A controller out of office.
    #[must_use]
    pub fn new(options: ControllerOptions) -> Self {
        Self {
            options,
            unclean_topics: BTreeMap::new(),
            term: None,
            brokers: Live::new(),
            leaving: BTreeSet::new(),
            topics: Topics::new(),
            deletions: BTreeMap::new(),
            outbox: Outbox::default(),
            unclean_elections: 0,
        }
    }

    /// Takes one event and says what follows. Out of office nothing follows.
    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        self.handle_all([event])
    }

    /// Takes events that came together, and tells each broker in one request of a kind what follows from all of them.
    pub fn handle_all(&mut self, events: impl IntoIterator<Item = Event>) -> Vec<Action> {
        for event in events {
            self.take(event);
            self.finish_loading();
        }
        let Some(term) = &self.term else {
            return std::mem::take(&mut self.outbox).flush(0, &Live::new(), &self.topics);
        };
        self.outbox.flush(term.epoch, &self.brokers, &self.topics)
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Elected { epoch, epoch_version } => self.take_office(epoch, epoch_version),
            Event::Resigned => self.leave_office(),
            Event::UncleanElection { topic, enabled } => self.set_unclean(topic, enabled),
            _ if self.term.is_none() => {}
            Event::ShuttingDown(broker) => self.broker_leaves(broker),
            Event::AlterIsr(proposal) => self.alter_isr(proposal),
            Event::Introduce(broker) if self.brokers.contains_key(&broker) && !self.is_loading() => {
                self.introduce(broker);
            }
            Event::Introduce(_) => {}
            Event::Brokers(brokers) => self.observe_brokers(brokers),
            Event::Topics(names) => self.observe_topics(names),
            Event::Topic { topic, node } => self.observe_topic(&topic, node),
            Event::States { topic, created, states } => self.observe_states(&topic, created, states),
            Event::Unreadable { topic, partition } => self.observe_unreadable(&topic, partition),
            Event::Deletions(names) => self.observe_deletions(names),
            Event::Written { write, outcome } => self.written(write, outcome),
            Event::ReplicasFailed { broker, replicas } => self.replicas_failed(broker, replicas),
            Event::LogDirsFailed(brokers) => self.log_dirs_failed(&brokers),
            Event::Stopped { broker, replica, done } => self.replica_stopped(broker, &replica, done),
            Event::ElectPreferred(partitions) => self.elect_preferred(partitions),
            Event::ElectUnclean(partitions) => self.elect_unclean(partitions),
            Event::Reassign(partitions) => self.reassign(partitions),
            Event::IsrChanged(partitions) => self.read_states_again(partitions),
        }
    }

    /// The controller epoch while in office.
    #[must_use]
    pub fn epoch(&self) -> Option<i32> {
        self.term.as_ref().map(|term| term.epoch)
    }

    /// The data version of `/controller_epoch` that fences this term's writes.
    #[must_use]
    pub fn epoch_version(&self) -> Option<i32> {
        self.term.as_ref().map(|term| term.epoch_version)
    }

    /// Whether the term's first reads have ended, and brokers have been told.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.term.as_ref().is_some_and(|term| term.loading.done)
    }

    /// Counts for the metrics `GlobalTopicCount`, `GlobalPartitionCount`, `OfflinePartitionsCount`,
    /// `PreferredReplicaImbalanceCount` and `TopicsToDeleteCount`, in this order.
    #[must_use]
    pub fn counts(&self) -> [usize; 5] {
        let mut counts = [self.topics.len(), 0, 0, 0, 0];
        for topic in self.topics.values() {
            counts[1] += topic.partitions.len();
            if matches!(topic.phase, Phase::Deleting { .. }) {
                counts[4] += 1;
                continue;
            }
            for partition in topic.partitions.values() {
                let leader = match &partition.state {
                    PartitionState::Known { state, .. } => Some(state.leader),
                    PartitionState::Unread | PartitionState::Unreadable | PartitionState::New => None,
                };
                let online = leader.is_some_and(|leader| self.brokers.contains_key(&leader));
                counts[2] += usize::from(!online);
                counts[3] +=
                    usize::from(leader.is_some() && leader != partition.assignment.replicas.first().copied());
            }
        }
        counts
    }

    fn take_office(&mut self, epoch: i32, epoch_version: i32) {
        self.leave_office();
        self.term = Some(Term { epoch, epoch_version, loading: Loading::default() });
        for read in [Action::ReadBrokers, Action::ReadTopics, Action::ReadDeletions] {
            self.outbox.act(read);
        }
    }

    fn leave_office(&mut self) {
        self.term = None;
        self.brokers.clear();
        self.leaving.clear();
        self.topics.clear();
        self.deletions.clear();
        self.outbox = Outbox::default();
    }

    pub(super) fn is_loading(&self) -> bool {
        self.term.as_ref().is_some_and(|term| !term.loading.done)
    }

    pub(super) fn loading(&mut self) -> Option<&mut Loading> {
        self.term.as_mut().map(|term| &mut term.loading)
    }

    pub(super) fn controller_epoch(&self) -> i32 {
        self.term.as_ref().map_or(-1, |term| term.epoch)
    }

    /// Ends the loading when everything that was listed has been read: brokers are told all, elections and deletions start.
    fn finish_loading(&mut self) {
        let Some(loading) = self.term.as_mut().map(|term| &mut term.loading) else { return };
        let listed = loading.brokers && loading.topics && loading.deletions;
        if loading.done || !listed || !self.topics.values().all(super::topics::Topic::is_loaded) {
            return;
        }
        loading.done = true;
        for partition in self.topics.values_mut().flat_map(|topic| topic.partitions.values_mut()) {
            partition.note_later_registrations(partition.read_at, &self.brokers);
        }
        let ids: Vec<i32> = self.brokers.keys().copied().collect();
        for broker in ids {
            self.introduce(broker);
        }
        for name in self.deletions.keys().cloned().collect::<Vec<_>>() {
            self.consider_deletion(&name);
        }
        let names: Vec<TopicName> = self.topics.keys().cloned().collect();
        for name in names {
            self.reconcile(&name);
        }
    }

    /// Tells a broker everything it takes part in.
    pub(super) fn introduce(&mut self, broker: i32) {
        self.outbox.introduce(broker);
        self.tell_replicas_of(broker);
    }

    /// Tells a broker what it leads and follows, known or not.
    pub(super) fn tell_replicas_of(&mut self, broker: i32) {
        for (name, topic) in self.topics.iter().filter(|(_, topic)| topic.is_live()) {
            for (&number, partition) in &topic.partitions {
                let known = matches!(partition.state, PartitionState::Known { .. });
                if known && partition.assignment.replicas.contains(&broker) {
                    self.outbox.lead_or_follow(broker, name, number, false);
                }
            }
        }
    }

    /// Writes what must change in a live topic's states: first states, and leaders that have died.
    pub(super) fn reconcile(&mut self, name: &TopicName) {
        if self.is_loading() {
            return;
        }
        let epoch = self.controller_epoch();
        let unclean = self.unclean_topics.get(name).copied().unwrap_or(self.options.unclean_election);
        let Some(topic) = self.topics.get_mut(name).filter(|topic| topic.is_live()) else { return };
        let created = topic.created;
        for (&number, partition) in topic.partitions.iter_mut().filter(|(_, partition)| !partition.in_flight)
        {
            let returned = partition.returned(&self.brokers);
            let live = partition.usable(&self.brokers);
            let write = match &partition.state {
                PartitionState::Unread | PartitionState::Unreadable => None,
                PartitionState::New => election::first(&partition.assignment, &live, epoch).map(|state| {
                    Write::CreateState { topic: name.clone(), created, partition: number, state }
                }),
                PartitionState::Known { state, version } => {
                    let assignment = &partition.assignment;
                    election::next(assignment, state, &live, &returned, unclean, epoch)
                        .or_else(|| election::handed_over(assignment, state, &live, &self.leaving, epoch))
                        .map(|state| Write::UpdateState {
                            topic: name.clone(),
                            created,
                            partition: number,
                            state,
                            expected: *version,
                        })
                }
            };
            if let Some(write) = write {
                partition.in_flight = true;
                partition.account(&self.brokers);
                self.outbox.act(Action::Write(write));
            }
        }
    }

    /// The broker's leaderships go to others, and it leaves the in-sync sets.
    fn broker_leaves(&mut self, broker: i32) {
        if !self.brokers.contains_key(&broker) || !self.leaving.insert(broker) {
            return;
        }
        let names: Vec<TopicName> = self.topics.keys().cloned().collect();
        for name in names {
            self.reconcile(&name);
        }
    }

    /// The partitions with several replicas that a broker leads, and whether a write of one of them has not ended yet: what ControlledShutdown answers.
    #[must_use]
    pub fn replicated_and_led_by(&self, broker: i32) -> (Vec<(TopicName, i32)>, bool) {
        let mut led = Vec::new();
        let mut in_flight = false;
        for (name, topic) in self.topics.iter().filter(|(_, topic)| topic.is_live()) {
            for (&number, partition) in &topic.partitions {
                let PartitionState::Known { state, .. } = &partition.state else { continue };
                if state.leader == broker && partition.assignment.replicas.len() > 1 {
                    led.push((name.clone(), number));
                    in_flight |= partition.in_flight;
                }
            }
        }
        (led, in_flight)
    }

    /// How often a replica that was not in sync has been made leader.
    #[must_use]
    pub fn unclean_elections(&self) -> u64 {
        self.unclean_elections
    }

    fn set_unclean(&mut self, topic: Option<TopicName>, enabled: Option<bool>) {
        match (topic, enabled) {
            (Some(topic), Some(enabled)) => {
                self.unclean_topics.insert(topic.clone(), enabled);
                self.reconcile(&topic);
            }
            (Some(topic), None) => {
                self.unclean_topics.remove(&topic);
                self.reconcile(&topic);
            }
            (None, enabled) => {
                self.options.unclean_election = enabled.unwrap_or(false);
                let names: Vec<TopicName> = self.topics.keys().cloned().collect();
                for name in names {
                    self.reconcile(&name);
                }
            }
        }
    }

    fn written(&mut self, write: Write, outcome: WriteOutcome) {
        if outcome == WriteOutcome::Fenced {
            self.leave_office();
            self.outbox.act(Action::Resign);
            return;
        }
        match write {
            Write::CreateState { topic, created, partition, state }
            | Write::UpdateState { topic, created, partition, state, .. } => {
                self.state_written(&topic, created, partition, state, outcome);
            }
            Write::SetTopic { topic, .. } => self.outbox.act(Action::ReadTopic(topic)),
            Write::DeleteTopic { topic, created } => self.topic_deleted(&topic, created, outcome),
            Write::ClearDeletion { topic, .. } => {
                if let WriteOutcome::Done(_) = outcome {
                    self.deletions.remove(&topic);
                }
                // It may have been asked for again, and that have been seen, before this answer.
                self.outbox.act(Action::ReadDeletions);
            }
            Write::ClearPreferredElection | Write::ClearReassignment => {}
        }
    }

    fn state_written(
        &mut self,
        name: &TopicName,
        created: i64,
        number: i32,
        state: LeaderAndIsr,
        outcome: WriteOutcome,
    ) {
        let Some(topic) = self.topics.get_mut(name).filter(|topic| topic.created == created) else { return };
        let Some(partition) = topic.partitions.get_mut(&number) else { return };
        partition.in_flight = false;
        partition.accounted_for(matches!(outcome, WriteOutcome::Done(_)));
        let asked = partition.asked.take();
        let WriteOutcome::Done(version) = outcome else {
            partition.in_doubt = true;
            if let Some(ticket) = asked {
                let refusal = match outcome {
                    WriteOutcome::Conflict => IsrRefusal::Outdated,
                    _ => IsrRefusal::NotNow,
                };
                self.outbox.act(Action::AnswerIsr { ticket, outcome: Err(refusal) });
            }
            // The topic itself may be gone: its znode tells, and its states are read after it.
            self.outbox.act(Action::ReadTopic(name.clone()));
            self.outbox.act(Action::ReadStates { topic: name.clone(), created, partitions: vec![number] });
            return;
        };
        let is_new = partition.state == PartitionState::New;
        let was_recovering =
            matches!(&partition.state, PartitionState::Known { state, .. } if state.recovering);
        self.unclean_elections += u64::from(state.recovering && !was_recovering);
        let written = StateNode { state: state.clone(), version, modified: 0 };
        if is_newer(&partition.state, version) {
            partition.state = PartitionState::Known { state, version };
        }
        match asked {
            Some(ticket) => {
                // Its leader has its answer; followers need not know who is in sync.
                self.outbox.act(Action::AnswerIsr { ticket, outcome: Ok(written) });
                self.outbox.announce(name, number);
            }
            None => self.tell(name, number, is_new),
        }
        self.reconcile(name);
    }

    /// Tells replicas and caches about a partition of a live topic.
    pub(super) fn tell(&mut self, name: &TopicName, number: i32, is_new: bool) {
        if self.is_loading() {
            return;
        }
        let Some(topic) = self.topics.get(name).filter(|topic| topic.is_live()) else { return };
        let Some(partition) = topic.partitions.get(&number) else { return };
        for &broker in &partition.assignment.replicas {
            self.outbox.lead_or_follow(broker, name, number, is_new);
        }
        self.outbox.announce(name, number);
    }

    fn elect_preferred(&mut self, partitions: Option<Vec<(TopicName, i32)>>) {
        let epoch = self.controller_epoch();
        let wanted = partitions.map(|partitions| partitions.into_iter().collect::<BTreeSet<_>>());
        if !self.is_loading() {
            for (name, topic) in self.topics.iter_mut().filter(|(_, topic)| topic.is_live()) {
                for (&number, partition) in
                    topic.partitions.iter_mut().filter(|(_, partition)| !partition.in_flight)
                {
                    if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&(name.clone(), number))) {
                        continue;
                    }
                    if partition.assignment.replicas.first().is_some_and(|id| self.leaving.contains(id)) {
                        continue;
                    }
                    let PartitionState::Known { state, version } = &partition.state else { continue };
                    let Some(next) = election::preferred(
                        &partition.assignment,
                        state,
                        &partition.usable(&self.brokers),
                        epoch,
                    ) else {
                        continue;
                    };
                    let (topic_name, created, expected) = (name.clone(), topic.created, *version);
                    partition.in_flight = true;
                    self.outbox.act(Action::Write(Write::UpdateState {
                        topic: topic_name,
                        created,
                        partition: number,
                        state: next,
                        expected,
                    }));
                }
            }
        }
        self.outbox.act(Action::Write(Write::ClearPreferredElection));
    }

    /// Whoever asks knows that records may be lost by it: what the topic says of unclean elections does not count.
    fn elect_unclean(&mut self, partitions: Vec<(TopicName, i32)>) {
        if self.is_loading() {
            return;
        }
        let epoch = self.controller_epoch();
        for (name, number) in partitions {
            let Some(topic) = self.topics.get_mut(&name).filter(|topic| topic.is_live()) else { continue };
            let created = topic.created;
            let Some(partition) = topic.partitions.get_mut(&number).filter(|partition| !partition.in_flight)
            else {
                continue;
            };
            let PartitionState::Known { state, version } = &partition.state else { continue };
            let live = partition.usable(&self.brokers);
            if live.contains_key(&state.leader) {
                continue;
            }
            let Some(state) =
                election::next(&partition.assignment, state, &live, &BTreeSet::new(), true, epoch)
            else {
                continue;
            };
            let (topic, expected) = (name.clone(), *version);
            partition.in_flight = true;
            self.outbox.act(Action::Write(Write::UpdateState {
                topic,
                created,
                partition: number,
                state,
                expected,
            }));
        }
    }

    /// Reassignments within the present replicas change their order; others would have to move replicas, and have no effect.
    /// The request is cleared in any case, as Kafka does with one that it cannot carry out.
    fn reassign(&mut self, partitions: Vec<(TopicName, i32, Vec<i32>)>) {
        let mut changed: BTreeMap<TopicName, TopicAssignment> = BTreeMap::new();
        for (name, number, replicas) in partitions {
            let Some(topic) = self.topics.get(&name).filter(|topic| topic.is_live()) else { continue };
            let assignment = changed.remove(&name).unwrap_or_else(|| topic.assignment());
            let assignment = changed.entry(name).or_insert(assignment);
            let Some(partition) = assignment.partitions.get_mut(&number) else { continue };
            let present: BTreeSet<i32> = partition.replicas.iter().copied().collect();
            let asked: BTreeSet<i32> = replicas.iter().copied().collect();
            if replicas.len() == present.len() && asked == present {
                partition.replicas = replicas;
            }
        }
        for (name, assignment) in changed {
            let Some(topic) = self.topics.get(&name).filter(|topic| topic.assignment() != assignment) else {
                continue;
            };
            let (created, expected) = (topic.created, topic.version);
            self.outbox.act(Action::Write(Write::SetTopic { topic: name, created, assignment, expected }));
        }
        self.outbox.act(Action::Write(Write::ClearReassignment));
    }

    fn read_states_again(&mut self, partitions: Vec<(TopicName, i32)>) {
        let mut by_topic: BTreeMap<TopicName, Vec<i32>> = BTreeMap::new();
        for (topic, partition) in partitions {
            by_topic.entry(topic).or_default().push(partition);
        }
        for (name, partitions) in by_topic {
            if let Some(topic) = self.topics.get(&name).filter(|topic| topic.is_live()) {
                self.outbox.act(Action::ReadStates { topic: name, created: topic.created, partitions });
            }
        }
    }

    /// The brokers that the controller takes for live.
    #[must_use]
    pub fn live_brokers(&self) -> Vec<Broker> {
        self.brokers.values().cloned().collect()
    }

    /// The names of all topics, by their ids.
    pub fn topic_ids(&self) -> impl Iterator<Item = (Uuid, &TopicName)> {
        self.topics.iter().map(|(name, topic)| (topic.id, name))
    }

    /// A partition's state as the controller knows it; its intent, which no request for data may read.
    #[must_use]
    pub fn partition_state(&self, topic: &str, partition: i32) -> Option<StateNode> {
        match &self.topics.get(topic)?.partitions.get(&partition)?.state {
            PartitionState::Known { state, version } => {
                Some(StateNode { state: state.clone(), version: *version, modified: 0 })
            }
            PartitionState::Unread | PartitionState::Unreadable | PartitionState::New => None,
        }
    }
}

/// Whether a state of this version replaces what is known.
pub(super) fn is_newer(known: &PartitionState, version: i32) -> bool {
    match known {
        PartitionState::Unread | PartitionState::Unreadable | PartitionState::New => true,
        PartitionState::Known { version: known, .. } => version > *known,
    }
}
