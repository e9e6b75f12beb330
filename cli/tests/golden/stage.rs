//! Where a session is played: a cluster of one broker, Apache's or Vltava's, and the tools that go with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vltava_testkit::apache::{Broker, Version, ZooKeeper};
use vltava_testkit::process::Running;
use vltava_testkit::tools::{self, Tools};
use vltava_testkit::vltava;

/// Brokers alike on both sides: nothing that a session does should wait for a group's first rebalance.
const OVERRIDES: [&str; 2] = ["group.initial.rebalance.delay.ms=0", "offsets.topic.num.partitions=50"];

/// Whose cluster and tools.
enum Cluster {
    Apache { version: Version, _zookeeper: ZooKeeper, broker: Broker, tools: Option<Tools> },
    Vltava { server: vltava::Server, era: Version },
}

/// A cluster, a folder to work in, and what words in braces stand for.
pub(crate) struct Stage {
    cluster: Cluster,
    folder: TempDir,
    /// What each word in braces stands for.
    pub(crate) values: BTreeMap<String, String>,
}

impl Stage {
    /// Apache Kafka's own broker and tools.
    pub(crate) fn apache(version: Version) -> Stage {
        let folder = TempDir::new().unwrap();
        let zookeeper = ZooKeeper::start(version, folder.path());
        let address = zookeeper.address();
        let broker = Broker::start(version, 0, &address.to_string(), folder.path(), &OVERRIDES);
        let values = values(&broker.address().to_string(), &address.to_string(), broker.data());
        // 0.11's tools end their JVM by more ways than one: each has its own.
        let tools = (version != Version::V0_11).then(|| Tools::start(version, folder.path()));
        Stage { cluster: Cluster::Apache { version, _zookeeper: zookeeper, broker, tools }, folder, values }
    }

    /// Vltava's broker, and its `bin/` writing what a version's tools write.
    pub(crate) fn vltava(era: Version) -> Stage {
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let folder = TempDir::new().unwrap();
        let server = vltava::Server::start(folder.path(), &OVERRIDES);
        let values = values(&server.address().to_string(), &server.zookeeper().to_string(), &server.data());
        Stage { cluster: Cluster::Vltava { server, era }, folder, values }
    }

    /// The folder in which commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces words in braces.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.values {
            filled = filled.replace(&format!("{{{name}}}"), value);
        }
        filled
    }

    /// The command that a script and its words are here.
    pub(crate) fn command(&self, script: &str, words: &[String]) -> Command {
        let mut command = match &self.cluster {
            Cluster::Apache { version, .. } => tools::script(*version, script, words, self.folder()),
            Cluster::Vltava { era, .. } => {
                let mut command = vltava::script(script);
                // The scripts write what 0.11's tools wrote unless they are told otherwise.
                if *era != Version::V0_11 {
                    command.env("VLTAVA_ERA", "3.9");
                }
                command.args(words);
                command
            }
        };
        command.env("TZ", "UTC").current_dir(self.folder());
        command
    }

    /// Runs a script with files for its standard input, output and error; its exit code, `None` if a signal ended it.
    pub(crate) fn run(&mut self, script: &str, words: &[String], files: [&Path; 3]) -> Option<i32> {
        // What zookeeper-shell leaves running, such as a session with its watches, would go on writing into the next command's output.
        let alone = script == "zookeeper-shell.sh";
        if let Cluster::Apache { tools: Some(tools), .. } = &mut self.cluster
            && !alone
        {
            return Some(tools.run(script, words, files));
        }
        let [stdin, stdout, stderr] = files;
        let mut command = self.command(script, words);
        command.stdin(File::open(stdin).unwrap());
        command.stdout(File::create(stdout).unwrap()).stderr(File::create(stderr).unwrap());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{script}: {e}"));
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            if Instant::now() > end {
                let _ = child.kill();
                let printed = std::fs::read_to_string(stdout).unwrap_or_default();
                panic!("not within {LIMIT:?}: {script} {} ends\n{printed}", words.join(" "));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// `vltava WORDS`, which waits use on either side.
    pub(crate) fn probe(&self, words: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.env("VLTAVA_ERA", "3.9").args(words);
        command
    }

    /// A command that runs beside the others.
    pub(crate) fn start(&self, script: &str, words: &[String]) -> Running {
        Running::start(script, self.command(script, words), &self.folder().join("beside.out"))
    }

    /// Panics if the broker has died.
    pub(crate) fn check(&mut self) {
        let broker = match &mut self.cluster {
            Cluster::Apache { broker, .. } => broker.process(),
            Cluster::Vltava { server, .. } => server.broker(),
        };
        assert!(broker.alive(), "the broker has died:\n{}", broker.output());
    }
}

fn values(bootstrap: &str, zookeeper: &str, data: &Path) -> BTreeMap<String, String> {
    let data: PathBuf = data.to_owned();
    [
        ("bootstrap", bootstrap.to_owned()),
        ("zookeeper", zookeeper.to_owned()),
        ("data", data.display().to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// How long anything that a session waits for may take on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);
