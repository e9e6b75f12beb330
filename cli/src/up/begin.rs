//! What must be so before anything is started.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;
use vltava_zookeeper::{Server as ZooKeeper, ZooKeeperConfig};

use super::data::DataDirectory;
use super::desired::Desired;
use super::laptop::Laptop;
use crate::server::Signals;

/// How long the brokers of a run that was killed may take to stop.
const STRAGGLERS: Duration = Duration::from_secs(60);
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Refuses a manifest that the data directory's last one can't become: nobody but the data directory remembers what that was.
/// Gives the last one.
pub(super) fn may_follow(
    file: &Path,
    desired: &Desired,
    data: &DataDirectory,
) -> Result<Option<Desired>, String> {
    let place = data.path().display();
    if let Some(cluster) = data.cluster().filter(|cluster| *cluster != desired.name()) {
        return Err(format!(
            "the data directory {place} is of the cluster {cluster}, and this is {}. Choose another with --data",
            desired.name()
        ));
    }
    let Some(before) = data.applied() else { return Ok(None) };
    let forbidden = desired.forbidden_changes(before);
    if forbidden.is_empty() {
        return Ok(Some(before.clone()));
    }
    let lines: Vec<String> = forbidden.iter().map(|what| format!("{}: {what}", file.display())).collect();
    Err(format!(
        "{}\nthe data directory {place} is of the manifest before this change. Choose another with --data for a new cluster",
        lines.join("\n")
    ))
}

/// Starts the embedded ZooKeeper, unless another is named.
pub(super) async fn start_zookeeper(
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

/// Waits until no broker of the run before lives: one whose `vltava up` was killed still flushes and hands over. Gives the name of a
/// signal that came first.
pub(super) async fn await_brokers(
    data: &DataDirectory,
    signals: &mut Signals,
) -> Result<Option<&'static str>, String> {
    let end = Instant::now() + STRAGGLERS;
    let mut is_told = false;
    while !data.take_brokers().map_err(|error| error.to_string())? {
        if Instant::now() >= end {
            return Err(format!(
                "a broker of the run before still uses {} after {STRAGGLERS:?}: see server.log below it, and end that process",
                data.path().display()
            ));
        }
        if !std::mem::replace(&mut is_told, true) {
            say!("a broker of the run before is still stopping: waiting for it");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            name = signals.next() => return Ok(Some(name)),
        }
    }
    Ok(None)
}
