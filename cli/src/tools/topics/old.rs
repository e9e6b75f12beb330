//! The tool of Kafka 0.8 to 2.x: topics as znodes, read and written by the tool itself; the controller sees what it did.

use std::collections::{BTreeMap, BTreeSet};

use vltava_broker::control::{
    Session, random_id,
    znodes::{self, Entity, paths},
};
use vltava_cluster::controller::{ReplicaAssignment, TopicAssignment, place};

use super::{Args, ids, warn_of_collisions};
use crate::tools::{
    failure::Failure,
    output, replica_lists,
    topic_filter::{self, TopicFilter},
    zookeeper,
};

const ADMIN_OPERATION: &str = "kafka.admin.AdminOperationException";

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let address = args.zookeeper.as_deref().unwrap_or_default();
    let overrides = args.overrides()?;
    let session = zookeeper::connect(address).await?;
    if args.create {
        let topic = args.topic.as_deref().unwrap_or_default();
        return create(&session, args, topic, &overrides).await;
    }
    let filter = TopicFilter::new(args.topic.as_deref())?;
    let mut topics = zookeeper::children(&session, paths::TOPICS).await?;
    topics.retain(|topic| filter.allows(topic));
    if args.exclude_internal {
        topics.retain(|topic| !topic_filter::is_internal(topic));
    }
    if topics.is_empty() && (args.alter || args.delete) && !args.if_exists {
        let topic = args.topic.as_deref().unwrap_or_default();
        return Err(Failure::illegal(format!("Topic {topic} does not exist on ZK path {address}")));
    }
    for topic in &topics {
        if args.alter {
            alter(&session, args, topic, &overrides).await?;
        } else if args.delete {
            delete(&session, topic).await?;
        } else if args.describe {
            describe(&session, args, topic).await?;
        } else if is_marked(&session, topic).await? {
            output::line(format_args!("{topic} - marked for deletion"));
        } else {
            output::line(topic);
        }
    }
    Ok(())
}

