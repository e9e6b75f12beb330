//! `GetOffsetShell` of Kafka 0.8 to 1.x: the offsets at which segments begin that were last written at a time or before it.

use std::process::ExitCode;

use vltava_client::{
    Client, ClientError,
    admin::{Isolation, OffsetSpec, TopicPartition, describe_topics, list_offsets, offsets_before},
};

use super::Args;
use crate::tools::{brokers, client::check_addresses, failure::Failure, output, usage};

/// Runs the tool.
pub(super) fn run(args: &Args) -> ExitCode {
    match crate::tools::block_on(show(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn show(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.broker_list.as_deref().ok_or_else(|| Failure::missing("broker-list"))?;
    let topic = args.topic.as_deref().ok_or_else(|| Failure::missing("topic"))?;
    check_addresses(bootstrap)?;
    let time = time(&args.time)?;
    let chosen = partitions(args.partitions.as_deref().unwrap_or_default())?;
    let mut client = brokers::connect(bootstrap, None, args.max_wait_ms).await?;
    let described = describe_topics(&mut client, Some(&[topic])).await?.into_iter().find_map(Result::ok);
    let Some(described) = described else {
        return Err(Failure::illegal(format!(
            "Error: no valid topic metadata for topic: {topic},  probably the topic does not exist, run kafka-list-topic.sh to verify"
        )));
    };
    let chosen = chosen.unwrap_or_else(|| described.partitions.iter().map(|found| found.index).collect());
    let mut asked = Vec::with_capacity(chosen.len());
    for index in chosen {
        match described.partitions.iter().find(|found| found.index == index) {
            Some(found) if found.leader.is_some() => {
                asked.push(TopicPartition { topic: topic.to_owned(), partition: index });
            }
            Some(_) => {
                eprintln!("Error: partition {index} does not have a leader. Skip getting offsets");
            }
            None => eprintln!("Error: partition {index} does not exist"),
        }
    }
    let answers = offsets(&mut client, &asked, time, args.offsets.unwrap_or(1)).await?;
    for (partition, offsets) in asked.iter().zip(answers) {
        let offsets: Vec<String> = offsets.iter().map(ToString::to_string).collect();
        output::line(format_args!("{topic}:{}:{}", partition.partition, offsets.join(",")));
    }
    Ok(())
}

/// The offsets of each partition, none where it has none to tell. The last broker that knows the question is of Kafka 3.9: of a later one
/// the two ends of a partition can be asked for, by another question.
async fn offsets(
    client: &mut Client,
    partitions: &[TopicPartition],
    time: i64,
    most: i32,
) -> Result<Vec<Vec<i64>>, Failure> {
    let mut found = match offsets_before(client, partitions, time, most).await {
        Ok(answers) => answers,
        Err(error @ ClientError::Unsupported { .. }) => {
            let spec = match time {
                -1 if most == 1 => OffsetSpec::Latest,
                -2 => OffsetSpec::Earliest,
                _ => return Err(error.into()),
            };
            let asked: Vec<_> = partitions.iter().map(|partition| (partition.clone(), spec)).collect();
            let answers = list_offsets(client, &asked, Isolation::ReadUncommitted).await?;
            answers.into_iter().map(|(at, answer)| (at, answer.map(|found| vec![found.offset]))).collect()
        }
        Err(error) => return Err(error.into()),
    };
    // An error is no offset, as in Kafka's tool.
    let of = |partition| found.remove(partition).and_then(Result::ok).unwrap_or_default();
    Ok(partitions.iter().map(of).collect())
}

fn time(text: &str) -> Result<i64, Failure> {
    // The default has a name, which the old tool did not know.
    if text == "latest" {
        return Ok(-1);
    }
    text.parse().map_err(|_| Failure::usage(format!("Cannot parse argument '{text}' of option time")))
}

/// The partitions in a list; of an empty one all.
fn partitions(list: &str) -> Result<Option<Vec<i32>>, Failure> {
    if list.is_empty() {
        return Ok(None);
    }
    let number = |entry: &str| {
        let class = "java.lang.NumberFormatException";
        entry.parse().map_err(|_| Failure::new(class, format!("For input string: \"{entry}\"")))
    };
    list.split(',').map(number).collect::<Result<_, _>>().map(Some)
}
