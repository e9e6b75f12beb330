//! `--describe` through the brokers.

use std::collections::{BTreeMap, BTreeSet};

use vltava_client::{
    Client,
    admin::{
        GroupDescription, GroupMember, Isolation, OffsetSpec, TopicPartition, describe_group, group_offsets,
        list_offsets,
    },
};

use super::{
    Args, error,
    table::{self, Member, Row},
};
use crate::tools::{failure::Failure, output};

/// Describes one group.
pub(super) async fn describe(client: &mut Client, args: &Args, group: &str) -> Result<(), Failure> {
    let described = describe_group(client, group).await?;
    let modern = args.is_modern();
    let before = if modern { "\n" } else { "" };
    match described.state.as_str() {
        "Dead" => {
            error(args, &format!("Consumer group '{group}' does not exist."));
            // The heads of the table of members come all the same, in Kafka too.
            if !args.members {
                return Ok(());
            }
        }
        "Empty" => eprintln!("{before}Consumer group '{group}' has no active members."),
        "PreparingRebalance" | "CompletingRebalance" | "AwaitingSync" | "Assigning" | "Reconciling" => {
            eprintln!("{before}Warning: Consumer group '{group}' is rebalancing.");
        }
        _ => {}
    }
    if args.members {
        let members: Vec<Member> = described.members.iter().map(member).collect();
        output::write(&table::members(group, &members, args.verbose));
        return Ok(());
    }
    if args.state.is_some() {
        let (id, address) = &described.coordinator;
        let coordinator = format!("{address}  ({id})");
        let members = described.members.len();
        output::write(&table::state(group, &coordinator, &described.protocol, &described.state, members));
        return Ok(());
    }
    let rows = rows(client, &described).await?;
    if modern {
        if !rows.is_empty() {
            output::write(&table::offsets(group, &rows));
        }
    } else {
        output::write(&table::old_offsets(&rows, true));
    }
    Ok(())
}

/// A row for each partition that is assigned or has an offset, and for each member without partitions.
async fn rows(client: &mut Client, group: &GroupDescription) -> Result<Vec<Row>, Failure> {
    let committed = group_offsets(client, &group.group).await?;
    let owners: BTreeMap<&TopicPartition, &GroupMember> =
        group.members.iter().flat_map(|m| m.assignment.iter().map(move |partition| (partition, m))).collect();
    let partitions: BTreeSet<TopicPartition> =
        committed.keys().chain(owners.keys().copied()).cloned().collect();
    let asked: Vec<(TopicPartition, OffsetSpec)> =
        partitions.iter().map(|partition| (partition.clone(), OffsetSpec::Latest)).collect();
    let ends = list_offsets(client, &asked, Isolation::ReadUncommitted).await?;
    let mut rows: Vec<Row> = partitions
        .iter()
        .map(|partition| {
            let owner = owners.get(partition);
            Row {
                topic: Some(partition.topic.clone()),
                partition: Some(partition.partition),
                current: committed.get(partition).map(|offset| offset.offset),
                end: ends.get(partition).and_then(|end| Some(end.as_ref().ok()?.offset)),
                consumer: owner.map(|owner| owner.member_id.clone()),
                host: owner.map(|owner| owner.host.clone()),
                client: owner.map(|owner| owner.client_id.clone()),
            }
        })
        .collect();
    rows.extend(group.members.iter().filter(|member| member.assignment.is_empty()).map(|member| Row {
        consumer: Some(member.member_id.clone()),
        host: Some(member.host.clone()),
        client: Some(member.client_id.clone()),
        ..Row::default()
    }));
    Ok(rows)
}

fn member(member: &GroupMember) -> Member {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for partition in &member.assignment {
        topics.entry(&partition.topic).or_default().push(partition.partition.to_string());
    }
    let assignment: Vec<String> =
        topics.into_iter().map(|(topic, partitions)| format!("{topic}({})", partitions.join(","))).collect();
    Member {
        consumer: member.member_id.clone(),
        instance: member.instance_id.clone(),
        host: member.host.clone(),
        client: member.client_id.clone(),
        partitions: member.assignment.len(),
        assignment: assignment.join(", "),
    }
}
