//! The tool of Kafka 2.2 and later: topics through the brokers.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use vltava_client::{
    ApiError, Client,
    admin::{
        ConfigEntry, NewTopic, PartitionDescription, Resource, ResourceKind, TopicDescription,
        create_partitions, create_topics, delete_topics, describe_configs, describe_topics, list_topics,
    },
};
use vltava_protocol::{ErrorCode, Uuid};

use super::{Args, ids, warn_of_collisions};
use crate::tools::{brokers, failure::Failure, output, replica_lists, topic_filter::TopicFilter};

/// Where a configuration's value comes from when nobody has set it.
const DEFAULT_SOURCE: i8 = 5;

pub(super) async fn run(args: &Args) -> Result<(), Failure> {
    let overrides = args.overrides()?;
    let bootstrap = args.bootstrap_server.as_deref().unwrap_or_default();
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    if args.create {
        return create(&mut client, args, overrides).await;
    }
    if args.describe {
        return describe(&mut client, args).await;
    }
    let topics = matching(&mut client, args).await?;
    if args.list {
        output::line(topics.join("\n"));
        return Ok(());
    }
    must_exist(args, &topics)?;
    let results = if args.alter {
        alter(&mut client, args, &topics).await?
    } else {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        delete_topics(&mut client, &names).await?
    };
    results.into_iter().collect::<Result<Vec<()>, ApiError>>()?;
    Ok(())
}

/// The topics that the options mean, sorted.
async fn matching(client: &mut Client, args: &Args) -> Result<Vec<String>, Failure> {
    let filter = TopicFilter::new(args.topic.as_deref())?;
    let all = list_topics(client).await?.into_iter();
    let meant = all.filter(|(name, internal)| filter.allows(name) && !(args.exclude_internal && *internal));
    Ok(meant.map(|(name, _)| name).collect())
}

fn must_exist(args: &Args, topics: &[String]) -> Result<(), Failure> {
    match &args.topic {
        Some(topic) if !topic.is_empty() && topics.is_empty() && !args.if_exists => {
            // The word around the name is Java's; Kafka's tool prints it.
            Err(Failure::illegal(format!("Topic 'Optional[{topic}]' does not exist as expected")))
        }
        _ => Ok(()),
    }
}

