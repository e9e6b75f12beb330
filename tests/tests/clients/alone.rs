//! One client does everything that it can: topics, every codec, a group with a rebalance, offsets by time.

use std::collections::BTreeMap;
use std::path::Path;

use vltava_testkit::vltava::Server;
use vltava_tests::client::{self, Client, Creates, Java};
use vltava_tests::judge::{self, Load, PARTITIONS, Sent};
use vltava_tests::line::{Line, Record};
use vltava_tests::member::{self, Member};

use crate::{LIBRDKAFKA, an_hour_ago, server};

const TOPIC: &str = "life";
const GROUP: &str = "family";
/// Records of one codec in one run.
const COUNT: i32 = 30;

#[test]
fn librdkafka_lives_here() {
    lives_here(&client::librdkafka(LIBRDKAFKA));
}

#[test]
fn kafka_python_lives_here() {
    lives_here(&client::kafka_python());
}

#[test]
fn franz_go_lives_here() {
    lives_here(&client::franz_go());
}

#[test]
fn sarama_lives_here() {
    lives_here(&client::sarama());
}

#[test]
fn java_0_8_lives_here() {
    lives_here(&Java::V0_8.client());
}

#[test]
fn java_0_9_lives_here() {
    lives_here(&Java::V0_9.client());
}

#[test]
fn java_0_10_lives_here() {
    lives_here(&Java::V0_10.client());
}

#[test]
fn java_0_11_lives_here() {
    lives_here(&Java::V0_11.client());
}

#[test]
fn java_1_1_lives_here() {
    lives_here(&Java::V1_1.client());
}

#[test]
fn java_2_8_lives_here() {
    lives_here(&Java::V2_8.client());
}

#[test]
fn java_3_9_lives_here() {
    lives_here(&Java::V3_9.client());
}

#[test]
fn java_4_lives_here() {
    lives_here(&Java::V4.client());
}

fn lives_here(client: &Client) {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let life = Life { client, server: &server, folder: folder.path(), start: an_hour_ago() };
    life.create_topic();

    // One member has all partitions, a second shares them, and the second inherits what the first leaves.
    let mut sent = life.produce("first", 0);
    let mut one = life.join();
    one.wait_to_own(&PARTITIONS);
    one.wait_for_records(sent.len());
    let mut two = life.join();
    member::wait_to_share(&mut one, &mut two, &PARTITIONS);
    sent.extend(life.produce("second", 1));
    member::wait_for_both(&mut one, &mut two, sent.len());
    let read_by_one = one.leave();
    two.wait_to_own(&PARTITIONS);
    sent.extend(life.produce("third", 2));
    two.wait_for_records(sent.len() - read_by_one.len());
    let read = [read_by_one, two.leave()];

    judge::everything_arrived(client.name, &sent, &read);
    life.look_up_offsets(&read.concat());
}

struct Life<'a> {
    client: &'a Client,
    server: &'a Server,
    folder: &'a Path,
    start: i64,
}

impl Life<'_> {
    fn create_topic(&self) {
        let through = match self.client.creates {
            Creates::Admin => self.server.address(),
            Creates::ZooKeeper => self.server.zookeeper(),
            // The first producer will.
            Creates::ByUse => return,
        };
        let lines = self.run(&["create", &through.to_string(), TOPIC, "3"]);
        assert_eq!(lines, [Line::Created]);
    }

    fn join(&self) -> Member {
        Member::join(self.client, self.server, self.folder, TOPIC, GROUP)
    }

    /// Produces with every producer and every codec of the client; the runs' timestamps follow each other.
    fn produce(&self, tag: &str, run: i64) -> Vec<Sent> {
        let mut sent = Vec::new();
        for command in self.client.produces {
            let tag = format!("{tag}-{command}");
            let load =
                Load { codecs: self.client.codecs, count: COUNT, tag: &tag, time: self.start + run * 60_000 };
            let arguments = load.arguments(command, &self.server.address().to_string(), TOPIC);
            sent.extend(load.sent(self.client, &self.run(&arguments.each_ref().map(String::as_str))));
        }
        sent
    }

    fn look_up_offsets(&self, records: &[Record]) {
        let ends: BTreeMap<i32, i64> = PARTITIONS
            .iter()
            .map(|p| (*p, i64::try_from(records.iter().filter(|r| r.partition == *p).count()).unwrap()))
            .collect();
        // Before all, inside a batch of the first run, between two runs, after all.
        let times = [self.start - 1, self.start + 7, self.start + 30_000, self.start + 600_000];
        let mut words = vec!["offsets".to_owned(), self.server.address().to_string(), TOPIC.to_owned()];
        words.extend(["-2".to_owned(), "-1".to_owned()]);
        if self.client.timestamps {
            words.extend(times.iter().map(i64::to_string));
        }
        let lines = self.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(judge::offsets_at(&lines, -2), PARTITIONS.map(|p| (p, 0)).into(), "the earliest offsets");
        assert_eq!(judge::offsets_at(&lines, -1), ends, "the latest offsets");
        if self.client.timestamps {
            for time in times {
                let mut expected = judge::first_at_or_after(time, records);
                if time == times[3] {
                    expected = self.after_all(expected, &ends);
                }
                assert_eq!(judge::offsets_at(&lines, time), expected, "offsets at {time}");
            }
        }
    }

    /// What a client makes of "no record is that late": some say the end of the partition instead of none.
    fn after_all(&self, none: BTreeMap<i32, i64>, ends: &BTreeMap<i32, i64>) -> BTreeMap<i32, i64> {
        match self.client.name {
            "franz-go" => ends.clone(),
            _ => none,
        }
    }

    fn run(&self, arguments: &[&str]) -> Vec<Line> {
        member::run(self.client, self.folder, arguments)
    }
}
