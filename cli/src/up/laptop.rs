//! This machine as a platform: where ZooKeeper, listeners and directories are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use vltava_operator::api::{KafkaCluster, ListenerSpec};
use vltava_operator::plan::{self, Address, Platform};

use super::data::{DataDirectory, Kept, STATE};
use super::places::{Choice, METRICS, Name, Place, ZOOKEEPER_PORT, places};
use super::ports::{self, Ports};

/// The addresses and paths of one cluster here, all chosen.
#[derive(Debug, Clone)]
pub(super) struct Laptop {
    kept: Kept,
    root: PathBuf,
}

impl Laptop {
    /// Chooses a port for everything, and keeps it. What the manifest says wins over what was kept; what it leaves open (ZooKeeper,
    /// metrics, the listener that nobody wrote down) has the port of the run before, since clients know it. What could not have the
    /// port that it should is told. `running` is the cluster that runs already: what is not edited stays where it is.
    pub(super) fn choose(
        cluster: &KafkaCluster,
        running: Option<&KafkaCluster>,
        data: &mut DataDirectory,
        ports: &mut Ports,
    ) -> Result<Laptop, String> {
        let mut places = places(cluster, running, &data.kept);
        places.sort_by_key(Place::rank);
        let mut kept = data.kept.clone();
        // Brokers that are gone may come back: only what the manifest says may have their ports.
        let ids = plan::broker_ids(cluster);
        kept.ports.retain(|id, _| !ids.contains(id));
        let gone: BTreeSet<u16> = kept.ports.values().flat_map(BTreeMap::values).copied().collect();
        for port in &gone {
            let _ = ports.claim(*port);
        }
        let mut choice = Choice { ports, state: data.path().join(STATE), taken: BTreeSet::new() };
        for place in places {
            if !place.is_first() {
                choice.taken.extend(&gone);
            }
            let port = choice.port_of(&place)?;
            match place.name {
                Name::ZooKeeper => kept.zookeeper_port = Some(port),
                Name::Listener(id, name) => {
                    kept.ports.entry(id).or_default().insert(name, port);
                }
            }
        }
        kept.cluster = cluster.name().to_owned();
        let all = kept.ports.values().flat_map(BTreeMap::values).copied().chain(kept.zookeeper_port);
        ports.keep_only(&all.collect());
        let before = std::mem::replace(&mut data.kept, kept);
        if let Err(error) = data.keep() {
            data.kept = before;
            return Err(error.to_string());
        }
        Ok(Laptop { kept: data.kept.clone(), root: data.path().to_owned() })
    }

    /// The port of the embedded ZooKeeper.
    pub(super) fn zookeeper_port(&self) -> u16 {
        self.kept.zookeeper_port.unwrap_or(ZOOKEEPER_PORT)
    }

    fn port(&self, broker: i32, name: &str) -> u16 {
        self.kept.ports.get(&broker).and_then(|ports| ports.get(name)).copied().unwrap_or_default()
    }

    /// Where clients connect: the first listener of every broker.
    pub(super) fn bootstrap(&self, cluster: &KafkaCluster) -> String {
        let listeners = plan::listeners(cluster);
        let first = listeners.first().map_or("", |listener| listener.name.as_str());
        let address = |id| format!("127.0.0.1:{}", self.port(id, first));
        plan::broker_ids(cluster).into_iter().map(address).collect::<Vec<_>>().join(",")
    }

    /// Refuses a broker whose port something else listens on now.
    pub(super) fn check_ports_of(&self, broker: i32) -> Result<(), String> {
        let mut ports = self.kept.ports.get(&broker).into_iter().flatten();
        ports.try_for_each(|(name, port)| self.check(*port, &format!("{name} of broker {broker}")))
    }

    /// Refuses the embedded ZooKeeper if something else listens on its port now.
    pub(super) fn check_zookeeper_port(&self) -> Result<(), String> {
        self.check(self.zookeeper_port(), "ZooKeeper")
    }

    fn check(&self, port: u16, what: &str) -> Result<(), String> {
        ports::check(port).map_err(|error| {
            let state = self.root.join(STATE);
            format!(
                "port {port}, which is kept for {what}, {error}. Stop that, or delete {} to choose new ports",
                state.display()
            )
        })
    }
}

impl Platform for Laptop {
    fn zookeeper_connect(&self, cluster: &KafkaCluster) -> String {
        let external = cluster.spec.zookeeper.external.as_ref();
        external.map_or_else(|| format!("127.0.0.1:{}", self.zookeeper_port()), |there| there.connect.clone())
    }

    fn address(&self, broker: i32, listener: &ListenerSpec) -> Address {
        let port = self.port(broker, &listener.name);
        let host = || "127.0.0.1".to_owned();
        Address { bind_host: host(), bind_port: port, advertised_host: host(), advertised_port: port }
    }

    fn log_dirs(&self, broker: i32, volumes: usize) -> Vec<PathBuf> {
        let root = self.root.join(format!("broker-{broker}"));
        (0..volumes).map(|volume| root.join(format!("data-{volume}"))).collect()
    }

