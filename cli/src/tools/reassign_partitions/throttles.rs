//! Throttles (KIP-73): which replicas are held back is a configuration of their topic, how much one of each broker.

use std::collections::{BTreeMap, BTreeSet};

use vltava_client::{
    Client,
    admin::{AlterOp, Reassignment, Resource, ResourceKind, TopicPartition, alter_configs},
};

use super::{Limits, plan::joined};
use crate::tools::{failure::Failure, java_order, output};

/// What leaders send to held-back followers, what those fetch, and what moves between directories: bytes a second.
pub(super) const RATES: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];
/// Which replicas those are of a topic, of its leaders and of its followers.
pub(super) const REPLICAS: [&str; 2] =
    ["leader.replication.throttled.replicas", "follower.replication.throttled.replicas"];

/// From where to where a partition moves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) sources: BTreeSet<i32>,
    pub(super) destinations: BTreeSet<i32>,
}

/// All that moves, by partition.
pub(super) type Moves = BTreeMap<TopicPartition, Move>;

/// What moves already, and what shall move: a partition that moves already has its sources still.
pub(super) fn moves(
    moving: &BTreeMap<TopicPartition, Reassignment>,
    proposed: &BTreeMap<TopicPartition, Vec<i32>>,
    current: &BTreeMap<TopicPartition, Vec<i32>>,
) -> Moves {
    let of = |now: &Reassignment| Move {
        sources: now.replicas.iter().filter(|id| !now.adding.contains(id)).copied().collect(),
        destinations: now.adding.iter().copied().collect(),
    };
    let mut moves: Moves = moving.iter().map(|(partition, now)| (partition.clone(), of(now))).collect();
    for (partition, replicas) in proposed {
        let sources = match moves.remove(partition) {
            Some(now) => now.sources,
            None => current.get(partition).into_iter().flatten().copied().collect(),
        };
        let destinations = replicas.iter().filter(|id| !sources.contains(id)).copied().collect();
        moves.insert(partition.clone(), Move { sources, destinations });
    }
    moves
}

/// The values of [`REPLICAS`] by topic.
fn held_back(moves: &Moves) -> BTreeMap<&str, [String; 2]> {
    let mut topics: BTreeMap<&str, [BTreeSet<String>; 2]> = BTreeMap::new();
    for (partition, of) in moves {
        let [leaders, followers] = topics.entry(&partition.topic).or_default();
        let name = |broker: &i32| format!("{}:{broker}", partition.partition);
        leaders.extend(of.sources.iter().map(name));
        followers.extend(of.destinations.iter().map(name));
    }
    topics.into_iter().map(|(topic, lists)| (topic, lists.map(joined))).collect()
}

/// Sets the throttles of what moves between brokers.
pub(super) async fn limit_moves(client: &mut Client, moves: &Moves, limit: i64) -> Result<(), Failure> {
    for (topic, lists) in held_back(moves) {
        let changes: Vec<_> =
            REPLICAS.into_iter().zip(lists).map(|(key, list)| (key.to_owned(), AlterOp::Set(list))).collect();
        let resource = Resource { kind: ResourceKind::Topic, name: topic.to_owned() };
        alter_configs(client, &resource, &changes, false).await?;
    }
    let brokers: BTreeSet<i32> =
        moves.values().flat_map(|of| of.sources.iter().chain(&of.destinations)).copied().collect();
    set_rates(client, brokers, &RATES[..2], limit).await?;
    output::line(format_args!("The inter-broker throttle limit was set to {limit} B/s"));
    Ok(())
}

/// Sets the throttles of what moves between directories of these brokers.
pub(super) async fn limit_dirs(
    client: &mut Client,
    brokers: BTreeSet<i32>,
    limit: i64,
) -> Result<(), Failure> {
    set_rates(client, brokers, &RATES[2..], limit).await?;
    output::line(format_args!("The replica-alter-dir throttle limit was set to {limit} B/s"));
    Ok(())
}

async fn set_rates(
    client: &mut Client,
    brokers: BTreeSet<i32>,
    keys: &[&str],
    limit: i64,
) -> Result<(), Failure> {
    let changes: Vec<_> =
        keys.iter().map(|key| ((*key).to_owned(), AlterOp::Set(limit.to_string()))).collect();
    for id in brokers {
        let resource = Resource { kind: ResourceKind::Broker, name: id.to_string() };
        alter_configs(client, &resource, &changes, false).await?;
    }
    Ok(())
}

/// Removes all throttles: from every broker, as nobody knows any more which took part, and from the topics.
pub(super) async fn clear(
    client: &mut Client,
    targets: &[(TopicPartition, Vec<i32>)],
) -> Result<(), Failure> {
    client.refresh().await?;
    let known = client.brokers().into_iter().map(|(id, _)| id);
    let brokers: BTreeSet<i32> =
        known.chain(targets.iter().flat_map(|(_, replicas)| replicas.iter().copied())).collect();
    let mut brokers: Vec<i32> = brokers.into_iter().collect();
    java_order::sort_grown(&mut brokers, |id| id.cast_unsigned());
    output::line(format_args!(
        "Clearing broker-level throttles on broker{} {}",
        if brokers.len() == 1 { "" } else { "s" },
        joined(&brokers)
    ));
    let none =
        |keys: &[&str]| -> Vec<_> { keys.iter().map(|key| ((*key).to_owned(), AlterOp::Delete)).collect() };
    for id in brokers {
        let resource = Resource { kind: ResourceKind::Broker, name: id.to_string() };
        alter_configs(client, &resource, &none(&RATES), false).await?;
    }
    let topics: BTreeSet<&str> = targets.iter().map(|(partition, _)| partition.topic.as_str()).collect();
    let mut topics: Vec<&str> = topics.into_iter().collect();
    java_order::sort(&mut topics, |topic| topic);
    output::line(format_args!(
        "Clearing topic-level throttles on topic{} {}",
        if topics.len() == 1 { "" } else { "s" },
        joined(&topics)
    ));
    for topic in topics {
        let resource = Resource { kind: ResourceKind::Topic, name: topic.to_owned() };
        alter_configs(client, &resource, &none(&REPLICAS), false).await?;
    }
    Ok(())
}

/// Sets what `--throttle` and `--replica-alter-log-dirs-throttle` ask for.
pub(super) async fn set(
    client: &mut Client,
    limits: Limits,
    moves: impl FnOnce() -> Moves,
    moving_dirs: BTreeSet<i32>,
) -> Result<(), Failure> {
    if limits.brokers.is_none() && limits.dirs.is_none() {
        return Ok(());
    }
    output::line(
        "Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.",
    );
    if let Some(limit) = limits.brokers {
        limit_moves(client, &moves(), limit).await?;
    }
    if let Some(limit) = limits.dirs {
        limit_dirs(client, moving_dirs, limit).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition }
    }

    #[test]
    fn leaders_are_held_back_where_data_comes_from_and_followers_where_it_goes() {
        let moving = BTreeMap::from([(
            t(1),
            Reassignment { replicas: vec![3, 0, 1], adding: vec![3], removing: vec![0] },
        )]);
        let proposed = BTreeMap::from([(t(0), vec![1, 2]), (t(1), vec![1, 4]), (t(10), vec![0])]);
        let current = BTreeMap::from([(t(0), vec![0, 1]), (t(1), vec![3, 0, 1]), (t(10), vec![0])]);
        let moves = moves(&moving, &proposed, &current);
        let lists = held_back(&moves);
        // Texts are sorted, not numbers.
        assert_eq!(lists["t"], ["0:0,0:1,10:0,1:0,1:1".to_owned(), "0:2,1:4".to_owned()]);
    }
}
