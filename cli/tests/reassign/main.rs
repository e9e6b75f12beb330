//! `kafka-reassign-partitions` and `kafka-preferred-replica-election` on three brokers of Apache Kafka: what Apache's own tool says and
//! does with one topic, ours says and does with another that is like it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod cluster;

use std::fs;

use vltava_testkit::apache::Version;
use vltava_testkit::wait;

use cluster::{Cluster, LIMIT, Said, Tool};

/// One play: what each command has said.
struct Play<'a> {
    cluster: &'a Cluster,
    tool: Tool,
    topic: &'a str,
    said: Vec<(String, Said)>,
}

impl Play<'_> {
    /// A file that later lines name, about this play's topic.
    fn file(&self, name: &str, text: &str) {
        let text = text.replace("TOPIC", self.topic).replace("DIR", &self.cluster.second_dir(2));
        fs::write(self.cluster.folder().join(name), text).unwrap();
    }

    /// What a command says, written down with the topic's name as TOPIC.
    fn run(&mut self, line: &str) {
        let said = self.cluster.run(self.tool, &line.replace("TOPIC", self.topic));
        self.said.push((line.to_owned(), said.about(self.topic, &self.cluster.second_dir(2))));
    }

    /// Waits until ours says so.
    fn until(&self, line: &str, words: &str) {
        let line = line.replace("TOPIC", self.topic);
        let mut last = String::new();
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(words, LIMIT, || {
                last = self.cluster.run(Tool::Ours, &line).out;
                last.contains(words).then_some(())
            });
        }));
        found.unwrap_or_else(|_| panic!("{line} never said {words}, but\n{last}"));
    }

    /// The throttles of the topic and the brokers, as they are written down.
    fn throttles(&mut self, connection: &str) {
        for entity in ["topics --entity-name TOPIC", "brokers --entity-name 0", "brokers --entity-name 2"] {
            let line = format!("kafka-configs.sh {connection} --describe --entity-type {entity}");
            let said = self.cluster.run(Tool::Ours, &line.replace("TOPIC", self.topic));
            self.said.push((line, said.about(self.topic, "").with_sorted_lists()));
        }
    }
}

/// Plays with each tool in turn and compares.
fn compare(cluster: &Cluster, play: impl Fn(&mut Play<'_>)) {
    // Names whose partitions Scala's hash map gives in the same order, and not in that of their numbers.
    let [theirs, ours] = [(Tool::Theirs, "goes-apache"), (Tool::Ours, "goes-vltava")].map(|(tool, topic)| {
        cluster.topic(topic);
        let mut played = Play { cluster, tool, topic, said: Vec::new() };
        play(&mut played);
        played.said
    });
    let mut report = String::new();
    for ((line, theirs), (_, ours)) in theirs.iter().zip(&ours) {
        if theirs != ours {
            report.push_str(&format!("\n$ {line}\n- {theirs:?}\n+ {ours:?}\n"));
        }
    }
    assert!(report.is_empty(), "- Apache, + Vltava:\n{report}");
}

const MOVE: &str = r#"{"version":1,"partitions":[
    {"topic":"TOPIC","partition":0,"replicas":[2,1]},{"topic":"TOPIC","partition":1,"replicas":[0,1]}]}"#;
const SLOW: &str = r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[0,1]}]}"#;
const BACK: &str = r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[2,1]}]}"#;
const DIRS: &str =
    r#"{"partitions":[{"topic":"TOPIC","partition":2,"replicas":[2,0],"log_dirs":["DIR","any"]}]}"#;
const TOPICS: &str = r#"{"version":1,"topics":[{"topic":"TOPIC"}]}"#;
const ELECT: &str = r#"{"partitions":[{"topic":"TOPIC","partition":0},{"topic":"TOPIC","partition":9}]}"#;
/// Nothing of this can be executed.
const MISTAKES: [(&str, &str); 8] = [
    ("no-partition", r#"{"partitions":[{"topic":"TOPIC","partition":7,"replicas":[0]}]}"#),
    ("no-topic", r#"{"partitions":[{"topic":"nosuch","partition":0,"replicas":[0]}]}"#),
    ("no-broker", r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[0,9]}]}"#),
    ("nothing", r#"{"partitions":[]}"#),
    ("no-replicas", r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[]}]}"#),
    (
        "twice",
        r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[0]},{"topic":"TOPIC","partition":0,"replicas":[1]}]}"#,
    ),
    ("same-broker", r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[1,1]}]}"#),
    (
        "two-dirs",
        r#"{"partitions":[{"topic":"TOPIC","partition":0,"replicas":[1],"log_dirs":["any","any"]}]}"#,
    ),
];

