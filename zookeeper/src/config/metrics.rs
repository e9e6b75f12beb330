//! `metricsProvider.*`: whether and where metrics are served, in the keys of Apache's provider for Prometheus.

use super::ConfigError;
use super::text::Value;

const PROMETHEUS: &str = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
/// Providers of Apache's that serve nothing themselves.
const SILENT: [&str; 2] = [
    "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
    "org.apache.zookeeper.metrics.impl.NullMetricsProvider",
];
const NO_TLS: &str = "metrics are served without TLS; put a proxy that has it before them";

/// What the keys have said so far.
#[derive(Debug, Default)]
pub(super) struct Provider {
    serves: bool,
    host: Option<String>,
    port: Option<u16>,
}

impl Provider {
    /// Takes a key, without its beginning; a warning where it has no effect.
    pub(super) fn take(&mut self, key: &str, value: &Value<'_>) -> Result<Option<String>, ConfigError> {
        match key {
            "className" => {
                self.serves = value.value == PROMETHEUS;
                if !self.serves && !SILENT.contains(&value.value) {
                    return value.wrong(
                        "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider, or Apache's DefaultMetricsProvider or NullMetricsProvider",
                    );
                }
            }
            "httpHost" if value.value.is_empty() => {
                return value.wrong("a host name or address of this machine");
            }
            "httpHost" => self.host = Some(value.value.to_owned()),
            "httpPort" => self.port = Some(value.number(0, 65_535, "a port, or 0 for any that is free")?),
            _ if key == "httpsPort" || key.starts_with("ssl.") => {
                return Err(ConfigError::Unsupported { key: value.key.to_owned(), why: NO_TLS });
            }
            _ => return Ok(Some(format!("{} has no effect", value.key))),
        }
        Ok(None)
    }

    /// Host and port, as a listener takes them; an IPv6 address stands in brackets.
    pub(super) fn listener(self) -> Option<String> {
        let host = self.host.unwrap_or_else(|| "0.0.0.0".to_owned());
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host };
        self.serves.then(|| format!("{host}:{}", self.port.unwrap_or(7000)))
    }
}
