//! `vltava server`: properties files of every era, and what stops the start.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;
use vltava_client::admin::{AlterOp, Resource, ResourceKind, alter_configs, describe_configs};
use vltava_client::{Client, Options};
use vltava_testkit::process::Running;
use vltava_testkit::{vltava, wait};

const LIMIT: Duration = Duration::from_secs(60);

/// A ZooKeeper, and a folder for brokers.
struct Place {
    folder: TempDir,
    zookeeper_process: Running,
    zookeeper: SocketAddr,
}

impl Place {
    fn new() -> Place {
        vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
        let folder = TempDir::new().unwrap();
        let (process, zookeeper) = vltava::start_zookeeper(folder.path());
        Place { folder, zookeeper_process: process, zookeeper }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// `vltava server` with a properties file of these lines, and what is true of every broker here.
    fn server(&self, lines: &str, overrides: &[&str]) -> Command {
        let file = self.folder.path().join("server.properties");
        let common = format!(
            "zookeeper.connect={}\nvltava.metrics.listener=\noffsets.topic.replication.factor=1\n",
            self.zookeeper
        );
        fs::write(&file, format!("{common}{lines}")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.arg("server").arg(file);
        for text in overrides {
            command.args(["--override", text]);
        }
        command
    }

    /// A broker that must not start: what it says.
    fn refused(&self, lines: &str) -> String {
        let port = wait::free_port();
        let lines = format!(
            "broker.id=0\nlog.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:{port}\n{lines}",
            self.path("data")
        );
        let log = self.folder.path().join("refused.out");
        let mut server = Running::start("vltava server", self.server(&lines, &[]), &log);
        let status = server.wait(LIMIT);
        let said = server.output();
        assert_eq!(status.code(), Some(1), "{said}");
        fs::remove_file(log).unwrap();
        said
    }
}

fn tool(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_vltava")).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_properties_file_of_0_8_is_read() {
    let place = Place::new();
    let (port, advertised) = (wait::free_port(), "localhost");
    let data = place.path("kafka-logs");
    let lines = format!(
        "broker.id=3\nhost.name=127.0.0.1\nport={port}\nadvertised.host.name={advertised}\nlog.dir={data}\nnum.partitions=2\nlog.retention.hours=168\n"
    );
    let mut server =
        Running::start("vltava server", place.server(&lines, &[]), &place.folder.path().join("server.out"));
    wait::for_port("the broker listens", LIMIT, format!("127.0.0.1:{port}").parse().unwrap());
    let address = format!("127.0.0.1:{port}");
    let said = tool(&["broker-api-versions", "--bootstrap-server", &address]);
    assert!(said.starts_with(&format!("{advertised}:{port} (id: 3 rack: null")), "{said}");
    tool(&["topics", "--create", "--bootstrap-server", &address, "--topic", "t"]);
    assert!(Path::new(&data).join("t-1").exists(), "num.partitions=2, and the data is in log.dir");
    assert!(server.stop(LIMIT).success());
}

#[test]
fn an_override_goes_before_the_file() {
    let place = Place::new();
    let (port, other) = (wait::free_port(), wait::free_port());
    let lines =
        format!("broker.id=0\nlog.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:{port}\n", place.path("data"));
    let listeners = format!("listeners=PLAINTEXT://127.0.0.1:{other}");
    let command = place.server(&lines, &[&listeners, "broker.id=9"]);
    let mut server = Running::start("vltava server", command, &place.folder.path().join("server.out"));
    wait::for_port("the broker listens", LIMIT, format!("127.0.0.1:{other}").parse().unwrap());
    let said = tool(&["broker-api-versions", "--bootstrap-server", &format!("127.0.0.1:{other}")]);
    assert!(said.starts_with(&format!("127.0.0.1:{other} (id: 9 ")), "{said}");
    assert!(server.stop(LIMIT).success());
}

#[test]
fn an_unknown_key_warns_and_names_what_may_be_meant() {
    let place = Place::new();
    let port = wait::free_port();
    let lines = format!(
        "broker.id=0\nlog.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:{port}\nno.such.key=1\nnum.partition=3\n",
        place.path("data")
    );
    let mut server =
        Running::start("vltava server", place.server(&lines, &[]), &place.folder.path().join("server.out"));
    let line = server.wait_for_line("no.such.key", LIMIT);
    assert!(line.contains(" WARN unknown configuration key no.such.key is ignored"), "{line}");
    let line = server.wait_for_line("key num.partition ", LIMIT);
    assert!(line.ends_with("did you mean num.partitions? (vltava::server)"), "{line}");
    wait::for_port("the broker listens all the same", LIMIT, format!("127.0.0.1:{port}").parse().unwrap());
    assert!(server.stop(LIMIT).success());
}

#[test]
fn a_wrong_value_stops_with_key_value_and_what_is_allowed() {
    let place = Place::new();
    for (line, expected) in [
        ("num.partitions=many", "Invalid value many for configuration num.partitions: "),
        ("num.partitions=0", "Invalid value 0 for configuration num.partitions: Value must be at least 1"),
        ("compression.type=zip", "Invalid value zip for configuration compression.type: "),
        (
            "zookeeper.session.timeout.ms=-1",
            "Invalid value -1 for configuration zookeeper.session.timeout.ms: Value must be at least 1",
        ),
        (
            "zookeeper.connection.timeout.ms=0",
            "Invalid value 0 for configuration zookeeper.connection.timeout.ms: Value must be at least 1",
        ),
        ("log.cleanup.policy=burn", "Invalid value burn for configuration log.cleanup.policy: "),
        (
            "auto.create.topics.enable=perhaps",
            "Invalid value perhaps for configuration auto.create.topics.enable: ",
        ),
        (
            "offsets.topic.compression.codec=77",
            "Invalid value 77 for configuration offsets.topic.compression.codec: ",
        ),
    ] {
        let said = place.refused(&format!("{line}\n"));
        assert!(said.contains(expected), "{line}: {said}");
        assert!(said.contains("server.properties: "), "{said}");
    }
    let said = place.refused("num.partitions=many\nnum.io.threads=few\n");
    assert!(
        said.contains("num.partitions") && said.contains("num.io.threads"),
        "every mistake at once: {said}"
    );
    let said = place.refused("compression.type=zip\n");
    for allowed in ["gzip", "snappy", "lz4", "zstd", "uncompressed", "producer"] {
        assert!(said.contains(allowed), "{said}");
    }
}

#[test]
fn a_zookeeper_that_cannot_be_reached_is_told_with_the_reason() {
    let place = Place::new();
    let nobody = wait::free_port();
    let said = place.refused(&format!(
        "zookeeper.connect=127.0.0.1:{nobody}/chroot\nzookeeper.connection.timeout.ms=300\n"
    ));
    assert!(
        said.contains(&format!("zookeeper.connect=127.0.0.1:{nobody}/chroot: no session within ")),
        "{said}"
    );
    assert!(said.contains(&format!("127.0.0.1:{nobody}: Connection refused")), "{said}");
}

#[test]
fn a_key_whose_protection_is_not_built_stops_by_name() {
    let place = Place::new();
    for line in [
        "authorizer.class.name=kafka.security.authorizer.AclAuthorizer",
        "ssl.keystore.location=/etc/kafka/keystore.jks",
        "ssl.client.auth=required",
        "sasl.enabled.mechanisms=SCRAM-SHA-256",
        "security.inter.broker.protocol=SASL_PLAINTEXT",
    ] {
        let key = line.split('=').next().unwrap();
        let said = place.refused(&format!("{line}\n"));
        assert!(said.contains(key), "{line}: {said}");
    }
    let said = place.refused("listener.security.protocol.map=PLAINTEXT:SSL\n");
    assert!(said.contains("listeners=PLAINTEXT://") && said.contains("SSL is not built yet"), "{said}");
    // What is secret is not repeated.
    let said = place.refused("ssl.keystore.location=/k.jks\nssl.keystore.password=open-sesame\n");
    assert!(said.contains("ssl.keystore.password") && !said.contains("open-sesame"), "{said}");
    assert!(!Path::new(&place.path("data")).exists(), "nothing may be made before");
}

#[test]
fn protection_that_is_found_in_zookeeper_stops_by_name() {
    let place = Place::new();
    let address = place.zookeeper.to_string();
    let make = |path: &str, data: &str| tool(&["zookeeper-shell", &address, "create", path, data]);
    make("/kafka-acl", "");
    make("/kafka-acl/Topic", "");
    let acls = "{\"version\":1,\"acls\":[{\"principal\":\"User:alice\",\"permissionType\":\"Allow\",\"operation\":\"Read\",\"host\":\"*\"}]}";
    make("/kafka-acl/Topic/orders", acls);
    let said = place.refused("");
    assert!(
        said.contains("/kafka-acl/Topic/orders")
            && said.contains("there are ACLs, for example on Topic orders"),
        "{said}"
    );

    let place = Place::new();
    let address = place.zookeeper.to_string();
    let make = |path: &str, data: &str| tool(&["zookeeper-shell", &address, "create", path, data]);
    make("/config", "");
    make("/config/users", "");
    make(
        "/config/users/alice",
        "{\"version\":1,\"config\":{\"SCRAM-SHA-256\":\"salt=c2FsdA==,stored_key=a2V5,server_key=a2V5,iterations=4096\"}}",
    );
    let said = place.refused("");
    assert!(said.contains("/config/users/alice") && said.contains("SCRAM-SHA-256"), "{said}");
    assert!(!said.contains("stored_key"), "{said}");
}

#[test]
fn a_port_or_a_directory_that_is_taken_is_told() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let lines = format!("broker.id=0\nlog.dirs={}\nlisteners=PLAINTEXT://{address}\n", place.path("data"));
    let log = place.folder.path().join("server.out");
    let mut server = Running::start("vltava server", place.server(&lines, &[]), &log);
    assert_eq!(server.wait(LIMIT).code(), Some(1));
    let said = server.output();
    assert!(said.contains(&address.port().to_string()) && said.contains("in use"), "{said}");

    let file = place.path("file");
    fs::write(&file, "").unwrap();
    let said = place.refused(&format!("log.dirs={file}\n"));
    assert!(said.contains(&file), "{said}");
    assert_eq!(refusals(&["server", "/no/such/server.properties"], "/no/such/server.properties"), (1, 0));
    assert_eq!(refusals(&["server", "/no/such", "--log-level", "off"], "/no/such"), (0, 1));
    let properties = place.path("zookeeper.properties");
    let port = place.zookeeper.port();
    fs::write(&properties, format!("dataDir={}\nclientPort={port}\n", place.path("second"))).unwrap();
    assert_eq!(refusals(&["zookeeper", &properties], "in use"), (1, 0));
}

#[test]
fn the_embedded_zookeeper_serves_metrics_where_its_properties_say() {
    vltava::is_built(env!("CARGO_BIN_EXE_vltava"));
    let folder = TempDir::new().unwrap();
    let [port, metrics] = [wait::free_port(), wait::free_port()];
    let file = folder.path().join("zookeeper.properties");
    let provider =
        "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    let listener = format!("metricsProvider.httpHost=127.0.0.1\nmetricsProvider.httpPort={metrics}\n");
    let data = folder.path().join("data");
    fs::write(&file, format!("dataDir={}\nclientPort={port}\n{provider}\n{listener}", data.display()))
        .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    command.arg("zookeeper").arg(&file);
    let mut zookeeper = Running::start("vltava zookeeper", command, &folder.path().join("out"));
    let page = |path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", metrics)).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        Some(text)
    };
    wait::until("ZooKeeper serves", LIMIT, || page("/healthz").filter(|text| text.contains("200 OK")));
    tool(&["zookeeper-shell", &format!("127.0.0.1:{port}"), "create", "/counted", "x"]);
    let text = page("/metrics").unwrap();
    // What Apache's server has, and the node that was made.
    for line in [
        "zookeeper_quorumsize 1",
        "zookeeper_inmemorydatatree_nodecount 6",
        "znode_count 6",
        "process_open_fds ",
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line}: {text}");
    }
    zookeeper.stop(LIMIT);
    let taken = std::net::TcpListener::bind(("127.0.0.1", metrics)).unwrap();
    assert_eq!(refusals(&["zookeeper", &file.display().to_string()], "metricsProvider.httpPort"), (1, 0));
    drop(taken);
}

