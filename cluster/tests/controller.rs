//! The controller against a small world of ZooKeeper and brokers, in which answers come late and in any order, sessions end, brokers die, and
//! administrators delete, delete by force, and make topics again under their old names. When the world comes to rest, everybody must agree.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use vltava_cluster::controller::{
    Action, Broker, BrokerRequest, ClearIf, Controller, ControllerOptions, Event, LEADER_DURING_DELETE,
    LeaderAndIsr, NO_LEADER, ReplicaAssignment, StateNode, TopicAssignment, TopicName, TopicNode, Write,
    WriteOutcome,
};
use vltava_protocol::Uuid;

const BROKERS: i32 = 3;
const NAMES: [&str; 3] = ["apples", "pears", "plums"];

/// One topic in ZooKeeper.
#[derive(Debug, Clone)]
struct Tree {
    node: TopicNode,
    states: BTreeMap<i32, StateNode>,
}

/// What one broker has been told.
#[derive(Debug, Default, Clone)]
struct Member {
    epoch: i64,
    leads_or_follows: BTreeMap<(TopicName, i32), i32>,
    cache: BTreeMap<(TopicName, i32), (i32, i32)>,
    live_brokers: BTreeSet<i32>,
}

#[derive(Debug)]
struct World {
    controller: Controller,
    zxid: i64,
    controller_epoch: i32,
    topics: BTreeMap<TopicName, Tree>,
    deletions: BTreeMap<TopicName, i64>,
    members: BTreeMap<i32, Member>,
    /// Reads and writes that have not reached ZooKeeper.
    requests: Vec<Action>,
    /// Events that have not reached the controller.
    events: Vec<Event>,
}

