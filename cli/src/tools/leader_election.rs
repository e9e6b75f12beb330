//! `kafka-leader-election`: elects the preferred replica of partitions, or any that lives, as leader (KIP-460).

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use serde::Deserialize;
use vltava_client::{
    ClientError,
    admin::{ElectionType, TopicPartition, elect_leaders},
};
use vltava_protocol::ErrorCode;

use super::{
    brokers,
    failure::Failure,
    input_file::{self, Unread},
    java_order, output,
};

const FAILED: &str = "org.apache.kafka.server.common.AdminCommandFailedException";
const REFUSED: &str = "org.apache.kafka.server.common.AdminOperationException";

/// Elect the preferred or any live replica of partitions as their leader, as kafka-leader-election.sh does
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "host:port")]
    bootstrap_server: Option<String>,
    /// A Java property file for the connection
    #[arg(long = "admin.config", value_name = "config file")]
    admin_config: Option<PathBuf>,
    /// PREFERRED: the first replica, where it is in sync. UNCLEAN: any replica that lives, where the leader does not; records
    /// that only others had are lost
    #[arg(long, value_name = "election type")]
    election_type: Option<String>,
    /// The file that names the partitions: {"partitions": [{"topic": "t", "partition": 1}]}
    #[arg(long, value_name = "Path to JSON file")]
    path_to_json_file: Option<PathBuf>,
    /// The topic, with --partition
    #[arg(long, value_name = "topic name")]
    topic: Option<String>,
    /// The partition of --topic
    #[arg(long, value_name = "partition id")]
    partition: Option<String>,
    /// All partitions there are
    #[arg(long)]
    all_topic_partitions: bool,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    bootstrap: String,
    kind: ElectionType,
    /// `None`: all there are.
    partitions: Option<Vec<TopicPartition>>,
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    match super::block_on(elect(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{}\n{failure}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn elect(args: &Args) -> Result<(), Failure> {
    let wish = wish(args)?;
    let kind = name(wish.kind);
    let mut client = brokers::connect(&wish.bootstrap, args.admin_config.as_deref(), Some(30_000)).await?;
    let results = match elect_leaders(&mut client, wish.kind, wish.partitions.as_deref()).await {
        Err(ClientError::Timeout { .. } | ClientError::Unreachable { .. }) => {
            let words = "Timeout waiting for election results";
            output::line(words);
            return Err(Failure::new(FAILED, words));
        }
        other => other?,
    };
    let (mut elected, mut needless, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for (partition, result) in results {
        match result {
            Ok(()) => elected.push(partition),
            Err(error) if error.code == ErrorCode::ElectionNotNeeded => needless.push(partition),
            Err(error) => failed.push((partition, error)),
        }
    }
    if !elected.is_empty() {
        let list = listed(elected);
        output::line(format_args!("Successfully completed leader election ({kind}) for partitions {list}"));
    }
    if !needless.is_empty() {
        output::line(format_args!("Valid replica already elected for partitions {}", listed(needless)));
    }
    if failed.is_empty() {
        return Ok(());
    }
    java_order::sort_grown(&mut failed, |(partition, _)| hash(partition));
    let count = failed.len();
    for (partition, error) in failed {
        let (partition, error) = (shown(&partition), Failure::from(error));
        output::line(format_args!(
            "Error completing leader election ({kind}) for partition: {partition}: {error}"
        ));
    }
    Err(Failure::new(FAILED, format!("{count} replica(s) could not be elected")))
}

/// Checks the options, in the order in which Kafka's tool does.
fn wish(args: &Args) -> Result<Wish, Failure> {
    let failed = |words: String| Err(Failure::new(FAILED, words));
    let unparsable = |value: &str, option: &str| {
        let class = "joptsimple.OptionArgumentConversionException";
        Failure::new(class, format!("Cannot parse argument '{value}' of option {option}"))
    };
    let (Some(bootstrap), Some(kind)) = (&args.bootstrap_server, &args.election_type) else {
        let missing = [
            (args.bootstrap_server.is_none(), "bootstrap-server"),
            (args.election_type.is_none(), "election-type"),
        ];
        let missing: Vec<&str> =
            missing.iter().filter(|(is_missing, _)| *is_missing).map(|(_, name)| *name).collect();
        return failed(format!("Missing required option(s): {}", missing.join(", ")));
    };
    let given = [args.topic.is_some(), args.all_topic_partitions, args.path_to_json_file.is_some()];
    if given.iter().filter(|is_given| **is_given).count() != 1 {
        return failed(
            "One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file"
                .to_owned(),
        );
    }
    let kind = [ElectionType::Preferred, ElectionType::Unclean]
        .into_iter()
        .find(|known| name(*known).eq_ignore_ascii_case(kind))
        .ok_or_else(|| unparsable(kind, "election-type"))?;
    let one = match (&args.topic, &args.partition) {
        (Some(_), None) => return failed("Missing required option(s): partition".to_owned()),
        (None, Some(_)) => return failed("Option partition is only allowed if topic is used".to_owned()),
        (Some(topic), Some(partition)) => {
            let number = partition.parse().map_err(|_| unparsable(partition, "partition"))?;
            Some(vec![TopicPartition { topic: topic.clone(), partition: number }])
        }
        (None, None) => None,
    };
    let partitions = match &args.path_to_json_file {
        Some(file) => Some(parse(&read(file)?)?),
        None => one,
    };
    Ok(Wish { bootstrap: bootstrap.clone(), kind, partitions })
}

fn read(file: &Path) -> Result<String, Failure> {
    let name = file.display();
    input_file::read(file).map_err(|unread| {
        let why = match unread {
            Unread::Io(_) => format!("java.io.IOException: Unable to read file {name}"),
            too_large @ Unread::TooLarge(_) => format!("{name}: {too_large}"),
        };
        Failure::new("java.lang.RuntimeException", why)
    })
}

/// Reads the file's text: the partitions, each named once.
fn parse(text: &str) -> Result<Vec<TopicPartition>, Failure> {
    #[derive(Deserialize)]
    struct Entry {
        topic: String,
        partition: i32,
    }
    let refused = |words: String| Failure::new(REFUSED, words);
    let Ok(json) = serde_json::from_str::<serde_json::Value>(text) else {
        return Err(refused("Replica election data is empty".to_owned()));
    };
    let Some(partitions) = json.get("partitions") else {
        return Err(refused("Replica election data is missing \"partitions\" field".to_owned()));
    };
    let entries = Vec::<Entry>::deserialize(partitions)
        .map_err(|error| refused(format!("The partitions of the replica election data: {error}")))?;
    let (mut named, mut twice) = (Vec::new(), Vec::new());
    for Entry { topic, partition } in entries {
        let partition = TopicPartition { topic, partition };
        if named.contains(&partition) {
            twice.push(shown(&partition));
        } else {
            named.push(partition);
        }
    }
    if twice.is_empty() {
        return Ok(named);
    }
    twice.dedup();
    Err(refused(format!("Replica election data contains duplicate partitions: [{}]", twice.join(", "))))
}

fn name(kind: ElectionType) -> &'static str {
    match kind {
        ElectionType::Preferred => "PREFERRED",
        ElectionType::Unclean => "UNCLEAN",
    }
}

fn shown(partition: &TopicPartition) -> String {
    format!("{}-{}", partition.topic, partition.partition)
}

/// In the order of a Java hash set.
fn listed(mut partitions: Vec<TopicPartition>) -> String {
    java_order::sort_grown(&mut partitions, hash);
    partitions.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// `TopicPartition.hashCode`.
pub(super) fn hash(partition: &TopicPartition) -> u32 {
    java_order::partition_hash(&partition.topic, partition.partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked_in_kafkas_words() {
        let said = |line: &str| {
            let words = std::iter::once("leader-election").chain(line.split_whitespace());
            wish(&Args::parse_from(words)).map_err(|failure| failure.message)
        };
        let asks = |kind, partitions| Ok(Wish { bootstrap: "b:1".to_owned(), kind, partitions });
        let one = vec![TopicPartition { topic: "t".to_owned(), partition: 3 }];
        let cases = [
            ("", Err("Missing required option(s): bootstrap-server, election-type")),
            ("--bootstrap-server b:1", Err("Missing required option(s): election-type")),
            (
                "--bootstrap-server b:1 --election-type preferred",
                Err(
                    "One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file",
                ),
            ),
            (
                "--bootstrap-server b:1 --election-type UNCLEAN --topic t",
                Err("Missing required option(s): partition"),
            ),
            (
                "--bootstrap-server b:1 --election-type UNCLEAN --all-topic-partitions --partition 1",
                Err("Option partition is only allowed if topic is used"),
            ),
            (
                "--bootstrap-server b:1 --election-type x --all-topic-partitions",
                Err("Cannot parse argument 'x' of option election-type"),
            ),
            (
                "--bootstrap-server b:1 --election-type UNCLEAN --topic t --partition x",
                Err("Cannot parse argument 'x' of option partition"),
            ),
            (
                "--bootstrap-server b:1 --election-type unclean --topic t --partition 3",
                asks(ElectionType::Unclean, Some(one)),
            ),
            (
                "--bootstrap-server b:1 --election-type PREFERRED --all-topic-partitions",
                asks(ElectionType::Preferred, None),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(said(line), expected.map_err(str::to_owned), "{line}");
        }
    }

    #[test]
    fn a_file_is_read_or_refused_in_kafkas_words() {
        let good = r#"{"version":1,"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":2}]}"#;
        assert_eq!(parse(good).unwrap().iter().map(shown).collect::<Vec<_>>(), ["t-0", "t-2"]);
        let twice = r#"{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":0}]}"#;
        let cases = [
            ("{", "Replica election data is empty"),
            ("{}", "Replica election data is missing \"partitions\" field"),
            (twice, "Replica election data contains duplicate partitions: [t-0]"),
        ];
        for (text, why) in cases {
            assert_eq!(parse(text).unwrap_err().message, why);
        }
        assert!(parse(r#"{"partitions":[{"topic":"t"}]}"#).unwrap_err().message.contains("partition"));
    }
}
