//! Groups of the 0.8 consumer: their tree in ZooKeeper, `/consumers/GROUP/{ids,owners,offsets}`.

use std::collections::{BTreeMap, BTreeSet};

use vltava_broker::control::{
    Session,
    znodes::{self, paths},
};
use vltava_client::{
    Client, Options,
    admin::{Isolation, OffsetSpec, TopicPartition, list_offsets},
};

use super::{
    Args, error,
    table::{self, Row},
};
use crate::tools::{failure::Failure, output, zookeeper};

const CONSUMERS: &str = "/consumers";

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let session = zookeeper::connect(args.zookeeper.as_deref().unwrap_or_default()).await?;
    if args.list {
        for group in zookeeper::children(&session, CONSUMERS).await? {
            output::line(group);
        }
        return Ok(());
    }
    if args.describe {
        for group in &args.group {
            describe(&session, args, group).await?;
        }
        return Ok(());
    }
    match (args.group.as_slice(), args.topic.as_slice()) {
        ([], topics) => {
            for topic in topics {
                for group in zookeeper::children(&session, CONSUMERS).await? {
                    delete_topic(&session, &group, topic).await?;
                }
                output::line(format_args!(
                    "Deleted consumer group information for all inactive consumer groups for topic '{topic}' in zookeeper."
                ));
            }
        }
        (groups, []) => {
            for group in groups {
                output::line(delete_group(&session, group).await?);
            }
        }
        (groups, topics) => {
            for group in groups {
                for topic in topics {
                    output::line(delete_topic(&session, group, topic).await?);
                }
            }
        }
    }
    Ok(())
}

async fn describe(session: &Session, args: &Args, group: &str) -> Result<(), Failure> {
    let root = format!("{CONSUMERS}/{group}");
    if !zookeeper::exists(session, &root).await? {
        error(args, &format!("The consumer group '{group}' does not exist."));
        return Ok(());
    }
    let mut rows = BTreeMap::new();
    for topic in topics(session, &root).await? {
        let path = paths::topic(&topic);
        let partitions: BTreeSet<i32> = match session.read(&path).await? {
            Some((data, _)) => znodes::decode_topic(&path, &data)?.partitions.into_keys().collect(),
            None => BTreeSet::new(),
        };
        for partition in partitions {
            let current = text(session, &format!("{root}/offsets/{topic}/{partition}")).await?;
            let owner = text(session, &format!("{root}/owners/{topic}/{partition}")).await?;
            let name = TopicPartition { topic: topic.clone(), partition };
            let row = Row {
                topic: Some(topic.clone()),
                partition: Some(partition),
                current: current.and_then(|offset| offset.trim().parse().ok()),
                // The owner is a thread of the member: its id, a dash, the thread's number.
                consumer: owner
                    .map(|owner| owner.rsplit_once('-').map_or(owner.clone(), |(id, _)| id.to_owned())),
                ..Row::default()
            };
            rows.insert(name, row);
        }
    }
    let ends = ends(session, rows.keys().cloned().collect()).await?;
    for (partition, row) in &mut rows {
        row.end = ends.get(partition).copied();
    }
    let working: BTreeSet<String> = rows.values().filter_map(|row| row.consumer.clone()).collect();
    let mut rows: Vec<Row> = rows.into_values().collect();
    for member in zookeeper::children(session, &format!("{root}/ids")).await? {
        if !working.contains(&member) {
            rows.push(Row { consumer: Some(member), ..Row::default() });
        }
    }
    output::write(&table::old_offsets(&rows, false));
    Ok(())
}

/// The topics that a group owns or has offsets of.
async fn topics(session: &Session, root: &str) -> Result<BTreeSet<String>, Failure> {
    let mut topics = BTreeSet::new();
    for below in ["owners", "offsets"] {
        topics.extend(zookeeper::children(session, &format!("{root}/{below}")).await?);
    }
    Ok(topics)
}

async fn text(session: &Session, path: &str) -> Result<Option<String>, Failure> {
    Ok(session.read(path).await?.map(|(data, _)| String::from_utf8_lossy(&data).into_owned()))
}

/// The ends of partitions, asked of the brokers that ZooKeeper knows; what cannot be asked is left out.
async fn ends(
    session: &Session,
    partitions: Vec<TopicPartition>,
) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    let brokers = zookeeper::brokers(session).await?;
    let addresses: Vec<String> = brokers
        .values()
        .filter_map(|broker| broker.endpoints.first())
        .map(|endpoint| format!("{}:{}", endpoint.host, endpoint.port))
        .collect();
    if addresses.is_empty() || partitions.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut client = Client::connect(Options::new(&addresses.join(","))?).await?;
    let asked: Vec<_> = partitions.into_iter().map(|partition| (partition, OffsetSpec::Latest)).collect();
    let found = list_offsets(&mut client, &asked, Isolation::ReadUncommitted).await?;
    Ok(found.into_iter().filter_map(|(partition, end)| Some((partition, end.ok()?.offset))).collect())
}

/// Deletes a group without members; what became of it.
async fn delete_group(session: &Session, group: &str) -> Result<String, Failure> {
    let root = format!("{CONSUMERS}/{group}");
    if !zookeeper::exists(session, &root).await? {
        return Ok(format!("Error: Delete for group '{group}' failed because group does not exist."));
    }
    if !zookeeper::children(session, &format!("{root}/ids")).await?.is_empty() {
        return Ok(format!(
            "Error: Delete for group '{group}' failed because its consumers are still active."
        ));
    }
    zookeeper::delete_tree(session, &root).await?;
    Ok(format!("Deleted all consumer group information for group '{group}' in zookeeper."))
}

/// Deletes what a group has of one topic, if nobody reads it; the whole group if it has nothing else.
async fn delete_topic(session: &Session, group: &str, topic: &str) -> Result<String, Failure> {
    let root = format!("{CONSUMERS}/{group}");
    let topics = topics(session, &root).await?;
    if !topics.contains(topic) {
        return Ok(format!(
            "Error: Delete for group '{group}' topic '{topic}' failed because group does not exist."
        ));
    }
    let active = !zookeeper::children(session, &format!("{root}/ids")).await?.is_empty();
    if topics.len() == 1 && !active {
        zookeeper::delete_tree(session, &root).await?;
    } else {
        let mut owned = zookeeper::children(session, &format!("{root}/owners/{topic}")).await?;
        owned.retain(|partition| !partition.is_empty());
        if active && !owned.is_empty() {
            return Ok(format!(
                "Error: Delete for group '{group}' topic '{topic}' failed because its consumers are still active."
            ));
        }
        for below in ["owners", "offsets"] {
            zookeeper::delete_tree(session, &format!("{root}/{below}/{topic}")).await?;
        }
    }
    Ok(format!("Deleted consumer group information for group '{group}' topic '{topic}' in zookeeper."))
}
