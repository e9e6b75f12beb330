//! `kafka-log-dirs`: the log directories of brokers and what is in them, as JSON.

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use clap::Parser;
use serde::Serialize;
use vltava_client::{
    Client,
    admin::{LogDir, TopicPartition, describe_topics, log_dirs},
};

use super::{brokers, failure::Failure, output, usage};

/// Show the log directories of brokers, and the partitions in them, as kafka-log-dirs.sh does
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "The server(s) to use for bootstrapping")]
    bootstrap_server: Option<String>,
    /// A Java property file for the connection
    #[arg(long, value_name = "Admin client property file")]
    command_config: Option<PathBuf>,
    /// Show the log directories
    #[arg(long)]
    describe: bool,
    /// Only those of these brokers, such as 0,1,2
    #[arg(long, value_name = "Broker list", default_value = "")]
    broker_list: String,
    /// Only these topics, such as topic1,topic2
    #[arg(long, value_name = "Topic list", default_value = "")]
    topic_list: String,
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    match super::block_on(describe(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}", failure.message);
            ExitCode::FAILURE
        }
    }
}

// The fields stand in the order in which Kafka's tool writes them.

#[derive(Serialize)]
struct Answer {
    brokers: Vec<BrokerDirs>,
    version: i32,
}

#[derive(Serialize)]
struct BrokerDirs {
    broker: i32,
    #[serde(rename = "logDirs")]
    dirs: Vec<Dir>,
}

#[derive(Serialize)]
struct Dir {
    partitions: Vec<Replica>,
    error: Option<String>,
    #[serde(rename = "logDir")]
    path: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replica {
    partition: String,
    size: i64,
    offset_lag: i64,
    is_future: bool,
}

fn entries(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

async fn describe(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.bootstrap_server.as_deref().ok_or_else(|| Failure::missing("bootstrap-server"))?;
    if !args.describe {
        return Err(Failure::missing("describe"));
    }
    let ids = |entry: &str| {
        let class = "java.lang.NumberFormatException";
        entry.parse::<i32>().map_err(|_| Failure::new(class, format!("For input string: \"{entry}\"")))
    };
    let asked: BTreeSet<i32> = entries(&args.broker_list).into_iter().map(ids).collect::<Result<_, _>>()?;
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    let live: BTreeSet<i32> = client.brokers().into_iter().map(|(id, _)| id).collect();
    let unknown: Vec<i32> = asked.difference(&live).copied().collect();
    if !unknown.is_empty() {
        let live: Vec<i32> = live.into_iter().collect();
        return Err(Failure::illegal(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            joined(&unknown),
            joined(&live)
        )));
    }
    let chosen: Vec<i32> = if asked.is_empty() { live } else { asked }.into_iter().collect();
    let topics = partitions_of(&mut client, &entries(&args.topic_list)).await?;
    output::line("Querying brokers for log directories information");
    let mut answer = Answer { brokers: Vec::new(), version: 1 };
    for &broker in &chosen {
        let dirs = log_dirs(&mut client, broker, topics.as_deref()).await?;
        answer.brokers.push(BrokerDirs { broker, dirs: dirs.into_iter().map(dir).collect() });
    }
    output::line(format_args!("Received log directory information from brokers {}", joined(&chosen)));
    let text = serde_json::to_string(&answer).map_err(|error| Failure::illegal(error.to_string()))?;
    output::line(text);
    Ok(())
}

fn joined(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// The partitions of some topics, which the request must name; `None` for all topics. A topic that does not exist has none.
async fn partitions_of(client: &mut Client, topics: &[&str]) -> Result<Option<Vec<TopicPartition>>, Failure> {
    if topics.is_empty() {
        return Ok(None);
    }
    let mut partitions = Vec::new();
    for topic in describe_topics(client, Some(topics)).await?.into_iter().filter_map(Result::ok) {
        let of = |index| TopicPartition { topic: topic.name.clone(), partition: index };
        partitions.extend(topic.partitions.iter().map(|partition| of(partition.index)));
    }
    Ok(Some(partitions))
}

fn dir(dir: LogDir) -> Dir {
    let replica = |replica: &vltava_client::admin::ReplicaSize| Replica {
        partition: format!("{}-{}", replica.partition.topic, replica.partition.partition),
        size: replica.size,
        offset_lag: replica.offset_lag,
        is_future: replica.is_future,
    };
    Dir {
        partitions: dir.replicas.iter().map(replica).collect(),
        error: dir.error.map(|error| Failure::from(error).to_string()),
        path: dir.path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_has_kafkas_fields_in_its_order() {
        let replica = Replica { partition: "t-0".into(), size: 7, offset_lag: 0, is_future: false };
        let dir = Dir { partitions: vec![replica], error: None, path: "/data".into() };
        let answer = Answer { brokers: vec![BrokerDirs { broker: 0, dirs: vec![dir] }], version: 1 };
        assert_eq!(
            serde_json::to_string(&answer).unwrap(),
            r#"{"brokers":[{"broker":0,"logDirs":[{"partitions":[{"partition":"t-0","size":7,"offsetLag":0,"isFuture":false}],"error":null,"logDir":"/data"}]}],"version":1}"#
        );
        assert_eq!(entries(" a, ,b"), ["a", "b"]);
    }
}
