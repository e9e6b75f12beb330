//! The server's configuration, from the text of a `zoo.cfg` or `zookeeper.properties`.

mod metrics;
mod text;
mod unserved;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use text::{Value, properties};

/// What the server is told. `Default` is Apache's, where it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZooKeeperConfig {
    /// `dataDir`: where snapshots are, and the log unless it has its own directory.
    pub data_dir: PathBuf,
    /// `dataLogDir`: where the log is.
    pub data_log_dir: Option<PathBuf>,
    /// `clientPort`; 0 for any that is free.
    pub client_port: u16,
    /// `clientPortAddress`: where to listen; all addresses when not said.
    pub client_address: IpAddr,
    /// `tickTime`: the unit of session time-outs, in milliseconds.
    pub tick_time: i32,
    /// `minSessionTimeout`, in milliseconds; 2 ticks when not said.
    pub min_session_timeout: i32,
    /// `maxSessionTimeout`, in milliseconds; 20 ticks when not said.
    pub max_session_timeout: i32,
    /// `maxClientCnxns`: connections of one address; 0 for any number.
    pub max_client_connections: usize,
    /// `maxCnxns`: connections in all; 0 for any number.
    pub max_connections: usize,
    /// `jute.maxbuffer`: the longest request, in bytes.
    pub max_frame: usize,
    /// `snapCount`: a snapshot is taken after so many transactions.
    pub snap_count: u64,
    /// `autopurge.snapRetainCount`: snapshots that are kept.
    pub snap_retain_count: usize,
    /// `autopurge.purgeInterval`: how often old ones are deleted. Not said: after each new one; zero: never, as in Apache.
    pub purge_interval: Option<Duration>,
    /// `4lw.commands.whitelist`.
    pub four_letter_words: FourLetterWords,
    /// `forceSync`: whether a write is on the disk before it is answered.
    pub force_sync: bool,
    /// `extendedTypesEnabled`: TTL nodes.
    pub extended_types: bool,
    /// `znode.container.checkIntervalMs`: how often containers and TTL nodes are looked at.
    pub container_check_interval: Duration,
    /// `znode.container.maxPerMinute`: how many of them are deleted in a minute.
    pub containers_per_minute: usize,
    /// `DigestAuthenticationProvider.superDigest`: `user:hash` of the super user.
    pub super_digest: Option<String>,
    /// `skipACL`: access lists are not looked at.
    pub skip_acl: bool,
    /// `enforceQuota`: hard quotas refuse writes.
    pub enforce_quota: bool,
    /// `metricsProvider.httpHost` and `httpPort` with Prometheus' provider as `metricsProvider.className`: where metrics are served.
    pub metrics: Option<String>,
}

/// Which four letter words are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FourLetterWords {
    /// All of them (`*`).
    All,
    /// These.
    Only(Vec<String>),
}

impl FourLetterWords {
    /// Whether the word is answered.
    #[must_use]
    pub fn allow(&self, word: &str) -> bool {
        match self {
            FourLetterWords::All => true,
            FourLetterWords::Only(words) => words.iter().any(|allowed| allowed == word),
        }
    }
}

impl Default for ZooKeeperConfig {
    fn default() -> Self {
        ZooKeeperConfig {
            data_dir: PathBuf::new(),
            data_log_dir: None,
            client_port: 2181,
            client_address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            tick_time: 3000,
            min_session_timeout: 6000,
            max_session_timeout: 60_000,
            max_client_connections: 60,
            max_connections: 0,
            max_frame: 0xf_ffff,
            snap_count: 100_000,
            snap_retain_count: 3,
            purge_interval: None,
            four_letter_words: FourLetterWords::Only(vec!["srvr".into()]),
            force_sync: true,
            extended_types: false,
            container_check_interval: Duration::from_secs(60),
            containers_per_minute: 10_000,
            super_digest: None,
            skip_acl: false,
            enforce_quota: false,
            metrics: None,
        }
    }
}

