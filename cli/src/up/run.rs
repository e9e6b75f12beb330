//! The loop: start everything, then follow the file and the signals until the end.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use vltava_operator::plan::{self, Platform as _};
use vltava_zookeeper::{Server as ZooKeeper, ZooKeeperConfig};

use super::broker::Broker;
use super::data::DataDirectory;
use super::desired::Desired;
use super::ignored::ignored;
use super::laptop::Laptop;
use super::ports::Ports;
use super::topics;
use super::watch::Watch;
use crate::server::Signals;

/// How long topics that could not be made wait for another try.
const RETRY: Duration = Duration::from_secs(1);

/// How long a try waits for the next while no broker answers: a broker takes 50 ms to start, and its user waits for the topics.
const KNOCK: Duration = Duration::from_millis(10);

/// Runs until a signal.
pub(super) async fn run(file: &Path, desired: Desired, mut data: DataDirectory) -> Result<(), String> {
    let mut signals = Signals::new().map_err(|error| format!("signals can't be handled: {error}"))?;
    let mut watch =
        Watch::start(file).map_err(|error| format!("{} can't be watched: {error}", file.display()))?;
    if !data.kept.cluster.is_empty() && data.kept.cluster != desired.name() {
        return Err(format!(
            "the data directory {} is of the cluster {}, and this is {}. Choose another with --data",
            data.path().display(),
            data.kept.cluster,
            desired.name()
        ));
    }
    let mut ports = Ports::default();
    let laptop = Laptop::choose(&desired.cluster, &mut data, &mut ports)?;
    let zookeeper = start_zookeeper(&desired, &laptop, &data).await?;
    let mut up = Up {
        desired,
        data,
        ports,
        laptop,
        brokers: BTreeMap::new(),
        brokers_due: None,
        topics_due: true,
        announced: false,
        last: Vec::new(),
    };
    let outcome = match up.make_brokers().await {
        Ok(()) => {
            up.greet();
            up.follow(file, &mut signals, &mut watch).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    up.stop_brokers().await;
    if let Some(zookeeper) = zookeeper {
        zookeeper.stop().await;
    }
    if outcome.is_ok() {
        println!("{} is down; its data stays in {}", up.desired.name(), up.data.path().display());
    }
    outcome
}

async fn start_zookeeper(
    desired: &Desired,
    laptop: &Laptop,
    data: &DataDirectory,
) -> Result<Option<ZooKeeper>, String> {
    if desired.cluster.spec.zookeeper.external.is_some() {
        return Ok(None);
    }
    let config = ZooKeeperConfig {
        data_dir: data.path().join("zookeeper"),
        client_port: laptop.zookeeper_port(),
        client_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        max_client_connections: 0,
        ..ZooKeeperConfig::default()
    };
    laptop.check_zookeeper_port()?;
    let started = ZooKeeper::start(config).await;
    started.map(Some).map_err(|error| format!("ZooKeeper does not start: {error}"))
}

struct Up {
    desired: Desired,
    data: DataDirectory,
    /// Claimed for as long as this runs: also while a broker restarts.
    ports: Ports,
    laptop: Laptop,
    brokers: BTreeMap<i32, Broker>,
    /// Why the brokers are not yet those that should run, as it was last said.
    brokers_due: Option<String>,
    /// Whether the topics are to be compared.
    topics_due: bool,
    /// Whether the user has been told that all is ready.
    announced: bool,
    /// What was last said about topics, so that it is not said again every second.
    last: Vec<String>,
}

impl Up {
    async fn follow(&mut self, file: &Path, signals: &mut Signals, watch: &mut Watch) {
        loop {
            let stop = tokio::select! {
                name = signals.next() => Some(name),
                () = watch.changed() => {
                    self.reread(file).await;
                    None
                }
                () = tokio::time::sleep(RETRY), if self.brokers_due.is_some() => {
                    self.make_brokers_or_say_why().await;
                    None
                }
                () = self.make_topics(), if self.topics_due && self.brokers_due.is_none() => None,
            };
            if let Some(name) = stop {
                println!("{name}: stopping");
                return;
            }
        }
    }

    /// Starts, restarts and stops brokers until they are those that should run.
    async fn make_brokers(&mut self) -> Result<(), String> {
        let plans = plan::brokers(&self.desired.cluster, &self.laptop);
        let gone: Vec<i32> =
            self.brokers.keys().filter(|id| !plans.iter().any(|plan| plan.id == **id)).copied().collect();
        for id in gone {
            println!("broker {id}: no longer asked for, stopping; its data stays");
            self.stop_broker(id).await;
        }
        for plan in plans {
            let id = plan.id;
            if let Some(running) = self.brokers.get(&id) {
                let changed = changed_keys(&running.plan().properties, &plan.properties);
                if changed.is_empty() {
                    continue;
                }
                println!("broker {id}: {} changed, restarting", changed.join(", "));
                self.stop_broker(id).await;
            }
            self.laptop.check_ports_of(id)?;
            let folder = self.data.broker(id);
            let failed = |error: std::io::Error| format!("broker {id}: {}: {error}", folder.display());
            std::fs::create_dir_all(&folder).map_err(failed)?;
            self.brokers.insert(id, Broker::start(plan, &folder).map_err(failed)?);
        }
        self.topics_due = true;
        Ok(())
    }

    async fn stop_broker(&mut self, id: i32) {
        if let Some(broker) = self.brokers.remove(&id) {
            broker.stop().await;
        }
    }

    /// All at once: each hands over and flushes on its own time.
    async fn stop_brokers(&mut self) {
        self.brokers.values().for_each(Broker::ask_to_stop);
        while let Some((_, broker)) = self.brokers.pop_last() {
            broker.stop().await;
        }
    }

    /// Compares the topics once, as soon as the brokers answer.
    async fn make_topics(&mut self) {
        let bootstrap = self.laptop.bootstrap(&self.desired.cluster);
        let plans = self.desired.topic_plans();
        let mut managed = self.data.kept.managed_config.clone();
        let mut wait = RETRY;
        match topics::reconcile(&bootstrap, &plans, &mut managed).await {
            Ok(outcome) => {
                if outcome.lines != self.last {
                    outcome.lines.iter().for_each(|line| println!("{line}"));
                }
                self.last = if outcome.again { outcome.lines } else { Vec::new() };
                self.topics_due = outcome.again;
                if managed != self.data.kept.managed_config {
                    self.data.kept.managed_config = managed;
                    if let Err(error) = self.data.keep() {
                        println!("{error}");
                    }
                }
                if !outcome.again && !self.announced {
                    self.announced = true;
                    self.announce();
                }
            }
            // Brokers that are not up yet are no news; the log has the details.
            Err(error) => {
                tracing::debug!("topics: {error}");
                if !self.announced {
                    wait = KNOCK;
                }
            }
        }
        if self.topics_due {
            tokio::time::sleep(wait).await;
        }
    }

    /// The file has changed: what is right is made true, and what is wrong changes nothing.
    async fn reread(&mut self, file: &Path) {
        let new = match Desired::read(file) {
            Ok(new) => new,
            Err(error) => return println!("{error}\nnothing is changed until the file is right"),
        };
        if new.cluster == self.desired.cluster && new.topics == self.desired.topics {
            return;
        }
        let forbidden = new.forbidden_changes(&self.desired);
        if !forbidden.is_empty() {
            forbidden.iter().for_each(|what| println!("{}: {what}", file.display()));
            return println!("nothing is changed until the file is right");
        }
        let names: Vec<String> = new.topic_plans().into_iter().map(|plan| plan.name).collect();
        for topic in self.desired.topic_plans().iter().filter(|topic| !names.contains(&topic.name)) {
            println!("topic {}: no longer in the file; it is left as it is", topic.name);
        }
        let laptop = match Laptop::choose(&new.cluster, &mut self.data, &mut self.ports) {
            Ok(laptop) => laptop,
            Err(error) => return println!("{error}"),
        };
        let notes = ignored(&self.desired);
        ignored(&new)
            .iter()
            .filter(|note| !notes.contains(note))
            .for_each(|note| println!("ignored: {note}"));
        (self.desired, self.laptop) = (new, laptop);
        self.make_brokers_or_say_why().await;
    }

    /// What stands in the way (a port that something else holds just now) may go: it is tried again, and said once.
    async fn make_brokers_or_say_why(&mut self) {
        let outcome = self.make_brokers().await.err();
        if let Some(error) = outcome.as_ref().filter(|error| self.brokers_due.as_ref() != Some(error)) {
            println!("{error}");
        }
        self.brokers_due = outcome;
    }

    fn greet(&self) {
        println!("{} is starting; its data is in {}", self.desired.name(), self.data.path().display());
        for note in ignored(&self.desired) {
            println!("ignored: {note}");
        }
    }

    /// Where to connect and what to type next.
    fn announce(&self) {
        let bootstrap = self.laptop.bootstrap(&self.desired.cluster);
        let zookeeper = self.laptop.zookeeper_connect(&self.desired.cluster);
        let plans = self.desired.topic_plans();
        let topic = plans.first().map_or("greetings", |plan| plan.name.as_str());
        println!("\n{} is up.\n\n  Kafka      {bootstrap}\n  ZooKeeper  {zookeeper}", self.desired.name());
        for id in plan::broker_ids(&self.desired.cluster) {
            if let Some(address) = self.laptop.metrics_listener(id) {
                println!("  metrics    http://{address}/metrics (broker {id})");
            }
        }
        println!(
            "\nTry, in another terminal:\n\n  \
             bin/kafka-console-producer.sh --broker-list {bootstrap} --topic {topic}\n  \
             bin/kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic {topic} --from-beginning\n\n\
             Edit the file and it is made true; Ctrl-C stops everything and keeps the data."
        );
    }
}

/// Keys whose values differ, in either direction.
fn changed_keys(old: &vltava_settings::Properties, new: &vltava_settings::Properties) -> Vec<String> {
    let mut keys: Vec<String> = old
        .iter()
        .chain(new.iter())
        .filter(|(key, _)| old.get(key) != new.get(key))
        .map(|(key, _)| key.to_owned())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
