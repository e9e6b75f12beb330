//! What a program runs on: a broker, the ZooKeeper under it, the scripts of `bin/`, and a folder for files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use vltava_testkit::apache::Ensemble;
use vltava_testkit::process::Running;
use vltava_testkit::vltava::{self, Broker, Server};
use vltava_testkit::{java, wait};

use crate::znodes::Znodes;

/// How long one step may take when the machine is busy with other tests.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// A broker on a ZooKeeper. The processes end with it.
pub(crate) struct Ground {
    pub(crate) bootstrap: String,
    pub(crate) zookeeper: String,
    started: AtomicUsize,
    processes: Processes,
    folder: TempDir,
}

/// The broker comes first in each: it ends before its ZooKeeper.
#[allow(dead_code, reason = "held only to end with the ground")]
enum Processes {
    Vltava(Server),
    OnApache(Broker, Ensemble),
    ByScripts { broker: Running, zookeeper: Running },
}

impl Ground {
    /// A broker on the embedded ZooKeeper.
    pub(crate) fn embedded() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(folder.path(), &["group.initial.rebalance.delay.ms=0"]);
        let (bootstrap, zookeeper) = (server.address().to_string(), server.zookeeper().to_string());
        Ground {
            bootstrap,
            zookeeper,
            started: AtomicUsize::new(0),
            processes: Processes::Vltava(server),
            folder,
        }
    }

    /// A broker on three servers of Apache ZooKeeper 3.9, below a chroot.
    pub(crate) fn apache_ensemble() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        let ensemble = Ensemble::start(folder.path());
        let zookeeper = format!("{}/kafka/here", ensemble.connect());
        let broker = Broker::start(&zookeeper, folder.path(), &["group.initial.rebalance.delay.ms=0"]);
        let bootstrap = broker.address().to_string();
        let processes = Processes::OnApache(broker, ensemble);
        Ground { bootstrap, zookeeper, started: AtomicUsize::new(0), processes, folder }
    }

    /// A ZooKeeper and a broker by `bin/zookeeper-server-start.sh` and `bin/kafka-server-start.sh` with the files of `config/`; only
    /// ports and directories are others, so that the test has them for itself.
    pub(crate) fn by_scripts() -> Ground {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let shipped = |name: &str| fs::read_to_string(vltava::checkout().join("config").join(name)).unwrap();
        let (zookeeper_port, port) = (wait::free_port(), wait::free_port());

        let properties = shipped("zookeeper.properties")
            .replace("clientPort=2181", &format!("clientPort={zookeeper_port}"))
            .replace("dataDir=/tmp/zookeeper", &format!("dataDir={}", place("zookeeper").display()));
        fs::write(place("zookeeper.properties"), properties).unwrap();
        let mut command = vltava::script("zookeeper-server-start.sh");
        command.arg(place("zookeeper.properties"));
        let zookeeper = Running::start("zookeeper-server-start.sh", command, &place("zookeeper.out"));
        wait::for_port("ZooKeeper listens", LIMIT, ([127, 0, 0, 1], zookeeper_port).into());

        fs::write(place("server.properties"), shipped("server.properties")).unwrap();
        let mut command = vltava::script("kafka-server-start.sh");
        command.arg(place("server.properties"));
        for setting in [
            format!("listeners=PLAINTEXT://127.0.0.1:{port}"),
            format!("zookeeper.connect=localhost:{zookeeper_port}"),
            format!("log.dir={}", place("kafka-logs").display()),
            "vltava.metrics.listener=".to_owned(),
        ] {
            command.args(["--override", &setting]);
        }
        let broker = Running::start("kafka-server-start.sh", command, &place("server.out"));
        wait::for_broker("the broker serves", LIMIT, ([127, 0, 0, 1], port).into());
        Ground {
            bootstrap: format!("localhost:{port}"),
            zookeeper: format!("localhost:{zookeeper_port}"),
            started: AtomicUsize::new(0),
            processes: Processes::ByScripts { broker, zookeeper },
            folder,
        }
    }

    /// What [`Ground::by_scripts`] started is stopped by `bin/kafka-server-stop.sh` and `bin/zookeeper-server-stop.sh`, cleanly.
    pub(crate) fn stop_by_scripts(mut self) {
        let files = [self.file("server.properties"), self.file("zookeeper.properties")];
        for (script, properties) in
            ["kafka-server-stop.sh", "zookeeper-server-stop.sh"].into_iter().zip(files)
        {
            self.run_tool(script, &[properties.to_str().unwrap()], "");
            let Processes::ByScripts { broker, zookeeper } = &mut self.processes else {
                panic!("not started by scripts")
            };
            let stopped = if script.starts_with("kafka") { broker } else { zookeeper };
            let status = stopped.wait(LIMIT);
            assert!(status.success(), "after {script} it ended with {status}:\n{}", stopped.output());
        }
    }

    /// A file of the program's.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program at work on `input`; its files have names of their own.
    pub(crate) fn start(&self, name: &str, command: Command, input: &str) -> Running {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        Running::start_apart(name, command, input, &self.file(&format!("{number}-{name}.out")))
    }

    /// A script of `bin/` at work on `input`.
    pub(crate) fn start_tool(&self, script: &str, arguments: &[&str], input: &str) -> Running {
        let mut command = vltava::script(script);
        command.args(arguments);
        self.start(script, command, input)
    }

    /// Runs a script of `bin/`, which must succeed; what it wrote to standard output.
    pub(crate) fn run_tool(&self, script: &str, arguments: &[&str], input: &str) -> String {
        finished(self.start_tool(script, arguments, input))
    }

    /// `java -cp CLASS_PATH`, small, the log of log4j at INFO on standard error; JVM flags, the main class and arguments follow.
    pub(crate) fn java(&self, class_path: &str) -> Command {
        let mut command = java::bare(class_path);
        command
            .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512M"])
            .arg(format!("-Djava.io.tmpdir={}", self.folder.path().display()))
            .arg(format!("-Dlog4j.configuration=file:{}", sources("log4j.properties").display()))
            .current_dir(self.folder.path());
        command
    }

    /// Creates a topic through ZooKeeper, as documents up to 2.1 do, and waits until the broker leads its partitions.
    pub(crate) fn create_topic(&self, topic: &str, partitions: usize) {
        let (zookeeper, count) = (self.zookeeper.as_str(), partitions.to_string());
        let create = [
            "--create",
            "--zookeeper",
            zookeeper,
            "--replication-factor",
            "1",
            "--partitions",
            &count,
            "--topic",
            topic,
        ];
        let said = self.run_tool("kafka-topics.sh", &create, "");
        assert_eq!(said, format!("Created topic \"{topic}\".\n"));
        let led = format!("Topic: {topic}\t");
        wait::until(&format!("{topic} has leaders"), LIMIT, || {
            let describe = ["--describe", "--bootstrap-server", &self.bootstrap, "--topic", topic];
            let said = finished_or_not(self.start_tool("kafka-topics.sh", &describe, ""))?;
            let lines = said.lines().filter(|line| line.contains(&led) && line.contains("\tLeader: 0\t"));
            (lines.count() == partitions).then_some(())
        });
    }

    /// The znodes, at the chroot.
    pub(crate) fn znodes(&self) -> Znodes {
        Znodes::connect(&self.zookeeper)
    }
}

