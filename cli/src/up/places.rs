//! Which port each place of a cluster has: a listener of a broker, its metrics, ZooKeeper.

use std::collections::BTreeSet;
use std::path::PathBuf;

use vltava_operator::api::KafkaCluster;
use vltava_operator::plan;

use super::data::Kept;
use super::ports::{PortError, Ports};

/// The name under which the port of metrics is kept: none that a listener can have.
pub(super) const METRICS: &str = "/metrics";
/// Where ZooKeeper is unless something else is there.
pub(super) const ZOOKEEPER_PORT: u16 = 2181;
const METRICS_PORT: u16 = 9404;

/// What needs a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    /// The embedded ZooKeeper.
    ZooKeeper,
    /// A listener of a broker, or its metrics.
    Listener(i32, String),
}

impl Name {
    fn shown(&self) -> String {
        match self {
            Name::ZooKeeper => "ZooKeeper".to_owned(),
            Name::Listener(id, name) => format!("{name} of broker {id}"),
        }
    }
}

/// Something that needs a port, and what speaks for which.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: Name,
    /// What the manifest says, else the usual one.
    wanted: u16,
    /// Whether the manifest says so.
    fixed: bool,
    /// What it had before.
    kept: Option<u16>,
    /// Whether it has that port at this moment, and nobody has asked for another.
    settled: bool,
}

impl Place {
    /// What has the better right to a port comes first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Place { settled: true, .. } => 0,
            Place { fixed: true, .. } => 1,
            Place { kept: Some(_), .. } => 2,
            Place { .. } => 3,
        }
    }

    /// Whether its port is in use now, or is the manifest's word.
    pub(super) fn is_first(&self) -> bool {
        self.settled || self.fixed
    }
}

/// Everything in a cluster that needs a port.
pub(super) fn places(cluster: &KafkaCluster, running: Option<&KafkaCluster>, kept: &Kept) -> Vec<Place> {
    let mut places = Vec::new();
    if cluster.spec.zookeeper.external.is_none() {
        places.push(Place {
            name: Name::ZooKeeper,
            wanted: ZOOKEEPER_PORT,
            fixed: false,
            kept: kept.zookeeper_port,
            settled: running.is_some_and(|running| running.spec.zookeeper.external.is_none()),
        });
    }
    let fixed = cluster.spec.listeners.is_some();
    for (index, id) in (0u16..).zip(plan::broker_ids(cluster)) {
        let kept = |name: &str| kept.ports.get(&id).and_then(|ports| ports.get(name)).copied();
        let is_running = running.is_some_and(|running| plan::broker_ids(running).contains(&id));
        for listener in plan::listeners(cluster) {
            // A broker's ports follow one another, as the brokers do.
            let port = u16::try_from(listener.port).unwrap_or_default();
            let as_before = running.is_some_and(|running| {
                running.spec.listeners.is_some() == fixed
                    && plan::listeners(running)
                        .iter()
                        .any(|old| (&old.name, old.port) == (&listener.name, listener.port))
            });
            places.push(Place {
                wanted: port.saturating_add(index),
                fixed,
                kept: kept(&listener.name),
                settled: is_running && as_before,
                name: Name::Listener(id, listener.name),
            });
        }
        places.push(Place {
            name: Name::Listener(id, METRICS.to_owned()),
            wanted: METRICS_PORT.saturating_add(index),
            fixed: false,
            kept: kept(METRICS),
            settled: is_running,
        });
    }
    places
}

/// Ports as they are given out, each once.
pub(super) struct Choice<'a> {
    pub(super) ports: &'a mut Ports,
    /// Where ports are kept, for the user who wants to begin anew.
    pub(super) state: PathBuf,
    pub(super) taken: BTreeSet<u16>,
}

impl Choice<'_> {
    /// The port of one place. What has the better right must have been served before.
    pub(super) fn port_of(&mut self, place: &Place) -> Result<u16, String> {
        let kept = place.kept.filter(|port| !self.taken.contains(port));
        let port = match kept {
            Some(port) if place.settled || !place.fixed || port == place.wanted => {
                self.again(port, place)?;
                port
            }
            _ => match self.take(place.wanted) {
                Ok(()) => place.wanted,
                Err(reason) => self.instead(kept, place, &reason)?,
            },
        };
        self.taken.insert(port);
        Ok(port)
    }

    /// Takes the port that a place had before: nobody is surprised by another.
    fn again(&mut self, port: u16, place: &Place) -> Result<(), String> {
        self.ports.claim(port).map_err(|reason| {
            let (what, state) = (place.name.shown(), self.state.display());
            format!(
                "port {port}, which is kept for {what}, {reason}. Stop that, or delete {state} to choose new ports"
            )
        })
    }

    /// Something else than what is wanted: the port that it had, or one that is free.
    fn instead(&mut self, kept: Option<u16>, place: &Place, reason: &PortError) -> Result<u16, String> {
        let (what, wanted) = (place.name.shown(), place.wanted);
        if let Some(port) = kept.filter(|port| self.ports.take(*port).is_ok()) {
            say!("port {wanted} {reason}: {what} stays at {port}");
            return Ok(port);
        }
        let port = self.ports.take_any()?;
        say!("port {wanted} {reason}: {what} is at {port}");
        Ok(port)
    }

    fn take(&mut self, port: u16) -> Result<(), PortError> {
        if self.taken.contains(&port) { Err(PortError::Given) } else { self.ports.take(port) }
    }
}
