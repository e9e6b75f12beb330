//! The disk under the transaction log fills up, or fails: no acknowledged write is lost, no refused one happens, and the server says so.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use support::child;
use support::raw::Raw;
use vltava_testkit::disk::{FailingDisk, SmallDisk};
use vltava_zookeeper::ErrorCode;
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::Record as _;
use vltava_zookeeper::proto::{
    CreateRequest, DataStat, MultiOp, MultiRequest, PathVersion, PathWatch, SetDataRequest, op,
};

const PROPERTIES: &str = "maxSessionTimeout=60000\nsnapCount=40";

/// What became of every write: whether it was acknowledged, by path.
type Writes = BTreeMap<String, bool>;

fn create(path: &str) -> CreateRequest {
    CreateRequest { path: path.into(), data: Some(data(path).into()), acl: acl::open(), flags: 0 }
}

fn data(path: &str) -> Vec<u8> {
    path.as_bytes().repeat(40)
}

/// A write that is acknowledged, or refused as what the server could not do; anything else is an error here.
fn write(client: &mut Raw, path: &str, writes: &mut Writes) -> bool {
    let err = client.call(op::CREATE, &create(path).to_bytes()).unwrap().header.err;
    assert!(err == 0 || err == ErrorCode::SystemError.to_i32(), "{path}: {err}");
    writes.insert(path.to_owned(), err == 0);
    err == 0
}

/// Every acknowledged write is there, whole, and no other.
fn check(address: SocketAddr, writes: &Writes) {
    let mut client = Raw::connect(address, 10_000).unwrap();
    for (path, acknowledged) in writes {
        let reply =
            client.call(op::GET_DATA, &PathWatch { path: path.clone(), watch: false }.to_bytes()).unwrap();
        if *acknowledged {
            let DataStat { data: found, .. } = reply.read();
            assert_eq!(found.unwrap(), data(path).into(), "{path}");
        } else {
            assert_eq!(reply.header.err, ErrorCode::NoNode.to_i32(), "{path} was refused");
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_heals() {
    let name = "a_full_disk_refuses_writes_serves_reads_and_heals";
    let Some(disk) = SmallDisk::mount(name, 4096) else { return };
    let (mut server, mut address) = child::server(disk.path(), 0, PROPERTIES);
    let mut writes = Writes::new();
    for round in 0..3 {
        let mut client = Raw::connect(address, 60_000).unwrap();
        let before = format!("/before-{round}");
        assert!(write(&mut client, &before, &mut writes));

        let ballast = disk.fill();
        let mut number = 0;
        let mut next = || {
            number += 1;
            format!("/full-{round}-{number}")
        };
        // What the file system has set aside for the log still takes some.
        while write(&mut client, &next(), &mut writes) {}
        let refused = (0..100).filter(|_| !write(&mut client, &next(), &mut writes)).count();
        assert!(refused > 0);

        // A refused multi leaves nothing behind, not even what would have fitted.
        let (first, second) = (next(), next());
        let ops = vec![
            MultiOp::Create(op::CREATE, create(&first)),
            MultiOp::Create(
                op::CREATE,
                CreateRequest { data: Some(vec![7; 500_000].into()), ..create(&second) },
            ),
            MultiOp::Delete(PathVersion { path: before.clone(), version: -1 }),
        ];
        let multi = client.call(op::MULTI, &MultiRequest { ops }.to_bytes()).unwrap();
        assert_eq!(multi.header.err, ErrorCode::SystemError.to_i32());
        writes.extend([(first, false), (second, false)]);

        let set = SetDataRequest { path: before.clone(), data: Some(vec![7; 500_000].into()), version: -1 };
        let refused = client.call(op::SET_DATA, &set.to_bytes()).unwrap();
        assert_eq!(refused.header.err, ErrorCode::SystemError.to_i32());
        let read = PathWatch { path: before.clone(), watch: false }.to_bytes();
        assert_eq!(client.call(op::GET_DATA, &read).unwrap().read::<DataStat>().stat.version, 0);
        assert_eq!(support::four_letter_word(address, "ruok").unwrap(), "imok");

        std::fs::remove_file(ballast).unwrap();
        // The same session goes on as soon as there is room.
        support::eventually("a write", || write(&mut client, &next(), &mut writes).then_some(()));
        check(address, &writes);
        server.kill();
        (server, address) = child::server(disk.path(), 0, PROPERTIES);
        check(address, &writes);
    }
}

#[test]
fn a_disk_that_fails_ends_all_writing_until_a_restart() {
    let name = "a_disk_that_fails_ends_all_writing_until_a_restart";
    let Some(disk) = FailingDisk::mount(name, 4096) else { return };
    let (server, address) = child::server(disk.path(), 0, PROPERTIES);
    let mut writes = Writes::new();
    let mut client = Raw::connect(address, 60_000).unwrap();
    for number in 0..60 {
        assert!(write(&mut client, &format!("/sound-{number}"), &mut writes));
    }
    disk.fail();
    // Whoever waits for a write whose end is unknown is disconnected, which is how a client learns of it.
    let unknown = (0..10_000).map(|number| format!("/failing-{number}")).find(|path| {
        match client.call(op::CREATE, &create(path).to_bytes()) {
            Ok(reply) => {
                assert_eq!(reply.header.err, 0, "{path}");
                writes.insert(path.clone(), true);
                false
            }
            Err(_) => true,
        }
    });
    let unknown = unknown.expect("the device takes everything");

    // The session is taken up again, reads, and learns that nothing is written.
    let mut client = Raw::reconnect(address, &client.session).unwrap();
    for number in 0..20 {
        assert!(!write(&mut client, &format!("/after-{number}"), &mut writes));
    }
    check_reads(&mut client, &writes);
    assert!(Raw::connect(address, 60_000).is_err(), "a new session cannot be written either");
    assert_eq!(support::four_letter_word(address, "ruok").unwrap(), "");
    assert_eq!(support::four_letter_word(address, "isro").unwrap(), "ro");
    assert_eq!(
        support::four_letter_word(address, "srvr").unwrap(),
        "This ZooKeeper instance is not currently serving requests\n"
    );

    // What a start finds has every acknowledged write; the one of unknown end may be there or not.
    server.kill();
    let layout = vltava_zookeeper::storage::Layout {
        data_dir: disk.path().join("data"),
        log_dir: disk.path().join("data"),
        sync: false,
        ttl_enabled: true,
    };
    let (_storage, recovered) = vltava_zookeeper::storage::Storage::open(&layout).unwrap();
    for (path, acknowledged) in &writes {
        assert_eq!(recovered.tree.get(path).is_some(), *acknowledged, "{path}");
    }
    assert!(!writes.contains_key(&unknown));
}

fn check_reads(client: &mut Raw, writes: &Writes) {
    for (path, acknowledged) in writes {
        let read = PathWatch { path: path.clone(), watch: false }.to_bytes();
        let reply = client.call(op::GET_DATA, &read).unwrap();
        assert_eq!(reply.header.err == 0, *acknowledged, "{path}");
    }
}
