//! `vltava up`, as somebody at a terminal uses it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use vltava_testkit::process::Running;
use vltava_testkit::wait;

const LIMIT: Duration = Duration::from_secs(60);
const TOPIC: &str = "---\napiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  name: orders\nspec:\n  cluster:\n    name: blue\n";

/// A manifest of one broker on a free port, with more lines of the cluster's specification.
fn manifest(port: u16, more: &str) -> String {
    format!(
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n  pools:\n  - name: kafka\n    \
         replicas: 1\n    firstBrokerId: 0\n  zookeeper:\n    replicas: 1\n  listeners:\n  - name: plain\n    port: {port}\n    \
         type: internal\n{more}"
    )
}

struct Place {
    folder: TempDir,
    port: u16,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: TempDir::new().unwrap(), port: wait::free_port() };
        place.write(&manifest(place.port, ""));
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("cluster.yaml")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As editors do: a new file in place of the old.
    fn write(&self, text: &str) {
        let new = self.folder.path().join(".cluster.yaml.new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.arg("up").arg("-f").arg(self.file()).arg("--data").arg(self.data());
        command
    }

    /// Ports of an earlier run: what is not in the manifest, ZooKeeper and metrics, does not depend on what else runs here.
    fn keep_ports(&self) {
        let (zookeeper, metrics) = (wait::free_port(), wait::free_port());
        let port = self.port;
        fs::create_dir_all(self.data()).unwrap();
        let ports = format!(r#"{{"0":{{"plain":{port},"metrics":{metrics}}}}}"#);
        let kept = format!(r#"{{"cluster":"blue","zookeeperPort":{zookeeper},"ports":{ports}}}"#);
        fs::write(self.data().join("up.json"), kept).unwrap();
    }

    fn up(&self) -> Running {
        if !self.data().exists() {
            self.keep_ports();
        }
        self.start()
    }

    fn start(&self) -> Running {
        let up = Running::start("vltava up", self.command(), &self.folder.path().join("up.out"));
        wait::for_port("the broker listens", LIMIT, self.address());
        up
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    fn listens(&self) -> bool {
        TcpStream::connect_timeout(&self.address(), Duration::from_secs(1)).is_ok()
    }

    /// The broker's process: the one that has its properties on the command line.
    fn broker(&self) -> Option<Pid> {
        let properties = self.data().canonicalize().ok()?.join("broker-0/server.properties");
        fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let id: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            let mut words = line.split(|byte| *byte == 0);
            let named = words.any(|word| Path::new(&*String::from_utf8_lossy(word)) == properties);
            if named { Pid::from_raw(id) } else { None }
        })
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_wrong_manifest_is_told_with_file_line_and_field() {
    let place = Place::new();
    place.write(&manifest(place.port, "  colour: red\n").replacen("replicas: 1", "replcas: 1", 1));
    let output = place.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    let expected =
        "cluster.yaml: document 1, line 8: spec.pools[0].replcas: unknown field, did you mean replicas";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains(": spec.colour: unknown field"), "{said}");
    assert!(!place.data().exists(), "nothing may be made for a manifest that is wrong");
}

#[test]
fn a_manifest_that_is_not_there_or_has_no_cluster_is_told() {
    let place = Place::new();
    let says = |text: &str| {
        place.write(text);
        said(&place.command().output().unwrap())
    };
    assert!(says(TOPIC).contains("there is no KafkaCluster in it"));
    let strange = format!("{}{}", manifest(place.port, ""), TOPIC.replace("name: blue", "name: red"));
    assert!(
        says(&strange).contains("Topic orders: spec.cluster.name: is of the cluster red, and this is blue")
    );
    let several = manifest(place.port, "").replacen("replicas: 1", "replicas: 3", 1);
    assert!(says(&several).contains("spec.pools[].replicas: 3 brokers in all; this version runs one"));
    fs::remove_file(place.file()).unwrap();
    assert!(said(&place.command().output().unwrap()).contains("cluster.yaml: No such file"));
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told() {
    let place = Place::new();
    fs::write(place.data(), "a file").unwrap();
    let said = said(&place.command().output().unwrap());
    assert!(said.contains("data cannot be written") && said.contains("Choose another with --data"), "{said}");
}

#[test]
fn two_cannot_use_one_data_directory() {
    let place = Place::new();
    let mut up = place.up();
    let second = place.command().output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("another `vltava up` uses the data directory"), "{}", said(&second));
    assert!(up.stop(LIMIT).success());
}

#[test]
fn a_stop_is_clean_and_the_next_run_has_the_same_ports() {
    let place = Place::new();
    let mut up = place.up();
    let kept = || fs::read_to_string(place.data().join("up.json")).unwrap();
    let ports = |text: &str| text.split("managedConfig").next().unwrap().to_owned();
    let first = ports(&kept());
    assert!(first.contains(&place.port.to_string()), "{first}");
    assert!(up.stop(LIMIT).success());
    assert!(up.output().contains("blue is down; its data stays in"), "{}", up.output());
    assert!(place.broker().is_none() && !place.listens());
    let mut again = place.up();
    assert_eq!(ports(&kept()), first);
    assert!(again.stop(LIMIT).success());
}

#[test]
fn a_port_that_was_kept_and_is_in_use_is_told() {
    let place = Place::new();
    assert!(place.up().stop(LIMIT).success());
    let _other = TcpListener::bind(place.address()).unwrap();
    let said = said(&place.command().output().unwrap());
    let expected =
        format!("port {}, which is kept for plain of broker 0, is in use by another program", place.port);
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn what_is_in_use_gets_another_port_which_is_told_and_kept() {
    let place = Place::new();
    let other = TcpListener::bind(place.address()).unwrap();
    let mut up = Running::start("vltava up", place.command(), &place.folder.path().join("up.out"));
    let asked_for = place.port;
    let line = up.wait_for_line(
        &format!("port {asked_for} is in use by another program: plain of broker 0 is at"),
        LIMIT,
    );
    let port: u16 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
    assert_ne!(port, asked_for);
    up.wait_for_line(&format!("Kafka      127.0.0.1:{port}"), LIMIT);
    assert!(up.stop(LIMIT).success());
    drop(other);
    // Clients know it by now.
    let mut again = Running::start("vltava up", place.command(), &place.folder.path().join("again.out"));
    again.wait_for_line(&format!("Kafka      127.0.0.1:{port}"), LIMIT);
    assert!(again.stop(LIMIT).success());
}

#[test]
fn two_that_start_at_once_with_one_manifest_take_different_ports() {
    let (one, other) = (Place::new(), Place::new());
    other.write(&manifest(one.port, ""));
    let start =
        |place: &Place| Running::start("vltava up", place.command(), &place.folder.path().join("up.out"));
    let mut both = [start(&one), start(&other)];
    let addresses = both.each_mut().map(|up| {
        let kafka = up.wait_for_line("  Kafka  ", LIMIT);
        [kafka, up.wait_for_line("  ZooKeeper  ", LIMIT), up.wait_for_line("  metrics  ", LIMIT)]
    });
    for (first, second) in addresses[0].iter().zip(&addresses[1]) {
        assert_ne!(first, second);
    }
    assert_eq!(both.map(|mut up| up.stop(LIMIT).success()), [true, true]);
}

#[test]
fn zookeepers_port_that_was_kept_and_is_in_use_is_told() {
    let place = Place::new();
    place.keep_ports();
    let kept = fs::read_to_string(place.data().join("up.json")).unwrap();
    let port = kept.split("zookeeperPort\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let said = said(&place.command().output().unwrap());
    let expected = format!(
        "port {port}, which is kept for ZooKeeper, is in use by another program. Stop that, or delete "
    );
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn a_broker_that_dies_is_started_again() {
    let place = Place::new();
    let mut up = place.up();
    let first = place.broker().unwrap();
    kill_process(first, Signal::KILL).unwrap();
    up.wait_for_line("broker 0 has ended", LIMIT);
    let another = || place.broker().filter(|pid| *pid != first && place.listens());
    wait::until("another broker runs", LIMIT, another);
    assert!(up.stop(LIMIT).success());
}

#[test]
fn no_broker_outlives_an_up_that_is_killed() {
    let place = Place::new();
    let mut up = place.up();
    up.kill();
    wait::until("the broker is gone", LIMIT, || place.broker().is_none().then_some(()));
}

#[test]
fn an_edit_that_is_wrong_changes_nothing_and_one_that_is_right_is_made_true() {
    let place = Place::new();
    let mut up = place.up();
    let first = place.broker().unwrap();
    place.write("spec: [");
    up.wait_for_line("nothing is changed until the file is right", LIMIT);
    place.write(&manifest(place.port, "").replace("firstBrokerId: 0", "firstBrokerId: 7"));
    up.wait_for_line("broker ids are kept for life", LIMIT);
    assert_eq!(place.broker(), Some(first));
    place.write(&manifest(place.port, "  config:\n    num.partitions: 5\n"));
    up.wait_for_line("broker 0: num.partitions changed, restarting", LIMIT);
    let another = || place.broker().filter(|pid| *pid != first && place.listens());
    wait::until("a new broker runs", LIMIT, another);
    let properties = fs::read_to_string(place.data().join("broker-0/server.properties")).unwrap();
    assert!(properties.contains("num.partitions=5\n"), "{properties}");
    assert!(up.stop(LIMIT).success());
}

#[test]
fn fields_without_meaning_on_a_laptop_are_listed() {
    let place = Place::new();
    let namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n";
    let more = format!("  image: vltava:1\n  rollout:\n    strategy: Manual\n{namespace}");
    place.write(&manifest(place.port, &more));
    let mut up = place.up();
    up.wait_for_line("ignored: spec.image: brokers are this very program", LIMIT);
    up.wait_for_line("ignored: spec.rollout.strategy", LIMIT);
    up.wait_for_line("ignored: v1 Namespace shop: not Vltava's", LIMIT);
    assert!(up.stop(LIMIT).success());
}

#[test]
fn topics_are_created_grown_configured_and_reset_as_the_file_says() {
    let place = Place::new();
    let write = |topic: &str| place.write(&format!("{}{TOPIC}{topic}", manifest(place.port, "")));
    write("  partitions: 1\n  config:\n    retention.ms: 5000\n    segment.ms: 7000\n");
    let mut up = place.up();
    up.wait_for_line("topic orders: created with 1 partition", LIMIT);
    write("  partitions: 3\n  config:\n    retention.ms: 6000\n");
    up.wait_for_line("topic orders: grown from 1 to 3 partitions", LIMIT);
    up.wait_for_line("topic orders: retention.ms=6000, segment.ms reset", LIMIT);
    write("  partitions: 2\n");
    up.wait_for_line("spec.partitions: partitions can only grow", LIMIT);
    place.write(&manifest(place.port, ""));
    up.wait_for_line("topic orders: no longer in the file; it is left as it is", LIMIT);
    assert!(up.stop(LIMIT).success());
}
