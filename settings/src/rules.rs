//! Rules between keys, and values with a syntax of their own. In Kafka these are in `KafkaConfig.validateValues`.

use crate::broker::*;
use crate::config::BrokerConfig;
use crate::problem::{Problem, Warning};
use crate::version::ProtocolVersion;

/// The most items of a list such as `max.connections.per.ip.overrides`.
const MAX_ITEMS: usize = 10_000;

/// Checks all rules; each broken one adds its problem.
pub(crate) fn check(config: &BrokerConfig, problems: &mut Vec<Problem>) {
    let mut require = |holds: bool, key: &'static str, what: &str| {
        if !holds {
            problems.push(Problem::Rule { key, what: what.to_owned() });
        }
    };

    let id = config.get(BROKER_ID);
    let reserved = config.get(RESERVED_BROKER_MAX_ID);
    if config.get(BROKER_ID_GENERATION_ENABLE) {
        require(
            (-1..=reserved).contains(&id),
            BROKER_ID.name(),
            &format!(
                "Invalid value {id} for configuration broker.id: it must be greater than or equal to -1 and not greater than \
                 reserved.broker.max.id, {reserved}"
            ),
        );
    } else {
        require(
            id >= 0,
            BROKER_ID.name(),
            &format!(
                "Invalid value {id} for configuration broker.id: it must be greater than or equal to 0, since broker.id.generation.enable is false"
            ),
        );
    }

    let at_least = |name: &'static str, value: Option<i64>, least: i64| match value {
        Some(value) if value < least => {
            Some(format!("Invalid value {value} for configuration {name}: Value must be at least {least}"))
        }
        _ => None,
    };
    for (name, value, least) in [
        (LOG_ROLL_MS.name(), config.get(LOG_ROLL_MS), 1),
        (LOG_ROLL_JITTER_MS.name(), config.get(LOG_ROLL_JITTER_MS), 0),
        (LOG_FLUSH_INTERVAL_MS.name(), config.get(LOG_FLUSH_INTERVAL_MS), 0),
        // Kafka takes any, and then has no connection in that time.
        (ZOOKEEPER_SESSION_TIMEOUT_MS.name(), Some(config.get(ZOOKEEPER_SESSION_TIMEOUT_MS).into()), 1),
        (
            ZOOKEEPER_CONNECTION_TIMEOUT_MS.name(),
            config.get(ZOOKEEPER_CONNECTION_TIMEOUT_MS).map(i64::from),
            1,
        ),
    ] {
        if let Some(what) = at_least(name, value, least) {
            require(false, name, &what);
        }
    }
    for (name, value) in [
        (LOG_RETENTION_MS.name(), config.get(LOG_RETENTION_MS)),
        (LOG_RETENTION_MINUTES.name(), config.get(LOG_RETENTION_MINUTES).map(i64::from)),
        (LOG_RETENTION_HOURS.name(), Some(i64::from(config.get(LOG_RETENTION_HOURS)))),
    ] {
        require(
            value.is_none_or(|value| value == -1 || value >= 1),
            name,
            &format!(
                "Invalid value {} for configuration {name}: it must be unlimited (-1) or, equal or greater than 1",
                value.unwrap_or_default()
            ),
        );
    }

    require(
        !config.log_dirs().is_empty(),
        LOG_DIRS.name(),
        "At least one log directory must be defined via log.dirs or log.dir.",
    );
    require(
        config.log_dirs().len() <= MAX_ITEMS,
        LOG_DIRS.name(),
        "log.dirs names more directories than any machine has",
    );

    let queued = config.get(QUEUED_MAX_REQUEST_BYTES);
    let largest = i64::from(config.get(SOCKET_REQUEST_MAX_BYTES));
    require(
        queued <= 0 || queued >= largest,
        QUEUED_MAX_REQUEST_BYTES.name(),
        &format!(
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes: {queued} is less than {largest}"
        ),
    );
    require(
        config.get(REPLICA_FETCH_WAIT_MAX_MS) <= config.get(REPLICA_SOCKET_TIMEOUT_MS),
        REPLICA_FETCH_WAIT_MAX_MS.name(),
        "replica.fetch.wait.max.ms should always be at most replica.socket.timeout.ms to prevent unnecessary socket timeouts",
    );
    require(
        i64::from(config.get(REPLICA_FETCH_WAIT_MAX_MS)) <= config.get(REPLICA_LAG_TIME_MAX_MS),
        REPLICA_FETCH_WAIT_MAX_MS.name(),
        "replica.fetch.wait.max.ms should always be at most replica.lag.time.max.ms to prevent frequent changes in ISR",
    );
    let acks = config.get(OFFSETS_COMMIT_REQUIRED_ACKS);
    require(
        (-1..=config.get(OFFSETS_TOPIC_REPLICATION_FACTOR)).contains(&acks),
        OFFSETS_COMMIT_REQUIRED_ACKS.name(),
        "offsets.commit.required.acks must be greater or equal -1 and less or equal to offsets.topic.replication.factor",
    );
    let codec = config.get(OFFSETS_TOPIC_COMPRESSION_CODEC);
    require(
        (0..=4).contains(&codec),
        OFFSETS_TOPIC_COMPRESSION_CODEC.name(),
        &format!(
            "Invalid value {codec} for configuration offsets.topic.compression.codec: it must be 0 (none), 1 (gzip), 2 (snappy), \
             3 (lz4) or 4 (zstd)"
        ),
    );
    require(
        config.get(GROUP_MIN_SESSION_TIMEOUT_MS) <= config.get(GROUP_MAX_SESSION_TIMEOUT_MS),
        GROUP_MIN_SESSION_TIMEOUT_MS.name(),
        "group.min.session.timeout.ms must be at most group.max.session.timeout.ms",
    );
    check_connections(config, &mut require);
    check_versions(config, &mut require);
    check_metrics(config, &mut require);

    if config.zookeeper_connect().trim().is_empty() {
        problems.push(Problem::Missing { key: ZOOKEEPER_CONNECT.name() });
    }
}

