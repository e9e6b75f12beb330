//! The tool of Kafka 0.8 to 2.5: it leaves its wish in `/admin/reassign_partitions`, which the controller empties as partitions arrive.
//!
//! Kafka 1.1 and later write `log_dirs` and other names of partitions; what is written here is 0.11's. Moves between directories, which
//! came with 1.1, go through `--bootstrap-server` beside `--zookeeper`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use vltava_broker::control::{
    Session,
    znodes::{self, Entity, paths},
};
use vltava_client::{Client, admin::TopicPartition};

use super::{
    Action, Args, Limits, dirs,
    dirs::Progress,
    plan::{self, Plan, failed, joined, shown},
    spread, throttles,
};
use crate::tools::{brokers, era::Era, failure::Failure, output, scala_order, zookeeper};

const ERA: Era = Era::Old;

type Assignment = BTreeMap<TopicPartition, Vec<i32>>;

pub(super) async fn run(args: &Args, action: Action) -> Result<(), Failure> {
    let session = zookeeper::connect(args.zookeeper.as_deref().unwrap_or_default()).await?;
    match action {
        Action::Generate => generate(&session, args).await,
        Action::Execute => execute(&session, args).await,
        _ => verify(&session, args).await,
    }
}

fn plan_of(args: &Args) -> Result<Plan, Failure> {
    let file = args.reassignment_json_file.as_deref();
    plan::parse(&plan::read(file.unwrap_or_else(|| "".as_ref()), ERA)?, ERA)
}

/// The brokers, which only moves between directories need.
async fn client(args: &Args) -> Result<Client, Failure> {
    let Some(bootstrap) = &args.bootstrap_server else {
        return Err(failed(
            ERA,
            "bootstrap-server needs to be provided in order to reassign replica to the specified log directory",
        ));
    };
    brokers::connect(bootstrap, args.command_config.as_deref(), None).await
}

/// The partitions of these topics, as far as there are any.
async fn assignments(session: &Session, topics: &BTreeSet<&str>) -> Result<Assignment, Failure> {
    let mut current = Assignment::new();
    for topic in topics {
        let path = paths::topic(topic);
        let Some((data, _)) = session.read(&path).await? else { continue };
        for (partition, of) in znodes::decode_topic(&path, &data)?.partitions {
            current.insert(TopicPartition { topic: (*topic).to_owned(), partition }, of.replicas);
        }
    }
    Ok(current)
}

/// In the order in which Kafka's tool prints them.
fn json(assignment: &Assignment) -> Result<String, Failure> {
    let mut entries: Vec<_> = assignment.iter().collect();
    scala_order::sort_mutable(&mut entries, |(partition, _)| scala_order::hash(partition));
    plan::to_json(entries, ERA)
}

async fn generate(session: &Session, args: &Args) -> Result<(), Failure> {
    let chosen = plan::parse_brokers(args.broker_list.as_deref().unwrap_or_default(), ERA)?;
    let file = args.topics_to_move_json_file.as_deref();
    let text = plan::read(file.unwrap_or_else(|| "".as_ref()), ERA)?;
    let topics = plan::parse_topics(&text, ERA)?;
    let current = assignments(session, &topics.iter().map(String::as_str).collect()).await?;
    let known =
        zookeeper::brokers(session).await?.into_iter().map(|(id, broker)| (id, broker.rack)).collect();
    let brokers = spread::brokers(&known, &chosen, args.disable_rack_aware, ERA)?;
    let proposed = spread::propose(&current, &brokers).map_err(|failure| Failure {
        message: failure.message.replacen("Replication", "replication", 1).trim_end_matches('.').to_owned(),
        ..failure
    })?;
    output::line(format_args!("Current partition replica assignment\n{}\n", json(&current)?));
    output::line(format_args!("Proposed partition reassignment configuration\n{}", json(&proposed)?));
    Ok(())
}

