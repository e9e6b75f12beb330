//! Three Vltava brokers.

use vltava_testkit::vltava::start_zookeeper;

use crate::load::Load;
use crate::members::{Kind, Member, bootstrap, create, wait_for_isr};

const TOPIC: &str = "replicated";
const ALL: [i32; 3] = [1, 2, 3];

fn start(folder: &std::path::Path, zookeeper: &str) -> Vec<Member> {
    ALL.iter().map(|&id| Member::start(Kind::Vltava, id, zookeeper, folder, &[])).collect()
}

/// Each broker is killed in turn, the controller among them, while records come: others lead what it led, and it catches up when it is back.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_whoever_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (_zookeeper, address) = start_zookeeper(folder.path());
    let mut members = start(folder.path(), &address.to_string());
    create(&members, TOPIC, 3, 3).await;
    let load = Load::begin(&bootstrap(&members), TOPIC, 3);
    load.goes_on(500);
    for at in 0..members.len() {
        let id = members[at].id();
        members[at].process().kill();
        let others: Vec<i32> = ALL.iter().copied().filter(|other| *other != id).collect();
        wait_for_isr(&members, TOPIC, &others);
        load.goes_on(500);
        members[at].start_again(Kind::Vltava);
        wait_for_isr(&members, TOPIC, &ALL);
        load.goes_on(500);
    }
    assert!(load.end(&bootstrap(&members)) > 3000);
}

/// A broker that is stopped hands over first: its partitions are never without a leader for as long as a session lasts.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_stopped_hands_over_what_it_leads() {
    let folder = tempfile::tempdir().unwrap();
    let (_zookeeper, address) = start_zookeeper(folder.path());
    let mut members = start(folder.path(), &address.to_string());
    create(&members, TOPIC, 3, 3).await;
    let load = Load::begin(&bootstrap(&members), TOPIC, 3);
    for at in 0..members.len() {
        load.goes_on(300);
        assert!(members[at].process().stop(crate::members::PATIENCE).success());
        assert!(
            members[at].process().output().contains("nothing is led here that another could lead"),
            "it hands over:\n{}",
            members[at].process().output()
        );
        load.goes_on(300);
        members[at].start_again(Kind::Vltava);
        wait_for_isr(&members, TOPIC, &ALL);
    }
    load.end(&bootstrap(&members));
}
