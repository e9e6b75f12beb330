//! `kafka-preferred-replica-election`: the tool before `kafka-leader-election`. With `--zookeeper` (Kafka 0.8 to 2.x) it leaves the
//! partitions in `/admin/preferred_replica_election`, where the controller finds them; with `--bootstrap-server` (2.2 and later) it asks.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::Parser;
use serde_json::json;
use vltava_broker::control::{
    Session,
    znodes::{self, paths},
};
use vltava_client::admin::{ElectionType, TopicPartition, elect_leaders};
use vltava_protocol::ErrorCode;

use super::{
    brokers,
    era::{Era, EraOption},
    failure::Failure,
    leader_election, output, scala_order, usage, zookeeper,
};

/// The largest file that is read; a partition takes about 50 bytes of it.
const MAX_FILE: u64 = 64 << 20;
const FAILED: &str = "kafka.common.AdminCommandFailedException";
const REFUSED: &str = "kafka.admin.AdminOperationException";

/// Give leadership back to preferred replicas, as kafka-preferred-replica-election.sh does
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "host:port")]
    bootstrap_server: Option<String>,
    /// The ZooKeeper to work on directly: host:port with commas between, and a chroot
    #[arg(long, value_name = "urls")]
    zookeeper: Option<String>,
    /// A Java property file for the connection to the brokers
    #[arg(long = "admin.config", value_name = "config file")]
    admin_config: Option<PathBuf>,
    /// The file that names the partitions: {"partitions": [{"topic": "t", "partition": 1}]}; without it all there are
    #[arg(
        long,
        value_name = "list of partitions for which preferred replica leader election needs to be triggered"
    )]
    path_to_json_file: Option<PathBuf>,
    #[command(flatten)]
    era: EraOption,
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    let done = match (&args.bootstrap_server, &args.zookeeper) {
        (None, Some(zookeeper)) => super::block_on(leave(args, zookeeper)).or_else(|failure| {
            output::line("Failed to start preferred replica election");
            output::line(format_args!("{failure}\n"));
            // As Kafka's tool: scripts of its time read what it said.
            Ok(())
        }),
        (Some(bootstrap), None) => super::block_on(elect(args, bootstrap)),
        (None, None) if args.era.era() == Some(Era::Old) => Err(Failure::missing("zookeeper")),
        _ => Err(Failure::usage("Exactly one of '[bootstrap-server]' or '[zookeeper]' must be provided")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("Exception in thread \"main\" {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The partitions of the file, if there is one.
fn named(args: &Args) -> Result<Option<Vec<TopicPartition>>, Failure> {
    let Some(file) = &args.path_to_json_file else { return Ok(None) };
    let name = file.display();
    let unreadable = |error: std::io::Error| {
        let class = "java.io.FileNotFoundException";
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                Failure::new(class, format!("{name} (No such file or directory)"))
            }
            _ => Failure::new("java.io.IOException", format!("{name}: {error}")),
        }
    };
    let length = std::fs::metadata(file).map_err(unreadable)?.len();
    if length > MAX_FILE {
        return Err(Failure::illegal(format!("{name}: {length} bytes are more than {MAX_FILE}")));
    }
    parse(&std::fs::read(file).map_err(unreadable)?).map(Some)
}

/// Reads the file's text: the partitions, each named once.
fn parse(text: &[u8]) -> Result<Vec<TopicPartition>, Failure> {
    let read = znodes::decode_preferred_election(text)
        .map_err(|_| Failure::new(REFUSED, "Preferred replica election data is empty"))?;
    let (mut partitions, mut twice) = (Vec::new(), BTreeSet::new());
    for (topic, partition) in read.0 {
        let partition = TopicPartition { topic, partition };
        if partitions.contains(&partition) {
            twice.insert(shown(&partition));
        } else {
            partitions.push(partition);
        }
    }
    if twice.is_empty() {
        return Ok(partitions);
    }
    let list = twice.into_iter().collect::<Vec<_>>().join(",");
    Err(Failure::new(
        REFUSED,
        format!("Preferred replica election data contains duplicate partitions: {list}"),
    ))
}

/// As `TopicAndPartition` is printed.
fn shown(partition: &TopicPartition) -> String {
    format!("[{},{}]", partition.topic, partition.partition)
}

/// Leaves the wish for the controller.
async fn leave(args: &Args, address: &str) -> Result<(), Failure> {
    let wanted = named(args)?;
    let session = zookeeper::connect(address).await?;
    let known = partitions(&session, wanted.as_deref()).await?;
    let wanted = wanted.unwrap_or_else(|| known.iter().cloned().collect());
    let (mut there, missing): (Vec<_>, Vec<_>) =
        wanted.into_iter().partition(|partition| known.contains(partition));
    scala_order::sort_immutable(&mut there, scala_order::hash);
    let entries =
        there.iter().map(|of| format!(r#"{{"topic":{},"partition":{}}}"#, json!(of.topic), of.partition));
    let data = format!(r#"{{"version":1,"partitions":[{}]}}"#, entries.collect::<Vec<_>>().join(","));
    if !zookeeper::create(&session, paths::PREFERRED_ELECTION, data.as_bytes()).await? {
        let words = "Preferred replica leader election currently in progress. Aborting operation";
        return Err(Failure::new(FAILED, format!("Admin command failed\n{REFUSED}: {words}")));
    }
    output::line(format_args!("Created preferred replica election path with {data}"));
    let list = there.iter().map(shown).collect::<Vec<_>>().join(", ");
    output::line(format_args!("Successfully started preferred replica election for partitions Set({list})"));
    for partition in missing {
        let name = shown(&partition);
        output::line(format_args!(
            "Skipping preferred replica leader election for partition {name} since it doesn't exist."
        ));
    }
    Ok(())
}

/// The partitions that there are: of the topics of a list, or all.
async fn partitions(
    session: &Session,
    of: Option<&[TopicPartition]>,
) -> Result<BTreeSet<TopicPartition>, Failure> {
    let topics: BTreeSet<String> = match of {
        Some(list) => list.iter().map(|partition| partition.topic.clone()).collect(),
        None => zookeeper::children(session, paths::TOPICS).await?.into_iter().collect(),
    };
    let mut known = BTreeSet::new();
    for topic in topics {
        let path = paths::topic(&topic);
        let Some((data, _)) = session.read(&path).await? else { continue };
        for partition in znodes::decode_topic(&path, &data)?.partitions.into_keys() {
            known.insert(TopicPartition { topic: topic.clone(), partition });
        }
    }
    Ok(known)
}

/// Asks the controller and waits for what becomes of it.
async fn elect(args: &Args, bootstrap: &str) -> Result<(), Failure> {
    let wanted = named(args)?;
    let mut client = brokers::connect(bootstrap, args.admin_config.as_deref(), Some(30_000)).await?;
    let results = elect_leaders(&mut client, ElectionType::Preferred, wanted.as_deref()).await?;
    let mut results: Vec<_> = results.into_iter().collect();
    scala_order::sort_immutable(&mut results, |(partition, _)| leader_election::hash(partition));
    let name = |partition: &TopicPartition| format!("{}-{}", partition.topic, partition.partition);
    let mut failed = Vec::new();
    let mut elected = Vec::new();
    for (partition, result) in &results {
        match result {
            // Whoever leads already is what was asked for.
            Err(error) if error.code != ErrorCode::ElectionNotNeeded => {
                failed.push((partition, error.clone()))
            }
            _ => elected.push(name(partition)),
        }
    }
    if !elected.is_empty() {
        let list = elected.join(", ");
        output::line(format_args!("Successfully completed preferred replica election for partitions {list}"));
    }
    let count = failed.len();
    for (partition, error) in failed {
        let (partition, error) = (name(partition), Failure::from(error));
        output::line(format_args!(
            "Error completing preferred replica election for partition {partition}: {error}"
        ));
    }
    match count {
        0 => Ok(()),
        _ => Err(Failure::new(FAILED, format!("{count} preferred replica(s) could not be elected"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_or_refused_in_kafkas_words() {
        let good = br#"{"version":1,"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":2}]}"#;
        assert_eq!(parse(good).unwrap().iter().map(shown).collect::<Vec<_>>(), ["[t,0]", "[t,2]"]);
        let twice = br#"{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":0}]}"#;
        let words = "Preferred replica election data contains duplicate partitions: [t,0]";
        assert_eq!(parse(twice).unwrap_err().message, words);
        assert_eq!(parse(b"{}").unwrap_err().message, "Preferred replica election data is empty");
    }
}
