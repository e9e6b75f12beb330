//! SIGKILL under load, again and again: nothing acknowledged is lost, sessions and their ephemeral nodes live on, torn ends are cut off.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::raw::Raw;
use support::{Random, child};
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::Record as _;
use vltava_zookeeper::proto::{CreateRequest, DataStat, PathWatch, SetDataRequest, op};

fn create(path: &str, data: &[u8], flags: i32) -> Vec<u8> {
    CreateRequest { path: path.into(), data: Some(data.into()), acl: acl::open(), flags }.to_bytes()
}

fn data_of(client: &mut Raw, path: &str) -> Option<Vec<u8>> {
    let reply = client.call(op::GET_DATA, &PathWatch { path: path.into(), watch: false }.to_bytes()).unwrap();
    (reply.header.err == 0).then(|| reply.read::<DataStat>().data.unwrap_or_default().to_vec())
}

/// Writes until the connection breaks: each writer counts up in a node of its own and adds nodes. Returns what was acknowledged.
fn write_until_it_breaks(
    address: std::net::SocketAddr,
    writer: usize,
    round: usize,
    done: &AtomicUsize,
) -> Vec<(String, Vec<u8>)> {
    let mut acknowledged = Vec::new();
    let Ok(mut client) = Raw::connect(address, 10_000) else { return acknowledged };
    let counter = format!("/counter-{writer}");
    let _ = client.call(op::CREATE, &create(&counter, b"", 0));
    for number in 0.. {
        let value = format!("{round}-{number:08}").into_bytes();
        let path = format!("/node-{round}-{writer}-{number}");
        let set = SetDataRequest { path: counter.clone(), data: Some(value.clone().into()), version: -1 };
        // Two requests on their way at once, as a pipelining client has.
        if client.send(op::SET_DATA, &set.to_bytes()).is_err()
            || client.send(op::CREATE, &create(&path, &value, 0)).is_err()
        {
            break;
        }
        for path in [&counter, &path] {
            let Ok(reply) = client.receive() else { return acknowledged };
            assert_eq!(reply.header.err, 0);
            acknowledged.push((path.clone(), value.clone()));
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut ephemeral_owner = None;
    let mut random = Random(7);
    for round in 0..6 {
        // Few transactions to a snapshot, so that kills meet snapshots being written too.
        let (process, address) = child::server(dir.path(), 0, "snapCount=200\nmaxSessionTimeout=60000");
        let mut client = Raw::connect(address, 10_000).unwrap();
        for (path, value) in &expected {
            let found = data_of(&mut client, path);
            let whole = if path.starts_with("/counter") {
                found.as_ref() >= Some(value)
            } else {
                found.as_ref() == Some(value)
            };
            assert!(whole, "round {round}: {path} is {found:?}, acknowledged was {value:?}");
        }
        let owner = match ephemeral_owner.take() {
            None => {
                let mut owner = Raw::connect(address, 60_000).unwrap();
                assert_eq!(owner.call(op::CREATE, &create("/mine", b"still", 1)).unwrap().header.err, 0);
                owner.session
            }
            Some(session) => {
                let again = Raw::reconnect(address, &session).unwrap();
                assert_eq!(
                    again.session.session_id, session.session_id,
                    "round {round}: the session is gone"
                );
                session
            }
        };
        assert_eq!(data_of(&mut client, "/mine").as_deref(), Some(&b"still"[..]), "round {round}");
        ephemeral_owner = Some(owner);

        let done = Arc::new(AtomicUsize::new(0));
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let done = done.clone();
                std::thread::spawn(move || write_until_it_breaks(address, writer, round, &done))
            })
            .collect();
        let enough = 100 + random.below(500);
        support::eventually("enough writes", || (done.load(Ordering::Relaxed) >= enough).then_some(()));
        process.kill();
        for writer in writers {
            for (path, value) in writer.join().unwrap() {
                expected.insert(path, value);
            }
        }
        if random.chance(50) {
            tear_the_log(&dir.path().join("data/version-2"), &mut random);
        }
    }
}

/// Puts behind the last record what a write leaves there when the process dies in its midst: the begin of a record, and reserved zeros.
fn tear_the_log(dir: &Path, random: &mut Random) {
    let log = newest_log(dir);
    let mut bytes = fs::read(&log).unwrap();
    let ends = record_ends(&bytes);
    // Killed between making a file and writing its head: there is no record in it to be torn.
    let [.., start, end] = ends[..] else { return };
    let mut next = bytes[start..end].to_vec();
    let zxid = i64::from_be_bytes(next[24..32].try_into().unwrap()) + 1;
    next[24..32].copy_from_slice(&zxid.to_be_bytes());
    let torn = 1 + random.below(next.len() - 1);
    bytes.truncate(end);
    bytes.extend_from_slice(&next[..torn]);
    if random.chance(50) {
        bytes.resize(bytes.len() + random.below(5000), 0);
    }
    fs::write(&log, bytes).unwrap();
}

/// Where each record of a log ends, behind the file's head.
fn record_ends(bytes: &[u8]) -> Vec<usize> {
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let mut ends = vec![16];
    while let Some(at) = ends.last().copied().filter(|at| *at < used) {
        ends.push(at + 13 + u32::from_be_bytes(bytes[at + 8..at + 12].try_into().unwrap()) as usize);
    }
    ends
}

