//! Apache Kafka's own command-line tools, by the names of the scripts that start them.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::apache::Version;
use crate::java;

/// Scripts and the main classes behind them in 0.11 and 3.9; an empty name where a version has no such tool.
const SCRIPTS: &[(&str, &str, &str)] = &[
    ("kafka-topics.sh", "kafka.admin.TopicCommand", "org.apache.kafka.tools.TopicCommand"),
    ("kafka-configs.sh", "kafka.admin.ConfigCommand", "kafka.admin.ConfigCommand"),
    (
        "kafka-consumer-groups.sh",
        "kafka.admin.ConsumerGroupCommand",
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    ),
    ("kafka-get-offsets.sh", "", "org.apache.kafka.tools.GetOffsetShell"),
    (
        "kafka-delete-records.sh",
        "kafka.admin.DeleteRecordsCommand",
        "org.apache.kafka.tools.DeleteRecordsCommand",
    ),
    ("kafka-log-dirs.sh", "", "org.apache.kafka.tools.LogDirsCommand"),
    (
        "kafka-broker-api-versions.sh",
        "kafka.admin.BrokerApiVersionsCommand",
        "org.apache.kafka.tools.BrokerApiVersionsCommand",
    ),
    ("kafka-dump-log.sh", "", "kafka.tools.DumpLogSegments"),
    ("kafka-console-producer.sh", "kafka.tools.ConsoleProducer", "kafka.tools.ConsoleProducer"),
    (
        "kafka-console-consumer.sh",
        "kafka.tools.ConsoleConsumer",
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
    ),
    (
        "kafka-producer-perf-test.sh",
        "org.apache.kafka.tools.ProducerPerformance",
        "org.apache.kafka.tools.ProducerPerformance",
    ),
    (
        "kafka-consumer-perf-test.sh",
        "kafka.tools.ConsumerPerformance",
        "org.apache.kafka.tools.ConsumerPerformance",
    ),
    ("zookeeper-shell.sh", "org.apache.zookeeper.ZooKeeperMain", "org.apache.zookeeper.ZooKeeperMain"),
];

/// The command that `bin/NAME WORDS` of a version runs, its log on standard error as Kafka's `tools-log4j.properties` has it. The
/// logging's configuration is written below `folder`.
#[must_use]
pub fn script(version: Version, name: &str, words: &[String], folder: &Path) -> Command {
    let row = SCRIPTS.iter().find(|(script, ..)| *script == name);
    let (main, words) = match (name, row) {
        ("kafka-run-class.sh", _) => {
            let (class, words) = words.split_first().expect("kafka-run-class.sh needs a class");
            (class.as_str(), words)
        }
        (_, Some((_, main, _))) if version == Version::V0_11 => (*main, words),
        (_, Some((.., main))) if version == Version::V3_9 => (*main, words),
        _ => panic!("{name} of Kafka {} is not known here", version.number()),
    };
    assert!(!main.is_empty(), "Kafka {} has no {name}", version.number());
    let log = folder.join("tools-log4j.properties");
    fs::write(
        &log,
        "log4j.rootLogger=WARN, stderr\nlog4j.appender.stderr=org.apache.log4j.ConsoleAppender\n\
         log4j.appender.stderr.layout=org.apache.log4j.PatternLayout\n\
         log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n\nlog4j.appender.stderr.Target=System.err\n",
    )
    .unwrap_or_else(|e| panic!("{}: {e}", log.display()));
    let mut command = java::bare(&version.class_path());
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256M"]);
    command.arg(format!("-Dlog4j.configuration=file:{}", log.display())).arg(main);
    if name == "zookeeper-shell.sh" {
        command.arg("-server");
    }
    command.args(words);
    command
}
