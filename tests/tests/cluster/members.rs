//! Brokers of both kinds on one ZooKeeper, and what their cluster says of itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use vltava_testkit::process::Running;
use vltava_testkit::{apache, vltava, wait};

pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What every broker here is given: failures are found out soon, and records are held by two.
const COMMON: [&str; 7] = [
    "zookeeper.session.timeout.ms=4000",
    "replica.lag.time.max.ms=4000",
    "min.insync.replicas=2",
    "default.replication.factor=3",
    "offsets.topic.replication.factor=3",
    "offsets.topic.num.partitions=5",
    "group.initial.rebalance.delay.ms=0",
];

/// Which program a broker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Vltava,
    Apache,
}

enum Program {
    Vltava(vltava::Broker),
    Apache(apache::Broker),
}

/// One broker of a cluster. Its data stay where they are, whichever program runs on them.
pub(crate) struct Member {
    id: i32,
    zookeeper: String,
    folder: PathBuf,
    more: Vec<String>,
    program: Program,
}

impl Member {
    /// Starts broker `id`; its data are below `folder`, in a folder of its own.
    pub(crate) fn start(kind: Kind, id: i32, zookeeper: &str, folder: &Path, more: &[&str]) -> Member {
        let folder = folder.join(format!("broker-{id}"));
        std::fs::create_dir_all(&folder).unwrap();
        let more: Vec<String> = more.iter().map(ToString::to_string).collect();
        let program = run(kind, id, zookeeper, &folder, &more);
        Member { id, zookeeper: zookeeper.to_owned(), folder, more, program }
    }

    pub(crate) fn id(&self) -> i32 {
        self.id
    }

    /// `host:port`
    pub(crate) fn address(&self) -> String {
        match &self.program {
            Program::Vltava(broker) => broker.address().to_string(),
            Program::Apache(broker) => broker.address().to_string(),
        }
    }

    pub(crate) fn process(&mut self) -> &mut Running {
        match &mut self.program {
            Program::Vltava(broker) => broker.process(),
            Program::Apache(broker) => broker.process(),
        }
    }

    /// Starts it again on the same data, as the same program or as the other.
    pub(crate) fn start_again(&mut self, kind: Kind) {
        self.program = run(kind, self.id, &self.zookeeper, &self.folder, &self.more);
    }
}

fn run(kind: Kind, id: i32, zookeeper: &str, folder: &Path, more: &[String]) -> Program {
    let data = format!("log.dirs={}", folder.join("log").display());
    let broker_id = format!("broker.id={id}");
    let mut lines: Vec<&str> = vec![&broker_id, &data];
    lines.extend(COMMON);
    lines.extend(more.iter().map(String::as_str));
    match kind {
        Kind::Vltava => Program::Vltava(vltava::Broker::start(zookeeper, folder, &lines)),
        Kind::Apache => {
            Program::Apache(apache::Broker::start(apache::Version::V3_9, id, zookeeper, folder, &lines))
        }
    }
}

/// The addresses of all, for clients to begin with.
pub(crate) fn bootstrap(members: &[Member]) -> String {
    members.iter().map(Member::address).collect::<Vec<_>>().join(",")
}

/// Makes a topic, once every broker knows of all.
pub(crate) async fn create(members: &[Member], topic: &str, partitions: i32, replicas: i32) {
    for member in members {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", member.address())
            .set("group.id", "looker")
            .create()
            .unwrap();
        wait::until(&format!("broker {} knows of all", member.id), PATIENCE, || {
            let metadata = client.fetch_metadata(Some("none"), Duration::from_secs(5)).ok()?;
            (metadata.brokers().len() == members.len()).then_some(())
        });
    }
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", bootstrap(members)).create().unwrap();
    let topic = NewTopic::new(topic, partitions, TopicReplication::Fixed(replicas));
    let made = admin.create_topics([&topic], &AdminOptions::new()).await.unwrap();
    made[0].as_ref().expect("the topic is made");
}

/// Leader and in-sync set of each partition of a topic, as a broker tells.
pub(crate) fn states(bootstrap: &str, topic: &str) -> Option<Vec<(i32, Vec<i32>)>> {
    let client: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", bootstrap).set("group.id", "looker").create().unwrap();
    let metadata = client.fetch_metadata(Some(topic), Duration::from_secs(5)).ok()?;
    let topic = metadata.topics().first()?;
    let state = |partition: &rdkafka::metadata::MetadataPartition| {
        let mut isr = partition.isr().to_vec();
        isr.sort_unstable();
        (partition.leader(), isr)
    };
    Some(topic.partitions().iter().map(state).collect())
}

/// Waits until every partition of a topic has these in-sync replicas and one of them leads, says every one of the brokers.
pub(crate) fn wait_for_isr(members: &[Member], topic: &str, ids: &[i32]) {
    for address in members.iter().filter(|member| ids.contains(&member.id)).map(Member::address) {
        let mut seen = None;
        let settled = || {
            seen = states(&address, topic);
            let all = seen.as_ref()?;
            let good = |(leader, isr): &(i32, Vec<i32>)| isr == ids && ids.contains(leader);
            (!all.is_empty() && all.iter().all(good)).then_some(())
        };
        wait::until(&format!("{topic} has the in-sync replicas {ids:?} at {address}"), PATIENCE, settled);
    }
}
