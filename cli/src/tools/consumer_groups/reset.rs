//! `--reset-offsets`: where each partition of a group without members goes on reading.

use std::collections::BTreeMap;

use jiff::Timestamp;
use vltava_client::{
    Client,
    admin::{
        GroupOffset, Isolation, OffsetSpec, TopicPartition, commit_offsets, describe_group, group_offsets,
        list_offsets,
    },
};

use super::{Args, delete::partitions, error, table, targets};
use crate::tools::{
    failure::Failure,
    input_file::{self, Unread},
    output,
};

const LOGGER: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";

type Offsets = BTreeMap<TopicPartition, i64>;

/// Plans the new offsets of some groups, sets them with `--execute`, and prints them.
pub(super) async fn reset(client: &mut Client, args: &Args, groups: &[String]) -> Result<(), Failure> {
    let mut from_file = match &args.reset.from_file {
        Some(file) => Some(targets::read_csv(&read(file)?, groups)?),
        None => None,
    };
    let mut plans = Vec::new();
    for group in groups {
        let state = describe_group(client, group).await?.state;
        if !matches!(state.as_str(), "Empty" | "Dead") {
            error(
                args,
                &format!(
                    "Assignments can only be reset if the group '{group}' is inactive, but the current state is {state}."
                ),
            );
            continue;
        }
        let plan = match &mut from_file {
            Some(plan) => match plan.remove(group) {
                Some(plan) => within(client, plan).await?,
                None => {
                    error(args, &format!("No reset plan for group {group} found"));
                    Offsets::new()
                }
            },
            None => plan(client, args, group).await?,
        };
        if args.reset.execute {
            execute(client, group, &plan).await?;
        }
        plans.push((group, plan));
    }
    let rows: Vec<(&str, &str, i32, i64)> = plans
        .iter()
        .flat_map(|(group, plan)| {
            plan.iter().map(|(p, offset)| (group.as_str(), p.topic.as_str(), p.partition, *offset))
        })
        .collect();
    if args.reset.export {
        output::line(targets::csv(&rows, groups.len() > 1));
    } else {
        output::write(&table::resets(&rows, args.is_modern()));
    }
    Ok(())
}

fn read(file: &std::path::Path) -> Result<String, Failure> {
    input_file::read(file).map_err(|unread| {
        let reason = match unread {
            Unread::Io(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => format!(": {other}"),
        };
        let text = format!("java.io.IOException: Unable to read file {}{reason}", file.display());
        Failure::new("java.lang.RuntimeException", text)
    })
}

async fn plan(client: &mut Client, args: &Args, group: &str) -> Result<Offsets, Failure> {
    let committed: Offsets =
        group_offsets(client, group).await?.into_iter().map(|(p, offset)| (p, offset.offset)).collect();
    let scope: Vec<TopicPartition> = if args.all_topics {
        committed.keys().cloned().collect()
    } else {
        partitions(client, &args.topic).await?
    };
    let reset = &args.reset;
    if reset.to_earliest {
        return at(client, &scope, OffsetSpec::Earliest).await;
    }
    if reset.to_latest {
        return at(client, &scope, OffsetSpec::Latest).await;
    }
    if let Some(offset) = reset.to_offset {
        return within(client, scope.into_iter().map(|partition| (partition, offset)).collect()).await;
    }
    if let Some(by) = reset.shift_by {
        let mut shifted = Offsets::new();
        for partition in scope {
            let Some(current) = committed.get(&partition) else {
                let name = format!("{}-{}", partition.topic, partition.partition);
                return Err(Failure::usage(format!(
                    "Cannot shift offset for partition {name} since there is no current committed offset"
                )));
            };
            let offset = current.saturating_add(by);
            shifted.insert(partition, offset);
        }
        return within(client, shifted).await;
    }
    if reset.to_current {
        // What has no offset yet begins at the end.
        let (known, unknown): (Vec<_>, Vec<_>) = scope.into_iter().partition(|p| committed.contains_key(p));
        let mut plan = at(client, &unknown, OffsetSpec::Latest).await?;
        plan.extend(known.into_iter().filter_map(|partition| {
            let offset = *committed.get(&partition)?;
            Some((partition, offset))
        }));
        return Ok(plan);
    }
    let time = match (&reset.to_datetime, &reset.by_duration) {
        (Some(text), _) => targets::datetime(text, args.is_modern())?,
        (None, Some(duration)) => targets::before(Timestamp::now(), duration)?,
        (None, None) => return Err(Failure::usage("One of the reset targets should be defined.")),
    };
    at_time(client, &scope, time).await
}

/// An offset of each partition. A partition that cannot be asked stops the reset.
async fn at(
    client: &mut Client,
    partitions: &[TopicPartition],
    spec: OffsetSpec,
) -> Result<Offsets, Failure> {
    if partitions.is_empty() {
        return Ok(Offsets::new());
    }
    let asked: Vec<_> = partitions.iter().map(|partition| (partition.clone(), spec)).collect();
    let mut offsets = Offsets::new();
    for (partition, found) in list_offsets(client, &asked, Isolation::ReadUncommitted).await? {
        let found = found?;
        offsets.insert(partition, found.offset);
    }
    Ok(offsets)
}

/// The first record at or after a time; the end where there is none.
async fn at_time(client: &mut Client, partitions: &[TopicPartition], time: i64) -> Result<Offsets, Failure> {
    let mut offsets = at(client, partitions, OffsetSpec::Time(time)).await?;
    let none: Vec<TopicPartition> =
        offsets.iter().filter(|(_, offset)| **offset < 0).map(|(partition, _)| partition.clone()).collect();
    for TopicPartition { topic, partition } in &none {
        output::line(format_args!(
            "\nWarn: Partition {partition} from topic {topic} is empty. Falling back to latest known offset."
        ));
    }
    offsets.extend(at(client, &none, OffsetSpec::Latest).await?);
    Ok(offsets)
}

/// Offsets drawn into what each partition has.
async fn within(client: &mut Client, wanted: Offsets) -> Result<Offsets, Failure> {
    let partitions: Vec<TopicPartition> = wanted.keys().cloned().collect();
    let first = at(client, &partitions, OffsetSpec::Earliest).await?;
    let end = at(client, &partitions, OffsetSpec::Latest).await?;
    let drawn = wanted.into_iter().map(|(partition, offset)| {
        let name = format!("{}-{}", partition.topic, partition.partition);
        let low = first.get(&partition).copied().unwrap_or(0);
        let high = end.get(&partition).copied().unwrap_or(i64::MAX);
        let warn = |which: &str, value: i64| {
            let message = format!(
                "New offset ({offset}) is {which} offset for topic partition {name}. Value will be set to {value}"
            );
            output::log_warning(&message, LOGGER);
            value
        };
        let offset = match offset {
            _ if offset < low => warn("lower than earliest", low),
            _ if offset > high => warn("higher than latest", high),
            _ => offset,
        };
        (partition, offset)
    });
    Ok(drawn.collect())
}

async fn execute(client: &mut Client, group: &str, plan: &Offsets) -> Result<(), Failure> {
    if plan.is_empty() {
        return Ok(());
    }
    let offsets = plan.iter().map(|(partition, offset)| {
        let offset = GroupOffset { offset: *offset, leader_epoch: None, metadata: String::new() };
        (partition.clone(), offset)
    });
    for (_, result) in commit_offsets(client, group, &offsets.collect()).await? {
        result?;
    }
    Ok(())
}
