//! Starts, stops and deaths.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use rustix::process::{Signal, kill_process};
use vltava_testkit::process::Running;
use vltava_testkit::wait;

use crate::place::{LIMIT, Place, TOPIC, manifest, said};

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
fn one_that_was_killed_is_started_again_at_once() {
    let place = Place::new();
    for _ in 0..3 {
        // Its broker is still stopping when the next begins: it has the ports and the logs.
        place.up().kill();
    }
    let mut up = place.up();
    up.wait_for_line("blue is up.", LIMIT);
    assert!(up.stop(LIMIT).success());
    assert!(!up.output().contains("is started again in"), "{}", up.output());
}

#[test]
fn a_second_signal_ends_it_at_once_with_its_brokers() {
    let place = Place::new();
    let mut up = place.up();
    let broker = place.broker().unwrap();
    // It can't obey the first.
    kill_process(broker, Signal::STOP).unwrap();
    up.signal(Signal::INT);
    up.wait_for_line("SIGINT: stopping", LIMIT);
    up.signal(Signal::INT);
    assert_eq!(up.wait(LIMIT).code(), Some(1));
    assert!(up.output().contains("SIGINT again: exiting at once"), "{}", up.output());
    wait::until("the broker is gone", LIMIT, || place.broker().is_none().then_some(()));
}

#[test]
fn what_cannot_change_is_remembered_from_the_run_before() {
    let place = Place::new();
    let grown = format!("{}{TOPIC}  partitions: 3\n", manifest(place.port, ""));
    place.write(&grown);
    let mut up = place.up();
    up.wait_for_line("topic orders: created with 3 partitions", LIMIT);
    assert!(up.stop(LIMIT).success());
    place.write(
        &grown.replace("firstBrokerId: 0", "firstBrokerId: 7").replace("partitions: 3", "partitions: 2"),
    );
    let output = place.command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("firstBrokerId is immutable: broker ids are kept for life"), "{said}");
    assert!(said.contains("Topic orders: spec.partitions: partitions can only grow"), "{said}");
    assert!(said.contains("Choose another with --data for a new cluster"), "{said}");
    let properties = fs::read_to_string(place.data().join("broker-0/server.properties")).unwrap();
    assert!(properties.contains("broker.id=0\n"), "{properties}");
    // A topic that is gone is told, and is a new one when it comes back.
    place.write(&manifest(place.port, ""));
    let mut up = place.up();
    up.wait_for_line("topic orders: no longer in the file; it is left as it is", LIMIT);
    place.write(&grown.replace("partitions: 3", "partitions: 2"));
    up.wait_for_line("topic orders: has 3 partitions, and 2 are asked for: partitions can only grow", LIMIT);
    assert!(up.stop(LIMIT).success());
}

/// A full disk below the logs, or a reader that has gone, is no reason to stop.
#[test]
fn what_cannot_be_written_to_logs_or_terminal_stops_nothing() {
    let place = Place::new();
    place.keep_ports();
    fs::create_dir(place.data().join("broker-0")).unwrap();
    for log in ["up.log", "broker-0/server.log"] {
        symlink("/dev/full", place.data().join(log)).unwrap();
    }
    let mut command = Command::new("bash");
    command.args([
        "-c",
        r#"exec "$0" up -f "$1" --data "$2" > /dev/full 2>&1"#,
        env!("CARGO_BIN_EXE_vltava"),
    ]);
    command.args([place.file(), place.data()]);
    let mut up = Running::start("vltava up", command, &place.folder.path().join("up.out"));
    wait::for_broker("it serves", LIMIT, place.address());
    let first = place.broker().unwrap();
    place.write("spec: [");
    place.write(&manifest(place.port, "  config:\n    num.partitions: 5\n"));
    let another = || place.broker().filter(|pid| *pid != first);
    wait::until("the edit is made true", LIMIT, another);
    wait::for_broker("it serves again", LIMIT, place.address());
    assert!(up.stop(LIMIT).success());
}