async fn create(client: &mut Client, args: &Args, configs: BTreeMap<String, String>) -> Result<(), Failure> {
    let name = args.topic.clone().unwrap_or_default();
    warn_of_collisions(&name);
    let assignments = args.replica_assignment.as_deref().map(assignment).transpose()?;
    let topic = NewTopic {
        partitions: args.partitions,
        replication_factor: args.replication_factor.and_then(|factor| i16::try_from(factor).ok()),
        assignments: assignments.unwrap_or_default(),
        configs,
        name: name.clone(),
    };
    for result in create_topics(client, &[topic], false).await? {
        match result {
            Ok(()) => output::line(format_args!("Created topic {name}.")),
            Err(error) if args.if_not_exists && error.code == ErrorCode::TopicAlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn alter(
    client: &mut Client,
    args: &Args,
    topics: &[String],
) -> Result<Vec<Result<(), ApiError>>, Failure> {
    let count = args.partitions.unwrap_or_default();
    let given = args.replica_assignment.as_deref().map(assignment).transpose()?.unwrap_or_default();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let mut grown = Vec::new();
    for topic in describe_topics(client, Some(&names)).await? {
        let topic = topic?;
        // The list names every partition; only the new ones can still be placed.
        let added: Vec<Vec<i32>> = given.iter().skip(topic.partitions.len()).cloned().collect();
        grown.push((topic.name, added));
    }
    let asked: Vec<(&str, i32, Vec<Vec<i32>>)> =
        grown.iter().map(|(name, added)| (name.as_str(), count, added.clone())).collect();
    Ok(create_partitions(client, &asked).await?)
}

async fn describe(client: &mut Client, args: &Args) -> Result<(), Failure> {
    if args.if_exists && args.topic.is_some() && args.topic_id.is_some() {
        output::line(
            "Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID",
        );
    }
    let described = match &args.topic_id {
        Some(id) => match by_id(client, id).await? {
            Some(topic) => vec![topic],
            None if args.if_exists => return Ok(()),
            None => return Err(Failure::illegal(format!("TopicId '{id}' does not exist as expected"))),
        },
        None => {
            let topics = matching(client, args).await?;
            must_exist(args, &topics)?;
            let names: Vec<&str> = topics.iter().map(String::as_str).collect();
            if names.is_empty() {
                return Ok(());
            }
            describe_topics(client, Some(&names)).await?.into_iter().collect::<Result<_, _>>()?
        }
    };
    let live: BTreeSet<i32> = client.brokers().into_iter().map(|(id, _)| id).collect();
    for topic in described {
        let resource = Resource { kind: ResourceKind::Topic, name: topic.name.clone() };
        let configs = describe_configs(client, &resource).await?;
        output::write(&lines(&topic, &configs, &live, args));
    }
    Ok(())
}

async fn by_id(client: &mut Client, id: &str) -> Result<Option<TopicDescription>, Failure> {
    let uuid = topic_id(id)?;
    let all = describe_topics(client, None).await?;
    Ok(all.into_iter().filter_map(Result::ok).find(|topic| topic.id == uuid))
}

/// A topic's id; what is none is refused in the words of Java's `Uuid.fromString`.
fn topic_id(text: &str) -> Result<Uuid, Failure> {
    let illegal = || {
        if let Some((prefix, _)) = text.char_indices().nth(24).map(|(at, _)| text.split_at(at)) {
            return format!("Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID");
        }
        match URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')) {
            Ok(bytes) => format!(
                "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID",
                bytes.len()
            ),
            Err(_) => format!("Input string `{text}` is not base64"),
        }
    };
    text.parse().map_err(|_| Failure::illegal(illegal()))
}

/// `--replica-assignment`, refused under the names of 3.9's exceptions.
fn assignment(list: &str) -> Result<Vec<Vec<i32>>, Failure> {
    replica_lists::parse(list).map_err(|failure| match failure.class {
        "kafka.common.AdminCommandFailedException" => {
            Failure::new("org.apache.kafka.server.common.AdminCommandFailedException", failure.message)
        }
        "kafka.admin.AdminOperationException" => {
            Failure::new("org.apache.kafka.server.common.AdminOperationException", failure.message)
        }
        _ => failure,
    })
}

/// What describes a topic, with its line breaks.
fn lines(topic: &TopicDescription, configs: &[ConfigEntry], live: &BTreeSet<i32>, args: &Args) -> String {
    let filtered = args.under_replicated_partitions
        || args.unavailable_partitions
        || args.under_min_isr_partitions
        || args.at_min_isr_partitions;
    let mut text = String::new();
    let set: Vec<String> = configs
        .iter()
        .filter(|entry| entry.source != DEFAULT_SOURCE)
        .map(|entry| format!("{}={}", entry.name, entry.value.as_deref().unwrap_or("null")))
        .collect();
    if !filtered && (!args.topics_with_overrides || !set.is_empty()) {
        let id = if topic.id == Uuid::default() { String::new() } else { format!("\tTopicId: {}", topic.id) };
        text += &format!(
            "Topic: {}{id}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n",
            topic.name,
            topic.partitions.len(),
            topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
            set.join(",")
        );
    }
    if args.topics_with_overrides {
        return text;
    }
    let min_isr = configs.iter().find(|entry| entry.name == "min.insync.replicas");
    let min_isr: usize = min_isr.and_then(|entry| entry.value.as_deref()?.parse().ok()).unwrap_or(1);
    let shown = |partition: &&PartitionDescription| {
        !filtered
            || (args.under_replicated_partitions && partition.isr.len() < partition.replicas.len())
            || (args.unavailable_partitions && partition.leader.is_none_or(|leader| !live.contains(&leader)))
            || (args.under_min_isr_partitions
                && (partition.leader.is_none() || partition.isr.len() < min_isr))
            || (args.at_min_isr_partitions && partition.isr.len() == min_isr)
    };
    for partition in topic.partitions.iter().filter(shown) {
        text += &format!(
            "\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: N/A\tLastKnownElr: N/A\n",
            topic.name,
            partition.index,
            partition.leader.map_or_else(|| "none".to_owned(), |leader| leader.to_string()),
            ids(&partition.replicas),
            ids(&partition.isr)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic() -> TopicDescription {
        let partition = |index, leader, isr: &[i32]| PartitionDescription {
            index,
            leader,
            replicas: vec![0, 1],
            isr: isr.to_vec(),
        };
        TopicDescription {
            name: "t".into(),
            id: "sZkXyFAHQ8aYTbxpjzmJiw".parse().unwrap(),
            internal: false,
            partitions: vec![
                partition(0, Some(0), &[0, 1]),
                partition(1, Some(1), &[1]),
                partition(2, None, &[]),
            ],
        }
    }

    fn configs() -> Vec<ConfigEntry> {
        let entry = |name: &str, value: &str, source| ConfigEntry {
            name: name.into(),
            value: Some(value.into()),
            source,
            sensitive: false,
            read_only: false,
            synonyms: Vec::new(),
        };
        vec![entry("min.insync.replicas", "1", 5), entry("retention.ms", "60000", 1)]
    }

    #[test]
    fn a_topic_is_described_as_3_9_describes_it() {
        let text = lines(&topic(), &configs(), &BTreeSet::from([0, 1]), &Args::default());
        assert_eq!(
            text,
            "Topic: t\tTopicId: sZkXyFAHQ8aYTbxpjzmJiw\tPartitionCount: 3\tReplicationFactor: 2\tConfigs: retention.ms=60000\n\
             \tTopic: t\tPartition: 0\tLeader: 0\tReplicas: 0,1\tIsr: 0,1\tElr: N/A\tLastKnownElr: N/A\n\
             \tTopic: t\tPartition: 1\tLeader: 1\tReplicas: 0,1\tIsr: 1\tElr: N/A\tLastKnownElr: N/A\n\
             \tTopic: t\tPartition: 2\tLeader: none\tReplicas: 0,1\tIsr: \tElr: N/A\tLastKnownElr: N/A\n"
        );
    }

    #[test]
    fn filters_choose_partitions() {
        let shown = |args: Args, live: &[i32]| -> Vec<String> {
            let text = lines(&topic(), &configs(), &live.iter().copied().collect(), &args);
            let part = |line: &str| line.split('\t').nth(2).unwrap_or(line).to_owned();
            text.lines().map(part).collect()
        };
        let under = Args { under_replicated_partitions: true, ..Args::default() };
        assert_eq!(shown(under, &[0, 1]), ["Partition: 1", "Partition: 2"]);
        let unavailable = Args { unavailable_partitions: true, ..Args::default() };
        assert_eq!(shown(unavailable, &[1]), ["Partition: 0", "Partition: 2"]);
        let below = Args { under_min_isr_partitions: true, ..Args::default() };
        assert_eq!(shown(below, &[0, 1]), ["Partition: 2"]);
        let at = Args { at_min_isr_partitions: true, ..Args::default() };
        assert_eq!(shown(at, &[0, 1]), ["Partition: 1"]);
        let overridden = Args { topics_with_overrides: true, ..Args::default() };
        assert_eq!(shown(overridden, &[0, 1]).len(), 1);
    }
}
