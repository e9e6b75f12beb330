//! Flume 1.6: lines of a file, through an exec source and a memory channel, to the Kafka sink that it ships (a producer of 0.8.1.1).

use std::fs::{self, File};
use std::io::Write as _;

use vltava_testkit::{maven, wait};

use crate::ground::{Ground, LIMIT, alive, prints_in_any_order};

const TOPIC: &str = "test-topic";

#[test]
fn flume_sends_the_lines_of_a_file() {
    let ground = Ground::embedded();
    ground.create_topic(TOPIC, 3);
    let tailed = ground.file("test.log");
    let mut lines = File::create(&tailed).unwrap();
    let configuration = include_str!("../../java/acceptance/flume/flume.conf")
        .replace("@FILE@", tailed.to_str().unwrap())
        .replace("@BROKERS@", &ground.bootstrap)
        .replace("@TOPIC@", TOPIC);
    fs::write(ground.file("flume.conf"), configuration).unwrap();

    let jars = maven::libraries(
        "flume-1.6.0",
        &[
            "org.apache.flume:flume-ng-node:1.6.0",
            "org.apache.flume.flume-ng-sinks:flume-ng-kafka-sink:1.6.0",
            "org.slf4j:slf4j-log4j12:1.6.1",
        ],
    );
    let mut command = ground.java(&maven::class_path(&jars));
    command
        .args(["org.apache.flume.node.Application", "-n", "producer", "-f"])
        .arg(ground.file("flume.conf"));
    let mut flume = ground.start("flume", command, "");
    wait::until("the source is started", LIMIT, || {
        alive(&mut flume).errors().contains("Component type: SOURCE, name: s started").then_some(())
    });

    let consume = ["--zookeeper", &ground.zookeeper, "--topic", TOPIC, "--from-beginning"];
    let mut consumer = ground.start_tool("kafka-console-consumer.sh", &consume, "");
    let expected = ["hello", "flume line 1 明天", "flume line 2 明天", "flume line 3 明天"];
    for (count, line) in (1..).zip(expected) {
        // One by one, as a log grows.
        writeln!(lines, "{line}").unwrap();
        prints_in_any_order(&mut consumer, &expected[..count]);
    }
}