#[test]
fn brokers_of_3_9_move_what_ours_asks_for_as_what_theirs_asks_for() {
    let cluster = Cluster::start(Version::V3_9);
    let tool = "kafka-reassign-partitions.sh --bootstrap-server {brokers}";
    compare(&cluster, |play| {
        let line = |rest: &str| format!("{tool} {rest}");
        play.file("move.json", MOVE);
        play.file("slow.json", SLOW);
        play.file("back.json", BACK);
        play.file("dirs.json", DIRS);
        play.file("topics.json", TOPICS);
        for words in [
            "",
            "--list --verify",
            "--execute",
            "--generate --broker-list 0",
            "--list --throttle 5",
            "--verify --reassignment-json-file {folder}/none.json",
            "--execute --reassignment-json-file {folder}/move.json --broker-list 1",
            "--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0,1,0",
            "--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0",
            "--list",
        ] {
            play.run(&line(words));
        }
        for (name, text) in MISTAKES {
            play.file(&format!("{name}.json"), text);
            play.run(&line(&format!("--execute --reassignment-json-file {{folder}}/{name}.json")));
        }
        play.run(&line("--verify --reassignment-json-file {folder}/no-topic.json --preserve-throttles"));
        play.run(&line("--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0,1,2"));

        play.run(&line("--execute --reassignment-json-file {folder}/move.json"));
        play.until(&line("--list"), "No partition reassignments found.");
        play.run(&line("--verify --reassignment-json-file {folder}/move.json"));

        let slow = "--reassignment-json-file {folder}/slow.json";
        play.run(&line(&format!("--execute {slow} --throttle 1024 --replica-alter-log-dirs-throttle 2048")));
        play.throttles("--bootstrap-server {brokers}");
        play.run(&line("--list"));
        play.run(&line(&format!("--verify {slow}")));
        play.run(&line(&format!("--execute {slow}")));
        play.run(&line(&format!("--execute {slow} --additional --throttle 2000")));
        play.throttles("--bootstrap-server {brokers}");
        play.run(&line("--cancel --reassignment-json-file {folder}/slow.json --preserve-throttles"));
        play.throttles("--bootstrap-server {brokers}");
        play.run(&line("--cancel --reassignment-json-file {folder}/slow.json"));
        play.throttles("--bootstrap-server {brokers}");
        play.run(&line(&format!("--verify {slow}")));

        play.run(&line("--execute --reassignment-json-file {folder}/dirs.json"));
        play.until(&line("--verify --reassignment-json-file {folder}/dirs.json"), "completed successfully");
        play.run(&line("--verify --reassignment-json-file {folder}/dirs.json"));
        play.run(&line("--cancel --reassignment-json-file {folder}/dirs.json --preserve-throttles"));
    });
    // A tool that 3.9 has no more.
    let elect = "kafka-preferred-replica-election.sh --bootstrap-server {brokers}";
    let said = cluster.run(Tool::Ours, &format!("{elect} --path-to-json-file {{folder}}/no-partition.json"));
    assert!(said.out.starts_with("Error completing preferred replica election for partition"), "{said:?}");
    let said = cluster.run(Tool::Ours, elect);
    assert!(said.out.is_empty() || said.out.starts_with("Successfully completed preferred"), "{said:?}");
}

#[test]
fn a_controller_of_0_11_finds_what_ours_leaves_in_zookeeper_as_what_theirs_leaves() {
    let cluster = Cluster::start(Version::V0_11);
    let tool = "kafka-reassign-partitions.sh --zookeeper {zookeeper}";
    compare(&cluster, |play| {
        let line = |rest: &str| format!("{tool} {rest}");
        play.file("move.json", MOVE);
        play.file("slow.json", SLOW);
        play.file("back.json", BACK);
        play.file("topics.json", TOPICS);
        for words in [
            "",
            "--verify",
            "--execute",
            "--generate",
            "--execute --verify",
            "--verify --reassignment-json-file {folder}/none.json",
            "--verify --reassignment-json-file {folder}/move.json --throttle 5",
            "--execute --reassignment-json-file {folder}/move.json --broker-list 1",
            "--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0,1,0",
            "--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0",
        ] {
            play.run(&line(words));
        }
        // What names directories came later.
        for (name, text) in MISTAKES.iter().filter(|(name, _)| *name != "two-dirs") {
            play.file(&format!("{name}.json"), text);
            play.run(&line(&format!("--execute --reassignment-json-file {{folder}}/{name}.json")));
        }
        play.run(&line("--verify --reassignment-json-file {folder}/no-topic.json"));
        play.run(&line("--generate --topics-to-move-json-file {folder}/topics.json --broker-list 0,1,2"));

        play.run(&line("--execute --reassignment-json-file {folder}/move.json"));
        let done = "Reassignment of partition [TOPIC,1] completed".replace("TOPIC", play.topic);
        play.until(&line("--verify --reassignment-json-file {folder}/move.json"), &done);
        play.run(&line("--verify --reassignment-json-file {folder}/move.json"));

        let slow = "--reassignment-json-file {folder}/slow.json";
        play.run(&line(&format!("--execute {slow} --throttle 1024")));
        play.throttles("--zookeeper {zookeeper}");
        play.run(&line(&format!("--verify {slow}")));
        play.run(&line(&format!("--execute {slow}")));
        play.run(&line(&format!("--execute {slow} --throttle 200000000")));
        play.throttles("--zookeeper {zookeeper}");
        // Looked at in a way that changes nothing.
        play.until("zookeeper-shell.sh {zookeeper} stat /admin", "numChildren = 1\n");
        play.run(&line(&format!("--verify {slow}")));
        play.run(&line(&format!("--verify {slow}")));
        play.throttles("--zookeeper {zookeeper}");
        play.run(&line("--verify --reassignment-json-file {folder}/back.json"));

        play.file("elect.json", ELECT);
        play.file("empty.json", "{}");
        let elect =
            "kafka-preferred-replica-election.sh --zookeeper {zookeeper} --path-to-json-file {folder}";
        play.run(&format!("{elect}/elect.json"));
        play.until("zookeeper-shell.sh {zookeeper} stat /admin", "numChildren = 1\n");
        play.run(&format!("{elect}/empty.json"));
        play.run("kafka-preferred-replica-election.sh --path-to-json-file {folder}/elect.json");
    });
    // Over all partitions of both topics.
    let said = cluster.run(Tool::Ours, "kafka-preferred-replica-election.sh --zookeeper {zookeeper}");
    assert!(said.out.contains("[goes-apache,2]") && said.out.contains("[goes-vltava,0]"), "{said:?}");
}
