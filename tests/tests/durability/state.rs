//! Topics, their ids and configurations, and producers: what one moment says yes to, kill -9 in the next does not take away.

use std::collections::BTreeMap;

use vltava_client::admin::describe_topics;
use vltava_client::admin::{AlterOp, Resource, ResourceKind, alter_configs, describe_configs};
use vltava_protocol::{ErrorCode, Uuid};
use vltava_testkit::vltava::Server;
use vltava_testkit::wait;
use vltava_tests::member::LIMIT;

use crate::raw::{Producer, Raw, batch};

/// A topic and what the broker acknowledged of it.
struct Topic {
    name: String,
    id: Uuid,
    retention: String,
    producer: Producer,
}

#[derive(Debug, Clone, Copy)]
enum Victim {
    Broker,
    ZooKeeper,
    Both,
}

#[test]
fn topics_configurations_and_producers_survive_kill_9_of_broker_and_zookeeper() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &[]);
    let raw = Raw::new(server.address());
    let mut topics: Vec<Topic> = Vec::new();
    for victim in [Victim::Broker, Victim::ZooKeeper, Victim::Both, Victim::Broker, Victim::Both] {
        let made = make(&raw, topics.len());
        assert!(
            topics.iter().all(|t| t.producer.id != made.producer.id),
            "{:?} is given twice",
            made.producer
        );
        topics.push(made);
        // At once: nothing waits for a checkpoint, a snapshot or a clean end.
        kill(&mut server, victim);
        for topic in &topics {
            check(&raw, topic);
        }
        println!("{victim:?} killed, {} topics are as they were", topics.len());
    }
}

/// A topic with a configuration, which is changed, and three records of a new producer in it.
fn make(raw: &Raw, number: usize) -> Topic {
    let (name, retention) = (format!("topic-{number}"), format!("{}", 100_000_000 + number));
    raw.create_topic(&name, 2, &[("segment.bytes", "123456")]);
    let change = [("retention.ms".to_owned(), AlterOp::Set(retention.clone()))];
    raw.admin(async |client| alter_configs(client, &resource(&name), &change, false).await);
    let producer = raw.producer();
    assert_eq!(raw.produce_when_led(&name, &batch(&["a", "b", "c"], Some((producer, 0)))), 0);
    Topic { id: describe(raw, &name).expect("the topic just made").0, name, retention, producer }
}

fn kill(server: &mut Server, victim: Victim) {
    // Both at once, not one after the other's end.
    if matches!(victim, Victim::ZooKeeper | Victim::Both) {
        server.zookeeper_process().kill();
    }
    if matches!(victim, Victim::Broker | Victim::Both) {
        server.broker().kill();
    }
    if matches!(victim, Victim::ZooKeeper | Victim::Both) {
        server.start_zookeeper_again();
    }
    if matches!(victim, Victim::Broker | Victim::Both) {
        server.start_again();
    }
    assert!(server.broker().alive());
}

fn check(raw: &Raw, topic: &Topic) {
    wait::until_equal(&topic.name, LIMIT, &Some((topic.id, 2)), || describe(raw, &topic.name));
    let entries = raw.admin(async |client| describe_configs(client, &resource(&topic.name)).await);
    // 1: set on the topic itself.
    let own: BTreeMap<String, Option<String>> = entries
        .into_iter()
        .filter(|entry| entry.source == 1)
        .map(|entry| (entry.name, entry.value))
        .collect();
    let expected = [("retention.ms", topic.retention.as_str()), ("segment.bytes", "123456")];
    let expected = expected.map(|(key, value)| (key.to_owned(), Some(value.to_owned())));
    assert_eq!(own, BTreeMap::from(expected), "{}", topic.name);

    // The producer's last batch once more is known; one with a gap before it is refused.
    let (name, producer) = (&topic.name, topic.producer);
    assert_eq!(raw.produce_when_led(name, &batch(&["a", "b", "c"], Some((producer, 0)))), 0, "{name}");
    let gap = raw.produce(9, name, &batch(&["e"], Some((producer, 4))));
    assert_eq!(gap, Err(ErrorCode::OutOfOrderSequenceNumber), "{name}");
    let values: Vec<String> = raw.read(name, 0).unwrap().into_iter().map(|(_, value)| value).collect();
    assert_eq!(values, ["a", "b", "c"], "{name}");
}

fn describe(raw: &Raw, topic: &str) -> Option<(Uuid, usize)> {
    let described = raw.admin(async |client| describe_topics(client, Some(&[topic])).await);
    let topic = described.into_iter().next()?.ok()?;
    Some((topic.id, topic.partitions.len()))
}

fn resource(topic: &str) -> Resource {
    Resource { kind: ResourceKind::Topic, name: topic.to_owned() }
}
