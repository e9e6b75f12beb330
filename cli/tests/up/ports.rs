//! Which ports a cluster has.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};

use vltava_testkit::process::Running;

use crate::place::{LIMIT, Place, manifest, said};

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
fn what_is_in_use_gets_another_port_which_is_told_and_kept_until_the_first_is_free() {
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
    // Clients know it by now.
    let mut again = Running::start("vltava up", place.command(), &place.folder.path().join("again.out"));
    again.wait_for_line(&format!("plain of broker 0 stays at {port}"), LIMIT);
    again.wait_for_line(&format!("Kafka      127.0.0.1:{port}"), LIMIT);
    assert!(again.stop(LIMIT).success());
    drop(other);
    // The manifest is right again.
    let mut last = Running::start("vltava up", place.command(), &place.folder.path().join("last.out"));
    last.wait_for_line(&format!("Kafka      127.0.0.1:{asked_for}"), LIMIT);
    assert!(last.stop(LIMIT).success());
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
