//! Rules between keys, and values with a syntax of their own. In Kafka these are in `KafkaConfig.validateValues`.

use crate::broker::*;
use crate::config::BrokerConfig;
use crate::key::{Key, Setting};
use crate::problem::{Problem, Warning};
use crate::value::InvalidValue;
use crate::version::ProtocolVersion;

/// The most items of a list such as `max.connections.per.ip.overrides`.
const MAX_ITEMS: usize = 10_000;

/// Checks all rules; each broken one adds its problem.
pub(crate) fn check(config: &BrokerConfig, problems: &mut Vec<Problem>) {
    let mut rules = Rules { config, problems };
    rules.identity();
    rules.times();
    rules.directories();
    rules.requests();
    rules.groups();
    rules.connections();
    rules.versions();
    rules.metrics();
    if config.zookeeper_connect().trim().is_empty() {
        problems.push(Problem::Missing { key: ZOOKEEPER_CONNECT.name() });
    }
}

/// The rules of one configuration. A rule about a key with a problem already, its own or one it is compared with, says nothing: the default stands
/// in for the value there, and what would be said is not the cause.
struct Rules<'a> {
    config: &'a BrokerConfig,
    problems: &'a mut Vec<Problem>,
}

impl Rules<'_> {
    /// Adds a problem of a key unless the rule holds; `why` says what is allowed.
    fn require<T: Setting>(&mut self, holds: bool, key: Key<T>, why: impl FnOnce() -> String) {
        self.compare(holds, key, &[], why);
    }

    /// As [`Self::require`], of a key that is compared with others.
    fn compare<T: Setting>(&mut self, holds: bool, key: Key<T>, with: &[&str], why: impl FnOnce() -> String) {
        let is_wrong = |name: &str| name == key.name() || with.contains(&name);
        if holds || self.problems.iter().any(|problem| is_wrong(problem.key())) {
            return;
        }
        let value = self.config.value(key.definition());
        self.problems.push(InvalidValue::of(key.definition(), value, why()).into());
    }

    fn identity(&mut self) {
        let config = self.config;
        let id = config.get(BROKER_ID);
        let reserved = config.get(RESERVED_BROKER_MAX_ID);
        let key = if config.is_given(NODE_ID.name()) && !config.is_given(BROKER_ID.name()) {
            NODE_ID
        } else {
            BROKER_ID
        };
        if config.get(BROKER_ID_GENERATION_ENABLE) {
            self.compare((-1..=reserved).contains(&id), key, &[RESERVED_BROKER_MAX_ID.name()], || {
                format!(
                    "it must be greater than or equal to -1 and not greater than reserved.broker.max.id, {reserved}"
                )
            });
        } else {
            self.require(id >= 0, key, || {
                "it must be greater than or equal to 0, since broker.id.generation.enable is false".to_owned()
            });
        }
    }

    fn times(&mut self) {
        let config = self.config;
        let mut at_least = |key: Key<Option<i64>>, least: i64| {
            let holds = config.get(key).is_none_or(|value| value >= least);
            self.require(holds, key, || format!("Value must be at least {least}"));
        };
        at_least(LOG_ROLL_MS, 1);
        at_least(LOG_ROLL_JITTER_MS, 0);
        at_least(LOG_FLUSH_INTERVAL_MS, 0);
        // Kafka takes any, and then has no connection in that time.
        let positive = || "Value must be at least 1".to_owned();
        self.require(config.get(ZOOKEEPER_SESSION_TIMEOUT_MS) >= 1, ZOOKEEPER_SESSION_TIMEOUT_MS, positive);
        let connection = config.get(ZOOKEEPER_CONNECTION_TIMEOUT_MS);
        self.require(connection.is_none_or(|ms| ms >= 1), ZOOKEEPER_CONNECTION_TIMEOUT_MS, positive);

        let kept = |value: i64| value == -1 || value >= 1;
        let unlimited = || "it must be unlimited (-1) or, equal or greater than 1".to_owned();
        self.require(config.get(LOG_RETENTION_MS).is_none_or(kept), LOG_RETENTION_MS, unlimited);
        let minutes = config.get(LOG_RETENTION_MINUTES).map(i64::from);
        self.require(minutes.is_none_or(kept), LOG_RETENTION_MINUTES, unlimited);
        self.require(kept(config.get(LOG_RETENTION_HOURS).into()), LOG_RETENTION_HOURS, unlimited);
    }

    fn directories(&mut self) {
        let dirs = self.config.log_dirs();
        let again = dirs.iter().enumerate().find(|(at, dir)| dirs[..*at].contains(dir)).map(|(_, dir)| dir);
        let fits = (1..=MAX_ITEMS).contains(&dirs.len()) && again.is_none();
        let why = || {
            if dirs.is_empty() {
                "At least one log directory must be defined via log.dirs or log.dir.".to_owned()
            } else if let Some(again) = again {
                format!("Duplicate log directory found: {}", again.display())
            } else {
                format!("it may name {MAX_ITEMS} directories at most")
            }
        };
        if self.config.get(LOG_DIRS).is_some() {
            self.require(fits, LOG_DIRS, why);
        } else {
            self.require(fits, LOG_DIR, why);
        }
    }

    fn requests(&mut self) {
        let config = self.config;
        let queued = config.get(QUEUED_MAX_REQUEST_BYTES);
        let largest = config.get(SOCKET_REQUEST_MAX_BYTES);
        self.compare(
            queued <= 0 || queued >= i64::from(largest),
            QUEUED_MAX_REQUEST_BYTES,
            &[SOCKET_REQUEST_MAX_BYTES.name()],
            || {
                format!(
                    "queued.max.request.bytes must be larger or equal to socket.request.max.bytes, {largest}"
                )
            },
        );
        let wait = config.get(REPLICA_FETCH_WAIT_MAX_MS);
        let timeout = config.get(REPLICA_SOCKET_TIMEOUT_MS);
        self.compare(wait <= timeout, REPLICA_FETCH_WAIT_MAX_MS, &[REPLICA_SOCKET_TIMEOUT_MS.name()], || {
            format!(
                "replica.fetch.wait.max.ms should always be at most replica.socket.timeout.ms, {timeout}, to prevent unnecessary socket timeouts"
            )
        });
        let lag = config.get(REPLICA_LAG_TIME_MAX_MS);
        self.compare(
            i64::from(wait) <= lag,
            REPLICA_FETCH_WAIT_MAX_MS,
            &[REPLICA_LAG_TIME_MAX_MS.name()],
            || {
                format!(
                    "replica.fetch.wait.max.ms should always be at most replica.lag.time.max.ms, {lag}, to prevent frequent changes in ISR"
                )
            },
        );
    }

    fn groups(&mut self) {
        let config = self.config;
        let factor = config.get(OFFSETS_TOPIC_REPLICATION_FACTOR);
        self.compare(
            (-1..=factor).contains(&config.get(OFFSETS_COMMIT_REQUIRED_ACKS)),
            OFFSETS_COMMIT_REQUIRED_ACKS,
            &[OFFSETS_TOPIC_REPLICATION_FACTOR.name()],
            || {
                format!(
                    "offsets.commit.required.acks must be greater or equal -1 and less or equal to offsets.topic.replication.factor, {factor}"
                )
            },
        );
        let codec = config.get(OFFSETS_TOPIC_COMPRESSION_CODEC);
        self.require((0..=4).contains(&codec), OFFSETS_TOPIC_COMPRESSION_CODEC, || {
            "it must be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)".to_owned()
        });
        let longest = config.get(GROUP_MAX_SESSION_TIMEOUT_MS);
        self.compare(
            config.get(GROUP_MIN_SESSION_TIMEOUT_MS) <= longest,
            GROUP_MIN_SESSION_TIMEOUT_MS,
            &[GROUP_MAX_SESSION_TIMEOUT_MS.name()],
            || format!("it must be at most group.max.session.timeout.ms, {longest}"),
        );
    }

    fn connections(&mut self) {
        let config = self.config;
        match connection_overrides(config.get(MAX_CONNECTIONS_PER_IP_OVERRIDES)) {
            Ok(overrides) => self.require(
                config.get(MAX_CONNECTIONS_PER_IP) > 0 || !overrides.is_empty(),
                MAX_CONNECTIONS_PER_IP,
                || {
                    "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set."
                        .to_owned()
                },
            ),
            Err(why) => self.require(false, MAX_CONNECTIONS_PER_IP_OVERRIDES, || why),
        }
        for key in
            [SOCKET_SEND_BUFFER_BYTES, SOCKET_RECEIVE_BUFFER_BYTES, REPLICA_SOCKET_RECEIVE_BUFFER_BYTES]
        {
            let value = config.get(key);
            self.require(value == -1 || value > 0, key, || {
                "it must be greater than 0, or -1 for the system's".to_owned()
            });
        }
    }

    fn versions(&mut self) {
        let config = self.config;
        let brokers = config.inter_broker_protocol();
        let with = [INTER_BROKER_PROTOCOL_VERSION.name()];
        let format = ProtocolVersion::parse(config.get(LOG_MESSAGE_FORMAT_VERSION))
            .unwrap_or(ProtocolVersion::V3_0_IV1);
        // From 3.0 on the format no longer depends on the key (KIP-724), so any value is let pass, as in Kafka.
        let fits = brokers >= ProtocolVersion::V3_0_IV1
            || !config.is_given(LOG_MESSAGE_FORMAT_VERSION.name())
            || format.record_magic() <= brokers.record_magic();
        self.compare(fits, LOG_MESSAGE_FORMAT_VERSION, &with, || {
            format!(
                "log.message.format.version {format} can only be used when inter.broker.protocol.version is set to version {} or higher",
                format.release()
            )
        });
        let knows_zstd = config.get(COMPRESSION_TYPE) != "zstd" || brokers >= ProtocolVersion::V2_1_IV0;
        self.compare(knows_zstd, COMPRESSION_TYPE, &with, || {
            "compression.type zstd can only be used when inter.broker.protocol.version is set to version 2.1 or higher"
                .to_owned()
        });
    }

    fn metrics(&mut self) {
        let text = self.config.get(VLTAVA_METRICS_LISTENER);
        let well_formed =
            text.is_empty() || text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        self.require(well_formed, VLTAVA_METRICS_LISTENER, || {
            "it must be host:port, :port, or empty".to_owned()
        });
    }
}

