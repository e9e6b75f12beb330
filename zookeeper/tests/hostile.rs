//! Clients that misbehave: what they send or do not read costs them their connection, and nobody else anything.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use support::raw::{Raw, read_frame, send_frame};
use support::{Random, child};
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::Record as _;
use vltava_zookeeper::proto::{
    ConnectRequest, CreateRequest, MultiOp, MultiRequest, PathType, PathWatch, RequestHeader, SetDataRequest,
    op,
};

fn create(path: &str, data: Vec<u8>) -> Vec<u8> {
    CreateRequest { path: path.into(), data: Some(data.into()), acl: acl::open(), flags: 0 }.to_bytes()
}

fn raw_socket(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Whether the server ended the connection, whatever it said before.
fn ended(mut socket: TcpStream) -> bool {
    let mut rest = Vec::new();
    match socket.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn resident_kib(process: &child::Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.0.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn frames_of_impossible_length_end_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "");
    for length in [-1, i32::MIN, i32::MAX, 0x10_0000] {
        let mut first = raw_socket(address);
        first.write_all(&length.to_be_bytes()).unwrap();
        assert!(ended(first), "{length} as the first frame");
        let mut later = Raw::connect(address, 4000).unwrap();
        later.socket.write_all(&length.to_be_bytes()).unwrap();
        assert!(ended(later.socket), "{length} as a later frame");
    }
    Raw::connect(address, 4000).unwrap();
}

#[test]
fn random_bytes_never_harm_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "forceSync=no");
    let mut random = Random(11);
    let kinds: Vec<i32> = (-12..24).chain(99..109).filter(|kind| *kind != op::CLOSE_SESSION).collect();
    let mut client = Raw::connect(address, 4000).unwrap();
    for _ in 0..2000 {
        let kind = kinds[random.below(kinds.len())];
        let body: Vec<u8> =
            (0..random.below(60)).map(|_| if random.chance(60) { 0 } else { random.next() as u8 }).collect();
        let mut frame = RequestHeader { xid: 7, op: kind }.to_bytes();
        frame.extend_from_slice(&body);
        // A request that ends the connection is fine; the next one then has its own.
        if send_frame(&mut client.socket, &frame).is_err() || client.receive().is_err() {
            client = Raw::connect(address, 4000).unwrap();
        }
    }
    assert_eq!(support::four_letter_word(address, "ruok").unwrap(), "imok");
}

#[test]
fn connections_that_say_nothing_are_ended_and_announced_lengths_take_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let (server, address) = child::server(dir.path(), 0, "maxClientCnxns=0\njute.maxbuffer=100000000");
    let before = resident_kib(&server);
    let halves: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut socket = raw_socket(address);
            socket.write_all(&99_000_000i32.to_be_bytes()).unwrap();
            socket
        })
        .collect();
    let silent = raw_socket(address);
    Raw::connect(address, 4000).unwrap();
    let grown = resident_kib(&server).saturating_sub(before);
    assert!(grown < 20_000, "200 half-open connections took {grown} KiB");
    assert!(ended(silent));
    assert!(halves.into_iter().all(ended));
}

#[test]
fn a_reader_that_does_not_read_is_paused() {
    let dir = tempfile::tempdir().unwrap();
    let (server, address) = child::server(dir.path(), 0, "forceSync=no\nmaxSessionTimeout=60000");
    let mut client = Raw::connect(address, 60_000).unwrap();
    assert_eq!(client.call(op::CREATE, &create("/big", vec![7; 900_000])).unwrap().header.err, 0);
    // 2 GB of answers are asked for, and none is read.
    client.socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let body = PathWatch { path: "/big".into(), watch: false }.to_bytes();
    for _ in 0..2000 {
        if client.send(op::GET_DATA, &body).is_err() {
            break;
        }
    }
    let mut other = Raw::connect(address, 4000).unwrap();
    assert_eq!(other.call(op::EXISTS, &body).unwrap().header.err, 0);
    let resident = resident_kib(&server);
    assert!(resident < 200_000, "{resident} KiB");
}

#[test]
fn what_one_request_may_read_and_one_connection_watch_is_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let (server, address) = child::server(dir.path(), 0, "forceSync=no\nmaxSessionTimeout=60000");
    let mut client = Raw::connect(address, 60_000).unwrap();
    assert_eq!(client.call(op::CREATE, &create("/big", vec![7; 900_000])).unwrap().header.err, 0);
    let big = PathWatch { path: "/big".into(), watch: false };
    let read = |times: usize| MultiRequest { ops: vec![MultiOp::GetData(big.clone()); times] }.to_bytes();
    assert_eq!(client.call(op::MULTI_READ, &read(20)).unwrap().header.err, 0);
    // 18 GB are asked for.
    let refused = client.call(op::MULTI_READ, &read(20_000)).unwrap();
    assert_eq!(refused.header.err, vltava_zookeeper::ErrorCode::MarshallingError.to_i32());
    // 900 MB of paths are to be watched.
    let ended = (0..1000).any(|n| {
        let path = format!("/{n}{}", "x".repeat(900_000));
        let body = PathWatch { path, watch: true }.to_bytes();
        client.call(op::EXISTS, &body).is_err()
    });
    assert!(ended, "who watches so much is disconnected");
    let resident = resident_kib(&server);
    assert!(resident < 400_000, "{resident} KiB");
    Raw::connect(address, 4000).unwrap().call(op::PING, &[]).unwrap();
}

