//! The controller's shell: what the machine wants is done, what came of it is told to the machine. It mirrors the broker's `control::controller`
//! and `control::orders`.

use std::collections::{BTreeMap, VecDeque};

use vltava_cluster::{
    controller::{Action, Broker, BrokerRequest, Event as Told, IsrProposal, IsrRefusal, StateNode},
    replication::{FollowerState, LeaderState},
};

use super::{
    Timer, World,
    flaw::Flaw,
    network::{Altered, Body, Line, Message},
    zookeeper::Request,
};

/// Before a broker that has not answered is told again.
const BACK_OFF: i64 = 50;

/// One term.
#[derive(Debug)]
pub(crate) struct Office {
    pub(crate) epoch: i32,
    /// Who lived when it was last read, with broker epochs.
    pub(crate) live: BTreeMap<i32, i64>,
    ways: BTreeMap<i32, Way>,
    next_ticket: u64,
    questions: BTreeMap<u64, Message>,
}

/// The way to one registration of a broker: one order after the other, each until it is answered.
#[derive(Debug)]
struct Way {
    registration: i64,
    queue: VecDeque<(i64, BrokerRequest)>,
    /// The number of the question on its way.
    asked: Option<u64>,
}

impl Office {
    pub(crate) fn new(epoch: i32) -> Self {
        Self {
            epoch,
            live: BTreeMap::new(),
            ways: BTreeMap::new(),
            next_ticket: 0,
            questions: BTreeMap::new(),
        }
    }
}

impl World {
    fn office(&mut self, id: i32) -> Option<&mut Office> {
        self.nodes[id as usize].process.as_mut()?.office.as_mut()
    }