async fn execute(session: &Session, args: &Args) -> Result<(), Failure> {
    let plan = plan_of(args)?;
    plan.check(ERA)?;
    let current = assignments(session, &plan.topics()).await?;
    check_against_cluster(session, &plan, &current).await?;
    let (proposed, limits) = (plan.by_partition(), args.limits());
    let involved: BTreeSet<i32> = current
        .values()
        .flatten()
        .chain(proposed.values().flatten())
        .chain(plan.dirs.keys().map(|replica| &replica.broker))
        .copied()
        .collect();
    if zookeeper::exists(session, paths::REASSIGN_PARTITIONS).await? {
        output::line("There is an existing assignment running.");
        return limit_brokers(session, &involved, limits).await;
    }
    output::line(format_args!(
        "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option during rollback",
        json(&current)?
    ));
    if limits.brokers.is_some() || limits.dirs.is_some() {
        output::line(
            "Warning: You must run Verify periodically, until the reassignment completes, to ensure the throttle is removed. You can also alter the throttle by rerunning the Execute command passing a new value.",
        );
    }
    if limits.brokers.is_some() {
        limit_topics(session, &current, &proposed).await?;
    }
    limit_brokers(session, &involved, limits).await?;
    match (limits.brokers, limits.dirs) {
        (Some(limit), None) => output::line(format_args!("The throttle limit was set to {limit} B/s")),
        (between, dirs) => {
            if let Some(limit) = between {
                output::line(format_args!("The inter-broker throttle limit was set to {limit} B/s"));
            }
            if let Some(limit) = dirs {
                output::line(format_args!("The replica-alter-dir throttle limit was set to {limit} B/s"));
            }
        }
    }
    let begun = start(session, args, &plan, &proposed).await?;
    let list = || joined(plan.partitions.iter().map(|(partition, _)| shown(partition, ERA)));
    match begun {
        true => output::line("Successfully started reassignment of partitions."),
        false => output::line(format_args!("Failed to reassign partitions {}", list())),
    }
    Ok(())
}

/// Checks that there are such partitions and brokers.
async fn check_against_cluster(session: &Session, plan: &Plan, current: &Assignment) -> Result<(), Failure> {
    let missing = plan.partitions.iter().filter(|(partition, _)| !current.contains_key(partition));
    let missing: Vec<String> = missing.map(|(partition, _)| shown(partition, ERA)).collect();
    if !missing.is_empty() {
        let list = missing.join(", ");
        return Err(failed(
            ERA,
            format!("The proposed assignment contains non-existent partitions: List({list})"),
        ));
    }
    let live: BTreeSet<i32> = zookeeper::brokers(session).await?.into_keys().collect();
    let wanted: BTreeSet<i32> =
        plan.partitions.iter().flat_map(|(_, replicas)| replicas.iter().copied()).collect();
    let unknown: Vec<&i32> = wanted.difference(&live).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let list = joined(unknown);
    Err(failed(ERA, format!("The proposed assignment contains non-existent brokerIDs: {list}")))
}

