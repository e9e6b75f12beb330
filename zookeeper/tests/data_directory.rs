//! One data directory, served by turns by Apache ZooKeeper and by this server: the formats are the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::net::SocketAddr;
use std::path::Path;

use support::apache;
use support::child::{self, Process};
use support::raw::Raw;
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::Record as _;
use vltava_zookeeper::proto::{
    Acl, AclStat, ConnectResponse, CreateRequest, CreateTtlRequest, DataStat, Id, MultiOp, MultiRequest,
    PathOnly, PathVersion, PathWatch, SetDataRequest, op, perms,
};

fn request(path: &str, flags: i32) -> CreateRequest {
    let acl = vec![
        Acl { perms: perms::ALL, id: Id { scheme: "digest".into(), id: acl::digest("bob:pw") } },
        acl::world(perms::ALL),
    ];
    CreateRequest { path: path.into(), data: Some(path.as_bytes().into()), acl, flags }
}

/// Writes of every kind that the log knows, below a node of this turn.
fn write_everything(client: &mut Raw, root: &str) {
    let mut done =
        |kind: i32, body: Vec<u8>| assert_eq!(client.call(kind, &body).unwrap().header.err, 0, "type {kind}");
    done(op::CREATE, request(root, 0).to_bytes());
    done(op::CREATE2, request(&format!("{root}/sequence-"), 2).to_bytes());
    done(op::CREATE, request(&format!("{root}/ephemeral"), 1).to_bytes());
    done(op::CREATE_CONTAINER, request(&format!("{root}/container"), 4).to_bytes());
    let CreateRequest { path, data, acl, .. } = request(&format!("{root}/ttl"), 5);
    done(op::CREATE_TTL, CreateTtlRequest { path, data, acl, flags: 5, ttl: 3_600_000 }.to_bytes());
    done(op::CREATE, request(&format!("{root}/gone"), 0).to_bytes());
    done(op::DELETE, PathVersion { path: format!("{root}/gone"), version: 0 }.to_bytes());
    done(op::SET_DATA, SetDataRequest { path: root.into(), data: None, version: 0 }.to_bytes());
    let ops = vec![
        MultiOp::Create(op::CREATE, request(&format!("{root}/multi"), 0)),
        MultiOp::SetData(SetDataRequest {
            path: format!("{root}/multi"),
            data: Some([1, 2].into()),
            version: 0,
        }),
    ];
    done(op::MULTI, MultiRequest { ops }.to_bytes());
    let failing = MultiRequest { ops: vec![MultiOp::Check(PathVersion { path: root.into(), version: 77 })] };
    done(op::MULTI, failing.to_bytes());
    assert_eq!(
        client
            .call(op::DELETE, &PathVersion { path: root.into(), version: -1 }.to_bytes())
            .unwrap()
            .header
            .err,
        -111
    );
}

/// Everything there is, with stats and access lists.
fn dump(client: &mut Raw) -> String {
    let mut text = String::new();
    let mut open = vec!["/".to_owned()];
    while let Some(path) = open.pop() {
        let watch = PathWatch { path: path.clone(), watch: false }.to_bytes();
        let DataStat { data, stat } = client.call(op::GET_DATA, &watch).unwrap().read();
        let AclStat { acl, .. } =
            client.call(op::GET_ACL, &PathOnly { path: path.clone() }.to_bytes()).unwrap().read();
        text += &format!("{path} {data:?} {stat:?} {acl:?}\n");
        let mut names: Vec<String> = client.call(op::GET_CHILDREN, &watch).unwrap().read();
        names.sort();
        open.extend(names.iter().map(|name| vltava_zookeeper::path::join(&path, name)));
    }
    text
}

/// Takes up the session on the next server, sees everything as it was, and adds to it.
fn turn(
    address: SocketAddr,
    name: &str,
    session: Option<&ConnectResponse>,
    before: &str,
) -> (ConnectResponse, String) {
    let mut client = match session {
        Some(session) => {
            let client = Raw::reconnect(address, session).unwrap();
            assert_eq!(
                client.session.session_id, session.session_id,
                "the session did not survive the move to {name}"
            );
            client
        }
        None => Raw::connect(address, 60_000).unwrap(),
    };
    client.add_auth("digest", "super:test").unwrap();
    if !before.is_empty() {
        let after = dump(&mut client);
        for (after, before) in after.lines().zip(before.lines()) {
            assert_eq!(after, before, "{name} reads something else than was written");
        }
        assert_eq!(after.lines().count(), before.lines().count());
    }
    write_everything(&mut client, &format!("/{name}"));
    (client.session.clone(), dump(&mut client))
}

#[test]
fn a_data_directory_moves_to_apache_zookeeper_and_back() {
    let dir = tempfile::tempdir().unwrap();
    // With few transactions to a snapshot, both read the other's snapshots and logs.
    let ours = |dir: &Path| -> (Process, SocketAddr) {
        child::server(dir, 0, "snapCount=7\nmaxSessionTimeout=60000")
    };
    let theirs =
        |dir: &Path| -> (Process, SocketAddr) { apache::server(dir, "snapCount=7\nmaxSessionTimeout=60000") };
    let mut session = None;
    let mut seen = String::new();
    for round in 0..4 {
        let (name, (process, address)) = if round % 2 == 0 {
            (format!("vltava{round}"), ours(dir.path()))
        } else {
            (format!("apache{round}"), theirs(dir.path()))
        };
        let (now, dumped) = turn(address, &name, session.as_ref(), &seen);
        (session, seen) = (Some(now), dumped);
        process.kill();
    }
}
