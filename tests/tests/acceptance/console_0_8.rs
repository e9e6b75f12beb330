//! The commands of the 0.8 tutorials: everything goes through ZooKeeper but the producer.

use crate::ground::{Ground, prints_in_any_order};

const TOPIC: &str = "test";

#[test]
fn the_console_commands_of_0_8() {
    let ground = Ground::embedded();
    let zookeeper = ground.zookeeper.as_str();
    ground.create_topic(TOPIC, 3);
    assert_eq!(ground.run_tool("kafka-topics.sh", &["--list", "--zookeeper", zookeeper], ""), "test\n");
    let described =
        ground.run_tool("kafka-topics.sh", &["--describe", "--zookeeper", zookeeper, "--topic", TOPIC], "");
    let mut expected = "Topic:test\tPartitionCount:3\tReplicationFactor:1\tConfigs:\n".to_owned();
    for partition in 0..3 {
        expected
            .push_str(&format!("\tTopic: test\tPartition: {partition}\tLeader: 0\tReplicas: 0\tIsr: 0\n"));
    }
    assert_eq!(described, expected);

    let produce = |line: &str| {
        let input = format!("{line}\n");
        ground.run_tool(
            "kafka-console-producer.sh",
            &["--broker-list", &ground.bootstrap, "--topic", TOPIC],
            &input,
        );
    };
    let consume = ["--zookeeper", zookeeper, "--topic", TOPIC, "--from-beginning"];
    produce("明天会更好\nHello world !");
    let mut consumer = ground.start_tool("kafka-console-consumer.sh", &consume, "");
    prints_in_any_order(&mut consumer, &["明天会更好", "Hello world !"]);
    produce("and one while it reads");
    prints_in_any_order(&mut consumer, &["明天会更好", "Hello world !", "and one while it reads"]);
}
