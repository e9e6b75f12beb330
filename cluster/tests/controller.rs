//! The controller against a small world of ZooKeeper and brokers, in which answers come late and in any order, sessions end, brokers die, and
//! administrators delete, delete by force, and make topics again under their old names. When the world comes to rest, everybody must agree.

mod world;

use std::collections::BTreeMap;

use proptest::prelude::*;
use vltava_cluster::controller::{
    Action, Broker, BrokerRequest, ClearIf, Controller, ControllerOptions, Event, IsrProposal, IsrRefusal,
    LeaderAndIsr, NO_LEADER, ReplicaAssignment, StateNode, TopicAssignment, TopicNode, Write, WriteOutcome,
};
use vltava_protocol::Uuid;
use world::{BROKERS, World};

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
    let states = vec![(0, Some(StateNode { state, version: 6, modified: 0 }))];
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
fn a_reassignment_that_names_a_replica_twice_changes_nothing() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    let before = world.topics["apples"].node.assignment.clone();
    let mut twice = before.partitions[&0].replicas.clone();
    assert!(twice.len() > 1, "{twice:?}");
    twice[1] = twice[0];
    world.feed(Event::Reassign(vec![("apples".into(), 0, twice)]));
    world.rest();
    assert_eq!(world.topics["apples"].node.assignment, before);
}

/// KIP-112: which replicas a failed log directory had, the broker tells when it is asked for all of them.
#[test]
fn a_broker_whose_log_directory_failed_is_asked_for_all_its_replicas() {
    let mut world = World::new();
    world.create("apples", 3, 0, true);
    world.create("pears", 3, 1, true);
    world.rest();
    let asked = world.controller.handle(Event::LogDirsFailed(vec![1, 99]));
    let [Action::Send { broker: 1, request: BrokerRequest::LeaderAndIsr { full: false, partitions, .. } }] =
        asked.as_slice()
    else {
        panic!("{asked:?}")
    };
    let hosted = world.topics.values().flat_map(|topic| topic.node.assignment.partitions.values());
    assert_eq!(partitions.len(), hosted.filter(|partition| partition.replicas.contains(&1)).count());
    // What it can't serve is led by others.
    let lost = partitions.iter().find(|partition| partition.state.leader == 1).expect("it leads some");
    let (topic, number) = (lost.topic.clone(), lost.partition);
    world.feed(Event::ReplicasFailed { broker: 1, replicas: vec![(topic.clone(), lost.topic_id, number)] });
    world.rest();
    let state = &world.topics[&topic].states[&number].state;
    assert!(state.leader >= 0 && state.leader != 1 && !state.isr.contains(&1), "{state:?}");
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

/// It may have lost what it had not flushed, and another registration is all that tells.
#[test]
fn a_broker_that_starts_again_between_two_looks_leads_and_is_in_sync_no_more() {
    let state = |world: &World| {
        let state = &world.topics["apples"].states[&0].state;
        (state.leader, state.isr.clone(), state.leader_epoch)
    };
    for governs_through in [true, false] {
        let mut world = World::new();
        world.create("apples", 1, 0, true);
        world.rest();
        assert_eq!(state(&world), (0, vec![0, 1], 0));
        world.broker_stops(0);
        world.broker_starts(0);
        if !governs_through {
            world.elect();
        }
        world.rest();
        assert_eq!(state(&world), (1, vec![1], 1), "the same controller: {governs_through}");
        world.assert_agreement();
    }
}

#[test]
fn brokers_that_all_start_again_go_on_in_a_new_epoch() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    for id in [0, 1] {
        world.broker_stops(id);
        world.broker_starts(id);
    }
    world.rest();
    let state = &world.topics["apples"].states[&0].state;
    assert_eq!((state.leader, &*state.isr, state.leader_epoch), (0, &[0, 1][..], 1));
    world.assert_agreement();
}

#[test]
fn a_leader_that_knows_an_old_state_is_told_the_new_one() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    world.feed(Event::ShuttingDown(1));
    world.rest();
    let node = &world.topics["apples"].states[&0];
    assert_eq!((node.version, node.state.leader), (1, 0));
    let outdated = IsrProposal {
        ticket: 7,
        broker: 0,
        topic: "apples".into(),
        partition: 0,
        leader_epoch: node.state.leader_epoch,
        partition_epoch: 0,
        isr: vec![(0, -1), (1, -1)],
        recovering: false,
    };
    let actions = world.controller.handle(Event::AlterIsr(outdated));
    let [
        Action::AnswerIsr { ticket: 7, outcome: Err(IsrRefusal::Outdated) },
        Action::Send { broker: 0, request },
    ] = actions.as_slice()
    else {
        panic!("{actions:?}")
    };
    assert!(
        matches!(request, BrokerRequest::LeaderAndIsr { full: false, partitions, .. } if partitions[0].version == 1),
        "{request:?}"
    );
}

/// Only one replica of the topic's first partition has all its records.
fn alone_in_sync(world: &mut World, leader: i32) {
    let tree = world.topics.get_mut("apples").expect("it is there");
    let node = tree.states.get_mut(&0).expect("it has a state");
    node.state.isr = vec![leader];
    node.version += 1;
    let created = tree.node.created;
    world.requests.push(Action::ReadStates { topic: "apples".into(), created, partitions: vec![0] });
}

#[test]
fn a_replica_that_lives_leads_where_somebody_asks_for_that() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    alone_in_sync(&mut world, 0);
    world.rest();
    let leader = |world: &World| world.topics["apples"].states[&0].state.leader;
    let ask = |world: &mut World| {
        world.feed(Event::ElectUnclean(vec![
            ("apples".into(), 0),
            ("apples".into(), 7),
            ("pears".into(), 0),
        ]));
        world.rest();
    };
    ask(&mut world);
    assert_eq!((leader(&world), world.controller.unclean_elections()), (0, 0), "its leader lives");
    world.broker_stops(0);
    world.rest();
    assert_eq!(leader(&world), -1, "the topic waits for its records");
    ask(&mut world);
    let elected = leader(&world);
    assert!(elected > 0, "{elected}");
    assert_eq!(world.controller.unclean_elections(), 1);
    ask(&mut world);
    assert_eq!((leader(&world), world.controller.unclean_elections()), (elected, 1));
    world.assert_agreement();
}

#[test]
fn an_unclean_election_is_counted_once() {
    let mut world = World::new();
    world.create("apples", 1, 0, true);
    world.rest();
    world.feed(Event::UncleanElection { topic: Some("apples".into()), enabled: Some(true) });
    alone_in_sync(&mut world, 0);
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
    let mut controller =
        Controller::new(ControllerOptions { delete_topics: false, ..ControllerOptions::default() });
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
