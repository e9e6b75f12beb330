//! From resources to brokers and topics.

use std::collections::{BTreeMap, BTreeSet};

use vltava_operator::plan::{self, ExistingTopic, Nowhere, TopicChange, TopicPlan};
use vltava_operator::{Resource, api::KafkaCluster, read_manifests};
use vltava_settings::{BrokerConfig, Properties};

fn cluster(spec: &str) -> KafkaCluster {
    let text = format!(
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n{spec}"
    );
    match read_manifests(&text).unwrap().remove(0) {
        Resource::KafkaCluster(cluster) => *cluster,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_broker_s_properties_start_a_broker() {
    let cluster = cluster(
        "  pools:\n  - name: kafka\n    replicas: 3\n    firstBrokerId: 0\n  - name: big\n    replicas: 2\n    firstBrokerId: 100\n    \
         storage:\n      volumes:\n      - size: 1Gi\n      - size: 2Gi\n  zookeeper:\n    replicas: 3\n  listeners:\n  - name: clients\n    \
         port: 9094\n    type: nodeport\n  - name: inner\n    port: 9092\n    type: internal\n",
    );
    let brokers = plan::brokers(&cluster, &Nowhere);
    assert_eq!(brokers.iter().map(|broker| broker.id).collect::<Vec<_>>(), [0, 1, 2, 100, 101]);
    for broker in &brokers {
        let config = BrokerConfig::from_properties(&broker.properties, &Properties::default()).unwrap();
        assert_eq!(config.broker_id(), Some(broker.id));
        assert_eq!(config.log_dirs(), broker.log_dirs);
        assert_eq!(config.log_dirs().len(), if broker.pool == "big" { 2 } else { 1 });
        assert_eq!(config.inter_broker_listener(), "INNER");
        assert_eq!(config.listeners().len(), 2);
        assert_eq!(config.warnings(), []);
    }
    assert_eq!(brokers[0].properties.get("offsets.topic.replication.factor"), Some("3"));
    assert_eq!(brokers[0].properties.get("min.insync.replicas"), Some("2"));
}

#[test]
fn one_broker_asks_for_one_replica_unless_the_configuration_says_more() {
    let one = "  pools:\n  - name: kafka\n    replicas: 1\n    firstBrokerId: 7\n  zookeeper:\n    external:\n      connect: zk:2181\n";
    let broker = plan::brokers(&cluster(one), &Nowhere).remove(0);
    assert_eq!(broker.properties.get("offsets.topic.replication.factor"), Some("1"));
    let config = BrokerConfig::from_properties(&broker.properties, &Properties::default()).unwrap();
    assert_eq!(config.warnings(), []);
    let more = format!("{one}  config:\n    offsets.topic.replication.factor: 2\n");
    let broker = plan::brokers(&cluster(&more), &Nowhere).remove(0);
    assert_eq!(broker.properties.get("offsets.topic.replication.factor"), Some("2"));
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn set(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|&key| key.to_owned()).collect()
}

#[test]
fn a_topic_is_created_grown_and_configured_and_nothing_is_done_to_one_that_is_right() {
    let plan = TopicPlan {
        name: "t".to_owned(),
        partitions: Some(3),
        replicas: Some(1),
        config: map(&[("retention.ms", "5")]),
    };
    let right = ExistingTopic {
        partitions: 3,
        replicas: 1,
        config: map(&[("retention.ms", "5"), ("flush.ms", "1")]),
    };
    let changes =
        |existing: &ExistingTopic, managed: &[&str]| plan::changes(&plan, Some(existing), &set(managed));
    assert_eq!(plan::changes(&plan, None, &set(&[])), [TopicChange::Create]);
    // A key that somebody else set is left alone; one that was set from here and is gone is reset.
    assert_eq!(changes(&right, &["retention.ms", "segment.ms"]), []);
    assert_eq!(
        changes(&right, &["flush.ms"]),
        [TopicChange::Configure { set: map(&[]), reset: set(&["flush.ms"]) }]
    );
    assert_eq!(
        changes(&ExistingTopic { partitions: 1, replicas: 1, config: map(&[]) }, &[]),
        [
            TopicChange::Grow { from: 1, to: 3 },
            TopicChange::Configure { set: map(&[("retention.ms", "5")]), reset: set(&[]) }
        ]
    );
    assert_eq!(
        changes(&ExistingTopic { partitions: 9, replicas: 3, ..right }, &[]),
        [TopicChange::CannotShrink { from: 9, to: 3 }, TopicChange::ReplicasDiffer { from: 3, to: 1 }]
    );
}
