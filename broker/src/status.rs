//! What an operator asks before it acts: how far the broker is, and whether it may stop without taking anything away from clients.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use serde_json::{Value, json};
use vltava_log::LoadProgress;
use vltava_settings::topic;

use crate::{
    Broker,
    control::{PartitionMetadata, Snapshot},
    lifecycle::State,
    partitions::disk::Disk,
};

/// Partitions that are named; the number says how many there are.
const NAMED: usize = 20;

/// Logs that are being opened.
pub(crate) type Loading = Arc<LoadProgress>;

/// The content of `/status`.
pub(crate) fn status(state: State, loading: Option<&Loading>, broker: Option<&Broker>) -> Value {
    let mut status = json!({
        "state": state.name(),
        "version": env!("CARGO_PKG_VERSION"),
        "recovery": loading.map(|progress| json!({
            "remainingLogs": progress.remaining_logs.load(Relaxed),
            "remainingSegments": progress.remaining_segments.load(Relaxed),
        })),
        "mayStop": { "safe": false, "reason": state.name(), "blockedPartitions": 0, "blockedBy": [] },
    });
    let Some(broker) = broker else { return status };
    let snapshot = broker.metadata.owned();
    let controller = broker.control.controller_status();
    let partitions = Partitions::of(broker, &snapshot);
    status["brokerId"] = json!(broker.id);
    status["brokerEpoch"] = json!(broker.control.broker_epoch());
    status["clusterId"] = json!(broker.control.cluster_id());
    let session = broker.control.session();
    let connected = session.as_ref().is_some_and(|session| session.is_connected());
    status["zookeeper"] = json!({ "session": session.is_some(), "connected": connected });
    status["controller"] = json!({
        "id": snapshot.controller(),
        "isThisBroker": controller.borrow().active,
        "electionFailure": broker.control.election_failure(),
    });
    status["catchUp"] = json!({ "partitions": partitions.here, "notInSync": partitions.behind });
    status["disks"] = broker.replicas.storage().disks().iter().map(|disk| disk_status(disk)).collect();
    let broken = broker.replicas.broken();
    let named = broken.iter().take(NAMED).map(|broken| {
        json!({
            "topic": broken.partition.topic,
            "partition": broken.partition.partition,
            "reason": broken.reason,
        })
    });
    status["offlineReplicas"] = json!(broken.len());
    status["brokenPartitions"] = named.collect();
    if state == State::Running {
        status["mayStop"] = json!({
            "safe": partitions.blocked == 0,
            "reason": (partitions.blocked > 0).then_some("partitions would fall below min.insync.replicas"),
            "blockedPartitions": partitions.blocked,
            "blockedBy": partitions.named,
        });
    }
    status
}

/// A log directory and the disk below it.
fn disk_status(disk: &Disk) -> Value {
    let space = disk.space();
    json!({
        "path": disk.path().to_string_lossy(),
        "online": !disk.is_offline(),
        "full": disk.is_full(),
        "usableBytes": space.map(|space| space.usable),
        "totalBytes": space.map(|space| space.total),
    })
}

/// The partitions that have a replica here.
#[derive(Debug, Default)]
struct Partitions {
    here: usize,
    /// Those whose replica here is not in sync.
    behind: usize,
    /// Those that would not have enough in-sync replicas without this broker.
    blocked: usize,
    named: Vec<Value>,
}

impl Partitions {
    fn of(broker: &Broker, snapshot: &Snapshot) -> Self {
        let mut found = Self::default();
        for topic in snapshot.topics() {
            let mut min_isr = None;
            for (&number, partition) in &topic.partitions {
                if !partition.replicas.contains(&broker.id) {
                    continue;
                }
                found.here += 1;
                found.behind += usize::from(!partition.isr.contains(&broker.id));
                let min_isr = *min_isr.get_or_insert_with(|| {
                    let config = broker.control.configs().topic(&topic.name);
                    usize::try_from(config.get(topic::MIN_INSYNC_REPLICAS)).unwrap_or(1)
                });
                if blocks(broker.id, partition, min_isr) {
                    found.blocked += 1;
                    if found.named.len() < NAMED {
                        found.named.push(json!({
                            "topic": &*topic.name,
                            "partition": number,
                            "isr": partition.isr,
                            "minInsyncReplicas": min_isr,
                        }));
                    }
                }
            }
        }
        found
    }
}

/// Whether a broker's stop takes a partition that has more replicas than it needs below what it needs. One that has no more can't be spared the outage,
/// whenever it comes.
fn blocks(id: i32, partition: &PartitionMetadata, min_isr: usize) -> bool {
    let isr = &partition.isr;
    partition.replicas.len() > min_isr && (isr.len() < min_isr || (isr.len() == min_isr && isr.contains(&id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_blocked_by_partitions_at_their_minimum() {
        let partition = |replicas: &[i32], isr: &[i32]| PartitionMetadata {
            leader: 1,
            leader_epoch: 0,
            replicas: replicas.to_vec(),
            isr: isr.to_vec(),
            offline: vec![],
        };
        assert!(!blocks(1, &partition(&[1], &[1]), 1), "one replica: nobody could wait for another");
        assert!(!blocks(1, &partition(&[1, 2, 3], &[1, 2, 3]), 2));
        assert!(blocks(1, &partition(&[1, 2, 3], &[1, 2]), 2));
        assert!(!blocks(1, &partition(&[1, 2, 3], &[2, 3]), 2), "it does not count");
        assert!(blocks(1, &partition(&[1, 2, 3], &[2]), 2), "below it already");
    }

    #[test]
    fn before_there_is_a_broker_the_state_and_the_progress_are_told() {
        let progress = Loading::default();
        progress.remaining_logs.store(7, Relaxed);
        let status = status(State::Recovering, Some(&progress), None);
        assert_eq!(status["state"], "recovering");
        assert_eq!(status["recovery"]["remainingLogs"], 7);
        assert_eq!(status["mayStop"]["safe"], false);
    }
}