#[test]
fn the_log_as_json_is_one_object_a_line() {
    let place = Place::new();
    let port = wait::free_port();
    let lines = format!(
        "broker.id=4\nlog.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:{port}\nno.such.key=1\n",
        place.path("data")
    );
    let mut command = place.server(&lines, &[]);
    command.args(["--log-format", "json"]);
    let mut server = Running::start("vltava server", command, &place.folder.path().join("server.out"));
    server.wait_for_line("\"started\"", LIMIT);
    assert!(server.stop(LIMIT).success());
    let said = server.output();
    let object = |line: &str| {
        let read: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert!(read.is_object() && !line.contains('\u{1b}'), "{line}");
        for key in ["timestamp", "level", "message", "target"] {
            assert!(read[key].is_string(), "no {key} in {line}");
        }
        read
    };
    let all: Vec<serde_json::Value> = said.lines().map(object).collect();
    let find = |message: &str| {
        let found =
            all.iter().find(|line| line["message"].as_str().is_some_and(|text| text.contains(message)));
        found.unwrap_or_else(|| panic!("no {message} in {said}"))
    };
    assert_eq!(find("no.such.key")["level"], "WARN");
    let started = find("started");
    assert_eq!((&started["level"], &started["target"]), (&"INFO".into(), &"vltava_broker::server".into()));
    assert_eq!(started["broker.id"], 4, "fields lie beside the message");
}

