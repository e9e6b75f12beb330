//! Disks that are full or fail: what stands on them is refused, everything else goes on.

use std::fs;
use std::path::Path;

use vltava_client::admin::log_dirs;
use vltava_protocol::ErrorCode;
use vltava_testkit::disk::SmallDisk;
use vltava_testkit::vltava::Server;
use vltava_testkit::wait;
use vltava_tests::client::Java;
use vltava_tests::judge::Load;
use vltava_tests::member::{self, LIMIT};
use vltava_tests::stage::an_hour_ago;

use crate::raw::{Raw, batch};

const MIB: u64 = 1 << 20;

#[test]
fn a_full_disk_refuses_records_serves_reads_and_heals_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount_at("a_full_disk", &folder.path().join("data"), 64 << 10) else {
        return;
    };
    let mut server = Server::start(folder.path(), &["num.partitions=3", "offsets.topic.num.partitions=1"]);
    let raw = Raw::new(server.address());
    let value = |n: usize| format!("{n} {}", "x".repeat(50_000));
    raw.create_topic("filled", 1, &[]);
    let mut expected = vec![(raw.produce_when_led("filled", &batch(&[&value(0)], None)), value(0))];

    let ballast = disk.fill_but(4 * MIB);
    let refusal = loop {
        let value = value(expected.len());
        match raw.produce(9, "filled", &batch(&[&value], None)) {
            Ok(offset) => expected.push((offset, value)),
            Err(code) => break code,
        }
        assert!(expected.len() < 200, "10 MB went to a disk of 4 MiB");
    };
    assert_eq!(refusal, ErrorCode::KafkaStorageError);
    assert!(expected.len() > 10, "refused with much room left: after {} records", expected.len());
    let old = raw.produce(3, "filled", &batch(&["for a client that does not know the code"], None));
    assert_eq!(old, Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(raw.read("filled", 0), Ok(expected.clone()), "reads go on");

    // A real producer meets the full disk and waits.
    let client = Java::V3_9.client();
    let load = Load { codecs: &["lz4"], count: 30, tag: "patient", time: an_hour_ago() };
    let arguments = load.arguments("produce", &server.address().to_string(), "patient");
    let producer = member::start(&client, folder.path(), &arguments.each_ref().map(String::as_str));
    wait::until("the producer is refused", LIMIT, || producer.output().contains("STORAGE").then_some(()));

    fs::remove_file(ballast).unwrap();
    wait::until("the disk heals", LIMIT, || {
        let offset = raw.produce(9, "filled", &batch(&["healed"], None)).ok()?;
        expected.push((offset, "healed".to_owned()));
        Some(())
    });
    assert_eq!(load.sent(&client, &member::finish(producer)).len(), 30);
    assert!(server.broker().alive(), "it healed without a restart");
    assert_eq!(raw.read("filled", 0), Ok(expected.clone()));

    server.broker().kill();
    server.start_again();
    let added = raw.produce_when_led("filled", &batch(&["after kill -9"], None));
    expected.push((added, "after kill -9".to_owned()));
    assert_eq!(raw.read("filled", 0), Ok(expected), "what was refused left nothing behind");
}

/// However it stopped: to open what is there takes no room.
#[test]
fn a_broker_that_starts_on_a_full_disk_serves_reads_and_heals_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount_at("a_start_on_a_full_disk", &folder.path().join("data"), 64 << 10)
    else {
        return;
    };
    let settings = ["offsets.topic.num.partitions=1", "log.segment.bytes=100000", "index.interval.bytes=100"];
    let mut server = Server::start(folder.path(), &settings);
    let raw = Raw::new(server.address());
    let mut expected = Vec::new();
    for topic in ["one", "other"] {
        raw.create_topic(topic, 1, &[]);
    }
    for stop in 0..3 {
        for n in 0..40 {
            let value = format!("{stop} {n} {}", "x".repeat(5_000));
            expected.push((raw.produce_when_led("one", &batch(&[&value], None)), value));
        }
        let ballast = disk.fill_but(0);
        if stop == 1 {
            assert!(server.broker().stop(LIMIT).success());
        } else {
            server.broker().kill();
        }
        // What the stop gave back is taken too.
        let more = disk.path().join("more");
        fs::write(&more, vec![1; 1 << 20]).unwrap_err();
        server.start_again();
        wait::until("reads go on", LIMIT, || (raw.read("one", 0) == Ok(expected.clone())).then_some(()));
        assert_eq!(raw.read("other", 0), Ok(Vec::new()));
        let refused = raw.produce(9, "one", &batch(&["refused"], None));
        assert_eq!(refused, Err(ErrorCode::KafkaStorageError), "stop {stop}");
        fs::remove_file(more).unwrap();
        fs::remove_file(ballast).unwrap();
        wait::until("the disk heals", LIMIT, || {
            let offset = raw.produce(9, "one", &batch(&["healed"], None)).ok()?;
            expected.push((offset, "healed".to_owned()));
            Some(())
        });
        assert!(server.broker().alive(), "it healed without a restart");
    }
    server.broker().kill();
    server.start_again();
    wait::until("it is led", LIMIT, || raw.read("one", 0).ok());
    assert_eq!(raw.read("one", 0), Ok(expected));
}

