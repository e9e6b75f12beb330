//! The tool of later Kafka: configuration through the brokers.

use vltava_client::{
    Client, ClientError,
    admin::{
        AlterOp, ConfigEntry, Resource, ResourceKind, alter_configs, client_metrics, describe_configs,
        list_topics,
    },
};

use super::{
    Args,
    changes::Changes,
    entity::{DEFAULT, Kind, Name, Target},
    quotas,
};
use crate::tools::{brokers, failure::Failure, output};

/// Where a value comes from, as DescribeConfigs numbers it and the tool writes it.
const SOURCES: [&str; 8] = [
    "UNKNOWN",
    "DYNAMIC_TOPIC_CONFIG",
    "DYNAMIC_BROKER_CONFIG",
    "DYNAMIC_DEFAULT_BROKER_CONFIG",
    "STATIC_BROKER_CONFIG",
    "DEFAULT_CONFIG",
    "DYNAMIC_BROKER_LOGGER_CONFIG",
    "DYNAMIC_CLIENT_METRICS_CONFIG",
];

pub(super) async fn run(args: &Args, target: &Target) -> Result<(), Failure> {
    let changes = Changes::of(args)?;
    let bootstrap = args.bootstrap_server.as_deref().unwrap_or_default();
    let mut client = brokers::connect(bootstrap, args.command_config.as_deref(), None).await?;
    if target.kind().of_quotas().is_some() {
        return if args.alter {
            quotas::alter(&mut client, target, &changes).await
        } else {
            quotas::describe(&mut client, target).await
        };
    }
    let resources = resources(&mut client, target).await?;
    for resource in &resources {
        if args.alter {
            alter(&mut client, resource, &changes).await?;
        } else {
            output::line(heading(resource, args.all));
            let entries = describe_configs(&mut client, resource).await.map_err(executed)?;
            output::write(&lines(resource, entries, args.all));
        }
    }
    Ok(())
}

/// What a broker refuses is told apart from what the tool itself finds wrong.
pub(super) fn executed(error: ClientError) -> Failure {
    Failure::new("java.util.concurrent.ExecutionException", Failure::from(error).to_string())
}

fn resource(kind: Kind, name: &str) -> Resource {
    let kind = match kind {
        Kind::Topics => ResourceKind::Topic,
        Kind::BrokerLoggers => ResourceKind::BrokerLogger,
        Kind::ClientMetrics => ResourceKind::ClientMetrics,
        _ => ResourceKind::Broker,
    };
    Resource { kind, name: if name == DEFAULT { String::new() } else { name.to_owned() } }
}

/// What a target means: one thing, all topics or subscriptions, or all brokers and their default.
async fn resources(client: &mut Client, target: &Target) -> Result<Vec<Resource>, Failure> {
    let kind = target.kind();
    let names = match target.levels.first() {
        Some((_, Name::Of(name))) => vec![name.clone()],
        Some((_, Name::Default)) => vec![DEFAULT.to_owned()],
        _ if kind == Kind::Topics => list_topics(client).await?.into_iter().map(|(name, _)| name).collect(),
        _ if kind == Kind::ClientMetrics => client_metrics(client).await.map_err(executed)?,
        _ => {
            let ids = client.brokers().into_iter().map(|(id, _)| id.to_string());
            ids.chain([DEFAULT.to_owned()]).collect()
        }
    };
    Ok(names.iter().map(|name| resource(kind, name)).collect())
}

/// The source that a thing's own values have.
fn own(resource: &Resource) -> i8 {
    match (resource.kind, resource.name.is_empty()) {
        (ResourceKind::Topic, _) => 1,
        (ResourceKind::BrokerLogger, _) => 6,
        (ResourceKind::ClientMetrics, _) => 7,
        (_, false) => 2,
        (_, true) => 3,
    }
}

