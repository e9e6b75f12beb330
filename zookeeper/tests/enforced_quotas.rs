//! Quotas: the same requests to this server and to Apache ZooKeeper, both of which enforce hard limits, and the same answers.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod support;

use std::net::SocketAddr;

use support::raw::Raw;
use support::{apache, child};
use vltava_zookeeper::ErrorCode;
use vltava_zookeeper::acl;
use vltava_zookeeper::jute::{Buffer, Decoder, Record as _};
use vltava_zookeeper::proto::{CreateRequest, PathVersion, PathWatch, SetDataRequest, op};

const LIMITS: &str = "/zookeeper/quota/q/zookeeper_limits";
const STATS: &str = "/zookeeper/quota/q/zookeeper_stats";

/// A session that says what became of each request.
struct Teller {
    client: Raw,
    told: Vec<String>,
}

impl Teller {
    fn tell(&mut self, what: String, kind: i32, body: &[u8]) {
        let reply = self.client.call(kind, body).unwrap();
        let error = reply.header.err;
        self.told.push(format!("{what}: {error}"));
    }

    fn create(&mut self, path: &str, data: &str) {
        let data = Some(data.as_bytes().to_vec().into());
        let request = CreateRequest { path: path.into(), data, acl: acl::open(), flags: 0 };
        self.tell(format!("create {path}"), op::CREATE, &request.to_bytes());
    }

    fn set(&mut self, path: &str, data: &str) {
        let data = Some(data.as_bytes().to_vec().into());
        let request = SetDataRequest { path: path.into(), data, version: -1 };
        self.tell(format!("set {path}"), op::SET_DATA, &request.to_bytes());
    }

    fn delete(&mut self, path: &str) {
        let request = PathVersion { path: path.into(), version: -1 };
        self.tell(format!("delete {path}"), op::DELETE, &request.to_bytes());
    }

    fn show(&mut self, path: &str) {
        let request = PathWatch { path: path.into(), watch: false };
        let reply = self.client.call(op::GET_DATA, &request.to_bytes()).unwrap();
        let data = Buffer::decode(&mut Decoder::new(&reply.body)).unwrap();
        self.told.push(format!("{path}: {}", String::from_utf8_lossy(data.as_deref().unwrap_or_default())));
    }
}

fn told_by(address: SocketAddr) -> Vec<String> {
    let mut teller = Teller { client: Raw::connect(address, 4000).unwrap(), told: Vec::new() };
    teller.create("/q", "abc");
    teller.create("/q/before", "de");
    teller.create("/zookeeper/quota/q", "");
    teller.create(LIMITS, "count=3,bytes=-1=;byteHardLimit=10;countHardLimit=4");
    teller.create(STATS, "count=0,bytes=0");
    teller.show(STATS);
    teller.create("/q/a", "12");
    teller.create("/q/b", "");
    teller.show(STATS);
    teller.create("/q/c", "");
    teller.create("/q/a/deep", "");
    teller.set("/q/a", "12345");
    teller.show(STATS);
    teller.set("/q/a", "123456");
    teller.set("/q/a", "");
    teller.delete("/q/b");
    teller.show(STATS);
    teller.create("/q/c", "");
    teller.create("/beside", &"x".repeat(1000));
    teller.set(LIMITS, "count=-1,bytes=-1");
    teller.set("/q/a", &"x".repeat(1000));
    teller.show(STATS);
    teller.delete(LIMITS);
    teller.delete(STATS);
    teller.create("/q/d", &"x".repeat(1000));
    teller.told
}

#[test]
fn quotas_are_counted_and_enforced_as_apache_zookeeper_does() {
    let dir = tempfile::tempdir().unwrap();
    let settings = "forceSync=no\nenforceQuota=true\nmaxSessionTimeout=60000";
    let (_apache, theirs) = apache::server(&dir.path().join("apache"), settings);
    std::fs::create_dir_all(dir.path().join("ours")).unwrap();
    let (_ours, ours) = child::server(&dir.path().join("ours"), 0, settings);
    let ours = told_by(ours);
    assert_eq!(ours, told_by(theirs));
    let exceeded = ErrorCode::QuotaExceeded.to_i32();
    assert_eq!(ours.iter().filter(|line| line.ends_with(&format!(": {exceeded}"))).count(), 3, "{ours:#?}");
}
