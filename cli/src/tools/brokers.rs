//! A tool's connection to a cluster: `--bootstrap-server` and `--command-config`.

use std::{path::Path, time::Duration};

use vltava_client::{Client, Options};
use vltava_settings::Properties;

use super::{failure::Failure, output};

const LOGGER: &str = "org.apache.kafka.clients.admin.AdminClientConfig";

/// What Kafka's admin client knows and has no use for here: they tune a client that lives long.
const NEEDLESS: [&str; 24] = [
    "auto.include.jmx.reporter",
    "bootstrap.controllers",
    "bootstrap.servers",
    "client.dns.lookup",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "metadata.max.age.ms",
    "metadata.recovery.strategy",
    "metric.reporters",
    "metrics.num.samples",
    "metrics.recording.level",
    "metrics.sample.window.ms",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "security.providers",
    "send.buffer.bytes",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "group.id",
    "enable.auto.commit",
];

/// Connects to the cluster.
pub(crate) async fn connect(
    bootstrap: &str,
    config: Option<&Path>,
    timeout_ms: Option<i64>,
) -> Result<Client, Failure> {
    let mut options = Options::new(bootstrap).map_err(|error| {
        // What the user gave comes after what could not be done, as an exception's cause does.
        Failure::connecting(format!("Failed to create new KafkaAdminClient\n{error}"))
    })?;
    options.client_id = "admin-1".to_owned();
    if let Some(file) = config {
        let properties = Properties::read(file)
            .map_err(|error| Failure::connecting(format!("{}\n{error}", file.display())))?;
        apply(&properties, &mut options)?;
    }
    if let Some(limit) = timeout_ms {
        options.timeout = Duration::from_millis(u64::try_from(limit).unwrap_or(0).max(1));
    }
    Ok(Client::connect(options).await?)
}

/// Takes what concerns us from a property file of a Java client, warns of what does not, and refuses what would protect the
/// connection: that isn't built, and to connect without it is not what the file says.
fn apply(properties: &Properties, options: &mut Options) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    for (key, value) in properties.iter() {
        match key {
            "client.id" => value.clone_into(&mut options.client_id),
            "request.timeout.ms" | "default.api.timeout.ms" => {
                let limit: u64 = value.trim().parse().map_err(|_| {
                    Failure::new(
                        "org.apache.kafka.common.config.ConfigException",
                        format!("Invalid value {value} for configuration {key}: Not a number of type INT"),
                    )
                })?;
                // One question's limit is ours for all its retries: the longer of the two.
                let limit = Duration::from_millis(limit.max(1));
                let both = properties.get("request.timeout.ms").and(properties.get("default.api.timeout.ms"));
                options.timeout =
                    if both.is_some() && key == "request.timeout.ms" { options.timeout } else { limit };
            }
            "security.protocol" if value.trim().eq_ignore_ascii_case("PLAINTEXT") => {}
            _ if key == "security.protocol" || key.starts_with("ssl.") || key.starts_with("sasl.") => {
                if properties
                    .get("security.protocol")
                    .is_some_and(|it| !it.trim().eq_ignore_ascii_case("PLAINTEXT"))
                {
                    let protocol = properties.get("security.protocol").unwrap_or_default();
                    return Err(Failure::new(
                        "org.apache.kafka.common.config.ConfigException",
                        format!(
                            "security.protocol={protocol}: TLS and SASL are not built yet; only PLAINTEXT is"
                        ),
                    ));
                }
                unknown.push(key);
            }
            _ if NEEDLESS.contains(&key) => {}
            _ => unknown.push(key),
        }
    }
    if !unknown.is_empty() {
        let named = unknown.join(", ");
        output::log_warning(
            &format!("These configurations '[{named}]' were supplied but are not used yet."),
            LOGGER,
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(text: &str) -> Result<Options, Failure> {
        let mut options = Options::new("localhost:9092").unwrap();
        apply(&Properties::parse(text, "client.properties").unwrap(), &mut options).map(|()| options)
    }

    #[test]
    fn a_java_clients_properties_have_their_effect() {
        let options = applied("client.id=me\nrequest.timeout.ms=5000\nretries=3\nno.such=1\n").unwrap();
        assert_eq!((options.client_id.as_str(), options.timeout), ("me", Duration::from_secs(5)));
        let options = applied("request.timeout.ms=5000\ndefault.api.timeout.ms=9000\n").unwrap();
        assert_eq!(options.timeout, Duration::from_secs(9));
    }

    #[test]
    fn a_protected_connection_is_refused_rather_than_made_without_protection() {
        assert!(applied("security.protocol=PLAINTEXT\n").is_ok());
        let error = applied("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n").unwrap_err();
        assert!(error.message.starts_with("security.protocol=SASL_SSL"), "{error}");
        assert!(applied("request.timeout.ms=x\n").unwrap_err().message.contains("Not a number"));
    }
}
