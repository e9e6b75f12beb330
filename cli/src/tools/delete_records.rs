//! `kafka-delete-records`: everything before an offset, partition by partition, as a JSON file says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use serde::Deserialize;
use vltava_client::admin::{TopicPartition, delete_records};

use super::{brokers, failure::Failure, input_file, output, usage};

/// Delete the records before an offset, as kafka-delete-records.sh does
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server(s) to use for bootstrapping")]
    bootstrap_server: Option<String>,
    /// A Java property file for the connection
    #[arg(long, value_name = "command config property file path")]
    command_config: Option<PathBuf>,
    /// The file that says what to delete: {"partitions": [{"topic": "t", "partition": 1, "offset": 1}], "version": 1};
    /// offset -1 is the end of what is committed
    #[arg(long, value_name = "Offset json file path")]
    offset_json_file: Option<PathBuf>,
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    match super::block_on(delete(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}\n{failure}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn delete(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.bootstrap_server.as_deref().ok_or_else(|| Failure::missing("bootstrap-server"))?;
    let file = args.offset_json_file.as_deref().ok_or_else(|| Failure::missing("offset-json-file"))?;
    let before = parse(&read(file)?)?;
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    output::line("Executing records delete operation");
    let results = delete_records(&mut client, &before).await?;
    output::line("Records delete operation completed:");
    for (partition, result) in results {
        let name = format!("{}-{}", partition.topic, partition.partition);
        match result {
            Ok(low) => output::line(format_args!("partition: {name}\tlow_watermark: {low}")),
            Err(error) => output::line(format_args!("partition: {name}\terror: {}", Failure::from(error))),
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    input_file::read(file).map_err(|why| {
        let words = format!("Unable to read file {}\n{why}", file.display());
        Failure::new("org.apache.kafka.server.common.AdminOperationException", words)
    })
}

/// Reads the file's text: the offset to delete before, by partition.
fn parse(text: &str) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default = "first")]
        version: i32,
        partitions: Option<Vec<Entry>>,
    }
    #[derive(Deserialize)]
    struct Entry {
        topic: String,
        partition: i32,
        offset: i64,
    }
    const fn first() -> i32 {
        1
    }
    let refused = |words: String| Failure::new("kafka.common.AdminCommandFailedException", words);
    if serde_json::from_str::<serde_json::Value>(text).is_err() {
        let class = "org.apache.kafka.server.common.AdminOperationException";
        return Err(Failure::new(class, "The input string is not a valid JSON"));
    }
    let file: File =
        serde_json::from_str(text).map_err(|error| refused(format!("The offset json file: {error}")))?;
    if file.version != 1 {
        let class = "org.apache.kafka.server.common.AdminOperationException";
        return Err(Failure::new(class, format!("Not supported version field value {}", file.version)));
    }
    let class = "org.apache.kafka.server.common.AdminOperationException";
    let entries = file.partitions.ok_or_else(|| Failure::new(class, "Missing partitions field"))?;
    let (mut before, mut twice) = (BTreeMap::new(), Vec::new());
    for Entry { topic, partition, offset } in entries {
        let name = format!("{topic}-{partition}");
        if before.insert(TopicPartition { topic, partition }, offset).is_some() {
            twice.push(name);
        }
    }
    if twice.is_empty() {
        return Ok(before);
    }
    Err(refused(format!("Offset json file contains duplicate topic partitions: {}", twice.join(","))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_or_refused_in_kafkas_words() {
        let good = r#"{"partitions":[{"topic":"golden","partition":0,"offset":1}],"version":1}"#;
        let golden = TopicPartition { topic: "golden".into(), partition: 0 };
        assert_eq!(parse(good).unwrap(), BTreeMap::from([(golden, 1)]));
        let twice = r#"{"partitions":[{"topic":"a","partition":0,"offset":1},{"topic":"a","partition":0,"offset":2}]}"#;
        let cases = [
            ("{", "The input string is not a valid JSON"),
            (r#"{"version":2,"partitions":[]}"#, "Not supported version field value 2"),
            (r#"{"version":1}"#, "Missing partitions field"),
            (twice, "Offset json file contains duplicate topic partitions: a-0"),
        ];
        for (text, why) in cases {
            assert_eq!(parse(text).unwrap_err().message, why, "{text}");
        }
    }
}
