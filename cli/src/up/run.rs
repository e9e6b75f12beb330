//! The loop: start everything, then follow the file and the signals until the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use vltava_operator::plan::{self, BrokerPlan, Platform as _};

use super::Args;
use super::begin::{await_brokers, may_follow, start_zookeeper};
use super::broker::Broker;
use super::data::DataDirectory;
use super::desired::Desired;
use super::ignored::ignored;
use super::laptop::Laptop;
use super::ports::Ports;
use super::rolling::{all_in_sync, all_live};
use super::topics;
use super::watch::{Version, Watch};
use crate::logging::LogArgs;
use crate::server::Signals;

/// How long topics that could not be made wait for another try.
const RETRY: Duration = Duration::from_secs(1);

/// How long a try waits for the next while no broker answers: a broker takes 50 ms to start, and its user waits for the topics.
const KNOCK: Duration = Duration::from_millis(10);

/// Runs until a signal.
pub(super) async fn run(
    args: &Args,
    version: Option<Version>,
    desired: Desired,
    mut data: DataDirectory,
) -> Result<(), String> {
    let mut signals = Signals::new().map_err(|error| format!("signals can't be handled: {error}"))?;
    let file = args.file.as_path();
    let mut watch = Watch::start(file, version);
    let before = may_follow(file, &desired, &data)?;
    if let Some(name) = await_brokers(&data, &mut signals).await? {
        say!("{name}: nothing was started");
        return Ok(());
    }
    let mut ports = Ports::default();
    let laptop = Laptop::choose(&desired.cluster, None, &mut data, &mut ports)?;
    data.apply(&desired).map_err(|error| error.to_string())?;
    let zookeeper = start_zookeeper(&desired, &laptop, &data).await?;
    let mut up = Up {
        log: args.log.clone(),
        desired,
        data,
        ports,
        laptop,
        brokers: BTreeMap::new(),
        brokers_due: None,
        topics_due: true,
        refused: false,
        announced: false,
        last: Vec::new(),
    };
    let outcome = match up.make_brokers().await {
        Ok(()) => {
            up.greet(before.as_ref());
            up.follow(file, &mut signals, &mut watch).await;
            Ok(())
        }
        Err(error) => Err(error),
    };
    let stop = async {
        up.stop_brokers().await;
        if let Some(zookeeper) = zookeeper {
            zookeeper.stop().await;
        }
    };
    tokio::select! {
        () = stop => {}
        // The children go with this process.
        name = signals.next_interrupt() => {
            return Err(format!("{name} again: exiting at once, the logs will be recovered at the next start"));
        }
    }
    if outcome.is_ok() {
        say!("{} is down; its data stays in {}", up.desired.name(), up.data.path().display());
    }
    outcome
}

