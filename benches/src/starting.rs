//! How soon a broker has something to do.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use vltava_testkit::process::Running;
use vltava_testkit::{vltava, wait};

use crate::brokers::{Broker, Kind};
use crate::rows::{Figure, Scale, TOPIC};
use crate::{load, raw};

/// The medians of so many starts: one takes little time, and varies by what the machine does beside it.
const STARTS: usize = 5;

/// From `exec` of `vltava server`, with an existing topic and a running ZooKeeper, to a raw socket's first record.
pub(crate) fn with_topic(_: Kind, folder: &Path, _: &Scale) -> Vec<Figure> {
    let Broker::Vltava(mut server) = Broker::start(Kind::Vltava, folder) else { return Vec::new() };
    load::create_topic(server.address(), TOPIC, 1);
    let address = server.address();
    let mut times: Vec<f64> = (0..STARTS)
        .map(|_| {
            let status = server.broker().stop(Duration::from_secs(30));
            assert!(status.success(), "the broker did not stop cleanly: {status}");
            let start = Instant::now();
            let first = std::thread::spawn(move || raw::first_record(address, TOPIC, start));
            server.start_again();
            first.join().expect("a first record")
        })
        .collect();
    times.sort_by(f64::total_cmp);
    vec![("ms from exec to the first record", times[STARTS / 2])]
}

/// From `exec` of `vltava up` on empty data, ZooKeeper and the topic included, to a raw socket's first record.
pub(crate) fn up(_: Kind, folder: &Path, _: &Scale) -> Vec<Figure> {
    let mut times: Vec<f64> = (0..STARTS).map(|run| up_once(&folder.join(run.to_string()))).collect();
    times.sort_by(f64::total_cmp);
    vec![("ms from exec to the first record", times[STARTS / 2])]
}

fn up_once(folder: &Path) -> f64 {
    fs::create_dir(folder).expect("a folder for one run");
    let port = wait::free_port();
    let manifest = folder.join("cluster.yaml");
    let text = format!(
        "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: bench\nspec:\n  listeners:\n    \
         - name: plaintext\n      port: {port}\n      type: internal\n  pools:\n    - name: kafka\n      replicas: 1\n      \
         firstBrokerId: 0\n  zookeeper:\n    replicas: 1\n---\napiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  \
         name: {TOPIC}\nspec:\n  cluster:\n    name: bench\n  partitions: 1\n"
    );
    fs::write(&manifest, text).expect("a manifest");
    let mut command = Command::new(vltava::program());
    command.arg("up").arg("-f").arg(&manifest).arg("--data").arg(folder.join("data"));
    let start = Instant::now();
    let address = (std::net::Ipv4Addr::LOCALHOST, port).into();
    let first = std::thread::spawn(move || raw::first_record(address, TOPIC, start));
    let mut running = Running::start("vltava up", command, &folder.join("up.out"));
    let time = first.join().expect("a first record");
    let status = running.stop(Duration::from_secs(30));
    assert!(status.success(), "`vltava up` did not stop cleanly: {status}");
    time
}