#[test]
fn a_watcher_that_does_not_read_is_disconnected() {
    let dir = tempfile::tempdir().unwrap();
    let (server, address) = child::server(dir.path(), 0, "forceSync=no\nmaxSessionTimeout=60000");
    let mut watcher = Raw::connect(address, 60_000).unwrap();
    let mut writer = Raw::connect(address, 60_000).unwrap();
    // Events name the path, so a long path makes large events.
    let path = format!("/{}", "p".repeat(500_000));
    assert_eq!(writer.call(op::CREATE, &create(&path, vec![])).unwrap().header.err, 0);
    assert_eq!(
        watcher.call(op::ADD_WATCH, &PathType { path: path.clone(), kind: 0 }.to_bytes()).unwrap().header.err,
        0
    );
    let set = SetDataRequest { path, data: None, version: -1 }.to_bytes();
    for _ in 0..300 {
        assert_eq!(writer.call(op::SET_DATA, &set).unwrap().header.err, 0);
    }
    let resident = resident_kib(&server);
    assert!(resident < 250_000, "{resident} KiB");
    support::eventually("the watcher's end", || {
        let cons = support::four_letter_word(address, "cons").unwrap();
        (!cons.contains(&format!("{:#x}", watcher.session.session_id))).then_some(())
    });
}

#[test]
fn one_address_has_so_many_connections_and_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "maxClientCnxns=3");
    let held: Vec<Raw> = (0..3).map(|_| Raw::connect(address, 4000).unwrap()).collect();
    assert!(ended(raw_socket(address)));
    drop(held);
    support::eventually("a place", || Raw::connect(address, 4000).ok());
}

#[test]
fn a_wrong_password_does_not_take_a_session() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "");
    let mut owner = Raw::connect(address, 4000).unwrap();
    let request = ConnectRequest {
        session_id: owner.session.session_id,
        password: Some([1; 16].into()),
        ..ConnectRequest::default()
    };
    let mut thief = raw_socket(address);
    send_frame(&mut thief, &request.to_bytes()).unwrap();
    let answer = read_frame(&mut thief).unwrap();
    assert_eq!(answer[4..16], [0; 12], "a time-out and a session of 0: expired");
    assert!(ended(thief));
    assert_eq!(owner.call(op::PING, &[]).unwrap().header.err, 0);
}

#[test]
fn a_client_whose_session_is_gone_is_told_so_whatever_it_sent_behind_its_connect_request() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "");
    let mut owner = Raw::connect(address, 4000).unwrap();
    let former = owner.session.clone();
    owner.call(op::CLOSE_SESSION, &[]).unwrap();
    let connect = ConnectRequest {
        timeout: former.timeout,
        session_id: former.session_id,
        password: former.password,
        read_only: Some(false),
        ..ConnectRequest::default()
    };
    let ping = RequestHeader { xid: -2, op: op::PING };
    // In one write, as clients send their watches and credentials.
    let mut together = Vec::new();
    for frame in [connect.to_bytes(), ping.to_bytes()] {
        together.extend_from_slice(&u32::try_from(frame.len()).unwrap().to_be_bytes());
        together.extend_from_slice(&frame);
    }
    for _ in 0..20 {
        let mut socket = raw_socket(address);
        socket.write_all(&together).unwrap();
        let answer = read_frame(&mut socket).unwrap();
        assert_eq!(answer[4..16], [0; 12], "a time-out and a session of 0: expired");
        assert!(ended(socket));
    }
}

#[test]
fn clients_older_than_3_4_get_no_byte_that_they_do_not_know() {
    let dir = tempfile::tempdir().unwrap();
    let (_server, address) = child::server(dir.path(), 0, "");
    for (read_only, length) in [(None, 36), (Some(true), 37)] {
        let mut socket = raw_socket(address);
        let request = ConnectRequest {
            timeout: 4000,
            password: Some([0; 16].into()),
            read_only,
            ..ConnectRequest::default()
        };
        send_frame(&mut socket, &request.to_bytes()).unwrap();
        assert_eq!(read_frame(&mut socket).unwrap().len(), length);
    }
}
