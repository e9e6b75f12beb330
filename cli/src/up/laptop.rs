//! This machine as a platform: where ZooKeeper, listeners and directories are.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use vltava_operator::api::{KafkaCluster, ListenerSpec};
use vltava_operator::plan::{self, Address, Platform};

use super::data::{DataDirectory, Kept};

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
    /// clients know it.
    pub(super) fn choose(cluster: &KafkaCluster, data: &mut DataDirectory) -> Result<Laptop, String> {
        let mut taken: BTreeSet<u16> =
            data.kept.ports.values().flat_map(|ports| ports.values().copied()).collect();
        taken.extend(data.kept.zookeeper_port);
        if cluster.spec.zookeeper.external.is_none() && data.kept.zookeeper_port.is_none() {
            data.kept.zookeeper_port = Some(free_port(ZOOKEEPER_PORT, &mut taken)?);
        }
        for (index, id) in (0u16..).zip(plan::broker_ids(cluster)) {
            let ports = data.kept.ports.entry(id).or_default();
            for listener in plan::listeners(cluster) {
                if !ports.contains_key(&listener.name) {
                    let wanted = u16::try_from(listener.port).unwrap_or_default().saturating_add(index);
                    ports.insert(listener.name, free_port(wanted, &mut taken)?);
                }
            }
            if !ports.contains_key(METRICS) {
                ports.insert(METRICS.to_owned(), free_port(METRICS_PORT.saturating_add(index), &mut taken)?);
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

    /// Ports of a broker that something else listens on now.
    pub(super) fn ports_in_use(&self, broker: i32) -> Vec<(String, u16)> {
        let ports = self.kept.ports.get(&broker).into_iter().flatten();
        ports.filter(|(_, port)| !is_free(**port)).map(|(name, port)| (name.clone(), *port)).collect()
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

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The wanted port, else one that the system has left.
fn free_port(wanted: u16, taken: &mut BTreeSet<u16>) -> Result<u16, String> {
    if !taken.contains(&wanted) && is_free(wanted) {
        taken.insert(wanted);
        return Ok(wanted);
    }
    // The system may offer one that is kept for a broker that does not run: a few more tries find another.
    for _ in 0..100 {
        let offered = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let port = offered.map_err(|error| format!("no free port on 127.0.0.1: {error}"))?.port();
        if taken.insert(port) {
            return Ok(port);
        }
    }
    Err("no free port on 127.0.0.1".to_owned())
}