/// Logs and snapshots in one directory, as a server without further settings has them.
fn layout(data: PathBuf) -> vltava_zookeeper::storage::Layout {
    vltava_zookeeper::storage::Layout {
        data_dir: data.clone(),
        log_dir: data,
        sync: true,
        ttl_enabled: false,
    }
}

fn newest_log(dir: &Path) -> PathBuf {
    let logs = fs::read_dir(dir).unwrap().filter_map(|entry| {
        let path = entry.unwrap().path();
        let zxid = i64::from_str_radix(path.file_name()?.to_str()?.strip_prefix("log.")?, 16).ok()?;
        Some((zxid, path))
    });
    logs.max().unwrap().1
}

#[test]
fn the_log_cut_at_any_byte_recovers_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (process, address) = child::server(dir.path(), 0, "");
    let mut client = Raw::connect(address, 4000).unwrap();
    for number in 0..3 {
        client.call(op::CREATE, &create(&format!("/n{number}"), b"data", 0)).unwrap();
    }
    process.kill();
    let log = newest_log(&dir.path().join("data/version-2"));
    let bytes = fs::read(&log).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    // Where each transaction ends: a session and three nodes.
    let ends = record_ends(&bytes);
    assert_eq!(ends.len(), 5);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for cut in 0..=end {
        fs::write(&log, &bytes[..cut]).unwrap();
        let layout = vltava_zookeeper::storage::Layout {
            data_dir: dir.path().join("data"),
            log_dir: dir.path().join("data"),
            sync: true,
            ttl_enabled: true,
        };
        let (storage, recovered) = vltava_zookeeper::storage::Storage::open(&layout)
            .unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
        assert_eq!(recovered.tree.last_zxid, whole as i64, "cut at {cut}");
        for number in 0..3 {
            assert_eq!(
                recovered.tree.get(&format!("/n{number}")).is_some(),
                whole > number + 1,
                "cut at {cut}"
            );
        }
        drop(storage);
        for entry in fs::read_dir(dir.path().join("data/version-2")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("torn.") {
                fs::remove_file(path).unwrap();
            }
        }
    }
    drop(runtime);
}

#[test]
fn damage_before_the_end_of_the_log_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..2 {
        let (process, address) = child::server(dir.path(), 0, "");
        let mut client = Raw::connect(address, 4000).unwrap();
        client.call(op::CREATE, &create(&format!("/n{round}"), b"data", 0)).unwrap();
        process.kill();
    }
    let data = dir.path().join("data");
    let first = data.join("version-2/log.1");
    let mut bytes = fs::read(&first).unwrap();
    bytes[40] ^= 1;
    fs::write(&first, bytes).unwrap();
    let layout = layout(data);
    let error = vltava_zookeeper::storage::Storage::open(&layout).unwrap_err().to_string();
    assert!(error.contains("log.1 is damaged at byte 16: a record's checksum is wrong"), "{error}");
}

/// In the last log too, at any of its records, the very last included: what was whole once may have been acknowledged.
#[test]
fn damage_in_the_last_log_stops_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let (process, address) = child::server(dir.path(), 0, "");
    let mut client = Raw::connect(address, 4000).unwrap();
    for number in 0..30 {
        client.call(op::CREATE, &create(&format!("/n{number}"), b"data of a node", 0)).unwrap();
    }
    process.kill();
    let data = dir.path().join("data");
    let log = data.join("version-2/log.1");
    let whole = fs::read(&log).unwrap();
    let layout = layout(data.clone());
    let ends = record_ends(&whole);
    for record in [0, 1, 17, 28, 29, 30] {
        let (start, behind) = (ends[record], 30 - record);
        for damage in [start + 40..start + 41, start..start + 40, start + 30..ends[record + 1] + 5] {
            let mut damaged = whole.clone();
            damaged[damage.clone()].iter_mut().for_each(|byte| *byte ^= 0xa5);
            fs::write(&log, damaged).unwrap();
            let error = vltava_zookeeper::storage::Storage::open(&layout).unwrap_err().to_string();
            let named = format!("log.1 is damaged at byte {start}: ");
            assert!(error.contains(&named), "{damage:?} of record {record}: {error}");
            let hit = usize::from(damage.end > ends[record + 1]);
            if behind > hit {
                let follow = format!("and {} whole transactions follow", behind - hit);
                assert!(error.contains(&follow), "{damage:?} of record {record}: {error}");
            }
        }
    }
    // A refused start changes nothing.
    fs::write(&log, whole).unwrap();
    assert!(
        fs::read_dir(data.join("version-2"))
            .unwrap()
            .all(|file| { !file.unwrap().file_name().into_string().unwrap().starts_with("torn.") })
    );
    let (_, recovered) = vltava_zookeeper::storage::Storage::open(&layout).unwrap();
    assert_eq!(recovered.tree.last_zxid, 31);
}

#[test]
fn one_data_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let (_process, _) = child::server(dir.path(), 0, "");
    let data = dir.path().join("data");
    let layout = layout(data);
    let error = vltava_zookeeper::storage::Storage::open(&layout).unwrap_err().to_string();
    assert!(error.contains("another server is using the data directory"), "{error}");
}
