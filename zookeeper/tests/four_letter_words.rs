//! What scripts read off a bare connection: the same requests to this server and to Apache ZooKeeper, and the same numbers in the answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use support::raw::Raw;
use support::{apache, child};
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::Record as _;
use vltava_zookeeper::proto::{CreateRequest, PathWatch, op};

/// Rows of `mntr` whose numbers follow from the requests alone.
const EQUAL: [&str; 12] = [
    "server_state",
    "ephemerals_count",
    "znode_count",
    "global_sessions",
    "local_sessions",
    "watch_count",
    "auth_failed_count",
    "max_client_response_size",
    "connection_drop_probability",
    "num_alive_connections",
    "outstanding_requests",
    "approximate_data_size",
];

/// Rows that are numbers of their own in each server, but that both have.
const PRESENT: [&str; 14] = [
    "version",
    "avg_latency",
    "min_latency",
    "max_latency",
    "packets_received",
    "packets_sent",
    "open_file_descriptor_count",
    "uptime",
    "last_client_response_size",
    "min_client_response_size",
    "non_mtls_local_conn_count",
    "non_mtls_remote_conn_count",
    "bytes_received_count",
    "connection_rejected",
];

fn rows(address: SocketAddr) -> BTreeMap<String, String> {
    let text = support::four_letter_word(address, "mntr").unwrap();
    let pair = |line: &str| {
        let (key, value) = line.split_once('\t').unwrap();
        (key.strip_prefix("zk_").unwrap().to_owned(), value.to_owned())
    };
    text.lines().map(pair).collect()
}

/// Two sessions, ephemeral nodes, watches and a refused credential.
fn work(address: SocketAddr) -> [Raw; 2] {
    let [mut first, second] = [0, 1].map(|_| Raw::connect(address, 4000).unwrap());
    for (path, flags, size) in [("/a", 0, 10), ("/a/e", 1, 200), ("/a/s-", 3, 5)] {
        let data = Some(vec![b'd'; size].into());
        let request = CreateRequest { path: path.into(), data, acl: acl::open(), flags };
        assert_eq!(first.call(op::CREATE, &request.to_bytes()).unwrap().header.err, 0);
    }
    for kind in [op::GET_DATA, op::GET_CHILDREN2] {
        let request = PathWatch { path: "/a".into(), watch: true }.to_bytes();
        assert_eq!(first.call(kind, &request).unwrap().header.err, 0);
    }
    let request = PathWatch { path: "/a/e".into(), watch: false }.to_bytes();
    assert_eq!(first.call(op::GET_DATA, &request).unwrap().header.err, 0);
    let mut stranger = Raw::connect(address, 4000).unwrap();
    let refused = stranger.add_auth("nobody", "knows").unwrap();
    assert_ne!(refused.header.err, 0);
    stranger.call(op::PING, &[]).unwrap_err();
    [first, second]
}

#[test]
fn mntr_has_the_rows_and_numbers_of_apache_zookeeper() {
    let dir = tempfile::tempdir().unwrap();
    let (_apache, theirs) =
        apache::server(&dir.path().join("apache"), "forceSync=no\nmaxSessionTimeout=60000");
    std::fs::create_dir_all(dir.path().join("ours")).unwrap();
    let (_ours, ours) = child::server(&dir.path().join("ours"), 0, "forceSync=no\nmaxSessionTimeout=60000");
    let _clients = [work(theirs), work(ours)];
    // A connection that has ended leaves the books a moment later.
    let [theirs, ours] = [theirs, ours].map(|address| {
        support::eventually("the stranger's end", || {
            Some(rows(address)).filter(|rows| rows["num_alive_connections"] == "3")
        })
    });
    for row in EQUAL {
        assert_eq!(ours.get(row), Some(&theirs[row]), "{row}");
    }
    for row in PRESENT {
        assert!(theirs.contains_key(row), "{row} is not Apache's");
        assert!(ours.contains_key(row), "{row} is missing");
    }
    let unknown: Vec<_> = ours.keys().filter(|row| !theirs.contains_key(*row)).collect();
    assert!(unknown.is_empty(), "rows that Apache does not have: {unknown:?}");
}

/// Words whose answers are compared line by line, with what differs from server to server made alike: numbers, dates, directories and the like.
const LAID_OUT: [&str; 14] = [
    "conf", "cons", "crst", "dirs", "dump", "gtmk", "isro", "ruok", "srst", "srvr", "stat", "wchc", "wchp",
    "wchs",
];

/// A line without what is of one server only.
fn shape(line: &str) -> String {
    // What stands behind a date's first word is that date.
    let line = line
        .split_once(" expire at ")
        .map_or(line.to_owned(), |(count, _)| format!("{count} expire at DATE"));
    let mut shape = String::new();
    for word in line.split_inclusive(|c: char| " =:,()[]/\t".contains(c)) {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, end)) if " =:,()[]/\t".contains(end) => word.split_at(at),
            _ => (word, ""),
        };
        let hex = word.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        shape.push_str(if hex {
            "HEX"
        } else if number {
            "N"
        } else {
            word
        });
        shape.push_str(end);
    }
    shape
}

#[test]
fn every_word_is_laid_out_as_apache_zookeeper_does() {
    let dir = tempfile::tempdir().unwrap();
    let settings = "forceSync=no\nmaxSessionTimeout=60000";
    let (_apache, theirs) = apache::server(&dir.path().join("apache"), settings);
    std::fs::create_dir_all(dir.path().join("ours")).unwrap();
    let (_ours, ours) = child::server(&dir.path().join("ours"), 0, settings);
    let _clients = [work(theirs), work(ours)];
    for address in [theirs, ours] {
        support::eventually("the stranger's end", || {
            Some(rows(address)).filter(|rows| rows["num_alive_connections"] == "3")
        });
    }
    for word in LAID_OUT {
        let [mut theirs, mut ours] = [theirs, ours].map(|address| {
            let text = support::four_letter_word(address, word).unwrap();
            text.lines().map(shape).filter(|line| !line.starts_with("Zookeeper version")).collect::<Vec<_>>()
        });
        if matches!(word, "conf") {
            // Directories are each server's own.
            for lines in [&mut theirs, &mut ours] {
                lines
                    .iter_mut()
                    .for_each(|line| line.truncate(line.find('=').map_or(line.len(), |at| at + 1)));
            }
        }
        if matches!(word, "cons" | "stat" | "dump" | "wchc" | "wchp") {
            // Connections and paths come in no order, and fall into sets as time has it.
            for lines in [&mut theirs, &mut ours] {
                lines.retain(|line| !line.contains("expire at"));
                lines.sort();
                lines.dedup();
            }
        }
        assert_eq!(ours, theirs, "{word}");
    }
}
