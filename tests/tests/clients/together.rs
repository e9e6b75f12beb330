//! Every client at once on one topic: old readers behind new writers, and new readers behind old ones.

use std::path::Path;
use std::thread;

use vltava_testkit::process::Running;
use vltava_testkit::vltava::Server;
use vltava_testkit::wait;
use vltava_tests::client::{self, Client, Java};
use vltava_tests::judge::{self, Load, PARTITIONS, Sent};
use vltava_tests::line::{self, Line, Record};
use vltava_tests::member::{self, LIMIT, Member};

use crate::{LIBRDKAFKA, an_hour_ago, server};

fn everybody() -> Vec<Client> {
    let mut clients =
        vec![client::librdkafka(LIBRDKAFKA), client::kafka_python(), client::franz_go(), client::sarama()];
    clients.extend(Java::ALL.map(Java::client));
    clients
}

#[test]
fn every_era_reads_what_every_era_writes() {
    const TOPIC: &str = "babel";
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let clients = everybody();
    create(&server, folder.path(), TOPIC);

    let mut members: Vec<(&Client, Member)> = clients
        .iter()
        .map(|client| (client, Member::join(client, &server, folder.path(), TOPIC, client.name)))
        .collect();
    let sent = produce_all(&clients, &server, folder.path(), TOPIC, &["none", "gzip", "snappy", "lz4"]);
    let simple = read_simply(&server, folder.path(), TOPIC, sent.len());
    for (client, member) in &mut members {
        member.wait_for_records(sent.len());
        member.wait_to_own(&PARTITIONS);
        println!("{} has read everything", client.name);
    }
    judge::everything_arrived("SimpleConsumer", &sent, &[records(member::finish(simple))]);
    for (client, member) in members {
        judge::everything_arrived(client.name, &sent, &[member.leave()]);
    }
}

#[test]
fn zstd_reaches_who_knows_it_and_is_refused_to_others() {
    const TOPIC: &str = "zstd";
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let clients = everybody();
    create(&server, folder.path(), TOPIC);

    let writers: Vec<Client> = clients.iter().filter(|c| c.codecs.contains(&"zstd")).cloned().collect();
    let sent = produce_all(&writers, &server, folder.path(), TOPIC, &["zstd"]);

    // The group in ZooKeeper of 0.8 does not say which code it met; the SimpleConsumer of the same version does.
    let (readers, others): (Vec<&Client>, Vec<&Client>) =
        clients.iter().filter(|c| !c.zookeeper_groups).partition(|c| c.refuses_zstd.is_none());
    for client in readers {
        let mut member = Member::join(client, &server, folder.path(), TOPIC, client.name);
        member.wait_for_records(sent.len());
        judge::everything_arrived(client.name, &sent, &[member.leave()]);
    }
    for client in others {
        let member = Member::join(client, &server, folder.path(), TOPIC, client.name);
        let words = client.refuses_zstd.unwrap();
        let what = format!("{} says «{words}»", client.name);
        wait::until(&what, LIMIT, || member.output().contains(words).then_some(()));
        assert_eq!(member.records(), [], "{} read zstd", client.name);
    }
    let mut simple = read_simply(&server, folder.path(), TOPIC, 1);
    assert!(!simple.wait(LIMIT).success(), "the SimpleConsumer of 0.8 read zstd: {}", simple.output());
    let refusals: Vec<Line> = line::parse(&simple.output());
    assert_eq!(refusals, [Line::Error("fetch of partition 0: error code 76".to_owned())]);
}

fn create(server: &Server, folder: &Path, topic: &str) {
    let lines =
        member::run(&Java::V4.client(), folder, &["create", &server.address().to_string(), topic, "3"]);
    assert_eq!(lines, [Line::Created]);
}

/// Every producer of every client at the same time, each with those of `codecs` that it knows.
fn produce_all(
    clients: &[Client],
    server: &Server,
    folder: &Path,
    topic: &str,
    codecs: &[&str],
) -> Vec<Sent> {
    let bootstrap = server.address().to_string();
    let time = an_hour_ago();
    thread::scope(|scope| {
        let runs: Vec<_> = clients
            .iter()
            .flat_map(|client| client.produces.iter().map(move |command| (client, *command)))
            .map(|(client, command)| {
                let bootstrap = &bootstrap;
                scope.spawn(move || {
                    let known: Vec<&str> =
                        codecs.iter().copied().filter(|c| client.codecs.contains(c)).collect();
                    let tag = format!("{}-{command}", client.name);
                    let load = Load { codecs: &known, count: 40, tag: &tag, time };
                    let arguments = load.arguments(command, bootstrap, topic);
                    let lines = member::run(client, folder, &arguments.each_ref().map(String::as_str));
                    load.sent(client, &lines)
                })
            })
            .collect();
        runs.into_iter().flat_map(|run| run.join().expect("a producer")).collect()
    })
}

/// The SimpleConsumer of 0.8 reads `count` records without a group.
fn read_simply(server: &Server, folder: &Path, topic: &str, count: usize) -> Running {
    let arguments = ["read", &server.address().to_string(), topic, &count.to_string()];
    member::start(&Java::V0_8.client(), folder, &arguments)
}

fn records(lines: Vec<Line>) -> Vec<Record> {
    lines
        .into_iter()
        .filter_map(|line| if let Line::Record(record) = line { Some(record) } else { None })
        .collect()
}
