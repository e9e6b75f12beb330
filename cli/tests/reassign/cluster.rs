//! Three brokers of Apache Kafka, each with two log directories, and both tools at them.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use vltava_testkit::apache::{Broker, Version, ZooKeeper};
use vltava_testkit::{tools, vltava, wait};

/// How long anything may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);

/// Whose tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Theirs,
    Ours,
}

/// Standard output without stack traces, the first line of standard error, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) out: String,
    err: String,
    code: Option<i32>,
}

/// Lines that a JVM adds: nothing of them is the tool's.
const JVM: [&str; 5] = ["\tat ", "Caused by: ", "\t... ", "SLF4J", "["];

impl Said {
    /// The same with a topic's name as TOPIC, a directory as DIR, and what chance proposes as PROPOSED.
    pub(crate) fn about(self, topic: &str, dir: &str) -> Said {
        let named = |text: &str| {
            let text = text.replace(topic, "TOPIC");
            if dir.is_empty() { text } else { text.replace(dir, "DIR") }
        };
        // A line break that 3.7 to 3.9 forget.
        let mut out = named(&self.out).replace("moves are active.Clearing", "moves are active.\nClearing");
        let proposed = "Proposed partition reassignment configuration\n";
        if let Some((before, after)) = out.split_once(proposed) {
            let replicas = after.matches("\"replicas\":[").count();
            out = format!("{before}{proposed}PROPOSED for {replicas} partitions\n");
        }
        Said { out, err: named(&self.err), code: self.code }
    }

    /// The same with what comes from hash maps sorted: lists within, and the keys of a line.
    pub(crate) fn with_sorted_lists(self) -> Said {
        let sorted = |line: &str| {
            let mut words: Vec<String> = line.split([',', ' ', '=']).map(str::to_owned).collect();
            words.sort_unstable();
            words.join(" ")
        };
        let mut lines: Vec<String> = self.out.lines().map(sorted).collect();
        lines.sort_unstable();
        Said { out: lines.join("\n"), ..self }
    }
}

/// The brokers.
pub(crate) struct Cluster {
    folder: TempDir,
    version: Version,
    zookeeper: ZooKeeper,
    brokers: Vec<Broker>,
}

impl Cluster {
    pub(crate) fn start(version: Version) -> Cluster {
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let folder = TempDir::new().unwrap();
        // ZooKeeper 3.4, with which 0.11 came, does not know how our client creates.
        let zookeeper = ZooKeeper::start(Version::V3_9, folder.path());
        let address = zookeeper.address().to_string();
        let brokers = (0..3)
            .map(|id| {
                let dir = |name: &str| folder.path().join(format!("logs-{id}-{name}")).display().to_string();
                let dirs = format!("log.dirs={},{}", dir("a"), dir("b"));
                let own = ["auto.leader.rebalance.enable=false", &dirs];
                let jvm = ["-Xmx512M", "-Xms128M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
                Broker::start_with(version, id, &address, folder.path(), &own, &jvm)
            })
            .collect();
        let cluster = Cluster { folder, version, zookeeper, brokers };
        wait::until("three brokers are known", LIMIT, || {
            let listed = cluster.run(Tool::Ours, "kafka-broker-api-versions.sh --bootstrap-server {brokers}");
            (listed.out.matches("-> (").count() == 3).then_some(())
        });
        cluster
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A broker's second log directory.
    pub(crate) fn second_dir(&self, id: i32) -> String {
        self.folder().join(format!("logs-{id}-b")).display().to_string()
    }

    /// A topic of three partitions on brokers 0 and 1, 1 and 2, 2 and 0, with 3 MB in the first.
    pub(crate) fn topic(&self, name: &str) {
        let create = match self.version {
            Version::V0_11 => "--zookeeper {zookeeper}",
            _ => "--bootstrap-server {brokers}",
        };
        let assignment = "--replica-assignment 0:1,1:2,2:0";
        let said =
            self.run(Tool::Ours, &format!("kafka-topics.sh {create} --create --topic {name} {assignment}"));
        assert_eq!(said.code, Some(0), "{said:?}");
        let offsets = format!("kafka-get-offsets.sh --bootstrap-server {{brokers}} --topic {name}");
        wait::until("the topic has leaders", LIMIT, || {
            (self.run(Tool::Ours, &offsets).out.lines().count() == 3).then_some(())
        });
        let fill = format!(
            "kafka-producer-perf-test.sh --topic {name} --num-records 90 --record-size 100000 --throughput -1 --producer-props \
             bootstrap.servers={{brokers}} acks=all"
        );
        let said = self.run(Tool::Ours, &fill);
        assert_eq!(said.code, Some(0), "{said:?}");
    }

    fn words(&self, line: &str) -> Vec<String> {
        let brokers: Vec<String> = self.brokers.iter().map(|broker| broker.address().to_string()).collect();
        let line = line.replace("{brokers}", &brokers.join(","));
        let line = line.replace("{zookeeper}", &self.zookeeper.address().to_string());
        let line = line.replace("{folder}", &self.folder().display().to_string());
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// Runs a line with a tool.
    pub(crate) fn run(&self, tool: Tool, line: &str) -> Said {
        let words = self.words(line);
        let folder = TempDir::new_in(self.folder()).unwrap();
        let mut command: Command = match tool {
            Tool::Theirs => tools::script(self.version, &words[0], &words[1..], folder.path()),
            Tool::Ours => {
                let mut command = vltava::script(&words[0]);
                if self.version == Version::V0_11 && words[0] != "kafka-get-offsets.sh" {
                    command.env("VLTAVA_ERA", "0.11");
                }
                command.args(&words[1..]);
                command
            }
        };
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let of_the_jvm = |line: &&str| !JVM.iter().any(|begin| line.starts_with(begin));
        let out = text(&output.stdout);
        let out: String = out.lines().filter(of_the_jvm).map(|line| format!("{line}\n")).collect();
        let err = text(&output.stderr);
        let err = err.lines().filter(of_the_jvm).find(|line| !line.is_empty()).unwrap_or_default();
        // A space that 0.11 forgets.
        let err = err.replace("with option\"[", "with option \"[");
        Said { out, err, code: output.status.code() }
    }
}