/// A file or folder of `tests/java/acceptance`.
pub(crate) fn sources(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("java/acceptance").join(name)
}

/// Waits for the end of a program that must succeed; its standard output.
pub(crate) fn finished(mut running: Running) -> String {
    let status = running.wait(LIMIT);
    assert!(status.success(), "it ended with {status}:\n{}\n{}", running.output(), running.errors());
    running.output()
}

fn finished_or_not(mut running: Running) -> Option<String> {
    running.wait(LIMIT).success().then(|| running.output())
}

/// Waits until a program has printed exactly these lines, in this order.
pub(crate) fn prints(running: &mut Running, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|line| format!("{line}\n")).collect();
    wait::until_equal("what it prints", LIMIT, &expected.concat(), || alive(running).output());
}

/// Waits until a program has printed exactly these lines, in any order.
pub(crate) fn prints_in_any_order(running: &mut Running, expected: &[&str]) {
    let mut expected: Vec<String> = expected.iter().copied().map(str::to_owned).collect();
    expected.sort();
    wait::until_equal("what it prints", LIMIT, &expected, || {
        let output = alive(running).output();
        let mut lines: Vec<String> = output.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    });
}

/// Panics with its output when a program that should run has ended.
pub(crate) fn alive(running: &mut Running) -> &Running {
    if !running.alive() {
        panic!("it ended:\n{}\n{}", running.output(), running.errors());
    }
    running
}
