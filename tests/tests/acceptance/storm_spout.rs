//! Storm 0.10.2 in a LocalCluster: KafkaSpout, on the SimpleConsumer of 0.8.2.2, finds the brokers in ZooKeeper.

use vltava_testkit::process::Running;
use vltava_testkit::{java, maven, wait};

use crate::ground::{Ground, LIMIT, alive, finished, sources};

const TOPIC: &str = "house7";

#[test]
fn storm_counts_every_message_once() {
    let ground = Ground::embedded();
    ground.create_topic(TOPIC, 3);
    let jars = maven::class_path(&maven::libraries(
        "storm-0.10.2",
        &[
            "org.apache.storm:storm-core:0.10.2",
            "org.apache.storm:storm-kafka:0.10.2",
            // Storm brings log4j 2 and a bridge from log4j 1, which these two would close to a circle.
            "org.apache.kafka:kafka_2.10:0.8.2.2!org.slf4j:slf4j-log4j12!log4j:log4j",
        ],
    ));
    let classes = java::compile("acceptance-storm", &sources("storm"), &jars);
    let class_path = format!("{}:{jars}", classes.display());
    let start = |main: &str, arguments: &[&str]| {
        let mut command = ground.java(&class_path);
        command.arg(format!("acceptance.{main}")).args(arguments);
        ground.start(main, command, "")
    };

    finished(start("Words", &[&ground.bootstrap, TOPIC, "300"]));
    let mut topology = start("WordTopology", &[&ground.zookeeper, TOPIC]);
    wait_for_counts(&mut topology, "{apple=100, banana=100, cherry=100, house=300}");
    // What the spout would send a second time comes before what is new.
    finished(start("Words", &[&ground.bootstrap, TOPIC, "30"]));
    wait_for_counts(&mut topology, "{apple=110, banana=110, cherry=110, house=330}");
}

fn wait_for_counts(topology: &mut Running, expected: &str) {
    wait::until_equal("the counts", LIMIT, &expected.to_owned(), || {
        let output = alive(topology).output();
        let last = output.lines().rev().find_map(|line| line.strip_prefix("counts\t"));
        last.unwrap_or_default().to_owned()
    });
}
