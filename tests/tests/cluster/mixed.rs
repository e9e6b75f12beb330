//! One cluster of Vltava's brokers and Apache Kafka's.

use vltava_testkit::vltava::start_zookeeper;

use crate::load::Load;
use crate::members::{Kind, Member, bootstrap, create, wait_for_isr};

const TOPIC: &str = "mixed";
const ALL: [i32; 3] = [1, 2, 3];

/// The first to start is the controller. Then each is killed in turn, so that each side leads, follows and governs under load.
async fn survives_kills(kinds: [Kind; 3], more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (_zookeeper, address) = start_zookeeper(folder.path());
    let zookeeper = address.to_string();
    let start = |(kind, id): (Kind, i32)| Member::start(kind, id, &zookeeper, folder.path(), more);
    let mut members: Vec<Member> = kinds.into_iter().zip(ALL).map(start).collect();
    create(&members, TOPIC, 3, 3).await;
    wait_for_isr(&members, TOPIC, &ALL);
    let load = Load::begin(&bootstrap(&members), TOPIC, 3);
    load.goes_on(500);
    for at in 0..members.len() {
        let id = members[at].id();
        members[at].process().kill();
        let others: Vec<i32> = ALL.iter().copied().filter(|other| *other != id).collect();
        wait_for_isr(&members, TOPIC, &others);
        load.goes_on(500);
        members[at].start_again(kinds[at]);
        wait_for_isr(&members, TOPIC, &ALL);
        load.goes_on(500);
    }
    load.end(&bootstrap(&members));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_vltava_and_one_of_apache_survive_kills() {
    survives_kills([Kind::Vltava, Kind::Apache, Kind::Vltava], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_vltava_and_two_of_apache_survive_kills() {
    survives_kills([Kind::Apache, Kind::Vltava, Kind::Apache], &[]).await;
}

/// Before 2.7 leaders write in-sync sets into ZooKeeper, and followers ask where epochs end before they fetch.
#[tokio::test(flavor = "multi_thread")]
async fn they_survive_kills_in_the_protocol_of_2_6() {
    let protocol = ["inter.broker.protocol.version=2.6"];
    survives_kills([Kind::Vltava, Kind::Vltava, Kind::Apache], &protocol).await;
}

/// Every Apache broker is stopped and a Vltava broker started on its data, and back, while records come.
#[tokio::test(flavor = "multi_thread")]
async fn brokers_are_replaced_in_place_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let (_zookeeper, address) = start_zookeeper(folder.path());
    let zookeeper = address.to_string();
    let start = |id: &i32| Member::start(Kind::Apache, *id, &zookeeper, folder.path(), &[]);
    let mut members: Vec<Member> = ALL.iter().map(start).collect();
    create(&members, TOPIC, 3, 3).await;
    let load = Load::begin(&bootstrap(&members), TOPIC, 3);
    for kind in [Kind::Vltava, Kind::Apache] {
        for at in 0..members.len() {
            load.goes_on(300);
            members[at].process().stop(crate::members::PATIENCE);
            members[at].start_again(kind);
            wait_for_isr(&members, TOPIC, &ALL);
        }
    }
    load.end(&bootstrap(&members));
}