#[test]
fn levels_of_the_log_change_while_the_broker_runs() {
    let place = Place::new();
    let port = wait::free_port();
    let lines =
        format!("broker.id=0\nlog.dirs={}\nlisteners=PLAINTEXT://127.0.0.1:{port}\n", place.path("data"));
    let log = place.folder.path().join("server.out");
    let mut server = Running::start("vltava server", place.server(&lines, &[]), &log);
    wait::for_port("the broker listens", LIMIT, format!("127.0.0.1:{port}").parse().unwrap());
    let loggers = Resource { kind: ResourceKind::BrokerLogger, name: "0".to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = Options::new(&format!("127.0.0.1:{port}")).unwrap();
        let mut client = Client::connect(options).await.unwrap();
        let set = |level: &str| AlterOp::Set(level.to_owned());
        let quiet = [("root".to_owned(), set("ERROR")), ("vltava".to_owned(), set("INFO"))];
        alter_configs(&mut client, &loggers, &quiet, false).await.unwrap();
        let levels = describe_configs(&mut client, &loggers).await.unwrap();
        let level =
            |name: &str| levels.iter().find(|entry| entry.name == name).and_then(|entry| entry.value.clone());
        for (logger, expected) in [("root", "ERROR"), ("vltava", "INFO"), ("vltava_broker.control", "ERROR")]
        {
            assert_eq!(level(logger).as_deref(), Some(expected), "{logger}");
        }
        let root = [("root".to_owned(), AlterOp::Delete)];
        let refused = alter_configs(&mut client, &loggers, &root, false).await.unwrap_err().to_string();
        assert!(refused.contains("Removing the log level of the root logger is not allowed"), "{refused}");
    });
    assert!(server.stop(LIMIT).success());
    let said = server.output();
    assert!(said.contains("started") && said.contains("SIGTERM: shutting down (vltava::server)"), "{said}");
    assert!(!said.contains("shut down completed"), "the broker's modules say errors only: {said}");
}

