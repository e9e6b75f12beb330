//! Kafka Streams 0.11: the quickstart's word count, with the state store and the changelog and repartition topics that it makes itself.

use vltava_testkit::{java, maven};

use crate::ground::{Ground, prints, sources};

const INPUT: &str = "streams-plaintext-input";
const OUTPUT: &str = "streams-wordcount-output";

#[test]
fn streams_counts_words() {
    let ground = Ground::embedded();
    ground.create_topic(INPUT, 1);
    ground.create_topic(OUTPUT, 1);
    let produce = |lines: &str| {
        ground.run_tool(
            "kafka-console-producer.sh",
            &["--broker-list", &ground.bootstrap, "--topic", INPUT],
            lines,
        );
    };
    produce("all streams lead to kafka\nhello kafka streams\njoin kafka summit\n");

    let jars = maven::class_path(&maven::libraries(
        "streams-0.11.0.3",
        &["org.apache.kafka:kafka-streams:0.11.0.3", "org.slf4j:slf4j-log4j12:1.7.25"],
    ));
    let classes = java::compile("acceptance-streams", &sources("streams"), &jars);
    let mut command = ground.java(&format!("{}:{jars}", classes.display()));
    command.args(["acceptance.WordCount", &ground.bootstrap]).arg(ground.file("state")).arg("at_least_once");
    let _application = ground.start("WordCount", command, "");

    let consume = [
        "--bootstrap-server",
        &ground.bootstrap,
        "--topic",
        OUTPUT,
        "--from-beginning",
        "--formatter",
        "kafka.tools.DefaultMessageFormatter",
        "--property",
        "print.key=true",
        "--property",
        "print.value=true",
        "--property",
        "key.deserializer=org.apache.kafka.common.serialization.StringDeserializer",
        "--property",
        "value.deserializer=org.apache.kafka.common.serialization.LongDeserializer",
    ];
    let mut consumer = ground.start_tool("kafka-console-consumer.sh", &consume, "");
    let mut updates = vec![
        "all\t1",
        "streams\t1",
        "lead\t1",
        "to\t1",
        "kafka\t1",
        "hello\t1",
        "kafka\t2",
        "streams\t2",
        "join\t1",
        "kafka\t3",
        "summit\t1",
    ];
    prints(&mut consumer, &updates);
    // The table goes on from where it is.
    produce("Kafka streams again\n");
    updates.extend(["kafka\t4", "streams\t3", "again\t1"]);
    prints(&mut consumer, &updates);
}
