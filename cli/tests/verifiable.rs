//! `kafka-verifiable-producer` and `kafka-verifiable-consumer` beside Apache Kafka's own: the same events with the same fields.

#![allow(clippy::unwrap_used, clippy::panic)]

mod tool;

use serde_json::Value;
use vltava_testkit::apache::Version;
use vltava_testkit::process::Running;

use tool::{LIMIT, Place, Said, run};

/// An event's name and fields, what differs from run to run masked.
fn shape(line: &str) -> String {
    let Ok(Value::Object(fields)) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    let mut shown: Vec<String> = fields
        .iter()
        .map(|(name, value)| match name.as_str() {
            "timestamp" | "avg_throughput" => format!("{name}:{}", value.is_number()),
            _ => format!("{name}:{value}"),
        })
        .collect();
    shown.sort();
    shown.join(" ")
}

fn shapes(said: &Said) -> Vec<String> {
    said.out.lines().map(shape).collect()
}

/// The names of the fields, in the order in which they are written.
fn order(line: &str) -> Vec<String> {
    let names = regex_of_names();
    names.captures_iter(line).map(|found| found[1].to_owned()).collect()
}

fn regex_of_names() -> regex::Regex {
    regex::Regex::new(r#"[{,]"(\w+)":"#).unwrap()
}

const PRODUCER: &str = "kafka-verifiable-producer.sh --bootstrap-server {brokers}";
const CONSUMER: &str = "kafka-verifiable-consumer.sh --bootstrap-server {brokers}";

#[test]
fn what_is_sent_is_told_as_kafkas_tool_tells_it() {
    let place = Place::new();
    for (number, options) in [
        "--max-messages 5",
        "--max-messages 7 --repeating-keys 3 --acks 1 --throughput 1000",
        "--max-messages 2 --value-prefix 4 --message-create-time 1500000000000 --acks 0",
    ]
    .iter()
    .enumerate()
    {
        let [theirs, ours] = ["a", "b"].map(|tool| {
            let topic = format!("sent-{number}-{tool}");
            place.topic(&topic, 1);
            let line = format!("{PRODUCER} --topic {topic} {options}");
            let said = match tool {
                "a" => run(place.theirs(Version::V3_9, &line)),
                _ => run(place.ours(&line)),
            };
            Said { out: said.out.replace(&topic, "TOPIC"), ..said }
        });
        assert_eq!((shapes(&ours), ours.code), (shapes(&theirs), theirs.code), "{options}\n{}", ours.err);
        // What follows these two stands in an order that a JVM chooses.
        assert!(
            ours.out.lines().all(|line| order(line).starts_with(&["timestamp", "name"].map(str::to_owned)))
        );
    }
    // The times that were asked for.
    let line = "kafka-console-consumer.sh --bootstrap-server {brokers} --topic sent-2-b --from-beginning --max-messages 2 --property print.timestamp=true";
    let said = run(place.ours(line)).good();
    assert!(
        said.lines().all(|line| line.starts_with("CreateTime:15000000") && line.contains("\t4.")),
        "{said}"
    );
}

#[test]
fn a_record_that_no_broker_takes_is_told_of() {
    let place = Place::new();
    place.topic("t", 1);
    std::fs::write(place.folder.path().join("p"), "max.request.size=1000\n").unwrap();
    let said = run(place.ours(&format!("{PRODUCER} --topic ../bad --max-messages 1")));
    let event: Value = serde_json::from_str(said.lines()[1]).unwrap();
    assert_eq!(event["name"], "producer_send_error", "{said:?}");
    assert!(
        event["exception"].as_str().unwrap().starts_with("class org.apache.kafka.common.errors."),
        "{event}"
    );
    assert_eq!((&event["topic"], &event["value"]), (&Value::from("../bad"), &Value::from("0")));
    assert_eq!(said.code, Some(0));
}

#[test]
fn what_is_consumed_and_committed_is_told_as_kafkas_tool_tells_it() {
    let place = Place::new();
    place.topic("t", 1);
    run(place.ours(&format!("{PRODUCER} --topic t --max-messages 20 --repeating-keys 4"))).good();
    for options in
        ["--max-messages 20", "--max-messages 20 --verbose", "--max-messages 3 --enable-autocommit --verbose"]
    {
        let [theirs, ours] = ["a", "b"].map(|tool| {
            let group = format!("{tool}-{}", options.replace([' ', '-'], ""));
            let line = format!("{CONSUMER} --topic t --group-id {group} {options}");
            match tool {
                "a" => run(place.theirs(Version::V3_9, &line)),
                _ => run(place.ours(&line)),
            }
        });
        assert_eq!((shapes(&ours), ours.code), (shapes(&theirs), theirs.code), "{options}\n{}", ours.err);
        // What follows these two stands in an order that a JVM chooses.
        assert!(
            ours.out.lines().all(|line| order(line).starts_with(&["timestamp", "name"].map(str::to_owned)))
        );
    }
    // What was told as committed is.
    let described = run(place
        .ours("kafka-consumer-groups.sh --bootstrap-server {brokers} --describe --group b-maxmessages20"))
    .good();
    assert!(described.contains(" 20 "), "{described}");
    let described = run(place.ours("kafka-consumer-groups.sh --bootstrap-server {brokers} --describe --group b-maxmessages3enableautocommitverbose")).good();
    let row = described.lines().find(|line| line.starts_with("t ")).unwrap_or_else(|| panic!("{described}"));
    let row: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(row[2], "3", "{described}");
}

#[test]
fn a_signal_ends_both_cleanly() {
    let place = Place::new();
    place.topic("t", 3);
    let out = |name: &str| place.folder.path().join(name);
    let consume = place.ours(&format!("{CONSUMER} --topic t --group-id g --group-instance-id i --assignment-strategy org.apache.kafka.clients.consumer.RoundRobinAssignor"));
    let mut consumer = Running::start_apart("consumer", consume, "", &out("consumer.out"));
    consumer.wait_for_line("partitions_assigned", LIMIT);
    let produce = place.ours(&format!("{PRODUCER} --topic t --throughput 100"));
    let mut producer = Running::start_apart("producer", produce, "", &out("producer.out"));
    producer.wait_for_line(r#""value":"50""#, LIMIT);
    assert_eq!(producer.stop(LIMIT).code(), Some(143));
    let told = producer.output();
    let last: Vec<&str> = told.lines().rev().take(2).collect();
    assert!(last[1].contains("shutdown_complete") && last[0].contains("tool_data"), "{last:?}");
    let totals: Value = serde_json::from_str(last[0]).unwrap();
    let acked = totals["acked"].as_u64().unwrap();
    assert_eq!((&totals["sent"], place.records("t")), (&totals["acked"], acked));
    assert_eq!(told.matches("producer_send_success").count() as u64, acked);
    vltava_testkit::wait::until("all is consumed", LIMIT, || {
        let told = consumer.output();
        let counts = told.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let consumed: u64 =
            counts.filter(|of| of["name"] == "records_consumed").filter_map(|of| of["count"].as_u64()).sum();
        (consumed == acked).then_some(())
    });
    assert_eq!(consumer.stop(LIMIT).code(), Some(143));
    let told = consumer.output();
    assert!(told.lines().last().unwrap().contains("shutdown_complete"), "{told}");
    assert!(told.contains("offsets_committed") && !told.contains(r#""success":false"#), "{told}");
}
