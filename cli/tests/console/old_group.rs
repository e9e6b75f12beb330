//! The consumer of 0.8: a group in ZooKeeper, shared with a Java member of Kafka 0.8.2.2.

use std::fs;
use std::process::Command;

use vltava_testkit::process::Running;
use vltava_testkit::{java, maven, vltava, wait};

use super::tool::{LIMIT, Place, run, run_with};
use super::{sorted, write};

/// The test program on the high-level consumer of 0.8.2.2, as a member of a group.
fn java_member(place: &Place, topic: &str, group: &str) -> Running {
    let libraries = ["org.apache.kafka:kafka_2.11:0.8.2.2", "org.slf4j:slf4j-simple:1.7.36"];
    let class_path = maven::class_path(&maven::libraries("java-0.8.2.2", &libraries));
    let sources = vltava::checkout().join("tests/java/clients");
    let sources = [sources.join("shared/clients/Line.java"), sources.join("0.8")];
    let classes = java::compile_together("java-0.8.2.2", &sources, &class_path);
    let mut command = java::program(&format!("{}:{class_path}", classes.display()), "clients.Client");
    command.args(["consume", &place.zookeeper(), topic, group]);
    Running::start("the Java member", command, &place.folder.path().join("java.out"))
}

/// The partitions that the member last said it has.
fn assigned(member: &Running) -> usize {
    let output = member.output();
    let last = output.lines().rev().find_map(|line| line.strip_prefix("assigned\t"));
    last.filter(|list| *list != "-").map_or(0, |list| list.split(',').count())
}

fn znodes(place: &Place, path: &str) -> String {
    run(place.ours(&format!("zookeeper-shell.sh {{zookeeper}} ls {path}"))).out
}

fn ours(place: &Place, line: &str) -> Command {
    place.ours(&format!("kafka-console-consumer.sh --zookeeper {{zookeeper}} {line}"))
}

#[test]
fn a_group_is_shared_with_a_java_member_of_0_8() {
    let place = Place::new();
    place.topic("shared", 4);
    let mut member = java_member(&place, "shared", "old");
    wait::until_equal("the Java member has everything", LIMIT, &4, || assigned(&member));
    fs::write(place.folder.path().join("old.properties"), "group.id=old\nzookeeper.sync.time.ms=500\n")
        .unwrap();
    let line = "--topic shared --consumer.config {folder}/old.properties --property print.key=true";
    let mut consumer = Running::start("ours", ours(&place, line), &place.folder.path().join("ours.out"));
    wait::until_equal("they share", LIMIT, &2, || assigned(&member));
    let owners = || {
        let line = "kafka-consumer-groups.sh --zookeeper {zookeeper} --describe --group old";
        run(place.ours(line)).out.lines().filter(|line| line.contains("old_")).count()
    };
    wait::until_equal("every partition has an owner", LIMIT, &4, owners);

    let keys: Vec<String> = (0..40).map(|number| format!("k{number}")).collect();
    let input: String = keys.iter().map(|key| format!("{key}\tvalue of {key}\n")).collect();
    run_with(&input, place.ours(&write("shared", "--property parse.key=true"))).good();
    let read_by_java = |member: &Running| -> Vec<String> {
        let output = member.output();
        output
            .lines()
            .filter_map(|line| line.strip_prefix("record\t")?.split('\t').nth(3).map(str::to_owned))
            .collect()
    };
    let read_by_us = |consumer: &Running| -> Vec<String> {
        let output = consumer.output();
        output.lines().filter_map(|line| Some(line.split_once("\tvalue of ")?.0.to_owned())).collect()
    };
    wait::until("everything is read", LIMIT, || {
        (read_by_java(&member).len() + read_by_us(&consumer).len() >= keys.len()).then_some(())
    });
    let (mut all, by_us) = (read_by_java(&member), read_by_us(&consumer));
    assert!(!all.is_empty() && !by_us.is_empty(), "each has read something: {all:?} {by_us:?}");
    all.extend(by_us);
    all.sort();
    let mut expected = keys.clone();
    expected.sort();
    assert_eq!(all, expected, "each record is read once");

    assert_eq!(consumer.stop(LIMIT).code(), Some(143));
    wait::until_equal("the Java member has everything again", LIMIT, &4, || assigned(&member));
    assert!(znodes(&place, "/consumers").contains("old"), "a group with a name stays");
    // What we committed is where Java goes on: nothing is read twice.
    run_with("last\tvalue of last\n", place.ours(&write("shared", "--property parse.key=true"))).good();
    member.wait_for_line("\tvalue of last", LIMIT);
    assert_eq!(read_by_java(&member).iter().filter(|key| *key == "last").count(), 1);
    let twice = read_by_java(&member).len() + read_by_us(&consumer).len();
    assert_eq!(twice, keys.len() + 1);
}

#[test]
fn a_group_without_a_name_leaves_nothing_behind() {
    let place = Place::new();
    for topic in ["one", "two", "three"] {
        place.topic(topic, 2);
        run_with(&format!("{topic}\n"), place.ours(&write(topic, ""))).good();
    }
    let said = run(ours(&place, "--whitelist one,two --from-beginning --max-messages 2 --timeout-ms 60000"));
    assert_eq!(sorted(&said.out), ["one", "two"]);
    assert!(said.err.contains("Processed a total of 2 messages"), "{}", said.err);
    let said = run(ours(&place, "--blacklist one|two --from-beginning --max-messages 1 --timeout-ms 60000"));
    assert_eq!(said.good(), "three\n");
    assert!(!znodes(&place, "/consumers").contains("console-consumer-"), "{}", znodes(&place, "/consumers"));
}

#[test]
fn offsets_of_a_group_are_kept_and_forgotten_on_demand() {
    let place = Place::new();
    place.topic("kept", 1);
    run_with("a\nb\nc\n", place.ours(&write("kept", ""))).good();
    fs::write(place.folder.path().join("g.properties"), "group.id=g\n").unwrap();
    let line = "--topic kept --consumer.config {folder}/g.properties --timeout-ms 60000";
    let begin = format!("{line} --from-beginning --max-messages");
    assert_eq!(run(ours(&place, &format!("{begin} 2"))).good(), "a\nb\n");
    assert_eq!(run(ours(&place, &format!("{line} --max-messages 1"))).good(), "c\n");
    let said = run(ours(&place, &format!("{begin} 1")));
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains(
            "Found previous offset information for this group g. Please use --delete-consumer-offsets"
        ),
        "{}",
        said.err
    );
    assert_eq!(run(ours(&place, &format!("{begin} 1 --delete-consumer-offsets"))).good(), "a\n");
    let nowhere = "kafka-console-consumer.sh --zookeeper {zookeeper}/nowhere --topic kept";
    let said = run(place.ours(nowhere));
    assert_eq!(
        (said.code, said.err.lines().last()),
        (Some(1), Some("No brokers found in ZK.")),
        "{}",
        said.err
    );
}