    pub(crate) fn tell_machine(&mut self, id: i32, events: Vec<Told>) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        let actions = process.machine.handle_all(events);
        for action in actions {
            self.perform(id, action);
        }
    }

    fn perform(&mut self, id: i32, action: Action) {
        let Some(epoch_version) = self.office(id).map(|office| office.epoch) else { return };
        match action {
            Action::ReadBrokers => self.ask_zookeeper(id, Request::ReadBrokers),
            Action::ReadTopics => self.ask_zookeeper(id, Request::ReadTopics),
            Action::ReadTopic(_) => self.ask_zookeeper(id, Request::ReadTopic),
            Action::ReadDeletions => self.ask_zookeeper(id, Request::ReadDeletions),
            Action::ReadStates { .. } => self.ask_zookeeper(id, Request::ReadState),
            Action::Write(write) => self.ask_zookeeper(id, Request::Write { write, epoch_version }),
            Action::Send { broker, request } => self.give_order(id, broker, request),
            Action::AnswerIsr { ticket, outcome } => self.answer_isr(id, ticket, outcome),
            Action::Resign => self.leave_office(id, true),
        }
    }

    pub(crate) fn brokers_read(&mut self, id: i32, mut brokers: Vec<Broker>) {
        let Some(office) = self.office(id) else { return };
        office.live = brokers.iter().map(|broker| (broker.id, broker.epoch)).collect();
        let live = office.live.clone();
        office.ways.retain(|broker, way| live.get(broker) == Some(&way.registration));
        for (&broker, &registration) in live.iter().filter(|(broker, _)| **broker != id) {
            let way = Way { registration, queue: VecDeque::new(), asked: None };
            office.ways.entry(broker).or_insert(way);
        }
        if self.flaw == Some(Flaw::RestartsUnnoticed) {
            for broker in &mut brokers {
                broker.epoch = 1;
            }
        }
        self.tell_machine(id, vec![Told::Brokers(brokers)]);
        self.forgive();
    }

    fn give_order(&mut self, id: i32, broker: i32, request: BrokerRequest) {
        let Some(office) = self.office(id) else { return };
        let broker_epoch = office.live.get(&broker).copied().unwrap_or(-1);
        if broker == id {
            self.ask(id, id, Line::Order, Body::Order { broker_epoch, request });
            return;
        }
        if let Some(way) = office.ways.get_mut(&broker) {
            way.queue.push_back((broker_epoch, request));
            self.go_on(id, broker);
        }
    }

    /// Sends the next order to a broker, or the last one again.
    pub(crate) fn go_on(&mut self, id: i32, broker: i32) {
        let Some(way) = self.office(id).and_then(|office| office.ways.get_mut(&broker)) else { return };
        if way.asked.is_some() {
            return;
        }
        let Some((broker_epoch, request)) = way.queue.front().cloned() else { return };
        let number = self.ask(id, broker, Line::Order, Body::Order { broker_epoch, request });
        if let Some(way) = self.office(id).and_then(|office| office.ways.get_mut(&broker)) {
            way.asked = Some(number);
        }
    }

    pub(crate) fn obeyed(&mut self, id: i32, broker: i32, number: u64, events: Vec<Told>) {
        let Some(office) = self.office(id) else { return };
        if broker != id {
            let Some(way) = office.ways.get_mut(&broker) else { return };
            if way.asked.take_if(|asked| *asked == number).is_none() {
                return;
            }
            way.queue.pop_front();
            self.go_on(id, broker);
        }
        if !events.is_empty() {
            self.tell_machine(id, events);
        }
    }

    pub(crate) fn order_given_up(&mut self, id: i32, broker: i32, number: u64) {
        let Some(way) = self.office(id).and_then(|office| office.ways.get_mut(&broker)) else { return };
        if way.asked.take_if(|asked| *asked == number).is_some() {
            self.timer(id, BACK_OFF, Timer::Order { broker });
        }
    }

    /// A broker obeys the controller.
    pub(crate) fn obey(
        &mut self,
        id: i32,
        controller: i32,
        broker_epoch: i64,
        request: BrokerRequest,
    ) -> Vec<Told> {
        let Some(process) = &mut self.nodes[id as usize].process else { return Vec::new() };
        let (BrokerRequest::LeaderAndIsr { controller_epoch, .. }
        | BrokerRequest::UpdateMetadata { controller_epoch, .. }
        | BrokerRequest::StopReplica { controller_epoch, .. }) = &request;
        let is_outlived = broker_epoch >= 0 && broker_epoch < process.broker_epoch;
        if is_outlived || *controller_epoch < process.controller_epoch {
            return Vec::new();
        }
        process.controller_epoch = *controller_epoch;
        match request {
            BrokerRequest::UpdateMetadata { partitions, .. } => {
                process.controller = controller;
                if let Some(partition) = partitions.first() {
                    process.leader = partition.state.leader;
                }
                Vec::new()
            }
            BrokerRequest::LeaderAndIsr { full, partitions, .. } => {
                if full && partitions.is_empty() {
                    self.stop_replica(id);
                }
                for partition in partitions {
                    let (leader_epoch, partition_epoch) = (partition.state.leader_epoch, partition.version);
                    let replicas = partition.replicas;
                    if partition.state.leader == id {
                        let isr = partition.state.isr;
                        self.lead(id, LeaderState { leader_epoch, partition_epoch, isr, replicas });
                    } else {
                        let leader_id = partition.state.leader;
                        self.follow(id, FollowerState { leader_id, leader_epoch, partition_epoch, replicas });
                    }
                }
                Vec::new()
            }
            BrokerRequest::StopReplica { replicas, .. } => {
                self.stop_replica(id);
                let stopped = |replica| Told::Stopped { broker: id, replica, done: true };
                replicas.into_iter().map(stopped).collect()
            }
        }
    }

    pub(crate) fn alter_partition(
        &mut self,
        broker_epoch: i64,
        mut proposal: IsrProposal,
        message: &Message,
    ) {
        let id = message.to;
        let Some(office) = self.office(id) else {
            return self.answer(message, Body::Altered(Altered::NotNow));
        };
        if office.live.get(&proposal.broker) != Some(&broker_epoch) {
            return self.answer(message, Body::Altered(Altered::NotNow));
        }
        office.next_ticket += 1;
        proposal.ticket = office.next_ticket;
        office.questions.insert(proposal.ticket, message.clone());
        if self.flaw == Some(Flaw::FetchesWithoutBrokerEpochs) || self.flaw == Some(Flaw::RestartsUnnoticed) {
            for (_, epoch) in &mut proposal.isr {
                *epoch = -1;
            }
        }
        self.tell_machine(id, vec![Told::AlterIsr(proposal)]);
    }

    fn answer_isr(&mut self, id: i32, ticket: u64, outcome: Result<StateNode, IsrRefusal>) {
        let Some(message) = self.office(id).and_then(|office| office.questions.remove(&ticket)) else {
            return;
        };
        let answer = match outcome {
            Ok(StateNode { state, version, .. }) => Altered::Confirmed {
                isr: state.isr,
                leader_epoch: state.leader_epoch,
                partition_epoch: version,
            },
            Err(IsrRefusal::Invalid | IsrRefusal::Ineligible) => Altered::Refused,
            Err(IsrRefusal::UnknownPartition | IsrRefusal::Fenced | IsrRefusal::Outdated) => {
                Altered::Outdated
            }
            Err(IsrRefusal::FromTheFuture | IsrRefusal::NotNow) => Altered::NotNow,
        };
        self.answer(&message, Body::Altered(answer));
    }
}
