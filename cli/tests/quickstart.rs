//! Steps 1 to 5 of the quickstart of Kafka 0.11, as they are typed, through `bin/`. Only ports and data directories are moved, by the
//! properties and by `--override`, since other tests run at the same time.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use vltava_testkit::process::Running;
use vltava_testkit::{vltava, wait};

const LIMIT: Duration = Duration::from_secs(120);

/// An installation: `bin/`, `config/` and the program, as the quickstart's first step unpacks them.
struct Installation {
    folder: TempDir,
    zookeeper: u16,
    broker: u16,
}

impl Installation {
    fn unpack() -> Installation {
        let folder = TempDir::new().unwrap();
        for part in ["bin", "config"] {
            fs::create_dir(folder.path().join(part)).unwrap();
            for entry in fs::read_dir(vltava::checkout().join(part)).unwrap() {
                let path = entry.unwrap().path();
                fs::copy(&path, folder.path().join(part).join(path.file_name().unwrap())).unwrap();
            }
        }
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_vltava"), folder.path().join("bin/vltava")).unwrap();
        let installation = Installation { folder, zookeeper: wait::free_port(), broker: wait::free_port() };
        let data = installation.path("data");
        installation.edit(
            "config/zookeeper.properties",
            &[
                ("dataDir=/tmp/zookeeper", &format!("dataDir={data}/zookeeper")),
                ("clientPort=2181", &format!("clientPort={}", installation.zookeeper)),
            ],
        );
        installation.edit(
            "config/server.properties",
            &[("log.dir=/tmp/kafka-logs", &format!("log.dir={data}/kafka-logs"))],
        );
        installation
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn edit(&self, file: &str, changes: &[(&str, &str)]) {
        let mut text = fs::read_to_string(self.path(file)).unwrap();
        for (old, new) in changes {
            assert!(text.contains(old), "{file} has {old}");
            text = text.replace(old, new);
        }
        fs::write(self.path(file), text).unwrap();
    }

    /// A line as it is typed, in the installation's folder.
    fn typed(&self, line: &str) -> Command {
        let line = line
            .replace("localhost:9092", &format!("localhost:{}", self.broker))
            .replace("localhost:2181", &format!("localhost:{}", self.zookeeper));
        let mut command = Command::new("bash");
        command
            .args(["-c", &format!("exec {line}")])
            .current_dir(self.folder.path())
            .env_remove("VLTAVA")
            .env_remove("LOG_DIR");
        command
    }

    fn run(&self, line: &str, input: &str) -> String {
        let file = self.folder.path().join("typed");
        fs::write(&file, input).unwrap();
        let output = self.typed(line).stdin(Stdio::from(fs::File::open(file).unwrap())).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn listens(&self, port: u16) {
        wait::for_port("it listens", LIMIT, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }

    /// It listens before it has registered, and answers after.
    fn serves(&self, port: u16) {
        wait::for_broker("it answers", LIMIT, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
}

#[test]
fn the_quickstart_of_0_11_works_as_it_is_typed() {
    let place = Installation::unpack();
    let log = |name: &str| place.folder.path().join(name);
    // Step 2: start the server.
    let mut zookeeper = Running::start(
        "zookeeper-server-start.sh",
        place.typed("bin/zookeeper-server-start.sh config/zookeeper.properties"),
        &log("zookeeper.out"),
    );
    place.listens(place.zookeeper);
    let moved = format!(
        "--override listeners=PLAINTEXT://localhost:{} --override zookeeper.connect=localhost:{} --override vltava.metrics.listener=",
        place.broker, place.zookeeper
    );
    let mut server = Running::start(
        "kafka-server-start.sh",
        place.typed(&format!("bin/kafka-server-start.sh config/server.properties {moved}")),
        &log("server.out"),
    );
    place.serves(place.broker);
    // Step 3: create a topic.
    let said = place.run(
        "bin/kafka-topics.sh --create --zookeeper localhost:2181 --replication-factor 1 --partitions 1 --topic test",
        "",
    );
    assert_eq!(said, "Created topic \"test\".\n");
    assert_eq!(place.run("bin/kafka-topics.sh --list --zookeeper localhost:2181", ""), "test\n");
    // Step 4: send some messages.
    let said = place.run(
        "bin/kafka-console-producer.sh --broker-list localhost:9092 --topic test",
        "This is a message\nThis is another message\n",
    );
    assert_eq!(said, ">>>");
    // Step 5: start a consumer.
    let mut consumer = Running::start(
        "kafka-console-consumer.sh",
        place.typed(
            "bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic test --from-beginning",
        ),
        &log("consumer.out"),
    );
    consumer.wait_for_line("This is another message", LIMIT);
    assert!(
        consumer.output().starts_with("This is a message\nThis is another message\n"),
        "{}",
        consumer.output()
    );
    consumer.stop(LIMIT);

    // The stop scripts: only what runs with this file is meant.
    place.run("bin/kafka-server-stop.sh config/server.properties", "");
    assert!(server.wait(LIMIT).success(), "{}", server.output());
    place.run("bin/zookeeper-server-stop.sh config/zookeeper.properties", "");
    assert!(zookeeper.wait(LIMIT).success(), "{}", zookeeper.output());
    let nothing = place.typed("bin/kafka-server-stop.sh config/server.properties").output().unwrap();
    assert_eq!((nothing.status.code(), &*nothing.stdout), (Some(1), &b"No kafka server to stop\n"[..]));

    // And once more in the background, with everything still there.
    place.run("bin/zookeeper-server-start.sh -daemon config/zookeeper.properties", "");
    place.listens(place.zookeeper);
    place.run(&format!("bin/kafka-server-start.sh -daemon config/server.properties {moved}"), "");
    place.serves(place.broker);
    // Each writes its own log; what it says beside that is nothing.
    for (log, said) in [("server.log", "kafkaServer.out"), ("zookeeper.log", "zookeeper.out")] {
        assert!(!fs::read_to_string(place.path(&format!("logs/{log}"))).unwrap().is_empty(), "{log}");
        assert_eq!(fs::read_to_string(place.path(&format!("logs/{said}"))).unwrap(), "");
    }
    let said = place.run(
        "bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic test --from-beginning --max-messages 2 --timeout-ms 60000",
        "",
    );
    assert_eq!(said, "This is a message\nThis is another message\n");
    place.run("bin/kafka-server-stop.sh config/server.properties", "");
    let stopped = || {
        (!fs::read_to_string(place.path("logs/server.log")).unwrap().is_empty()
            && place
                .typed("bin/kafka-server-stop.sh config/server.properties")
                .output()
                .unwrap()
                .status
                .code()
                == Some(1))
        .then_some(())
    };
    wait::until("the broker is gone", LIMIT, stopped);
    place.run("bin/zookeeper-server-stop.sh config/zookeeper.properties", "");
}
