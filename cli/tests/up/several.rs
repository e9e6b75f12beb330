//! Several brokers.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use vltava_testkit::wait;

use crate::place::{LIMIT, Place};

fn manifest(port: u16, partitions: i32, config: &str) -> String {
    format!(
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n  pools:\n  - name: kafka\n    \
         replicas: 3\n    firstBrokerId: 0\n  zookeeper:\n    replicas: 1\n  listeners:\n  - name: plain\n    port: {port}\n    \
         type: internal\n  config:\n    default.replication.factor: 3\n    \
         offsets.topic.replication.factor: 3\n    min.insync.replicas: 2\n{config}\
         ---\napiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  name: orders\nspec:\n  cluster:\n    name: blue\n  \
         partitions: {partitions}\n  replicas: 3\n"
    )
}

/// Where Kafka is, as `up` says it.
fn bootstrap(line: &str) -> String {
    line.split_whitespace().last().expect("an address").to_owned()
}

/// The partitions' in-sync sets, when every partition has a leader.
fn in_sync(bootstrap: &str) -> Option<Vec<usize>> {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("group.id", "looker").create().ok()?;
    let metadata = client.fetch_metadata(Some("orders"), Duration::from_secs(5)).ok()?;
    let topic = metadata.topics().first()?;
    topic
        .partitions()
        .iter()
        .map(|partition| (partition.leader() >= 0).then(|| partition.isr().len()))
        .collect()
}

#[test]
fn three_brokers_replicate_and_are_restarted_one_after_the_other() {
    let place = Place::new();
    place.write(&manifest(place.port, 2, ""));
    let mut up = place.up();
    let address = bootstrap(&up.wait_for_line("  Kafka      ", LIMIT));
    assert_eq!(address.split(',').count(), 3);
    wait::until("every partition has three in-sync replicas", LIMIT, || {
        (in_sync(&address)? == [3, 3]).then_some(())
    });
    place.write(&manifest(place.port, 3, "    num.network.threads: 2\n"));
    for id in 0..3 {
        up.wait_for_line(&format!("broker {id}: num.network.threads changed, restarting"), LIMIT);
    }
    up.wait_for_line("orders", LIMIT);
    wait::until("the third partition has three in-sync replicas", LIMIT, || {
        (in_sync(&address)? == [3, 3, 3]).then_some(())
    });
    assert!(!up.output().contains("did not catch up"), "{}", up.output());
    assert!(up.stop(LIMIT).success());
}