async fn create(
    session: &Session,
    args: &Args,
    topic: &str,
    overrides: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    warn_of_collisions(topic);
    let replicas = match &args.replica_assignment {
        Some(list) => replica_lists::parse(list)?,
        None => {
            let (count, factor) = (args.partitions.unwrap_or(0), args.replication_factor.unwrap_or(0));
            let brokers = live_brokers(session, args.disable_rack_aware).await?;
            // Anywhere: the topics of a cluster spread over it by chance.
            let start = (usize::from(rand::random::<u16>()), usize::from(rand::random::<u16>()));
            spread(&brokers, 0, count, factor, start)?
        }
    };
    match write_new(session, topic, replicas, overrides).await {
        Ok(()) => output::line(format_args!("Created topic \"{topic}\".")),
        Err(error) if args.if_not_exists && error.class.ends_with(".TopicExistsException") => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn write_new(
    session: &Session,
    topic: &str,
    replicas: Vec<Vec<i32>>,
    overrides: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    let exists = || {
        let class = "org.apache.kafka.common.errors.TopicExistsException";
        Failure::new(class, format!("Topic '{topic}' already exists."))
    };
    topic_filter::check_name(topic)?;
    if zookeeper::exists(session, &paths::topic(topic)).await? {
        return Err(exists());
    }
    let all = zookeeper::children(session, paths::TOPICS).await?;
    let colliding: Vec<&str> =
        all.iter().map(String::as_str).filter(|other| topic_filter::collide(topic, other)).collect();
    if !colliding.is_empty() {
        let class = "org.apache.kafka.common.errors.InvalidTopicException";
        let others = colliding.join(", ");
        return Err(Failure::new(class, format!("Topic '{topic}' collides with existing topics: {others}")));
    }
    // The configuration first: the controller may look for it as soon as the topic is there.
    zookeeper::write_overrides(session, &Entity::Topic(topic.to_owned()), overrides).await?;
    let partitions = (0..).zip(replicas).map(|(index, replicas)| (index, ReplicaAssignment::of(replicas)));
    let assignment = TopicAssignment { topic_id: Some(random_id()), partitions: partitions.collect() };
    let made = zookeeper::create(session, &paths::topic(topic), &znodes::encode_topic(&assignment)).await?;
    if made { Ok(()) } else { Err(exists()) }
}

/// The ids of the live brokers. Racks are all or nothing, unless they don't matter.
async fn live_brokers(session: &Session, disable_rack_aware: bool) -> Result<Vec<i32>, Failure> {
    let brokers = zookeeper::brokers(session).await?;
    let with_rack = brokers.values().filter(|broker| broker.rack.is_some()).count();
    if !disable_rack_aware && with_rack != 0 && with_rack != brokers.len() {
        return Err(Failure::new(
            ADMIN_OPERATION,
            "Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.",
        ));
    }
    Ok(brokers.into_keys().collect())
}

/// Places replicas; the old tools have words of their own for what cannot be.
fn spread(
    brokers: &[i32],
    first: usize,
    count: i32,
    factor: i32,
    start: (usize, usize),
) -> Result<Vec<Vec<i32>>, Failure> {
    const FACTOR: &str = "org.apache.kafka.common.errors.InvalidReplicationFactorException";
    const PARTITIONS: &str = "org.apache.kafka.common.errors.InvalidPartitionsException";
    let count = match usize::try_from(count) {
        Ok(count) if count > 0 => count,
        _ => return Err(Failure::new(PARTITIONS, "number of partitions must be larger than 0")),
    };
    let factor = match usize::try_from(factor) {
        Ok(factor) if factor > 0 => factor,
        _ => return Err(Failure::new(FACTOR, "replication factor must be larger than 0")),
    };
    if factor > brokers.len() {
        let message =
            format!("replication factor: {factor} larger than available brokers: {}", brokers.len());
        return Err(Failure::new(FACTOR, message));
    }
    place(brokers, first, count, factor, start).map_err(|error| Failure::new(PARTITIONS, error.to_string()))
}

async fn alter(
    session: &Session,
    args: &Args,
    topic: &str,
    overrides: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    if !args.config.is_empty() || !args.delete_config.is_empty() {
        output::line(
            "WARNING: Altering topic configuration from this script has been deprecated and may be removed in future releases.\n         Going forward, please use kafka-configs.sh for this functionality",
        );
        for key in &args.delete_config {
            if vltava_settings::topic_keys().find(key.trim()).is_none() {
                let class = "org.apache.kafka.common.errors.InvalidConfigurationException";
                return Err(Failure::new(class, format!("Unknown topic config name: {key}")));
            }
        }
        let entity = Entity::Topic(topic.to_owned());
        let mut all = zookeeper::overrides(session, &entity).await?;
        all.extend(overrides.clone());
        all.retain(|key, _| !args.delete_config.iter().any(|deleted| deleted.trim() == key));
        zookeeper::set_overrides(session, &entity, &all).await?;
        output::line(format_args!("Updated config for topic \"{topic}\"."));
    }
    let Some(count) = args.partitions else { return Ok(()) };
    if topic == "__consumer_offsets" {
        return Err(Failure::illegal("The number of partitions for the offsets topic cannot be changed."));
    }
    output::line(
        "WARNING: If partitions are increased for a topic that has a key, the partition logic or ordering of the messages will be affected",
    );
    grow(session, args, topic, count).await?;
    output::line("Adding partitions succeeded!");
    Ok(())
}

async fn grow(session: &Session, args: &Args, topic: &str, count: i32) -> Result<(), Failure> {
    let path = paths::topic(topic);
    let Some((data, stat)) = session.read(&path).await? else {
        return Err(Failure::new(ADMIN_OPERATION, format!("The topic {topic} does not exist")));
    };
    let mut assignment = znodes::decode_topic(&path, &data)?;
    let before = assignment.partitions.len();
    let added = i64::from(count) - i64::try_from(before).unwrap_or(i64::MAX);
    if added <= 0 {
        return Err(Failure::new(
            ADMIN_OPERATION,
            "The number of partitions for a topic can only be increased",
        ));
    }
    let brokers = live_brokers(session, args.disable_rack_aware).await?;
    let first = assignment.partitions.values().next().map(|partition| partition.replicas.clone());
    let first = first.unwrap_or_default();
    let replicas = match &args.replica_assignment {
        Some(list) => {
            let given = replica_lists::parse(list)?;
            if given.len() != usize::try_from(count).unwrap_or(0) {
                return Err(Failure::new(
                    ADMIN_OPERATION,
                    format!("Assigned replicas ({list}) do not cover exactly {count} partitions"),
                ));
            }
            let added: Vec<Vec<i32>> = given.into_iter().skip(before).collect();
            let live: BTreeSet<i32> = brokers.iter().copied().collect();
            if let Some(unknown) = added.iter().flatten().find(|id| !live.contains(id)) {
                let words = format!("Some specified brokers not available. unknown broker: {unknown}");
                return Err(Failure::new(ADMIN_OPERATION, words));
            }
            if added.iter().any(|replicas| replicas.len() != first.len()) {
                return Err(Failure::new(
                    ADMIN_OPERATION,
                    format!("New partitions need {} replicas each, as the topic has", first.len()),
                ));
            }
            added
        }
        None => {
            // Where the first partition begins, so that leaders go on round robin.
            let start = brokers.iter().position(|id| Some(id) == first.first()).unwrap_or(0);
            let factor = i32::try_from(first.len()).unwrap_or(i32::MAX);
            spread(&brokers, before, i32::try_from(added).unwrap_or(i32::MAX), factor, (start, start))?
        }
    };
    for (index, replicas) in (before..).zip(replicas) {
        let index = i32::try_from(index).unwrap_or(i32::MAX);
        assignment.partitions.insert(index, ReplicaAssignment::of(replicas));
    }
    session.client().set_data(&path, &znodes::encode_topic(&assignment), Some(stat.version)).await?;
    Ok(())
}

async fn delete(session: &Session, topic: &str) -> Result<(), Failure> {
    if topic_filter::is_internal(topic) {
        return Err(Failure::new(
            ADMIN_OPERATION,
            format!("Topic {topic} is a kafka internal topic and is not allowed to be marked for deletion."),
        ));
    }
    if zookeeper::create(session, &paths::delete_topic(topic), &[]).await? {
        output::line(format_args!("Topic {topic} is marked for deletion."));
        output::line("Note: This will have no impact if delete.topic.enable is not set to true.");
    } else {
        output::line(format_args!("Topic {topic} is already marked for deletion."));
    }
    Ok(())
}

async fn is_marked(session: &Session, topic: &str) -> Result<bool, Failure> {
    zookeeper::exists(session, &paths::delete_topic(topic)).await
}

async fn describe(session: &Session, args: &Args, topic: &str) -> Result<(), Failure> {
    let path = paths::topic(topic);
    // It may have gone since it was listed.
    let Some((data, _)) = session.read(&path).await? else {
        output::line(format_args!("Topic {topic} doesn't exist!"));
        return Ok(());
    };
    let partitions = znodes::decode_topic(&path, &data)?.partitions;
    let overrides = zookeeper::overrides(session, &Entity::Topic(topic.to_owned())).await?;
    let live: BTreeSet<i32> = zookeeper::brokers(session).await?.into_keys().collect();
    let marked = is_marked(session, topic).await?;
    let filtered = args.under_replicated_partitions
        || args.unavailable_partitions
        || args.under_min_isr_partitions
        || args.at_min_isr_partitions;
    if !filtered && (!args.topics_with_overrides || !overrides.is_empty()) {
        let factor = partitions.values().next().map_or(0, |partition| partition.replicas.len());
        let configs: Vec<String> = overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
        output::line(format_args!(
            "Topic:{topic}\tPartitionCount:{}\tReplicationFactor:{factor}\tConfigs:{}{}",
            partitions.len(),
            configs.join(","),
            if marked { "\tMarkedForDeletion:true" } else { "" }
        ));
    }
    if args.topics_with_overrides {
        return Ok(());
    }
    let min_isr: usize = overrides.get("min.insync.replicas").and_then(|n| n.parse().ok()).unwrap_or(1);
    for (index, partition) in partitions {
        let path = paths::state(topic, index);
        let state = match session.read(&path).await? {
            Some((data, _)) => Some(znodes::decode_state(&path, &data)?),
            None => None,
        };
        let leader = state.as_ref().map(|state| state.leader).filter(|leader| *leader >= 0);
        let isr = state.map(|state| state.isr).unwrap_or_default();
        let unavailable = leader.is_none_or(|leader| !live.contains(&leader));
        let shown = !filtered
            || (args.under_replicated_partitions && isr.len() < partition.replicas.len())
            || (args.unavailable_partitions && unavailable)
            || (args.under_min_isr_partitions && isr.len() < min_isr)
            || (args.at_min_isr_partitions && isr.len() == min_isr);
        if shown {
            output::line(format_args!(
                "\tTopic: {topic}\tPartition: {index}\tLeader: {}\tReplicas: {}\tIsr: {}{}",
                leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
                ids(&partition.replicas),
                ids(&isr),
                if marked && filtered { "\tMarkedForDeletion: true" } else { "" }
            ));
        }
    }
    Ok(())
}