    fn metrics_listener(&self, broker: i32) -> Option<String> {
        Some(format!("127.0.0.1:{}", self.port(broker, METRICS)))
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use vltava_operator::{Resource, read_manifests};
    use vltava_testkit::wait::free_port;

    use super::*;

    /// A cluster of one broker with these listeners, the first of them internal.
    fn cluster(listeners: &[(&str, u16)]) -> KafkaCluster {
        let mut text = "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\nspec:\n  pools:\n  - name: \
                        kafka\n    replicas: 1\n    firstBrokerId: 0\n  zookeeper:\n    replicas: 1\n"
            .to_owned();
        for (index, (name, port)) in listeners.iter().enumerate() {
            let (key, kind) = if index == 0 { ("  listeners:\n", "internal") } else { ("", "nodeport") };
            text += &format!("{key}  - name: {name}\n    port: {port}\n    type: {kind}\n");
        }
        match read_manifests(&text).unwrap().remove(0) {
            Resource::KafkaCluster(cluster) => *cluster,
            other => panic!("{other:?}"),
        }
    }

    struct Machine {
        folder: TempDir,
        data: DataDirectory,
        ports: Ports,
    }

    impl Machine {
        fn new() -> Machine {
            let folder = TempDir::new().unwrap();
            let mut data = DataDirectory::open(folder.path()).unwrap();
            // What the manifest leaves open has had ports that are free here.
            data.kept.zookeeper_port = Some(free_port());
            data.kept.ports = [(0, [(METRICS.to_owned(), free_port())].into())].into();
            Machine { folder, data, ports: Ports::default() }
        }

        fn choose(&mut self, cluster: &KafkaCluster, running: Option<&KafkaCluster>) -> Laptop {
            Laptop::choose(cluster, running, &mut self.data, &mut self.ports).unwrap()
        }

        /// Another process, later.
        fn restarted(self) -> Machine {
            drop((self.data, self.ports));
            let data = DataDirectory::open(self.folder.path()).unwrap();
            Machine { data, ports: Ports::default(), folder: self.folder }
        }
    }

    #[test]
    fn an_edited_port_wins_over_the_one_that_was_kept() {
        let mut machine = Machine::new();
        let [one, two, three] = [free_port(), free_port(), free_port()];
        let first = cluster(&[("plain", one), ("other", two)]);
        let before = machine.choose(&first, None);
        assert_eq!((before.port(0, "plain"), before.port(0, "other")), (one, two));
        let metrics = before.port(0, METRICS);
        // While it runs, by exchange too: the broker is restarted before it listens.
        let swapped = cluster(&[("plain", two), ("other", one)]);
        let laptop = machine.choose(&swapped, Some(&first));
        assert_eq!((laptop.port(0, "plain"), laptop.port(0, "other")), (two, one));
        let laptop = machine.choose(&cluster(&[("plain", three), ("other", one)]), Some(&swapped));
        assert_eq!((laptop.port(0, "plain"), laptop.port(0, "other")), (three, one));
        // And between two runs.
        let mut machine = machine.restarted();
        let laptop = machine.choose(&first, None);
        assert_eq!((laptop.port(0, "plain"), laptop.port(0, "other")), (one, two));
        assert_eq!((laptop.port(0, METRICS), laptop.zookeeper_port()), (metrics, before.zookeeper_port()));
    }

    #[test]
    fn what_the_manifest_asks_for_comes_before_what_it_leaves_open() {
        let mut machine = Machine::new();
        let (zookeeper, metrics) =
            (machine.data.kept.zookeeper_port.unwrap(), machine.data.kept.ports[&0][METRICS]);
        let wanting = cluster(&[("plain", zookeeper), ("metrics", metrics)]);
        let laptop = machine.choose(&wanting, None);
        assert_eq!((laptop.port(0, "plain"), laptop.port(0, "metrics")), (zookeeper, metrics));
        assert!(![zookeeper, metrics].contains(&laptop.zookeeper_port()));
        assert!(![zookeeper, metrics].contains(&laptop.port(0, METRICS)));
        // But nothing that runs is moved for it: ZooKeeper can't.
        let taken = laptop.zookeeper_port();
        let laptop = machine.choose(&cluster(&[("plain", taken), ("metrics", metrics)]), Some(&wanting));
        assert_eq!((laptop.zookeeper_port(), laptop.port(0, "plain")), (taken, zookeeper));
    }

    #[test]
    fn a_listener_that_is_not_written_down_keeps_its_port() {
        let mut machine = Machine::new();
        let port = free_port();
        machine.data.kept.ports.entry(0).or_default().insert("plaintext".to_owned(), port);
        let open = cluster(&[]);
        assert_eq!(machine.choose(&open, None).port(0, "plaintext"), port);
        let mut machine = machine.restarted();
        assert_eq!(machine.choose(&open, None).port(0, "plaintext"), port);
        // A listener that is gone needs no port, and its may be used by others.
        let laptop = machine.choose(&cluster(&[("plain", free_port())]), Some(&open));
        assert_eq!(laptop.port(0, "plaintext"), 0);
        assert!(Ports::default().take(port).is_ok());
    }
}
