//! `kafka-broker-api-versions`: which requests every broker serves, and in which versions.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf, process::ExitCode};

use clap::Parser;
use vltava_client::Node;
use vltava_protocol::{ApiKey, messages::ApiVersionsResponse};

use super::{brokers, failure::Failure, output, usage};

/// Show which requests the brokers serve, and in which versions, as kafka-broker-api-versions.sh does
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The brokers to connect to, host:port with commas between
    #[arg(long, value_name = "server(s) to use for bootstrapping")]
    bootstrap_server: Option<String>,
    /// A Java property file for the connection
    #[arg(long, value_name = "command config property file")]
    command_config: Option<PathBuf>,
}

/// Runs the tool.
pub(crate) fn run(args: &Args) -> ExitCode {
    match super::block_on(ask(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.usage => usage::<Args>(&failure.message),
        Err(failure) => {
            eprintln!("{}\n{failure}", failure.message);
            ExitCode::FAILURE
        }
    }
}

async fn ask(args: &Args) -> Result<(), Failure> {
    let bootstrap = args.bootstrap_server.as_deref().ok_or_else(|| Failure::missing("bootstrap-server"))?;
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    let mut nodes = client.metadata(Some(&[])).await?.brokers;
    nodes.sort_by_key(|node| node.node_id);
    for node in nodes {
        let (host, port, id) = (&node.host, node.port, node.node_id);
        let name = format!("{host}:{port} (id: {id} rack: {})", node.rack.as_deref().unwrap_or("null"));
        match client.api_versions(Node::Broker(id)).await {
            Ok(Some(answer)) => output::write(&format!("{name} -> {}\n", lines(&answer))),
            Ok(None) => output::line(format_args!(
                "{name} -> ERROR: org.apache.kafka.common.errors.UnsupportedVersionException: the broker is older than ApiVersions (0.10)"
            )),
            Err(error) => output::line(format_args!("{name} -> ERROR: {}", Failure::from(error))),
        }
    }
    Ok(())
}

/// One line a request, those that only we know at their place.
fn lines(answer: &ApiVersionsResponse<'_>) -> String {
    let mut lines = BTreeMap::new();
    for &key in ApiKey::ALL {
        lines.insert(i16::from(key), format!("{}({}): UNSUPPORTED", key.name(), i16::from(key)));
    }
    for api in &answer.api_keys {
        let (key, low, high) = (api.api_key, api.min_version, api.max_version);
        let range = if low == high { low.to_string() } else { format!("{low} to {high}") };
        let known = ApiKey::try_from(key).ok();
        let usable = match known.map(ApiKey::versions) {
            Some(ours) if ours.first <= high && low <= ours.last => {
                format!("usable: {}", ours.last.min(high))
            }
            Some(ours) if high < ours.first => "unusable: node too old".to_owned(),
            _ => "unusable: node too new".to_owned(),
        };
        let name = known.map_or("UNKNOWN", ApiKey::name);
        lines.insert(key, format!("{name}({key}): {range} [{usable}]"));
    }
    let mut text = "(\n".to_owned();
    for (index, line) in lines.values().enumerate() {
        let comma = if index + 1 == lines.len() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\t{line}{comma}");
    }
    text + ")"
}

#[cfg(test)]
mod tests {
    use vltava_protocol::messages::api_versions::ApiVersion;

    use super::*;

    #[test]
    fn versions_are_written_as_kafka_writes_them() {
        let api = |api_key, min_version, max_version| ApiVersion {
            api_key,
            min_version,
            max_version,
            ..Default::default()
        };
        let answer = ApiVersionsResponse {
            api_keys: vec![api(0, 0, 3), api(7, 1, 1), api(3, 0, 99), api(9999, 0, 1)],
            ..Default::default()
        };
        let text = lines(&answer);
        assert!(
            text.starts_with("(\n\tProduce(0): 0 to 3 [usable: 3],\n\tFetch(1): UNSUPPORTED,\n"),
            "{text}"
        );
        let newest = ApiKey::Metadata.versions().last;
        assert!(text.contains(&format!("\tMetadata(3): 0 to 99 [usable: {newest}],\n")), "{text}");
        assert!(text.ends_with("\tUNKNOWN(9999): 0 to 1 [unusable: node too new]\n)"), "{text}");
    }
}
