//! A broker, and tools that are typed at it: Vltava's through `bin/`, and Apache Kafka's own.
//!
//! Not every test that includes it needs all of it.

#![allow(dead_code)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use vltava_testkit::apache::Version;
use vltava_testkit::{tools, vltava};

/// How long anything may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// What a tool has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    /// The lines of standard output.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    /// What is on standard output of a tool that must have succeeded.
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.out, self.err);
        self.out
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Said {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Said { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code() }
    }
}

/// A running broker.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) server: vltava::Server,
}

impl Place {
    pub(crate) fn new() -> Place {
        Place::with(&[])
    }

    /// With more lines in the broker's properties.
    pub(crate) fn with(overrides: &[&str]) -> Place {
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let folder = TempDir::new().unwrap();
        let server = vltava::Server::start(folder.path(), overrides);
        Place { folder, server }
    }

    pub(crate) fn brokers(&self) -> String {
        self.server.address().to_string()
    }

    pub(crate) fn zookeeper(&self) -> String {
        self.server.zookeeper().to_string()
    }

    /// Puts the addresses into a line and takes its words apart.
    pub(crate) fn words(&self, line: &str) -> Vec<String> {
        let line = line.replace("{brokers}", &self.brokers()).replace("{zookeeper}", &self.zookeeper());
        let line = line.replace("{folder}", &self.folder.path().display().to_string());
        line.split_whitespace().map(|word| word.replace("{tab}", "\t").replace("{space}", " ")).collect()
    }

    /// Vltava's script with the words of a line.
    pub(crate) fn ours(&self, line: &str) -> Command {
        let words = self.words(line);
        let mut command = vltava::script(&words[0]);
        command.args(&words[1..]);
        command
    }

    /// Apache Kafka's script.
    pub(crate) fn theirs(&self, version: Version, line: &str) -> Command {
        let words = self.words(line);
        let folder = TempDir::new_in(self.folder.path()).unwrap().keep();
        tools::script(version, &words[0], &words[1..], &folder)
    }

    /// Makes a topic, which has its leaders when this returns.
    pub(crate) fn topic(&self, name: &str, partitions: u32) {
        let create = format!(
            "kafka-topics.sh --create --bootstrap-server {{brokers}} --topic {name} --partitions {partitions} --replication-factor 1"
        );
        run(self.ours(&create)).good();
        let offsets = format!("kafka-get-offsets.sh --bootstrap-server {{brokers}} --topic {name}");
        vltava_testkit::wait::until("the topic has leaders", LIMIT, || {
            (run(self.ours(&offsets)).lines().len() == partitions as usize).then_some(())
        });
    }

    /// How many records there are in a topic.
    pub(crate) fn records(&self, topic: &str) -> u64 {
        let offsets = format!("kafka-get-offsets.sh --bootstrap-server {{brokers}} --topic {topic}");
        let said = run(self.ours(&offsets)).good();
        said.lines().map(|line| line.rsplit_once(':').unwrap().1.parse::<u64>().unwrap()).sum()
    }
}

/// Runs to the end, with nothing to read.
pub(crate) fn run(command: Command) -> Said {
    run_with("", command)
}

/// Runs to the end with `input` as standard input.
pub(crate) fn run_with(input: &str, mut command: Command) -> Said {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A tool that ends early does not read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.into()
}
