//! `--delete` and `--delete-offsets` through the brokers.

use vltava_client::{
    ApiError, Client,
    admin::{TopicPartition, delete_groups, delete_offsets, describe_topics},
};
use vltava_protocol::ErrorCode;

use super::{Args, error, targets};
use crate::tools::{failure::Failure, output};

fn quoted(groups: &[String]) -> String {
    groups.iter().map(|group| format!("'{group}'")).collect::<Vec<_>>().join(", ")
}

/// Deletes whole groups.
pub(super) async fn groups(client: &mut Client, args: &Args, groups: &[String]) -> Result<(), Failure> {
    let names: Vec<&str> = groups.iter().map(String::as_str).collect();
    let (mut deleted, mut failed) = (Vec::new(), Vec::new());
    for (group, result) in delete_groups(client, &names).await? {
        match result {
            Ok(()) => deleted.push(group),
            Err(error) => failed.push((group, error)),
        }
    }
    if failed.is_empty() {
        output::line(format_args!(
            "Deletion of requested consumer groups ({}) was successful.",
            quoted(&deleted)
        ));
        return Ok(());
    }
    error(args, "Deletion of some consumer groups failed:");
    for (group, error) in failed {
        // A class too many is Kafka's.
        let why = format!("java.util.concurrent.ExecutionException: {}", Failure::from(error));
        output::line(format_args!("* Group '{group}' could not be deleted due to: {why}"));
    }
    if !deleted.is_empty() {
        output::line(format_args!("\nThese consumer groups were deleted successfully: {}", quoted(&deleted)));
    }
    Ok(())
}

/// Forgets a group's offsets for some topics or partitions.
pub(super) async fn offsets(client: &mut Client, args: &Args, group: &str) -> Result<(), Failure> {
    let partitions = partitions(client, &args.topic).await?;
    let (results, refused) = match delete_offsets(client, group, &partitions).await {
        Ok(results) => (results, None),
        Err(vltava_client::ClientError::Api(refused)) => {
            let all = partitions.into_iter().map(|partition| (partition, Err(refused.clone())));
            (all.collect(), Some(refused))
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(refused) = refused {
        error(args, &refusal(group, &refused));
    } else if results.values().all(Result::is_ok) {
        let topics = args.topic.join(", ");
        output::line(format_args!("Request succeed for deleting offsets with topic {topics} group {group}"));
    } else {
        error(args, "Encounter some partition level error, see the follow-up details:");
    }
    output::line(format_args!("\n{:<30} {:<15} {:<15}", "TOPIC", "PARTITION", "STATUS"));
    for (TopicPartition { topic, partition }, result) in results {
        let status = result
            .map_or_else(|error| format!("Error: :{}", Failure::from(error)), |()| "Successful".to_owned());
        output::line(format_args!("{topic:<30} {partition:<15} {status:<15}"));
    }
    Ok(())
}

fn refusal(group: &str, error: &ApiError) -> String {
    match error.code {
        ErrorCode::InvalidGroupId => format!("'{group}' is not valid."),
        ErrorCode::GroupIdNotFound => format!("'{group}' does not exist."),
        ErrorCode::GroupAuthorizationFailed => format!("Access to '{group}' is not authorized."),
        ErrorCode::NonEmptyGroup => {
            format!("Deleting offsets of a consumer group '{group}' is forbidden if the group is not empty.")
        }
        _ => format!("Encounter some unknown error: {error}"),
    }
}

/// The partitions that `--topic` means: `topic`, all of them, or `topic:0,1`.
pub(super) async fn partitions(
    client: &mut Client,
    topics: &[String],
) -> Result<Vec<TopicPartition>, Failure> {
    let mut partitions = Vec::new();
    for text in topics {
        let (topic, chosen) = targets::topic_partitions(text)?;
        let indexes = match chosen {
            Some(indexes) => indexes,
            None => {
                let mut described = describe_topics(client, Some(&[topic])).await?;
                let found = described.pop().transpose()?;
                found
                    .into_iter()
                    .flat_map(|topic| topic.partitions)
                    .map(|partition| partition.index)
                    .collect()
            }
        };
        let of = |partition| TopicPartition { topic: topic.to_owned(), partition };
        partitions.extend(indexes.into_iter().map(of));
    }
    Ok(partitions)
}