/// A stop script that is run again, or a supervisor that is impatient.
#[test]
fn signals_that_are_repeated_change_nothing_about_a_shutdown() {
    let place = Place::new();
    let (port, data) = (wait::free_port(), place.path("data"));
    let lines = format!("broker.id=0\nlog.dirs={data}\nlisteners=PLAINTEXT://127.0.0.1:{port}\n");
    let log = place.folder.path().join("server.out");
    let mut server = Running::start("vltava server", place.server(&lines, &[]), &log);
    server.wait_for_line("started", LIMIT);
    let Place { zookeeper_process, folder: _folder, .. } = place;
    for (mut process, what) in [(server, "the broker"), (zookeeper_process, "ZooKeeper")] {
        let mut signals = [Signal::TERM, Signal::INT, Signal::HUP].into_iter().cycle();
        wait::until(&format!("{what} ends under signals"), LIMIT, || {
            process.signal(signals.next()?);
            (!process.alive()).then_some(())
        });
        assert!(process.wait(LIMIT).success(), "{what}: {}", process.output());
    }
    assert!(Path::new(&data).join(".kafka_cleanshutdown").exists(), "the stop was a clean one");
}

/// What a server that does not start says of its reason: how many lines of its log, and how many on standard error.
fn refusals(arguments: &[&str], reason: &str) -> (usize, usize) {
    let output = Command::new(env!("CARGO_BIN_EXE_vltava")).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let lines =
        |text: &[u8]| String::from_utf8_lossy(text).lines().filter(|line| line.contains(reason)).count();
    (lines(&output.stdout), lines(&output.stderr))
}