impl World {
    fn new() -> Self {
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

    fn next_zxid(&mut self) -> i64 {
        self.zxid += 1;
        self.zxid
    }

    fn elect(&mut self) {
        // The old session's requests and answers end with it.
        self.requests.clear();
        self.events.clear();
        self.controller_epoch += 1;
        let epoch = self.controller_epoch;
        self.feed(Event::Resigned);
        self.feed(Event::Elected { epoch, epoch_version: epoch });
    }

    fn broker_starts(&mut self, id: i32) {
        let epoch = self.next_zxid();
        self.members.entry(id).or_insert(Member { epoch, ..Member::default() });
        self.requests.push(Action::ReadBrokers);
    }

    fn broker_stops(&mut self, id: i32) {
        self.members.remove(&id);
        self.requests.push(Action::ReadBrokers);
    }

    fn create(&mut self, name: &str, partitions: i32, first: i32, with_id: bool) {
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

    fn spread(&self, first: i32) -> ReplicaAssignment {
        ReplicaAssignment::of((0..2).map(|n| (first + n) % BROKERS).collect())
    }

    fn grow(&mut self, name: &str, first: i32) {
        let replicas = self.spread(first);
        let Some(tree) = self.topics.get_mut(name) else { return };
        let next = tree.node.assignment.partitions.len() as i32;
        tree.node.assignment.partitions.insert(next, replicas);
        // As a tool of 0.11 does it: the id is lost.
        tree.node.assignment.topic_id = None;
        tree.node.version += 1;
        self.requests.push(Action::ReadTopic(name.into()));
    }

    fn ask_deletion(&mut self, name: &str) {
        let asked = self.next_zxid();
        self.deletions.entry(name.into()).or_insert(asked);
        self.requests.push(Action::ReadDeletions);
    }

    fn remove_by_force(&mut self, name: &str) {
        self.topics.remove(name);
        self.requests.push(Action::ReadTopics);
        self.requests.push(Action::ReadTopic(name.into()));
    }

    fn feed(&mut self, event: Event) {
        for action in self.controller.handle(event) {
            match action {
                Action::Send { broker, request } => self.deliver(broker, request),
                other => self.requests.push(other),
            }
        }
    }

    fn deliver(&mut self, broker: i32, request: BrokerRequest) {
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
    fn perform(&mut self, action: Action) {
        let answer = match action {
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

    fn write(&mut self, write: &Write) -> WriteOutcome {
        let fresh_id = Uuid::from(self.next_zxid() as u128);
        match write {
            Write::CreateState { topic, created, partition, state } => {
                let Some(tree) = self.topics.get_mut(topic).filter(|tree| tree.node.created == *created)
                else {
                    return WriteOutcome::Conflict;
                };
                if tree.states.contains_key(partition) {
                    return WriteOutcome::Conflict;
                }
                tree.states.insert(*partition, StateNode { state: state.clone(), version: 0 });
                WriteOutcome::Done(0)
            }
            Write::UpdateState { topic, partition, state, expected, .. } => {
                let Some(tree) = self.topics.get_mut(topic) else { return WriteOutcome::Conflict };
                let Some(node) = tree.states.get_mut(partition).filter(|node| node.version == *expected)
                else {
                    return WriteOutcome::Conflict;
                };
                assert!(state.leader_epoch > node.state.leader_epoch, "leader epochs only grow");
                *node = StateNode { state: state.clone(), version: expected + 1 };
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
    fn step(&mut self, dice: u64) {
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
    fn rest(&mut self) {
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

    fn assert_agreement(&self) {
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
fn subject(event: &Event) -> String {
    match event {
        Event::Brokers(_) => "brokers".into(),
        Event::Topics(_) => "topics".into(),
        Event::Deletions(_) => "deletions".into(),
        Event::Topic { topic, .. } => format!("topic {topic}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_topic_written_to_zookeeper_is_led_and_announced() {
    let mut world = World::new();
    world.rest();
    world.create("apples", 3, 0, true);
    world.rest();
    world.assert_agreement();
    assert_eq!(world.topics["apples"].states.len(), 3);
    assert_eq!(world.members[&0].cache.len(), 3);
    assert_eq!(world.controller.counts(), [1, 3, 0, 0, 0]);
}

#[test]
fn brokers_are_told_nothing_before_everything_has_been_read() {
    let mut controller = Controller::new(ControllerOptions::default());
    let reads = controller.handle(Event::Elected { epoch: 4, epoch_version: 9 });
    assert_eq!(reads, [Action::ReadBrokers, Action::ReadTopics, Action::ReadDeletions]);
    let broker = Broker { id: 0, epoch: 1, endpoints: Vec::new(), rack: None };
    assert_eq!(controller.handle(Event::Brokers(vec![broker])), []);
    assert_eq!(controller.handle(Event::Topics(vec!["a".into()])), [Action::ReadTopic("a".into())]);
    assert_eq!(controller.handle(Event::Deletions(Vec::new())), []);
    let partitions = BTreeMap::from([(0, ReplicaAssignment::of(vec![0]))]);
    let assignment = TopicAssignment { topic_id: Some(Uuid::from(5)), partitions };
    let node = Some(TopicNode { created: 3, version: 0, assignment });
    let read = Action::ReadStates { topic: "a".into(), created: 3, partitions: vec![0] };
    assert_eq!(controller.handle(Event::Topic { topic: "a".into(), node }), [read]);
    assert!(!controller.is_active());
    let state =
        LeaderAndIsr { leader: 0, leader_epoch: 2, isr: vec![0], recovering: false, controller_epoch: 3 };
    let states = vec![(0, Some(StateNode { state, version: 6 }))];
    let sent = controller.handle(Event::States { topic: "a".into(), created: 3, states });
    assert!(controller.is_active());
    let [Action::Send { request: first, .. }, Action::Send { request: second, .. }] = sent.as_slice() else {
        panic!("two requests: {sent:?}")
    };
    let BrokerRequest::LeaderAndIsr { controller_epoch: 4, partitions, .. } = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        (partitions[0].state.leader_epoch, partitions[0].version, partitions[0].is_new),
        (2, 6, false)
    );
    assert!(matches!(second, BrokerRequest::UpdateMetadata { partitions, .. } if partitions.len() == 1));
}

#[test]
fn a_state_that_makes_no_sense_is_left_alone_and_holds_up_nobody() {
    let mut world = World::new();
    world.rest();
    world.create("apples", 1, 0, true);
    world.create("pears", 1, 0, true);
    let created = world.topics["apples"].node.created;
    world.elect();
    // Its state is answered as unreadable instead of being read.
    for _ in 0..20 {
        let Some(position) =
            world.requests.iter().position(|request| !matches!(request, Action::ReadStates { .. }))
        else {
            break;
        };
        let request = world.requests.remove(position);
        world.perform(request);
        while let Some(event) = world.events.pop() {
            world.feed(event);
        }
    }
    let spoilt = Action::ReadStates { topic: "apples".into(), created, partitions: vec![0] };
    let position =
        world.requests.iter().position(|request| *request == spoilt).expect("the state is asked for");
    world.requests.remove(position);
    world.feed(Event::Unreadable { topic: "apples".into(), partition: Some(0) });
    world.rest();
    assert!(world.controller.is_active());
    assert!(world.topics["apples"].states.is_empty(), "nothing is written over it");
    assert_eq!(world.topics["pears"].states.len(), 1);
}

#[test]
fn a_fenced_write_ends_the_term() {
    let mut controller = Controller::new(ControllerOptions::default());
    controller.handle(Event::Elected { epoch: 4, epoch_version: 9 });
    let write = Write::ClearReassignment;
    assert_eq!(controller.handle(Event::Written { write, outcome: WriteOutcome::Fenced }), [Action::Resign]);
    assert_eq!((controller.epoch(), controller.handle(Event::Topics(Vec::new()))), (None, Vec::new()));
}

#[test]
fn a_broker_that_is_about_to_stop_leads_nothing_that_another_can_lead() {
    let mut world = World::new();
    world.create("apples", 3, 0, true);
    world.rest();
    assert_eq!(world.controller.replicated_and_led_by(0), (vec![("apples".into(), 0)], false));
    world.feed(Event::ShuttingDown(0));
    assert_eq!(world.controller.replicated_and_led_by(0), (vec![("apples".into(), 0)], true), "being moved");
    world.rest();
    assert_eq!(world.controller.replicated_and_led_by(0), (vec![], false));
    for (number, node) in &world.topics["apples"].states {
        assert!(node.state.leader > 0 && !node.state.isr.contains(&0), "partition {number}: {node:?}");
    }
    world.broker_stops(0);
    world.rest();
    world.broker_starts(0);
    world.rest();
    world.assert_agreement();
}

#[test]
fn a_replica_that_cannot_be_served_does_not_lead_until_its_broker_starts_again() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    let id = world.topics["apples"].node.assignment.topic_id.expect("it has an id");
    let state = |world: &World| {
        let state = &world.topics["apples"].states[&0].state;
        (state.leader, state.isr.clone())
    };
    assert_eq!(state(&world), (0, vec![0, 1]));
    let failed = |broker, id| Event::ReplicasFailed { broker, replicas: vec![("apples".into(), id, 0)] };
    world.feed(failed(0, Uuid::from(1)));
    world.rest();
    assert_eq!(state(&world), (0, vec![0, 1]), "that was a topic of an earlier life");
    world.feed(failed(0, id));
    world.rest();
    assert_eq!(state(&world), (1, vec![1]));
    world.feed(Event::ElectPreferred(None));
    world.rest();
    assert_eq!(state(&world), (1, vec![1]));
    world.feed(failed(1, id));
    world.rest();
    assert_eq!(state(&world), (NO_LEADER, vec![1]), "only it has everything that is committed");
    assert_eq!(world.controller.counts()[2], 1, "it is offline");
    world.feed(failed(1, id));
    assert!(world.requests.is_empty(), "it is no news: {:?}", world.requests);
    world.broker_stops(1);
    world.rest();
    world.broker_starts(1);
    world.rest();
    assert_eq!(state(&world), (1, vec![1]));
    assert_eq!(world.controller.counts()[2], 0);
}

#[test]
fn an_unclean_election_is_counted_once() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    world.feed(Event::UncleanElection { topic: Some("apples".into()), enabled: Some(true) });
    let alone = |world: &mut World, leader: i32| {
        let tree = world.topics.get_mut("apples").expect("it is there");
        let node = tree.states.get_mut(&0).expect("it has a state");
        node.state.isr = vec![leader];
        node.version += 1;
        let created = tree.node.created;
        world.requests.push(Action::ReadStates { topic: "apples".into(), created, partitions: vec![0] });
    };
    alone(&mut world, 0);
    world.rest();
    assert_eq!(world.controller.unclean_elections(), 0, "the leader lives");
    world.broker_stops(0);
    world.rest();
    assert_eq!(world.controller.unclean_elections(), 1);
    world.broker_starts(0);
    world.rest();
    assert_eq!(world.controller.unclean_elections(), 1);
}

#[test]
fn without_delete_topic_enable_a_deletion_is_dropped() {
    let mut controller = Controller::new(ControllerOptions { delete_topics: false, unclean_election: false });
    controller.handle(Event::Elected { epoch: 1, epoch_version: 1 });
    let actions = controller.handle(Event::Deletions(vec![("a".into(), 7)]));
    assert_eq!(
        actions,
        [Action::Write(Write::ClearDeletion { topic: "a".into(), only_if: ClearIf::Always })]
    );
}

#[test]
fn a_topic_that_is_made_again_is_not_overlooked_whichever_answer_is_seen_first() {
    let mut world = World::new();
    world.rest();
    world.create("apples", 1, 0, true);
    world.rest();
    world.remove_by_force("apples");
    world.requests.retain(|request| matches!(request, Action::ReadTopic(_)));
    let gone = world.requests.pop().expect("its znode is read");
    world.perform(gone);
    world.create("apples", 1, 0, true);
    let list = world.requests.pop().expect("the list is read");
    world.perform(list);
    // It is read later than the znode, and seen before: it names a topic that is known.
    let listed = world.events.pop().expect("the list");
    assert!(matches!(listed, Event::Topics(_)), "{listed:?}");
    world.feed(listed);
    world.rest();
    world.assert_agreement();
}

#[test]
fn a_request_to_delete_a_topic_deletes_no_later_one_of_its_name() {
    let mut world = World::new();
    world.rest();
    world.create("apples", 1, 0, true);
    world.rest();
    world.deletions.insert("apples".into(), 1);
    world.requests.push(Action::ReadDeletions);
    world.rest();
    assert!(world.topics.contains_key("apples"), "it was made after the request");
    assert!(world.deletions.is_empty(), "the request is done with");
    world.assert_agreement();
    world.ask_deletion("apples");
    world.rest();
    assert!(world.topics.is_empty());
}

/// How many histories; more of them in `make soak`.
fn cases() -> u32 {
    std::env::var("CONTROLLER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(512)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_in_whatever_order_all_agree_at_rest(history in prop::collection::vec(any::<u64>(), 0..300)) {
        let mut world = World::new();
        for dice in history {
            world.step(dice);
        }
        world.rest();
        world.assert_agreement();
        // And once every broker is back, deletions that waited for one come to their end.
        for id in 0..BROKERS {
            world.broker_starts(id);
        }
        world.rest();
        world.assert_agreement();
        prop_assert!(world.deletions.is_empty());
    }
}
