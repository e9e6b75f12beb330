//! A cluster for the controller to govern: a tree of znodes, members, and answers that come in the order that chance gives them.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use vltava_cluster::controller::{
    Action, Broker, BrokerRequest, ClearIf, Controller, ControllerOptions, Event, LEADER_DURING_DELETE,
    LeaderAndIsr, NO_LEADER, ReplicaAssignment, StateNode, TopicAssignment, TopicName, TopicNode, Write,
    WriteOutcome,
};
use vltava_protocol::Uuid;

pub(crate) const BROKERS: i32 = 3;
pub(crate) const NAMES: [&str; 3] = ["apples", "pears", "plums"];

/// One topic in ZooKeeper.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(crate) node: TopicNode,
    pub(crate) states: BTreeMap<i32, StateNode>,
}

/// What one broker has been told.
#[derive(Debug, Default, Clone)]
pub(crate) struct Member {
    pub(crate) epoch: i64,
    pub(crate) leads_or_follows: BTreeMap<(TopicName, i32), i32>,
    pub(crate) cache: BTreeMap<(TopicName, i32), (i32, i32)>,
    pub(crate) live_brokers: BTreeSet<i32>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) controller: Controller,
    pub(crate) zxid: i64,
    pub(crate) controller_epoch: i32,
    pub(crate) topics: BTreeMap<TopicName, Tree>,
    pub(crate) deletions: BTreeMap<TopicName, i64>,
    pub(crate) members: BTreeMap<i32, Member>,
    /// Reads and writes that have not reached ZooKeeper.
    pub(crate) requests: Vec<Action>,
    /// Events that have not reached the controller.
    pub(crate) events: Vec<Event>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            controller: Controller::new(ControllerOptions::default()),
            zxid: 100,
            controller_epoch: 0,
            topics: BTreeMap::new(),
            deletions: BTreeMap::new(),
            members: BTreeMap::new(),
            requests: Vec::new(),
            events: Vec::new(),
        };
        for id in 0..BROKERS {
            world.broker_starts(id);
        }
        world.elect();
        world
    }

    pub(crate) fn next_zxid(&mut self) -> i64 {
        self.zxid += 1;
        self.zxid
    }

    pub(crate) fn elect(&mut self) {
        // The old session's requests and answers end with it.
        self.requests.clear();
        self.events.clear();
        self.controller_epoch += 1;
        let epoch = self.controller_epoch;
        self.feed(Event::Resigned);
        self.feed(Event::Elected { epoch, epoch_version: epoch });
    }

    pub(crate) fn broker_starts(&mut self, id: i32) {
        let epoch = self.next_zxid();
        self.members.entry(id).or_insert(Member { epoch, ..Member::default() });
        self.requests.push(Action::ReadBrokers);
    }

    pub(crate) fn broker_stops(&mut self, id: i32) {
        self.members.remove(&id);
        self.requests.push(Action::ReadBrokers);
    }

    pub(crate) fn create(&mut self, name: &str, partitions: i32, first: i32, with_id: bool) {
        if self.topics.contains_key(name) {
            return;
        }
        let created = self.next_zxid();
        let partitions = (0..partitions).map(|n| (n, self.spread(first + n))).collect();
        let topic_id = with_id.then(|| Uuid::from(created as u128));
        let node = TopicNode { created, version: 0, assignment: TopicAssignment { topic_id, partitions } };
        self.topics.insert(name.into(), Tree { node, states: BTreeMap::new() });
        self.requests.push(Action::ReadTopics);
    }

    pub(crate) fn spread(&self, first: i32) -> ReplicaAssignment {
        ReplicaAssignment::of((0..2).map(|n| (first + n) % BROKERS).collect())
    }

    pub(crate) fn grow(&mut self, name: &str, first: i32) {
        let replicas = self.spread(first);
        let Some(tree) = self.topics.get_mut(name) else { return };
        let next = tree.node.assignment.partitions.len() as i32;
        tree.node.assignment.partitions.insert(next, replicas);
        // As a tool of 0.11 does it: the id is lost.
        tree.node.assignment.topic_id = None;
        tree.node.version += 1;
        self.requests.push(Action::ReadTopic(name.into()));
    }

    pub(crate) fn ask_deletion(&mut self, name: &str) {
        let asked = self.next_zxid();
        self.deletions.entry(name.into()).or_insert(asked);
        self.requests.push(Action::ReadDeletions);
    }

    pub(crate) fn remove_by_force(&mut self, name: &str) {
        self.topics.remove(name);
        self.requests.push(Action::ReadTopics);
        self.requests.push(Action::ReadTopic(name.into()));
    }

    pub(crate) fn feed(&mut self, event: Event) {
        for action in self.controller.handle(event) {
            match action {
                Action::Send { broker, request } => self.deliver(broker, request),
                other => self.requests.push(other),
            }
        }
    }

    pub(crate) fn deliver(&mut self, broker: i32, request: BrokerRequest) {
        let Some(member) = self.members.get_mut(&broker) else { return };
        match request {
            BrokerRequest::LeaderAndIsr { full, partitions, .. } => {
                if full {
                    member.leads_or_follows.clear();
                }
                for partition in partitions {
                    assert!(partition.replicas.contains(&broker), "{broker} has no replica of {partition:?}");
                    assert!(!partition.topic_id.is_zero(), "{partition:?} has no topic id");
                    let key = (partition.topic, partition.partition);
                    member.leads_or_follows.insert(key, partition.state.leader_epoch);
                }
            }
            BrokerRequest::UpdateMetadata { brokers, full, partitions, .. } => {
                if full {
                    member.cache.clear();
                }
                member.live_brokers = brokers.iter().map(|broker| broker.id).collect();
                for partition in partitions {
                    let key = (partition.topic, partition.partition);
                    if partition.state.leader == LEADER_DURING_DELETE {
                        member.cache.remove(&key);
                    } else {
                        member.cache.insert(key, (partition.state.leader, partition.state.leader_epoch));
                    }
                }
            }
            BrokerRequest::StopReplica { replicas, .. } => {
                for replica in replicas {
                    member.leads_or_follows.remove(&(replica.topic.clone(), replica.partition));
                    self.events.push(Event::Stopped { broker, replica, done: true });
                }
            }
        }
    }

    /// ZooKeeper, or the session's owner, carries out one request.
    pub(crate) fn perform(&mut self, action: Action) {
        let answer = match action {
            Action::AnswerIsr { .. } => return,
            Action::ReadBrokers => {
                let broker = |(&id, member): (&i32, &Member)| Broker {
                    id,
                    epoch: member.epoch,
                    endpoints: Vec::new(),
                    rack: None,
                };
                Event::Brokers(self.members.iter().map(broker).collect())
            }
            Action::ReadTopics => Event::Topics(self.topics.keys().cloned().collect()),
            Action::ReadDeletions => {
                Event::Deletions(self.deletions.iter().map(|(name, asked)| (name.clone(), *asked)).collect())
            }
            Action::ReadTopic(topic) => {
                let node = self.topics.get(&topic).map(|tree| tree.node.clone());
                Event::Topic { topic, node }
            }
            Action::ReadStates { topic, created, partitions } => {
                let tree = self.topics.get(&topic);
                let state = |n: i32| (n, tree.and_then(|tree| tree.states.get(&n).cloned()));
                let states = partitions.into_iter().map(state).collect();
                Event::States { topic, created, states }
            }
            Action::Write(write) => {
                let outcome = self.write(&write);
                Event::Written { write, outcome }
            }
            Action::Resign => return self.elect(),
            Action::Send { .. } => return,
        };
        self.events.push(answer);
    }

    pub(crate) fn write(&mut self, write: &Write) -> WriteOutcome {
        let zxid = self.next_zxid();
        let fresh_id = Uuid::from(zxid as u128);
        match write {
            Write::CreateState { topic, created, partition, state } => {
                let Some(tree) = self.topics.get_mut(topic).filter(|tree| tree.node.created == *created)
                else {
                    return WriteOutcome::Conflict;
                };
                if tree.states.contains_key(partition) {
                    return WriteOutcome::Conflict;
                }
                tree.states
                    .insert(*partition, StateNode { state: state.clone(), version: 0, modified: zxid });
                WriteOutcome::Done(0)
            }
            Write::UpdateState { topic, partition, state, expected, .. } => {
                let Some(tree) = self.topics.get_mut(topic) else { return WriteOutcome::Conflict };
                let Some(node) = tree.states.get_mut(partition).filter(|node| node.version == *expected)
                else {
                    return WriteOutcome::Conflict;
                };
                assert!(state.leader_epoch > node.state.leader_epoch, "leader epochs only grow");
                *node = StateNode { state: state.clone(), version: expected + 1, modified: zxid };
                WriteOutcome::Done(expected + 1)
            }
            Write::SetTopic { topic, created, assignment, expected } => {
                let Some(tree) = self.topics.get_mut(topic) else { return WriteOutcome::Conflict };
                if tree.node.created != *created || tree.node.version != *expected {
                    return WriteOutcome::Conflict;
                }
                tree.node.assignment = assignment.clone();
                tree.node.assignment.topic_id.get_or_insert(fresh_id);
                tree.node.version += 1;
                WriteOutcome::Done(tree.node.version)
            }
            Write::DeleteTopic { topic, created } => {
                if self.topics.get(topic).is_none_or(|tree| tree.node.created != *created) {
                    return WriteOutcome::Conflict;
                }
                self.topics.remove(topic);
                self.deletions.remove(topic);
                self.requests.push(Action::ReadTopics);
                WriteOutcome::Done(0)
            }
            Write::ClearDeletion { topic, only_if } => {
                let may = match only_if {
                    ClearIf::Always => true,
                    ClearIf::TopicAbsent => !self.topics.contains_key(topic),
                    ClearIf::Asked(asked) => self.deletions.get(topic) == Some(asked),
                };
                if !may {
                    return WriteOutcome::Conflict;
                }
                self.deletions.remove(topic);
                WriteOutcome::Done(0)
            }
            Write::ClearPreferredElection | Write::ClearReassignment => WriteOutcome::Done(0),
        }
    }

    /// One step of history, chosen by `dice`.
    pub(crate) fn step(&mut self, dice: u64) {
        let name = NAMES[(dice >> 8) as usize % NAMES.len()];
        let small = ((dice >> 16) % 7) as i32;
        let pick = (dice >> 24) as usize;
        match dice % 32 {
            0..=2 => self.create(name, 1 + small % 3, small, dice & 64 == 0),
            3 => self.grow(name, small),
            4..=5 => self.ask_deletion(name),
            6 => self.remove_by_force(name),
            7 => self.broker_stops(small % BROKERS),
            8..=9 => self.broker_starts(small % BROKERS),
            10 if dice & 128 == 0 => self.elect(),
            11 => self.feed(Event::ElectPreferred(None)),
            12..=21 if !self.requests.is_empty() => {
                let request = self.requests.remove(pick % self.requests.len());
                self.perform(request);
            }
            _ if !self.events.is_empty() => {
                let picked = subject(&self.events[pick % self.events.len()]);
                let first = self
                    .events
                    .iter()
                    .position(|event| subject(event) == picked)
                    .expect("at least the picked one");
                let event = self.events.remove(first);
                self.feed(event);
            }
            _ => {}
        }
    }

    /// Everything in flight arrives.
    pub(crate) fn rest(&mut self) {
        for _ in 0..100_000 {
            if let Some(request) = self.requests.pop() {
                self.perform(request);
            } else if !self.events.is_empty() {
                let event = self.events.remove(0);
                self.feed(event);
            } else {
                return;
            }
        }
        panic!("the world does not come to rest: {:?} {:?}", self.requests, self.events);
    }

    pub(crate) fn assert_agreement(&self) {
        for (name, tree) in &self.topics {
            let being_deleted = self.deletions.contains_key(name);
            for (number, assignment) in &tree.node.assignment.partitions {
                let dead = assignment.replicas.iter().any(|id| !self.members.contains_key(id));
                if being_deleted {
                    continue;
                }
                assert!(tree.node.assignment.topic_id.is_some(), "{name} has no id");
                let state = tree.states.get(number);
                let Some(StateNode { state, .. }) = state else {
                    assert!(dead, "{name}-{number} has no state though its replicas live");
                    continue;
                };
                let can_lead = state.isr.iter().any(|id| self.members.contains_key(id));
                assert_eq!(state.leader != NO_LEADER, can_lead, "{name}-{number}: {state:?}");
                assert!(
                    state.leader == NO_LEADER || self.members.contains_key(&state.leader),
                    "{name}-{number} {state:?}"
                );
            }
            if being_deleted {
                let replicas = tree.node.assignment.partitions.values().flat_map(|a| &a.replicas);
                let dead = replicas.into_iter().any(|id| !self.members.contains_key(id));
                assert!(dead, "{name} should have been deleted: every broker of it lives");
            }
        }
        assert!(
            self.deletions.keys().all(|name| self.topics.contains_key(name)),
            "a deletion of nothing is left"
        );
        let served = |name: &TopicName| !self.deletions.contains_key(name);
        for (&id, member) in &self.members {
            let mut cache = BTreeMap::new();
            let mut replicas = BTreeMap::new();
            for (name, tree) in self.topics.iter().filter(|(name, _)| served(name)) {
                for (&number, node) in &tree.states {
                    let LeaderAndIsr { leader, leader_epoch, .. } = node.state;
                    cache.insert((name.clone(), number), (leader, leader_epoch));
                    if tree.node.assignment.partitions[&number].replicas.contains(&id) {
                        replicas.insert((name.clone(), number), leader_epoch);
                    }
                }
            }
            assert_eq!(member.cache, cache, "what broker {id} tells clients");
            assert_eq!(member.leads_or_follows, replicas, "what broker {id} leads or follows");
            assert_eq!(member.live_brokers, self.members.keys().copied().collect(), "whom broker {id} knows");
        }
    }
}

/// Answers about the same thing keep their order, as a ZooKeeper session does.
pub(crate) fn subject(event: &Event) -> String {
    match event {
        Event::Brokers(_) => "brokers".into(),
        Event::Topics(_) => "topics".into(),
        Event::Deletions(_) => "deletions".into(),
        Event::Topic { topic, .. } => format!("topic {topic}"),
        other => format!("{other:?}"),
    }
}