/// Leaves the wish for the controller. Whether all moves have begun, those between directories within their time.
async fn start(session: &Session, args: &Args, plan: &Plan, proposed: &Assignment) -> Result<bool, Failure> {
    let mut brokers = if plan.dirs.is_empty() { None } else { Some(client(args).await?) };
    let end = Instant::now() + Duration::from_millis(args.timeout_ms());
    if let Some(brokers) = &mut brokers {
        // Before the replicas come, so that they come into the right directory.
        dirs::begin(brokers, &plan.dirs, ERA).await?;
    }
    let mut entries: Vec<_> =
        plan.partitions.iter().map(|(partition, replicas)| (partition, replicas)).collect();
    scala_order::sort_immutable(&mut entries, |(partition, _)| scala_order::hash(partition));
    debug_assert_eq!(entries.len(), proposed.len(), "checked to be there once");
    let data = plan::to_json(entries, ERA)?;
    if !zookeeper::create(session, paths::REASSIGN_PARTITIONS, data.as_bytes()).await? {
        let list = joined(being_moved(session).await?.keys().map(|partition| shown(partition, ERA)));
        let words = format!("Partition reassignment currently in progress for {list}. Aborting operation");
        return Err(failed(ERA, words));
    }
    let Some(brokers) = &mut brokers else { return Ok(true) };
    let mut pending = plan.dirs.clone();
    while !pending.is_empty() && Instant::now() < end {
        for replica in dirs::begin(brokers, &pending, ERA).await? {
            pending.remove(&replica);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(pending.is_empty())
}

/// The partitions that the controller still has to move.
async fn being_moved(session: &Session) -> Result<Assignment, Failure> {
    let Some((data, _)) = session.read(paths::REASSIGN_PARTITIONS).await? else {
        return Ok(Assignment::new());
    };
    let read = znodes::decode_reassignment(&data)?.0.into_iter();
    Ok(read.map(|(topic, partition, replicas)| (TopicPartition { topic, partition }, replicas)).collect())
}

/// Names the replicas that the throttle holds back, in the configuration of each topic.
async fn limit_topics(session: &Session, current: &Assignment, proposed: &Assignment) -> Result<(), Failure> {
    let mut topics: BTreeMap<&str, [Vec<String>; 2]> = BTreeMap::new();
    for (partition, replicas) in proposed {
        let [leaders, followers] = topics.entry(&partition.topic).or_default();
        let before = current.get(partition).map(Vec::as_slice).unwrap_or_default();
        let name = |broker: &i32| format!("{}:{broker}", partition.partition);
        let coming: Vec<String> = replicas.iter().filter(|id| !before.contains(id)).map(name).collect();
        if !coming.is_empty() {
            // Any of them may lead while the partition moves.
            leaders.extend(before.iter().map(name));
        }
        followers.extend(coming);
    }
    for (topic, lists) in topics {
        let entity = Entity::Topic(topic.to_owned());
        let mut overrides = zookeeper::overrides(session, &entity).await?;
        let lists = throttles::REPLICAS.into_iter().zip(lists);
        overrides.extend(lists.map(|(key, list)| (key.to_owned(), list.join(","))));
        zookeeper::set_overrides(session, &entity, &overrides).await?;
    }
    Ok(())
}

/// Sets how much is held back, in the configuration of each broker.
async fn limit_brokers(session: &Session, brokers: &BTreeSet<i32>, limits: Limits) -> Result<(), Failure> {
    let [leader, follower, dirs] = throttles::RATES;
    let rates = [(leader, limits.brokers), (follower, limits.brokers), (dirs, limits.dirs)];
    let rates: Vec<_> =
        rates.into_iter().filter_map(|(key, limit)| Some((key.to_owned(), limit?.to_string()))).collect();
    if rates.is_empty() {
        return Ok(());
    }
    for id in brokers {
        let entity = Entity::Broker(*id);
        let mut overrides = zookeeper::overrides(session, &entity).await?;
        overrides.extend(rates.iter().cloned());
        zookeeper::set_overrides(session, &entity, &overrides).await?;
    }
    Ok(())
}

async fn verify(session: &Session, args: &Args) -> Result<(), Failure> {
    let plan = plan_of(args)?;
    output::line("Status of partition reassignment: ");
    let moving = being_moved(session).await?;
    let current = assignments(session, &plan.topics()).await?;
    let mut targets: Vec<_> = plan.partitions.iter().collect();
    scala_order::sort_immutable(&mut targets, |(partition, _)| scala_order::hash(partition));
    let mut states = Vec::with_capacity(targets.len());
    for (partition, replicas) in targets {
        let name = shown(partition, ERA);
        let now = current.get(partition).map(Vec::as_slice).unwrap_or_default();
        let state = if moving.contains_key(partition) {
            Progress::Moving
        } else if now == replicas {
            Progress::Done
        } else {
            output::line(format_args!(
                "ERROR: Assigned replicas ({}) don't match the list of replicas for reassignment ({}) for partition {name}",
                joined(now),
                joined(replicas)
            ));
            Progress::Failed
        };
        states.push((format!("partition {name}"), state));
    }
    if !plan.dirs.is_empty() {
        let mut brokers = client(args).await?;
        let places = dirs::places(&mut brokers, plan.dirs.keys()).await?;
        for (replica, dir) in &plan.dirs {
            let Some(place) = places.get(replica) else { continue };
            let state = place.progress(dir);
            if state == Progress::Failed {
                output::line(place.told(replica, dir));
            }
            states.push((format!("replica {replica}"), state));
        }
    }
    for (name, state) in &states {
        output::line(match state {
            Progress::Done => format!("Reassignment of {name} completed successfully"),
            Progress::Failed => format!("Reassignment of {name} failed"),
            Progress::Moving => format!("Reassignment of {name} is still in progress"),
        });
    }
    if states.iter().all(|(_, state)| *state == Progress::Done) {
        remove_throttles(session, &plan.topics()).await?;
    }
    Ok(())
}

/// From every broker, as nobody knows any more which took part, and from the topics.
async fn remove_throttles(session: &Session, topics: &BTreeSet<&str>) -> Result<(), Failure> {
    let brokers = zookeeper::brokers(session).await?.into_keys();
    let brokers = brokers.map(|id| (Entity::Broker(id), &throttles::RATES[..]));
    let topics = topics.iter().map(|topic| (Entity::Topic((*topic).to_owned()), &throttles::REPLICAS[..]));
    let mut changed = false;
    for (entity, keys) in brokers.chain(topics) {
        let mut overrides = zookeeper::overrides(session, &entity).await?;
        let before = overrides.len();
        overrides.retain(|key, _| !keys.contains(&key.as_str()));
        if overrides.len() < before {
            zookeeper::set_overrides(session, &entity, &overrides).await?;
            changed = true;
        }
    }
    if changed {
        output::line("Throttle was removed.");
    }
    Ok(())
}