/// What was deleted stays deleted, or the deletion is refused.
#[test]
fn records_that_are_deleted_do_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount_at("deleted_records", &folder.path().join("data"), 64 << 10) else {
        return;
    };
    let mut server = Server::start(folder.path(), &["offsets.topic.num.partitions=1"]);
    let raw = Raw::new(server.address());
    raw.create_topic("t", 1, &[]);
    for n in 0..10 {
        assert_eq!(raw.produce_when_led("t", &batch(&["v"], None)), n);
    }
    assert_eq!(raw.delete_records("t", 3), Ok(3));
    server.broker().kill();
    server.start_again();
    let from = |raw: &Raw, start: i64| {
        wait::until("it is led", LIMIT, || raw.read("t", start).ok());
        assert_eq!(
            raw.read("t", start - 1),
            Err(ErrorCode::OffsetOutOfRange),
            "offset {start} was deleted to"
        );
    };
    from(&raw, 3);
    let ballast = disk.fill_but(0);
    assert_eq!(raw.delete_records("t", 5), Err(ErrorCode::KafkaStorageError), "it can't be written down");
    fs::remove_file(ballast).unwrap();
    assert_eq!(raw.delete_records("t", 7), Ok(7), "there is room again");
    server.broker().kill();
    server.start_again();
    from(&raw, 7);
}

#[test]
fn a_directory_that_fails_takes_only_its_own_partitions_away() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, failing) = (folder.path().join("sound"), folder.path().join("failing"));
    let directories = format!("log.dirs={},{}", sound.display(), failing.display());
    let mut server = Server::start(folder.path(), &[&directories, "log.segment.bytes=20000"]);
    let raw = Raw::new(server.address());

    // Partitions go where there are fewest: of two topics, each directory has one.
    let mut topics = Vec::new();
    for topic in ["one", "other"] {
        raw.create_topic(topic, 1, &[]);
        topics.push((raw.produce_when_led(topic, &batch(&["first"], None)), topic));
    }
    let lies_in = |directory: &Path, topic: &str| directory.join(format!("{topic}-0")).is_dir();
    let kept =
        *topics.iter().map(|(_, t)| t).find(|t| lies_in(&sound, t)).expect("a topic in each directory");
    let lost =
        *topics.iter().map(|(_, t)| t).find(|t| lies_in(&failing, t)).expect("a topic in each directory");

    // The directory goes and something else is in its place: the next file that is made there fails.
    let gone = folder.path().join("gone");
    fs::rename(&failing, &gone).unwrap();
    fs::write(&failing, "no directory").unwrap();
    let large = "x".repeat(9_000);
    let mut written = 1;
    let refusal = loop {
        match raw.produce(9, lost, &batch(&[&large], None)) {
            Ok(_) => written += 1,
            Err(code) => break code,
        }
        assert!(written < 100, "a segment of 20 kB was never full");
    };
    assert_eq!(refusal, ErrorCode::KafkaStorageError);
    assert_eq!(raw.produce(3, lost, &batch(&["x"], None)), Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(raw.read(lost, 0), Err(ErrorCode::KafkaStorageError));
    let goes_on = |raw: &Raw, offset| {
        assert_eq!(raw.produce_when_led(kept, &batch(&["more"], None)), offset);
        assert_eq!(raw.read(kept, offset), Ok(vec![(offset, "more".to_owned())]));
    };
    goes_on(&raw, 1);
    let broken = || {
        let dirs = raw.admin(async |client| log_dirs(client, 0, None).await);
        let offline = dirs.into_iter().filter_map(|dir| Some((dir.path, dir.error?.code)));
        offline.collect::<Vec<_>>()
    };
    let expected = vec![(failing.display().to_string(), ErrorCode::KafkaStorageError)];
    wait::until_equal("the offline directories", LIMIT, &expected, broken);

    // Clients are told that there is no leader, and the controller counts it.
    let leaders = || [kept, lost].map(|topic| raw.leader(topic));
    wait::until_equal("the leaders", LIMIT, &[Ok(0), Err(ErrorCode::LeaderNotAvailable)], leaders);

    // It is no reason not to start either.
    server.broker().kill();
    server.start_again();
    goes_on(&raw, 2);
    assert_eq!(raw.produce(9, lost, &batch(&["x"], None)), Err(ErrorCode::KafkaStorageError));

    // Put right by hand, it is back after a restart, with every record that was acknowledged.
    fs::remove_file(&failing).unwrap();
    fs::rename(&gone, &failing).unwrap();
    assert!(server.broker().stop(LIMIT).success());
    server.start_again();
    goes_on(&raw, 3);
    let offset = raw.produce_when_led(lost, &batch(&["back"], None));
    let found = raw.read(lost, 0).unwrap();
    assert_eq!((offset, found.len()), (written, usize::try_from(written).unwrap() + 1));
    assert!(found[1..found.len() - 1].iter().all(|(_, value)| *value == large));
}