/// Why a configuration can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that its key does not allow.
    #[error("{key}={value}: {allowed}")]
    Value {
        /// The key.
        key: String,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A key without which there is no server.
    #[error("{0} is missing: {1}")]
    Missing(&'static str, &'static str),
    /// A key that asks for what this server is not.
    #[error("{key} is set: {why}")]
    Unsupported {
        /// The key.
        key: String,
        /// What to do instead.
        why: &'static str,
    },
    /// Two values that contradict one another.
    #[error("minSessionTimeout={min} is more than maxSessionTimeout={max}")]
    SessionTimeouts {
        /// In milliseconds.
        min: i32,
        /// In milliseconds.
        max: i32,
    },
}

impl ZooKeeperConfig {
    /// Reads the text of a properties file. The second value are warnings, one line each, about keys that have no effect here.
    pub fn from_properties(text: &str) -> Result<(ZooKeeperConfig, Vec<String>), ConfigError> {
        let mut config = ZooKeeperConfig::default();
        let mut warnings = Vec::new();
        let (mut min, mut max, mut interval) = (None, None, None);
        let mut data_dir = None;
        let mut provider = metrics::Provider::default();
        for (key, value) in properties(text) {
            let value = Value { key: &key, value: value.trim() };
            // A system property of Apache's command line may stand in the file with or without its prefix.
            match key.strip_prefix("zookeeper.").unwrap_or(&key) {
                "dataDir" => data_dir = Some(value.path()?),
                "dataLogDir" => config.data_log_dir = Some(value.path()?),
                "clientPort" => {
                    config.client_port = value.number(0, 65_535, "a port, or 0 for any that is free")?;
                }
                "clientPortAddress" => config.client_address = value.address()?,
                "tickTime" => {
                    config.tick_time = value.number(1, 3_600_000, "milliseconds, from 1 to 3600000")?;
                }
                "minSessionTimeout" => min = value.timeout()?,
                "maxSessionTimeout" => max = value.timeout()?,
                "maxClientCnxns" => {
                    config.max_client_connections = value.number(0, 1_000_000, "a number, 0 for no limit")?;
                }
                "maxCnxns" => {
                    config.max_connections = value.number(0, 10_000_000, "a number, 0 for no limit")?;
                }
                "jute.maxbuffer" => {
                    config.max_frame = value.number(1024, 128 << 20, "bytes, from 1024 to 134217728")?;
                }
                "snapCount" => {
                    config.snap_count = value.number(2, i64::MAX, "a number of transactions, at least 2")?;
                }
                "autopurge.snapRetainCount" => {
                    // Fewer than 3 are too few to keep, says Apache too.
                    config.snap_retain_count =
                        value.number::<usize>(0, 1_000_000, "a number of snapshots")?.max(3);
                }
                "autopurge.purgeInterval" => {
                    interval = Some(value.number::<u64>(0, 100_000, "hours, 0 for never")?);
                }
                "4lw.commands.whitelist" => config.four_letter_words = value.words()?,
                "forceSync" => config.force_sync = value.switch()?,
                "extendedTypesEnabled" => config.extended_types = value.switch()?,
                "znode.container.checkIntervalMs" => {
                    config.container_check_interval = Duration::from_millis(value.number(
                        10,
                        86_400_000,
                        "milliseconds, from 10 to 86400000",
                    )?);
                }
                "znode.container.maxPerMinute" => {
                    config.containers_per_minute =
                        value.number(1, 100_000_000, "a number of nodes, at least 1")?;
                }
                "DigestAuthenticationProvider.superDigest" => {
                    config.super_digest = Some(value.value.to_owned());
                }
                "skipACL" => config.skip_acl = value.switch()?,
                "enforceQuota" => config.enforce_quota = value.switch()?,
                other => match other.strip_prefix("metricsProvider.") {
                    Some(of_provider) => warnings.extend(provider.take(of_provider, &value)?),
                    None => warnings.extend(unserved::fate(other, &value)?),
                },
            }
        }
        config.data_dir = data_dir
            .ok_or(ConfigError::Missing("dataDir", "the directory where the server keeps its data"))?;
        let ticks = |n: i32| config.tick_time.saturating_mul(n);
        config.min_session_timeout = min.unwrap_or(ticks(2));
        config.max_session_timeout = max.unwrap_or(ticks(20));
        if config.min_session_timeout > config.max_session_timeout {
            return Err(ConfigError::SessionTimeouts {
                min: config.min_session_timeout,
                max: config.max_session_timeout,
            });
        }
        config.metrics = provider.listener();
        config.purge_interval = interval.map(|hours| Duration::from_secs(hours * 3600));
        Ok((config, warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(ZooKeeperConfig, Vec<String>), ConfigError> {
        ZooKeeperConfig::from_properties(&format!("dataDir=/data\n{text}"))
    }

    #[test]
    fn the_file_of_kafkas_quickstart() {
        let text = "# comment\ndataDir=/tmp/zookeeper\n# the port\nclientPort=2181\nmaxClientCnxns=0\nadmin.enableServer=false\n";
        let (config, warnings) = ZooKeeperConfig::from_properties(text).unwrap();
        assert_eq!(
            (config.data_dir, config.client_port, config.max_client_connections),
            ("/tmp/zookeeper".into(), 2181, 0)
        );
        assert_eq!(warnings, Vec::<String>::new());
    }

    #[test]
    fn session_timeouts_follow_the_tick() {
        let (config, _) = read("tickTime=500").unwrap();
        assert_eq!((config.min_session_timeout, config.max_session_timeout), (1000, 10_000));
        let (config, _) = read("tickTime=500\nminSessionTimeout=10\nmaxSessionTimeout=-1").unwrap();
        assert_eq!((config.min_session_timeout, config.max_session_timeout), (10, 10_000));
        assert!(matches!(read("minSessionTimeout=100000"), Err(ConfigError::SessionTimeouts { .. })));
    }

    #[test]
    fn a_wrong_value_says_what_is_allowed() {
        for (text, message) in [
            ("clientPort=x", "clientPort=x: a port, or 0 for any that is free"),
            ("tickTime=0", "tickTime=0: milliseconds, from 1 to 3600000"),
            ("forceSync=maybe", "forceSync=maybe: yes or no"),
            (
                "4lw.commands.whitelist=ruok,stats",
                "4lw.commands.whitelist=ruok,stats: words of four letters with commas between them, or *",
            ),
            ("clientPortAddress=nowhere", "clientPortAddress=nowhere: an IP address of this machine"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_server_without_a_directory_is_none() {
        assert!(matches!(ZooKeeperConfig::from_properties(""), Err(ConfigError::Missing("dataDir", _))));
    }

    #[test]
    fn metrics_are_served_where_apaches_provider_would_serve_them() {
        const PROMETHEUS: &str =
            "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
        let listener = |text: &str| read(text).map(|(config, _)| config.metrics);
        assert_eq!(listener("").unwrap(), None);
        assert_eq!(listener("metricsProvider.httpPort=7070").unwrap(), None, "without the provider");
        assert_eq!(listener(PROMETHEUS).unwrap().as_deref(), Some("0.0.0.0:7000"));
        let elsewhere =
            format!("{PROMETHEUS}\nmetricsProvider.httpHost=127.0.0.1\nmetricsProvider.httpPort=0");
        assert_eq!(listener(&elsewhere).unwrap().as_deref(), Some("127.0.0.1:0"));
        let wrong = read("metricsProvider.className=x.Y").unwrap_err().to_string();
        assert!(wrong.starts_with("metricsProvider.className=x.Y: org.apache"), "{wrong}");
        assert!(matches!(
            read(&format!("{PROMETHEUS}\nmetricsProvider.httpsPort=7443")),
            Err(ConfigError::Unsupported { .. })
        ));
    }

    #[test]
    fn words_and_continued_lines() {
        let (config, _) = read("4lw.commands.whitelist=ruok,\\\n   mntr\nautopurge.purgeInterval=1").unwrap();
        assert!(config.four_letter_words.allow("mntr") && !config.four_letter_words.allow("srvr"));
        assert_eq!(config.purge_interval, Some(Duration::from_secs(3600)));
    }
}
