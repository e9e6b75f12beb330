//! The tutorials' SimpleProducer and high-level consumer on the 0.8.2.2 clients: two groups get every message, two members of one
//! group share them.

use std::collections::BTreeSet;

use vltava_testkit::apache::Version;
use vltava_testkit::process::Running;
use vltava_testkit::{java, wait};

use crate::ground::{Ground, LIMIT, finished, sources};
use crate::znodes::Znodes;

const TOPIC: &str = "student-topic";
const MESSAGE: &str = "send a message to broker BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

#[test]
fn simple_producer_and_consumer_on_the_embedded_zookeeper() {
    groups_get_everything_and_members_share(&Ground::embedded());
}

#[test]
fn simple_producer_and_consumer_on_an_apache_ensemble() {
    groups_get_everything_and_members_share(&Ground::apache_ensemble());
}

fn groups_get_everything_and_members_share(ground: &Ground) {
    ground.create_topic(TOPIC, 3);
    let programs = Programs::new(ground);
    let one = programs.consumer("testgroup", 1);
    let other = programs.consumer("testgroup2", 1);
    // The consumer begins at the end of each partition: what is sent before it knows that end is not for it.
    programs.wait_for_offsets("testgroup", 0);
    programs.wait_for_offsets("testgroup2", 0);
    programs.produce(1);
    programs.produce(50);
    for (group, member) in [("testgroup", &one), ("testgroup2", &other)] {
        programs.wait_for_offsets(group, 51);
        assert_eq!(messages(member), 51, "{group}");
    }

    let second = programs.consumer("testgroup", 2);
    wait::until("two members share the partitions", LIMIT, || {
        let owners = programs.znodes.values(&format!("/consumers/testgroup/owners/{TOPIC}"));
        // An owner is named CONSUMER-THREAD.
        let members: BTreeSet<&str> =
            owners.iter().filter_map(|owner| Some(owner.rsplit_once('-')?.0)).collect();
        (owners.len() == 3 && members.len() == 2).then_some(())
    });
    // A producer without keys stays with one partition that it chooses: several runs reach several.
    for _ in 0..8 {
        programs.produce(10);
    }
    programs.wait_for_offsets("testgroup", 131);
    programs.wait_for_offsets("testgroup2", 131);
    assert_eq!(messages(&one) + messages(&second), 131, "the members of one group together");
    assert_eq!(messages(&other), 131, "the only member of the other group");
}

/// How many messages a consumer has printed; nothing else may be among them.
fn messages(consumer: &Running) -> usize {
    let output = consumer.output();
    let expected = format!("Message from Single Topic :: {MESSAGE}");
    assert!(output.lines().all(|line| line == expected), "{output}");
    output.lines().count()
}

struct Programs<'a> {
    ground: &'a Ground,
    class_path: String,
    znodes: Znodes,
}

impl Programs<'_> {
    fn new(ground: &Ground) -> Programs<'_> {
        let jars = Version::V0_8.class_path();
        let classes = java::compile("acceptance-simple", &sources("simple"), &jars);
        Programs { ground, class_path: format!("{}:{jars}", classes.display()), znodes: ground.znodes() }
    }

    fn start(&self, main: &str, arguments: &[&str]) -> Running {
        let mut command = self.ground.java(&self.class_path);
        command.arg(format!("acceptance.{main}")).args(arguments);
        self.ground.start(main, command, "")
    }

    fn produce(&self, count: usize) {
        let arguments = [self.ground.bootstrap.as_str(), TOPIC, MESSAGE, &count.to_string()];
        let said = finished(self.start("SimpleProducer", &arguments));
        assert_eq!(said, "", "what the producer says");
    }

    /// Starts a consumer that is the only one or the second of its group, and waits until ZooKeeper knows it.
    fn consumer(&self, group: &str, members: usize) -> Running {
        let start = || self.start("SimpleConsumer", &[&self.ground.zookeeper, TOPIC, group]);
        let mut consumer = start();
        wait::until(&format!("{group} has {members} members"), LIMIT, || {
            // The tutorials give ZooKeeper 500 ms to connect: on a busy machine their reader would start it again.
            if consumer.errors().contains("ZkTimeoutException") {
                consumer = start();
            }
            (self.znodes.children(&format!("/consumers/{group}/ids")).len() == members).then_some(())
        });
        consumer
    }

    /// Waits until the group has committed an offset for each partition, and these are `total` together.
    fn wait_for_offsets(&self, group: &str, total: u64) {
        let path = format!("/consumers/{group}/offsets/{TOPIC}");
        wait::until_equal(&format!("offsets of {group}"), LIMIT, &Some(total), || {
            let offsets: Vec<u64> = self.znodes.values(&path).iter().filter_map(|v| v.parse().ok()).collect();
            (offsets.len() == 3).then(|| offsets.iter().sum())
        });
    }
}
