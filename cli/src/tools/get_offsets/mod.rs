//! `kafka-get-offsets`, once `GetOffsetShell`: the offsets of partitions at a time.
//!
//! Two tools have had these options. That of 3.x shows one offset a partition, of the first record at or after a time; [`old`] is that
//! of 0.8 to 1.x, which shows where the segments before a time begin.

mod filter;
mod old;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use vltava_client::{
    Client,
    admin::{Isolation, OffsetSpec, TopicPartition, describe_topics, list_offsets},
};

use self::filter::PartitionFilter;
use super::{
    brokers,
    client::check_addresses,
    era::{Era, EraOption},
    failure::Failure,
    output, usage,
};

/// Show the offsets of partitions, as kafka-get-offsets.sh and GetOffsetShell do
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "HOST1:PORT1,...,HOST3:PORT3")]
    bootstrap_server: Option<String>,
    /// The old name of --bootstrap-server
    #[arg(long, value_name = "HOST1:PORT1,...,HOST3:PORT3")]
    broker_list: Option<String>,
    /// A Java property file for the connection
    #[arg(long, value_name = "config file")]
    command_config: Option<PathBuf>,
    /// The topic, or a regular expression; all topics without it
    #[arg(long, value_name = "topic")]
    topic: Option<String>,
    /// Only these partitions, such as 0,1,2
    #[arg(long, value_name = "partition ids")]
    partitions: Option<String>,
    /// Instead: patterns of topics and partitions, such as topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3
    #[arg(long, value_name = "patterns")]
    topic_partitions: Option<String>,
    /// Which offsets: -1 or latest, -2 or earliest, -3 or max-timestamp, -4 or earliest-local, -5 or latest-tiered, or those of the
    /// first record at or after a time in milliseconds
    #[arg(long, value_name = "time", default_value = "latest")]
    time: String,
    /// Leave out Kafka's own topics
    #[arg(long)]
    exclude_internal_topics: bool,
    /// Of 0.8 to 2.8: how many offsets to show [default: 1]; each is where a segment begins that was last written at the time or before
    #[arg(long, value_name = "count", allow_hyphen_values = true)]
    offsets: Option<i32>,
    /// Of 0.8 to 2.8: how long an answer may take, in milliseconds
    #[arg(long, value_name = "ms")]
    max_wait_ms: Option<i64>,
    #[command(flatten)]
    era: EraOption,
}

impl Args {
    /// Whether the tool of 0.8 to 1.x is meant: where that is asked for, or where an option is given that only it had. What came
    /// later is the later tool's, which for some versions had the same name.
    fn is_old(&self) -> bool {
        let new = self.bootstrap_server.is_some()
            || self.command_config.is_some()
            || self.topic_partitions.is_some()
            || self.exclude_internal_topics;
        let old = self.offsets.is_some() || self.max_wait_ms.is_some();
        !new && self.era.era().map_or(old, |era| era == Era::Old)
    }
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    if args.is_old() {
        return old::run(args);
    }
    if args.offsets.is_some() {
        // As 2.x's tool said of it, which had just learnt to ask for one.
        eprintln!(
            "WARN: --offsets has an effect with --broker-list only, and is ignored: one offset a partition is shown"
        );
    }
    match super::block_on(show(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("Error occurred: {}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn show(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.bootstrap_server.as_deref().or(args.broker_list.as_deref());
    let bootstrap =
        bootstrap.ok_or_else(|| Failure::illegal("Missing required option(s) [bootstrap-server]"))?;
    check_addresses(bootstrap)?;
    if args.topic_partitions.is_some() && (args.topic.is_some() || args.partitions.is_some()) {
        return Err(Failure::illegal("--topic-partitions cannot be used with --topic or --partitions"));
    }
    let spec = spec(&args.time)?;
    let filter = match &args.topic_partitions {
        Some(patterns) => PartitionFilter::patterns(patterns)?,
        None => PartitionFilter::of(args.topic.as_deref(), args.partitions.as_deref())?,
    };
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), args.max_wait_ms).await?;
    let partitions = matching(&mut client, &filter, args.exclude_internal_topics).await?;
    if partitions.is_empty() {
        return Err(Failure::illegal("Could not match any topic-partitions with the specified filters"));
    }
    let asked: Vec<(TopicPartition, OffsetSpec)> =
        partitions.into_iter().map(|partition| (partition, spec)).collect();
    for (partition, result) in list_offsets(&mut client, &asked, Isolation::ReadUncommitted).await? {
        let TopicPartition { topic, partition } = partition;
        match result {
            Ok(found) if found.offset >= 0 => {
                output::line(format_args!("{topic}:{partition}:{}", found.offset));
            }
            Ok(_) => {}
            Err(error) => {
                let why = Failure::from(error);
                eprintln!(
                    "Skip getting offsets for topic-partition {topic}-{partition} due to error: {}",
                    why.message
                );
            }
        }
    }
    Ok(())
}

/// The partitions that the filter means, in order.
async fn matching(
    client: &mut Client,
    filter: &PartitionFilter,
    exclude_internal: bool,
) -> Result<Vec<TopicPartition>, Failure> {
    let mut partitions = Vec::new();
    for topic in describe_topics(client, None).await?.into_iter().filter_map(Result::ok) {
        if exclude_internal && topic.internal {
            continue;
        }
        let meant = topic.partitions.iter().filter(|partition| filter.allows(&topic.name, partition.index));
        let of = |index| TopicPartition { topic: topic.name.clone(), partition: index };
        partitions.extend(meant.map(|partition| of(partition.index)));
    }
    Ok(partitions)
}

fn spec(time: &str) -> Result<OffsetSpec, Failure> {
    let number = match time {
        "latest" => -1,
        "earliest" => -2,
        "max-timestamp" => -3,
        "earliest-local" => -4,
        "latest-tiered" => -5,
        _ => time.parse::<i64>().map_err(|_| {
            Failure::illegal(format!(
                "Malformed time argument {time}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered, or a specified long format timestamp"
            ))
        })?,
    };
    Ok(match number {
        -1 => OffsetSpec::Latest,
        -2 => OffsetSpec::Earliest,
        -3 => OffsetSpec::MaxTimestamp,
        -4 => OffsetSpec::EarliestLocal,
        -5 => OffsetSpec::LatestTiered,
        time => OffsetSpec::Time(time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_names_and_numbers() {
        assert_eq!(spec("earliest"), Ok(OffsetSpec::Earliest));
        assert_eq!(spec("-3"), Ok(OffsetSpec::MaxTimestamp));
        assert_eq!(spec("1700000000000"), Ok(OffsetSpec::Time(1_700_000_000_000)));
        assert!(spec("foo").unwrap_err().message.starts_with("Malformed time argument foo. Please use -1"));
    }

    #[test]
    fn the_options_tell_whose_tool_is_meant() {
        let is_old = |line: &str| {
            Args::try_parse_from(std::iter::once("get-offsets").chain(line.split(' '))).unwrap().is_old()
        };
        for line in ["--broker-list a:1 --offsets 3", "--era 0.11 --broker-list a:1", "--era=0.11 --topic t"]
        {
            assert!(is_old(line), "{line}");
        }
        for line in [
            "--broker-list a:1",
            "--bootstrap-server a:1 --offsets 3",
            "--era 0.11 --bootstrap-server a:1",
            "--era 3.9 --broker-list a:1 --offsets 3",
        ] {
            assert!(!is_old(line), "{line}");
        }
    }
}