/// Reads `host:count,host:count`.
pub(crate) fn connection_overrides(text: &str) -> Result<Vec<(String, i32)>, String> {
    let mut overrides = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()).take(MAX_ITEMS) {
        let parsed =
            item.rsplit_once(':').and_then(|(host, count)| Some((host.trim(), count.trim().parse().ok()?)));
        match parsed {
            Some((host, count)) if count >= 0 && !host.is_empty() => overrides.push((host.to_owned(), count)),
            _ => return Err(format!("'{item}' is not address:count")),
        }
    }
    Ok(overrides)
}

/// Keys that are given and outweighed by another given key: the weaker first.
pub(crate) fn outweighed(config: &BrokerConfig) -> Vec<Warning> {
    const PAIRS: [(&str, &str); 12] = [
        (LOG_DIR.name(), LOG_DIRS.name()),
        (HOST_NAME.name(), LISTENERS.name()),
        (PORT.name(), LISTENERS.name()),
        (ADVERTISED_HOST_NAME.name(), ADVERTISED_LISTENERS.name()),
        (ADVERTISED_PORT.name(), ADVERTISED_LISTENERS.name()),
        (ADVERTISED_HOST_NAME.name(), LISTENERS.name()),
        (ADVERTISED_PORT.name(), LISTENERS.name()),
        (LOG_RETENTION_HOURS.name(), LOG_RETENTION_MINUTES.name()),
        (LOG_RETENTION_HOURS.name(), LOG_RETENTION_MS.name()),
        (LOG_RETENTION_MINUTES.name(), LOG_RETENTION_MS.name()),
        (LOG_ROLL_HOURS.name(), LOG_ROLL_MS.name()),
        (LOG_ROLL_JITTER_HOURS.name(), LOG_ROLL_JITTER_MS.name()),
    ];
    PAIRS
        .into_iter()
        .filter(|(weak, strong)| config.is_given(weak) && config.is_given(strong))
        .map(|(key, by)| Warning::Outweighed { key, by })
        .collect()
}
