//! Apache Kafka's own command-line tools, by the names of the scripts that start them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

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
    ("kafka-leader-election.sh", "", "org.apache.kafka.tools.LeaderElectionCommand"),
    (
        "kafka-reassign-partitions.sh",
        "kafka.admin.ReassignPartitionsCommand",
        "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    ),
    ("kafka-log-dirs.sh", "", "org.apache.kafka.tools.LogDirsCommand"),
    (
        "kafka-broker-api-versions.sh",
        "kafka.admin.BrokerApiVersionsCommand",
        "kafka.admin.BrokerApiVersionsCommand",
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
    (
        "kafka-verifiable-producer.sh",
        "org.apache.kafka.tools.VerifiableProducer",
        "org.apache.kafka.tools.VerifiableProducer",
    ),
    (
        "kafka-verifiable-consumer.sh",
        "org.apache.kafka.tools.VerifiableConsumer",
        "org.apache.kafka.tools.VerifiableConsumer",
    ),
    ("kafka-mirror-maker.sh", "kafka.tools.MirrorMaker", "kafka.tools.MirrorMaker"),
    ("kafka-preferred-replica-election.sh", "kafka.admin.PreferredReplicaLeaderElectionCommand", ""),
    ("zookeeper-shell.sh", "org.apache.zookeeper.ZooKeeperMain", "org.apache.zookeeper.ZooKeeperMain"),
];

/// The main class behind a script of a version, and the words that it gets.
fn main_of<'a>(version: Version, name: &str, words: &'a [String]) -> (String, Vec<&'a str>) {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if name == "kafka-run-class.sh" {
        assert!(!words.is_empty(), "kafka-run-class.sh needs a class");
        return (words.remove(0).to_owned(), words);
    }
    let row = SCRIPTS.iter().find(|(script, ..)| *script == name);
    let main = match (row, version) {
        (Some((_, main, _)), Version::V0_11) | (Some((.., main)), Version::V3_9) if !main.is_empty() => *main,
        _ => panic!("{name} of Kafka {} is not known here", version.number()),
    };
    if name == "zookeeper-shell.sh" {
        words.insert(0, "-server");
    }
    (main.to_owned(), words)
}

/// `java` with a version's libraries and with the log on standard error, as Kafka's `tools-log4j.properties` has it; the logging's
/// configuration is written below `folder`.
fn java(class_path: &str, folder: &Path) -> Command {
    let log = folder.join("tools-log4j.properties");
    fs::write(
        &log,
        "log4j.rootLogger=WARN, stderr\nlog4j.appender.stderr=org.apache.log4j.ConsoleAppender\n\
         log4j.appender.stderr.layout=org.apache.log4j.PatternLayout\n\
         log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n\nlog4j.appender.stderr.Target=System.err\n\
         log4j.appender.stderr.Follow=true\n",
    )
    .unwrap_or_else(|e| panic!("{}: {e}", log.display()));
    let mut command = java::bare(class_path);
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512M", "-Duser.timezone=UTC"]);
    command.arg(format!("-Dlog4j.configuration=file:{}", log.display()));
    command
}

/// The command that `bin/NAME WORDS` of a version runs.
#[must_use]
pub fn script(version: Version, name: &str, words: &[String], folder: &Path) -> Command {
    let (main, words) = main_of(version, name, words);
    let mut command = java(&version.class_path(), folder);
    command.arg(main).args(words);
    command
}

/// Tools that run one after the other in one JVM: its start is what most of their time goes into.
#[derive(Debug)]
pub struct Tools {
    version: Version,
    jvm: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Tools {
    /// Starts the JVM with `folder` as its working directory.
    #[must_use]
    pub fn start(version: Version, folder: &Path) -> Tools {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("java");
        let libraries = version.class_path();
        let classes = java::compile(&format!("kafka-tools-{}", version.number()), &sources, &libraries);
        let mut command = java(&format!("{}:{libraries}", classes.display()), folder);
        let errors = fs::File::create(folder.join("tools.err")).expect("a file for the JVM's errors");
        command.arg("Tools").current_dir(folder);
        let mut jvm = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|e| panic!("java does not start ({e}): `make test` installs it"));
        let commands = jvm.stdin.take().expect("a pipe for commands");
        let answers = BufReader::new(jvm.stdout.take().expect("a pipe for answers"));
        Tools { version, jvm, commands, answers }
    }

    /// Runs `bin/NAME WORDS` with files for its standard input, output and error; its exit code.
    pub fn run(&mut self, name: &str, words: &[String], files: [&Path; 3]) -> i32 {
        let (main, words) = main_of(self.version, name, words);
        let mut fields = vec![main];
        fields.extend(files.map(|file| file.display().to_string()));
        fields.extend(words.into_iter().map(str::to_owned));
        writeln!(self.commands, "{}", fields.join("\u{1f}")).expect("a JVM that listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("a JVM that answers");
        answer.trim().parse().unwrap_or_else(|_| panic!("{name} ended the JVM: {answer}"))
    }
}

impl Drop for Tools {
    fn drop(&mut self) {
        let _ = self.jvm.kill();
        let _ = self.jvm.wait();
    }
}
