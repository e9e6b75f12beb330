//! The tool of today: it asks the controller to move, and the brokers how far that is (KIP-455).

use std::collections::{BTreeMap, BTreeSet};

use vltava_client::{
    Client,
    admin::{TopicPartition, alter_reassignments, describe_topics, list_reassignments, racks},
};
use vltava_protocol::ErrorCode;

use super::{
    Action, Args, Ended, dirs,
    plan::{self, Plan, failed, joined, shown},
    spread, throttles,
};
use crate::tools::{brokers, era::Era, failure::Failure, output};

const ERA: Era = Era::New;

pub(super) async fn run(args: &Args, action: Action) -> Result<(), Ended> {
    let bootstrap = args.bootstrap_server.as_deref().unwrap_or_default();
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    let client = &mut client;
    match action {
        Action::Generate => Ok(generate(client, args).await?),
        Action::Execute => execute(client, args).await,
        Action::Verify => Ok(verify(client, args).await?),
        Action::Cancel => cancel(client, args).await,
        Action::List => Ok(list(client).await?),
    }
}

fn plan_of(args: &Args) -> Result<Plan, Failure> {
    let file = args.reassignment_json_file.as_deref();
    plan::parse(&plan::read(file.unwrap_or_else(|| "".as_ref()), ERA)?, ERA)
}

/// A failure as Java's futures hand it on.
fn of_a_future(failure: &Failure) -> Failure {
    Failure::new("java.util.concurrent.ExecutionException", failure.to_string())
}

/// The partitions of topics that must exist, with their replicas.
async fn assignments(
    client: &mut Client,
    topics: &BTreeSet<&str>,
) -> Result<BTreeMap<TopicPartition, Vec<i32>>, Failure> {
    let names: Vec<&str> = topics.iter().copied().collect();
    let mut current = BTreeMap::new();
    if names.is_empty() {
        return Ok(current);
    }
    for (name, topic) in names.iter().zip(describe_topics(client, Some(&names)).await?) {
        let topic = topic.map_err(|mut error| {
            if error.code == ErrorCode::UnknownTopicOrPartition {
                error.message = Some(format!("Topic {name} not found."));
            }
            of_a_future(&error.into())
        })?;
        for partition in topic.partitions {
            let name = TopicPartition { topic: topic.name.clone(), partition: partition.index };
            current.insert(name, partition.replicas);
        }
    }
    Ok(current)
}

async fn generate(client: &mut Client, args: &Args) -> Result<(), Failure> {
    let file = args.topics_to_move_json_file.as_deref();
    let text = plan::read(file.unwrap_or_else(|| "".as_ref()), ERA)?;
    let chosen = plan::parse_brokers(args.broker_list.as_deref().unwrap_or_default(), ERA)?;
    let topics = plan::parse_topics(&text, ERA)?;
    let current = assignments(client, &topics.iter().map(String::as_str).collect()).await?;
    let known = racks(client).await?;
    let brokers = spread::brokers(&known, &chosen, args.disable_rack_aware, ERA)?;
    let proposed = spread::propose(&current, &brokers)?;
    let current = plan::to_json(&current, ERA)?;
    output::line(format_args!("Current partition replica assignment\n{current}\n"));
    let proposed = plan::to_json(&proposed, ERA)?;
    output::line(format_args!("Proposed partition reassignment configuration\n{proposed}"));
    Ok(())
}