fn check_connections(config: &BrokerConfig, require: &mut impl FnMut(bool, &'static str, &str)) {
    let text = config.get(MAX_CONNECTIONS_PER_IP_OVERRIDES);
    match connection_overrides(text) {
        Ok(overrides) => require(
            config.get(MAX_CONNECTIONS_PER_IP) > 0 || !overrides.is_empty(),
            MAX_CONNECTIONS_PER_IP.name(),
            "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.",
        ),
        Err(why) => require(
            false,
            MAX_CONNECTIONS_PER_IP_OVERRIDES.name(),
            &format!("Invalid value {text} for configuration max.connections.per.ip.overrides: {why}"),
        ),
    }
    for (key, value) in [
        (SOCKET_SEND_BUFFER_BYTES.name(), config.get(SOCKET_SEND_BUFFER_BYTES)),
        (SOCKET_RECEIVE_BUFFER_BYTES.name(), config.get(SOCKET_RECEIVE_BUFFER_BYTES)),
        (REPLICA_SOCKET_RECEIVE_BUFFER_BYTES.name(), config.get(REPLICA_SOCKET_RECEIVE_BUFFER_BYTES)),
    ] {
        require(
            value == -1 || value > 0,
            key,
            &format!(
                "Invalid value {value} for configuration {key}: it must be greater than 0, or -1 for the system's"
            ),
        );
    }
}

fn check_versions(config: &BrokerConfig, require: &mut impl FnMut(bool, &'static str, &str)) {
    let brokers = config.inter_broker_protocol();
    let format =
        ProtocolVersion::parse(config.get(LOG_MESSAGE_FORMAT_VERSION)).unwrap_or(ProtocolVersion::V3_0_IV1);
    // From 3.0 on the format no longer depends on the key (KIP-724), so any value is let pass, as in Kafka.
    require(
        brokers >= ProtocolVersion::V3_0_IV1
            || !config.is_given(LOG_MESSAGE_FORMAT_VERSION.name())
            || format.record_magic() <= brokers.record_magic(),
        LOG_MESSAGE_FORMAT_VERSION.name(),
        &format!(
            "log.message.format.version {format} can only be used when inter.broker.protocol.version is set to version {} or higher",
            format.release()
        ),
    );
    require(
        config.get(COMPRESSION_TYPE) != "zstd" || brokers >= ProtocolVersion::V2_1_IV0,
        COMPRESSION_TYPE.name(),
        "compression.type zstd can only be used when inter.broker.protocol.version is set to version 2.1 or higher",
    );
}

fn check_metrics(config: &BrokerConfig, require: &mut impl FnMut(bool, &'static str, &str)) {
    let text = config.get(VLTAVA_METRICS_LISTENER);
    let well_formed =
        text.is_empty() || text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    require(
        well_formed,
        VLTAVA_METRICS_LISTENER.name(),
        &format!(
            "Invalid value {text} for configuration vltava.metrics.listener: it must be host:port, :port, or empty"
        ),
    );
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
