//! This machine as a platform: where ZooKeeper, listeners and directories are.

use std::path::PathBuf;

use vltava_operator::api::{KafkaCluster, ListenerSpec};
use vltava_operator::plan::{self, Address, Platform};

use super::data::{DataDirectory, Kept};
use super::ports::{Ports, is_free};

/// The name under which the port of metrics is kept.
const METRICS: &str = "metrics";
const ZOOKEEPER_PORT: u16 = 2181;
const METRICS_PORT: u16 = 9404;

/// The addresses and paths of one cluster here, all chosen.
#[derive(Debug, Clone)]
pub(super) struct Laptop {
    kept: Kept,
    root: PathBuf,
}

impl Laptop {
    /// Chooses a port for everything that has none yet, and keeps it. A port that was kept is used again whatever happens:
    /// clients know it. What could not have the port that the manifest asks for is told.
    pub(super) fn choose(
        cluster: &KafkaCluster,
        data: &mut DataDirectory,
        ports: &mut Ports,
    ) -> Result<Laptop, String> {
        // Also those of brokers that are gone: they may come back.
        for port in data.kept.ports.values().flat_map(|ports| ports.values()) {
            ports.claim(*port);
        }
        let place = data.path().join("up.json");
        let mut port_of = |kept: Option<u16>, wanted: u16, what: &str| match kept {
            Some(port) if ports.claim(port) => Ok(port),
            Some(port) => Err(format!(
                "port {port}, which is kept for {what}, is in use by another `vltava up`. Stop that, or delete {} to choose new \
                 ports",
                place.display()
            )),
            None => {
                let port = ports.choose(wanted)?;
                if port != wanted {
                    println!("port {wanted} is in use by another program: {what} is at {port}");
                }
                Ok(port)
            }
        };
        if cluster.spec.zookeeper.external.is_none() {
            data.kept.zookeeper_port = Some(port_of(data.kept.zookeeper_port, ZOOKEEPER_PORT, "ZooKeeper")?);
        }
        for (index, id) in (0u16..).zip(plan::broker_ids(cluster)) {
            let kept = data.kept.ports.entry(id).or_default();
            let listeners = plan::listeners(cluster);
            let wanted = listeners.iter().map(|listener| (listener.name.as_str(), listener.port));
            for (name, wanted) in wanted.chain([(METRICS, i32::from(METRICS_PORT))]) {
                let wanted = u16::try_from(wanted).unwrap_or_default().saturating_add(index);
                let what = format!("{name} of broker {id}");
                kept.insert(name.to_owned(), port_of(kept.get(name).copied(), wanted, &what)?);
            }
        }
        data.kept.cluster = cluster.name().to_owned();
        data.keep().map_err(|error| error.to_string())?;
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
        if is_free(port) {
            return Ok(());
        }
        Err(format!(
            "port {port}, which is kept for {what}, is in use by another program. Stop that, or delete {} to choose new ports",
            self.root.join("up.json").display()
        ))
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
