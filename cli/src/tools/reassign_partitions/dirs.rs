//! Moves between the log directories of a broker (KIP-113): how far they are, and having them begin.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use vltava_client::{
    Client,
    admin::{TopicPartition, log_dirs, move_replicas},
};
use vltava_protocol::ErrorCode;

use super::{
    Ended,
    plan::{Replica, failed, joined, shown},
};
use crate::tools::{era::Era, failure::Failure, output};

/// How long to wait before a move that could not begin is tried again: its replica may be on its way to the broker.
const AGAIN: Duration = Duration::from_millis(100);

/// Where a replica lies, and where it is moving to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    current: Option<String>,
    future: Option<String>,
}

/// How far a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    Done,
    Moving,
    Failed,
}

/// Asks the brokers where these replicas are.
pub(super) async fn places(
    client: &mut Client,
    replicas: impl IntoIterator<Item = &Replica>,
) -> Result<BTreeMap<Replica, Place>, Failure> {
    let mut asked: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
    for replica in replicas {
        asked.entry(replica.broker).or_default().push(replica.partition.clone());
    }
    let mut places = BTreeMap::new();
    for (broker, partitions) in asked {
        let dirs = log_dirs(client, broker, Some(&partitions)).await?;
        let mut found: BTreeMap<TopicPartition, Place> =
            partitions.into_iter().map(|partition| (partition, Place::default())).collect();
        for dir in dirs.into_iter().filter(|dir| dir.error.is_none()) {
            for replica in &dir.replicas {
                let Some(place) = found.get_mut(&replica.partition) else { continue };
                let known = if replica.is_future { &mut place.future } else { &mut place.current };
                *known = Some(dir.path.clone());
            }
        }
        places.extend(found.into_iter().map(|(partition, place)| (Replica { broker, partition }, place)));
    }
    Ok(places)
}

impl Place {
    /// Where the replica lies now, if it is moving.
    pub(super) fn leaving(&self) -> Option<&str> {
        self.future.as_ref().and(self.current.as_deref())
    }

    /// How far the way into `target` is.
    pub(super) fn progress(&self, target: &str) -> Progress {
        match (self.current.as_deref(), self.future.as_deref()) {
            (None, _) => Progress::Failed,
            (_, Some(future)) if future == target => Progress::Moving,
            (Some(current), None) if current == target => Progress::Done,
            _ => Progress::Failed,
        }
    }

    /// Whether it is under way, to wherever.
    pub(super) fn is_moving(&self) -> bool {
        self.leaving().is_some()
    }

    /// What `--verify` says of it.
    pub(super) fn told(&self, replica: &Replica, target: &str) -> String {
        let (partition, broker) = (shown(&replica.partition, Era::New), replica.broker);
        match (self.current.as_deref(), self.future.as_deref()) {
            (None, _) => format!(
                "Partition {partition} is not found in any live log dir on broker {broker}. There is likely an offline log directory on the broker."
            ),
            (_, Some(future)) if future == target => {
                format!("Reassignment of replica {replica} is still in progress.")
            }
            (_, Some(future)) => format!(
                "Partition {partition} on broker {broker} is being moved to log dir {future} instead of {target}."
            ),
            (Some(current), None) if current == target => {
                format!("Reassignment of replica {replica} completed successfully.")
            }
            (Some(current), None) => format!(
                "Partition {partition} on broker {broker} is not being moved from log dir {current} to {target}."
            ),
        }
    }
}

/// Has moves begin: those that could. A replica that is not there yet is none of them, and no error.
pub(super) async fn begin(
    client: &mut Client,
    targets: &BTreeMap<Replica, String>,
    era: Era,
) -> Result<BTreeSet<Replica>, Failure> {
    let mut brokers: BTreeMap<i32, BTreeMap<TopicPartition, String>> = BTreeMap::new();
    for (replica, dir) in targets {
        brokers.entry(replica.broker).or_default().insert(replica.partition.clone(), dir.clone());
    }
    let mut begun = BTreeSet::new();
    for (broker, targets) in brokers {
        for (partition, result) in move_replicas(client, broker, &targets).await? {
            let replica = Replica { broker, partition };
            match result {
                Ok(()) => drop(begun.insert(replica)),
                Err(error) if error.code == ErrorCode::ReplicaNotAvailable => {}
                Err(error) => {
                    let words = format!("Failed to alter dir for {replica}\n{}", Failure::from(error));
                    return Err(failed(era, words));
                }
            }
        }
    }
    Ok(begun)
}

/// Has moves begin, again and again until all have.
pub(super) async fn begin_all(
    client: &mut Client,
    targets: &BTreeMap<Replica, String>,
    limit_ms: u64,
) -> Result<(), Ended> {
    let end = Instant::now() + Duration::from_millis(limit_ms);
    let mut pending = targets.clone();
    loop {
        for replica in begin(client, &pending, Era::New).await? {
            if let Some(dir) = pending.remove(&replica) {
                let (partition, broker) = (shown(&replica.partition, Era::New), replica.broker);
                output::line(format_args!(
                    "Successfully started moving log directory to {dir} for replica {partition} with broker {broker} "
                ));
            }
        }
        if pending.is_empty() {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Ended::Told(format!(
                "Timed out before log directory move{} could be started for: {}",
                if pending.len() == 1 { "" } else { "s" },
                joined(pending.keys())
            )));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_told_by_where_the_replica_is() {
        let replica =
            Replica { broker: 2, partition: TopicPartition { topic: "t".to_owned(), partition: 1 } };
        let some = |dir: &str| (!dir.is_empty()).then(|| dir.to_owned());
        let cases = [
            ("", "", Progress::Failed, "Partition t-1 is not found in any live log dir on broker 2. "),
            (
                "/a",
                "",
                Progress::Failed,
                "Partition t-1 on broker 2 is not being moved from log dir /a to /b.",
            ),
            ("/a", "/b", Progress::Moving, "Reassignment of replica t-1-2 is still in progress."),
            (
                "/a",
                "/c",
                Progress::Failed,
                "Partition t-1 on broker 2 is being moved to log dir /c instead of /b.",
            ),
            ("/b", "", Progress::Done, "Reassignment of replica t-1-2 completed successfully."),
        ];
        for (current, future, progress, words) in cases {
            let place = Place { current: some(current), future: some(future) };
            assert_eq!(place.progress("/b"), progress, "{place:?}");
            assert!(place.told(&replica, "/b").starts_with(words), "{place:?}");
        }
    }
}
