//! What becomes of an edit while it runs.

use std::fs;
use std::os::unix::fs::symlink;

use vltava_testkit::process::Running;
use vltava_testkit::wait;

use crate::place::{LIMIT, Place, TOPIC, manifest};

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

#[test]
fn a_port_that_is_edited_is_moved_to() {
    let place = Place::new();
    let mut up = place.up();
    up.wait_for_line("blue is up.", LIMIT);
    let (old, new) = (place.port, wait::free_port());
    place.write(&manifest(new, ""));
    up.wait_for_line("listeners changed, restarting", LIMIT);
    wait::for_port("the new port", LIMIT, ([127, 0, 0, 1], new).into());
    assert!(!place.listens(), "{old} is left");
    up.wait_for_line(&format!("Kafka is at 127.0.0.1:{new}"), LIMIT);
    assert!(up.stop(LIMIT).success());
}

#[test]
fn a_file_that_is_gone_changes_nothing_and_is_followed_when_it_is_back() {
    let place = Place::new();
    let mut up = place.up();
    fs::remove_file(place.file()).unwrap();
    up.wait_for_line("nothing is changed until the file is right", LIMIT);
    place.write(&manifest(place.port, ""));
    up.wait_for_line("cluster.yaml: right again, and as before", LIMIT);
    place.write(&format!("{}{TOPIC}", manifest(place.port, "")));
    up.wait_for_line("topic orders: created", LIMIT);
    assert!(up.stop(LIMIT).success());
}

/// As a ConfigMap is mounted: the file is a link by way of `..data`, which is replaced as a whole.
#[test]
fn a_file_behind_links_is_followed() {
    let place = Place::new();
    let path = |name: &str| place.folder.path().join(name);
    for (version, topic) in [("..1", ""), ("..2", TOPIC)] {
        fs::create_dir(path(version)).unwrap();
        fs::write(path(version).join("cluster.yaml"), format!("{}{topic}", manifest(place.port, "")))
            .unwrap();
    }
    fs::remove_file(place.file()).unwrap();
    symlink("..1", path("..data")).unwrap();
    symlink("..data/cluster.yaml", place.file()).unwrap();
    let mut up: Running = place.up();
    symlink("..2", path("..data_new")).unwrap();
    fs::rename(path("..data_new"), path("..data")).unwrap();
    up.wait_for_line("topic orders: created", LIMIT);
    assert!(up.stop(LIMIT).success());
}
