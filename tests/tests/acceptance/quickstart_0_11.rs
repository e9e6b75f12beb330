//! The quickstart of 0.11, steps 1 to 5: start ZooKeeper and a broker, create, list, describe, produce, consume by the new and the old
//! consumer, and a topic that a producer makes.

use crate::ground::{Ground, prints};

const TOPIC: &str = "test";

#[test]
fn the_quickstart_by_the_scripts() {
    let ground = Ground::by_scripts();
    first_steps(&ground);
    ground.stop_by_scripts();
}

#[test]
fn the_quickstart_on_an_apache_ensemble() {
    first_steps(&Ground::apache_ensemble());
}

fn first_steps(ground: &Ground) {
    let (bootstrap, zookeeper) = (ground.bootstrap.as_str(), ground.zookeeper.as_str());
    ground.create_topic(TOPIC, 1);
    assert_eq!(ground.run_tool("kafka-topics.sh", &["--list", "--zookeeper", zookeeper], ""), "test\n");
    let described =
        ground.run_tool("kafka-topics.sh", &["--describe", "--zookeeper", zookeeper, "--topic", TOPIC], "");
    assert_eq!(
        described,
        "Topic:test\tPartitionCount:1\tReplicationFactor:1\tConfigs:\n\
         \tTopic: test\tPartition: 0\tLeader: 0\tReplicas: 0\tIsr: 0\n"
    );

    let messages = ["This is a message", "This is another message", "明天会更好"];
    let produce = ["--broker-list", bootstrap, "--topic", TOPIC];
    ground.run_tool("kafka-console-producer.sh", &produce, &format!("{}\n", messages.join("\n")));
    let mut consumers = [["--bootstrap-server", bootstrap], ["--zookeeper", zookeeper]].map(|through| {
        let consume = [&through[..], &["--topic", TOPIC, "--from-beginning"]].concat();
        ground.start_tool("kafka-console-consumer.sh", &consume, "")
    });
    for consumer in &mut consumers {
        prints(consumer, &messages);
    }
    // Both are there while it comes; nothing came twice before it.
    ground.run_tool("kafka-console-producer.sh", &produce, "One more message\n");
    for consumer in &mut consumers {
        prints(consumer, &[&messages[..], &["One more message"]].concat());
    }

    ground.run_tool(
        "kafka-console-producer.sh",
        &["--broker-list", bootstrap, "--topic", "auto"],
        "made by use\n",
    );
    let consume = [
        "--bootstrap-server",
        bootstrap,
        "--topic",
        "auto",
        "--from-beginning",
        "--max-messages",
        "1",
        "--timeout-ms",
        "60000",
    ];
    assert_eq!(ground.run_tool("kafka-console-consumer.sh", &consume, ""), "made by use\n");
}
