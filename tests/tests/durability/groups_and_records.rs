//! Records, their order, and the offsets of groups, across kill -9 under load.

use std::collections::BTreeSet;
use std::time::Duration;

use vltava_testkit::wait;
use vltava_tests::client::Java;
use vltava_tests::judge::{self, Load, PARTITIONS};
use vltava_tests::line::{Line, Record};
use vltava_tests::member::{self, LIMIT, Member};
use vltava_tests::stage::{an_hour_ago, server};

const TOPIC: &str = "durable";

/// The producer is idempotent (the default from 3.0 on): after every retry each record lies there once, and in order. A consumer reads on
/// across every death and reads each record once.
#[test]
fn acknowledged_records_survive_kill_9_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    let client = Java::V3_9.client();
    let bootstrap = server.address().to_string();
    assert_eq!(member::run(&client, folder.path(), &["create", &bootstrap, TOPIC, "3"]), [Line::Created]);

    let mut reader = Member::join(&client, &server, folder.path(), TOPIC, "reader");
    reader.wait_to_own(&PARTITIONS);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    let load = Load { codecs: &codecs, count: 6_000, tag: "killed", time: an_hour_ago() };
    let arguments = load.arguments("produce", &bootstrap, TOPIC);
    let mut producer = member::start(&client, folder.path(), &arguments.each_ref().map(String::as_str));
    for codec in codecs {
        // Somewhere within what each codec writes, which takes about this long.
        let first = format!("killed.{codec}.0\n");
        wait::until(&format!("{first} is acknowledged"), LIMIT, || {
            assert!(producer.alive(), "the producer ended:\n{}", producer.output());
            producer.output().contains(&first).then_some(())
        });
        let moment = Duration::from_millis(rand::random_range(0..150));
        std::thread::sleep(moment);
        server.broker().kill();
        server.start_again();
        println!("{codec}: killed after {moment:?}");
    }
    let sent = load.sent(&client, &member::finish(producer));
    reader.wait_for_records(sent.len());
    judge::everything_arrived("one that read across kill -9", &sent, &[reader.leave()]);

    // All of it again, from files that were recovered five times.
    let reader = Member::join(&client, &server, folder.path(), TOPIC, "late");
    wait::until("every record is read", LIMIT, || (reader.records().len() >= sent.len()).then_some(()));
    judge::everything_arrived("one that came after kill -9", &sent, &[reader.leave()]);
}

#[test]
fn offsets_of_groups_survive_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = server(folder.path());
    let client = Java::V3_9.client();
    let bootstrap = server.address().to_string();
    assert_eq!(member::run(&client, folder.path(), &["create", &bootstrap, TOPIC, "3"]), [Line::Created]);
    let produce = |tag| {
        let load = Load { codecs: &["lz4"], count: 60, tag, time: an_hour_ago() };
        let arguments = load.arguments("produce", &bootstrap, TOPIC);
        let lines = member::run(&client, folder.path(), &arguments.each_ref().map(String::as_str));
        load.sent(&client, &lines)
    };

    let mut sent = produce("before");
    let mut reader = Member::join(&client, &server, folder.path(), TOPIC, "reader");
    reader.wait_for_records(sent.len());
    let before = reader.leave();
    server.broker().kill();
    server.start_again();
    sent.extend(produce("after"));
    let mut reader = Member::join(&client, &server, folder.path(), TOPIC, "reader");
    reader.wait_for_records(sent.len() - before.len());
    let after = reader.leave();

    judge::everything_arrived("a group across kill -9", &sent, &[before.clone(), after.clone()]);
    assert_eq!((runs(&before), runs(&after)), (BTreeSet::from(["before"]), BTreeSet::from(["after"])));
}

/// The runs that records come from.
fn runs(records: &[Record]) -> BTreeSet<&str> {
    records.iter().map(|record| record.key.split('.').next().unwrap()).collect()
}