async fn execute(client: &mut Client, args: &Args) -> Result<(), Ended> {
    let plan = plan_of(args)?;
    plan.check(ERA)?;
    let proposed = plan.by_partition();
    let moving = list_reassignments(client, None).await?;
    if !args.additional && !moving.is_empty() {
        return Err(Ended::Told(
            "Cannot execute because there is an existing partition assignment.  Use --additional to override this and create a new partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by resubmitting the current reassignment."
                .to_owned(),
        ));
    }
    let known = racks(client).await?;
    let wanted: BTreeSet<i32> = proposed.values().flatten().copied().collect();
    if let Some(unknown) = wanted.iter().find(|id| !known.contains_key(id)) {
        return Err(failed(ERA, format!("Unknown broker id {unknown}")).into());
    }
    let mut current = assignments(client, &plan.topics()).await?;
    current.retain(|partition, _| proposed.contains_key(partition));
    let missing: Vec<String> = proposed
        .keys()
        .filter(|partition| !current.contains_key(partition))
        .map(|partition| shown(partition, ERA))
        .collect();
    if !missing.is_empty() {
        let class = "org.apache.kafka.common.errors.UnknownTopicOrPartitionException";
        let failure = Failure::new(class, format!("Unable to find partition: {}", missing.join(", ")));
        return Err(of_a_future(&failure).into());
    }
    let json = plan::to_json(&current, ERA)?;
    output::line(format_args!(
        "Current partition replica assignment\n\n{json}\n\nSave this to use as the --reassignment-json-file option during rollback"
    ));
    let moves = || throttles::moves(&moving, &proposed, &current);
    let dirs_of = plan.dirs.keys().map(|replica| replica.broker).collect();
    throttles::set(client, args.limits(), moves, dirs_of).await?;
    let targets = proposed.iter().map(|(partition, replicas)| (partition.clone(), Some(replicas.clone())));
    let errors = alter(client, &targets.collect()).await?;
    if !errors.is_empty() {
        return Err(Ended::Told(format!("Error reassigning partition(s):\n{}", errors.join("\n"))));
    }
    output::line(format_args!(
        "Successfully started partition reassignment{} for {}",
        plural(proposed.len()),
        joined(proposed.keys().map(|partition| shown(partition, ERA)))
    ));
    if plan.dirs.is_empty() {
        return Ok(());
    }
    dirs::begin_all(client, &plan.dirs, args.timeout_ms()).await
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Asks for moves, or their end; what was refused, a line each.
async fn alter(
    client: &mut Client,
    targets: &BTreeMap<TopicPartition, Option<Vec<i32>>>,
) -> Result<Vec<String>, Failure> {
    let results = alter_reassignments(client, targets).await?;
    let refused = results.into_iter().filter_map(|(partition, result)| Some((partition, result.err()?)));
    Ok(refused.map(|(partition, error)| format!("{}: {error}", shown(&partition, ERA))).collect())
}

async fn verify(client: &mut Client, args: &Args) -> Result<(), Failure> {
    let plan = plan_of(args)?;
    let moving = list_reassignments(client, None).await?;
    let targets = plan.by_partition();
    output::line("Status of partition reassignment:");
    let mut known: BTreeMap<&str, BTreeMap<i32, Vec<i32>>> = BTreeMap::new();
    for topic in plan.topics() {
        // A topic that is gone has no replicas.
        if let Some(Ok(found)) = describe_topics(client, Some(&[topic])).await?.into_iter().next() {
            known.insert(topic, found.partitions.into_iter().map(|of| (of.index, of.replicas)).collect());
        }
    }
    for (partition, replicas) in &targets {
        let name = shown(partition, ERA);
        let current = known.get(partition.topic.as_str()).and_then(|topic| topic.get(&partition.partition));
        if moving.contains_key(partition) {
            output::line(format_args!("Reassignment of partition {name} is still in progress."));
        } else if current == Some(replicas) {
            output::line(format_args!("Reassignment of partition {name} is completed."));
        } else {
            output::line(format_args!(
                "There is no active reassignment of partition {name}, but replica set is {} rather than {}.",
                joined(current.into_iter().flatten()),
                joined(replicas)
            ));
        }
    }
    let places = dirs::places(client, plan.dirs.keys()).await?;
    let told = plan.dirs.iter().filter_map(|(replica, dir)| Some(places.get(replica)?.told(replica, dir)));
    output::line(told.collect::<Vec<_>>().join("\n"));
    let done = moving.is_empty() && !places.values().any(dirs::Place::is_moving);
    if done && !args.preserve_throttles {
        throttles::clear(client, &plan.partitions).await?;
    }
    Ok(())
}

async fn cancel(client: &mut Client, args: &Args) -> Result<(), Ended> {
    let plan = plan_of(args)?;
    let targets: Vec<TopicPartition> = plan.by_partition().into_keys().collect();
    let moving = list_reassignments(client, Some(&targets)).await?;
    if moving.is_empty() {
        output::line("None of the specified partition reassignments are active.");
    } else {
        let stop = moving.keys().map(|partition| (partition.clone(), None)).collect();
        let errors = alter(client, &stop).await?;
        if !errors.is_empty() {
            let (plural, lines) = (plural(errors.len()), errors.join("\n"));
            return Err(Ended::Told(format!(
                "Error cancelling partition reassignment{plural} for:\n{lines}"
            )));
        }
        output::line(format_args!(
            "Successfully cancelled partition reassignment{} for: {}",
            plural(moving.len()),
            joined(moving.keys().map(|partition| shown(partition, ERA)))
        ));
    }
    let places = dirs::places(client, plan.dirs.keys()).await?;
    // Back to where they are: that ends a move.
    let back: BTreeMap<_, _> = places
        .into_iter()
        .filter_map(|(replica, place)| Some((replica, place.leaving()?.to_owned())))
        .collect();
    if back.is_empty() {
        output::line("None of the specified partition moves are active.");
    } else {
        dirs::begin_all(client, &back, args.timeout_ms()).await?;
    }
    if !args.preserve_throttles {
        throttles::clear(client, &plan.partitions).await?;
    }
    Ok(())
}

async fn list(client: &mut Client) -> Result<(), Failure> {
    let moving = list_reassignments(client, None).await?;
    if moving.is_empty() {
        output::line("No partition reassignments found.");
        return Ok(());
    }
    output::line("Current partition reassignments:");
    let part = |name: &str, ids: &[i32]| {
        if ids.is_empty() { String::new() } else { format!(" {name}: {}.", joined(ids)) }
    };
    for (partition, of) in moving {
        output::line(format_args!(
            "{}: replicas: {}.{}{}",
            shown(&partition, ERA),
            joined(&of.replicas),
            part("adding", &of.adding),
            part("removing", &of.removing)
        ));
    }
    Ok(())
}