async fn alter(client: &mut Client, resource: &Resource, changes: &Changes) -> Result<(), Failure> {
    let own = own(resource);
    let before = describe_configs(client, resource).await.map_err(executed)?;
    let before = before.into_iter().filter(|entry| entry.source == own);
    // A secret's value isn't told, but that it is there.
    let mut overrides = before.map(|entry| (entry.name, entry.value.unwrap_or_default())).collect();
    match resource.kind {
        ResourceKind::BrokerLogger => changes.check_loggers(&overrides)?,
        _ => changes.apply(&mut overrides)?,
    }
    let set = changes.set.iter().map(|(key, value)| (key.clone(), AlterOp::Set(value.clone())));
    let delete = changes.delete.iter().map(|key| (key.clone(), AlterOp::Delete));
    let all: Vec<(String, AlterOp)> = set.chain(delete).collect();
    alter_configs(client, resource, &all, false).await.map_err(executed)?;
    let one = one(resource);
    if resource.name.is_empty() {
        output::line(format_args!("Completed updating default config for {one}s in the cluster."));
    } else {
        output::line(format_args!("Completed updating config for {one} {}.", resource.name));
    }
    Ok(())
}

/// What one of its kind is called.
fn one(resource: &Resource) -> &'static str {
    match resource.kind {
        ResourceKind::Topic => "topic",
        ResourceKind::Broker => "broker",
        ResourceKind::BrokerLogger => "broker-logger",
        ResourceKind::ClientMetrics => "client-metric",
    }
}

/// What stands before a thing's configuration.
fn heading(resource: &Resource, all: bool) -> String {
    let one = one(resource);
    if resource.name.is_empty() {
        format!("Default configs for {one}s in the cluster are:")
    } else {
        format!("{} configs for {one} {} are:", if all { "All" } else { "Dynamic" }, resource.name)
    }
}

/// A thing's configuration, with its line breaks.
fn lines(resource: &Resource, mut entries: Vec<ConfigEntry>, all: bool) -> String {
    let mut text = String::new();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let own = own(resource);
    for entry in entries.iter().filter(|entry| all || entry.source == own) {
        let null = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
        let source = |number: i8| usize::try_from(number).ok().and_then(|n| SOURCES.get(n)).copied();
        let synonyms: Vec<String> = entry
            .synonyms
            .iter()
            .map(|(name, value, from)| {
                format!("{}:{name}={}", source(*from).unwrap_or(SOURCES[0]), null(value))
            })
            .collect();
        text += &format!(
            "  {}={} sensitive={} synonyms={{{}}}\n",
            entry.name,
            null(&entry.value),
            entry.sensitive,
            synonyms.join(", ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, value: &str, source: i8) -> ConfigEntry {
        ConfigEntry {
            name: name.into(),
            value: Some(value.into()),
            source,
            sensitive: false,
            read_only: false,
            synonyms: vec![
                (name.into(), Some(value.into()), source),
                (format!("log.{name}"), Some("604800000".into()), 5),
            ],
        }
    }

    #[test]
    fn a_configuration_is_described_as_3_9_describes_it() {
        let entries = vec![entry("segment.ms", "9", 5), entry("retention.ms", "1000", 1)];
        let topic = resource(Kind::Topics, "t");
        assert_eq!(heading(&topic, false), "Dynamic configs for topic t are:");
        assert_eq!(
            lines(&topic, entries.clone(), false),
            "  retention.ms=1000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000, DEFAULT_CONFIG:log.retention.ms=604800000}\n"
        );
        assert_eq!(heading(&topic, true), "All configs for topic t are:");
        let all = lines(&topic, entries, true);
        assert!(all.starts_with("  retention.ms=1000 "), "{all}");
        assert_eq!(all.lines().count(), 2);
        let default = resource(Kind::Brokers, DEFAULT);
        assert_eq!(heading(&default, false), "Default configs for brokers in the cluster are:");
        assert_eq!(lines(&default, Vec::new(), false), "");
    }
}