struct Up {
    /// How brokers log.
    log: LogArgs,
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
    /// Whether the file is such that it was refused.
    refused: bool,
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
                say!("{name}: stopping");
                return;
            }
        }
    }

    /// Starts, restarts and stops brokers until they are those that should run.
    async fn make_brokers(&mut self) -> Result<(), String> {
        let plans = plan::brokers(&self.desired.cluster, &self.laptop);
        self.stop_gone(&plans).await;
        self.stop_moved(&plans).await;
        // Those that are not there, at once; they are part of what the others wait for.
        for plan in &plans {
            if !self.brokers.contains_key(&plan.id) {
                self.start(plan)?;
            }
        }
        for plan in &plans {
            let Some(running) = self.brokers.get(&plan.id) else { continue };
            let changed = changed_keys(&running.plan().properties, &plan.properties);
            if changed.is_empty() {
                continue;
            }
            if plans.len() > 1 && !all_in_sync(&self.bootstrap(), plans.len()).await {
                say!("a broker did not catch up; going on");
            }
            say!("broker {}: {} changed, restarting", plan.id, changed.join(", "));
            if let Some(broker) = self.brokers.remove(&plan.id) {
                broker.stop().await;
            }
            self.start(plan)?;
        }
        self.topics_due = true;
        Ok(())
    }

    fn start(&mut self, plan: &BrokerPlan) -> Result<(), String> {
        let id = plan.id;
        self.laptop.check_ports_of(id)?;
        let folder = self.data.broker(id);
        let failed = |error: std::io::Error| format!("broker {id}: {}: {error}", folder.display());
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let token = self.data.token().map_err(failed)?;
        self.brokers.insert(id, Broker::start(plan.clone(), &folder, token, &self.log).map_err(failed)?);
        Ok(())
    }

    /// Stops brokers that are not asked for.
    async fn stop_gone(&mut self, plans: &[BrokerPlan]) {
        let ids: Vec<i32> = self.brokers.keys().copied().collect();
        for id in ids.into_iter().filter(|id| plans.iter().all(|plan| plan.id != *id)) {
            say!("broker {id}: no longer asked for, stopping; its data stays");
            if let Some(broker) = self.brokers.remove(&id) {
                broker.stop().await;
            }
        }
    }

    /// Stops brokers whose listeners change, before anything starts: one may get the port of another.
    async fn stop_moved(&mut self, plans: &[BrokerPlan]) {
        for plan in plans {
            let Some(running) = self.brokers.get(&plan.id) else { continue };
            let changed = changed_keys(&running.plan().properties, &plan.properties);
            if !changed.iter().any(|key| key.contains("listener")) {
                continue;
            }
            say!("broker {}: {} changed, restarting", plan.id, changed.join(", "));
            if let Some(broker) = self.brokers.remove(&plan.id) {
                broker.stop().await;
            }
        }
    }

    /// All at once: each hands over and flushes on its own time.
    async fn stop_brokers(&mut self) {
        self.brokers.values().for_each(Broker::ask_to_stop);
        while let Some((_, broker)) = self.brokers.pop_last() {
            broker.stop().await;
        }
    }

    fn keep(&self) {
        if let Err(error) = self.data.keep() {
            say!("{error}");
        }
    }

    /// Compares the topics once, as soon as the brokers answer. May be dropped at any time.
    async fn make_topics(&mut self) {
        let bootstrap = self.bootstrap();
        let plans = self.desired.topic_plans();
        if !self.announced && self.brokers.len() > 1 && !all_live(&bootstrap, self.brokers.len()).await {
            return tokio::time::sleep(KNOCK).await;
        }
        if topics::note(&plans, &mut self.data.kept.managed_config) {
            self.keep();
        }
        let mut managed = self.data.kept.managed_config.clone();
        let mut wait = RETRY;
        match topics::reconcile(&bootstrap, &plans, &mut managed).await {
            Ok(outcome) => {
                if outcome.lines != self.last {
                    outcome.lines.iter().for_each(|line| say!("{line}"));
                }
                self.last = if outcome.again { outcome.lines } else { Vec::new() };
                self.topics_due = outcome.again;
                if managed != self.data.kept.managed_config {
                    self.data.kept.managed_config = managed;
                    self.keep();
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
            Err(error) => return self.refuse(&error),
        };
        let was_refused = std::mem::take(&mut self.refused);
        if new == self.desired {
            if was_refused {
                say!("{}: right again, and as before", file.display());
            }
            return;
        }
        let forbidden = new.forbidden_changes(&self.desired);
        if !forbidden.is_empty() {
            let lines: Vec<String> =
                forbidden.iter().map(|what| format!("{}: {what}", file.display())).collect();
            return self.refuse(&lines.join("\n"));
        }
        let laptop =
            Laptop::choose(&new.cluster, Some(&self.desired.cluster), &mut self.data, &mut self.ports);
        let laptop = match laptop {
            Ok(laptop) => laptop,
            Err(error) => return self.refuse(&error),
        };
        if let Err(error) = self.data.apply(&new) {
            return self.refuse(&error.to_string());
        }
        say_gone_topics(&new, &self.desired);
        let notes = ignored(&self.desired);
        ignored(&new).iter().filter(|note| !notes.contains(note)).for_each(|note| say!("ignored: {note}"));
        let before = self.bootstrap();
        (self.desired, self.laptop) = (new, laptop);
        let bootstrap = self.bootstrap();
        if bootstrap != before {
            say!("Kafka is at {bootstrap}");
        }
        self.make_brokers_or_say_why().await;
    }

    /// What stands in the way (a port that something else holds just now) may go: it is tried again, and said once.
    async fn make_brokers_or_say_why(&mut self) {
        let outcome = self.make_brokers().await.err();
        if let Some(error) = outcome.as_ref().filter(|error| self.brokers_due.as_ref() != Some(error)) {
            say!("{error}");
        }
        self.brokers_due = outcome;
    }

    /// An edit that can't be made true, and what that means.
    fn refuse(&mut self, why: &str) {
        self.refused = true;
        say!("{why}\nnothing is changed until the file is right");
    }

    fn greet(&self, before: Option<&Desired>) {
        say!("{} is starting; its data is in {}", self.desired.name(), self.data.path().display());
        if let Some(before) = before {
            say_gone_topics(&self.desired, before);
        }
        for note in ignored(&self.desired) {
            say!("ignored: {note}");
        }
    }

    fn bootstrap(&self) -> String {
        self.laptop.bootstrap(&self.desired.cluster)
    }

    /// Where to connect and what to type next.
    fn announce(&self) {
        let bootstrap = self.bootstrap();
        let zookeeper = self.laptop.zookeeper_connect(&self.desired.cluster);
        let plans = self.desired.topic_plans();
        let topic = plans.first().map_or("greetings", |plan| plan.name.as_str());
        say!("\n{} is up.\n\n  Kafka      {bootstrap}\n  ZooKeeper  {zookeeper}", self.desired.name());
        for id in plan::broker_ids(&self.desired.cluster) {
            if let Some(address) = self.laptop.metrics_listener(id) {
                say!("  metrics    http://{address}/metrics (broker {id})");
            }
        }
        say!(
            "\nTry, in another terminal:\n\n  \
             bin/kafka-console-producer.sh --broker-list {bootstrap} --topic {topic}\n  \
             bin/kafka-console-consumer.sh --bootstrap-server {bootstrap} --topic {topic} --from-beginning\n\n\
             Edit the file and it is made true; Ctrl-C stops everything and keeps the data."
        );
    }
}

/// Nothing is deleted because a manifest does not mention it: that it is gone from the file may be a slip.
fn say_gone_topics(new: &Desired, old: &Desired) {
    for topic in new.gone_topics(old) {
        say!("topic {topic}: no longer in the file; it is left as it is, with its records");
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
