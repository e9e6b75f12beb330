//! A broker's configuration that changes while it runs: layers, validation, and how it is described.

mod reading;

use std::collections::BTreeMap;
use std::sync::Arc;

use reading::{overrides, read, with_zookeeper};
use vltava_settings::{ConfigSource, DynamicConfig, Level, Problem, broker, topic, unkept};

#[test]
fn dynamic_values_layer_over_the_file_and_are_described_with_their_sources() {
    let config = with_zookeeper("log.retention.ms=100\nlog.segment.bytes=1000\nstrange.key=1").unwrap();
    let mut dynamic = DynamicConfig::new(Arc::new(config));
    assert!(
        dynamic
            .replace(Level::Cluster, overrides(&[("log.segment.bytes", "2000"), ("log.retention.ms", "200")]))
            .is_empty()
    );
    assert!(dynamic.replace(Level::Broker, overrides(&[("log.segment.bytes", "3000")])).is_empty());
    assert_eq!(dynamic.get(broker::LOG_SEGMENT_BYTES), 3000);
    assert_eq!(dynamic.topic_defaults().get(topic::RETENTION_MS), 200);

    let described =
        dynamic.describe_topic(&overrides(&[("segment.bytes", "4000")]), Some(&["segment.bytes"]));
    let [segment] = &described[..] else { panic!("{described:?}") };
    assert_eq!(segment.value.as_deref(), Some("4000"));
    let sources: Vec<_> =
        segment.synonyms.iter().map(|s| (s.name.as_str(), s.value.as_deref().unwrap(), s.source)).collect();
    assert_eq!(
        sources,
        [
            ("segment.bytes", "4000", ConfigSource::Topic),
            ("log.segment.bytes", "3000", ConfigSource::DynamicBroker),
            ("log.segment.bytes", "2000", ConfigSource::DynamicDefaultBroker),
            ("log.segment.bytes", "1000", ConfigSource::StaticBroker),
            ("log.segment.bytes", "1073741824", ConfigSource::Default),
        ]
    );

    let all = dynamic.describe_broker(None);
    assert!(all.is_sorted_by(|left, right| left.name < right.name));
    let find = |name: &str| all.iter().find(|config| config.name == name).unwrap();
    assert!(find("num.partitions").read_only && find("num.partitions").is_default());
    assert!(find("ssl.key.password").is_sensitive);
    assert_eq!(find("strange.key").value, None);
    assert_eq!(find("log.retention.ms").source, ConfigSource::DynamicDefaultBroker);

    let cluster = dynamic.describe_cluster(None);
    assert_eq!(
        cluster.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["log.retention.ms", "log.segment.bytes"]
    );

    // Removing a level's values brings back what lies below.
    dynamic.replace(Level::Broker, BTreeMap::new());
    dynamic.replace(Level::Cluster, BTreeMap::new());
    assert_eq!(dynamic.get(broker::LOG_SEGMENT_BYTES), 1000);
}

#[test]
fn hours_alone_leave_no_synonym_of_retention_ms_as_in_kafka() {
    let dynamic = DynamicConfig::new(Arc::new(with_zookeeper("log.retention.hours=1").unwrap()));
    let described = dynamic.describe_topic(&BTreeMap::new(), Some(&["retention.ms"]));
    assert_eq!(described[0].value.as_deref(), Some("3600000"));
    assert_eq!((described[0].source, described[0].synonyms.len()), (ConfigSource::Default, 0));
}

#[test]
fn dynamic_changes_are_validated_by_scope_value_and_rules() {
    let dynamic = DynamicConfig::new(Arc::new(with_zookeeper("").unwrap()));
    for (level, name, value, part) in [
        (
            Level::Broker,
            "num.partitions",
            "2",
            "Cannot update these configs dynamically: Set(num.partitions)",
        ),
        (
            Level::Cluster,
            "listeners",
            "PLAINTEXT://:1",
            "Cannot update these configs at default cluster level: Set(listeners)",
        ),
        (Level::Broker, "listeners", "PLAINTEXT://:1", "cannot be changed while the broker runs"),
        (Level::Cluster, "log.segment.bytes", "1", "Value must be at least 14"),
        (Level::Cluster, "log.retention.ms", "0", "log.retention.ms"),
        (
            Level::Cluster,
            "num.io.threads",
            "17",
            "failed for num.io.threads=17, value should not be greater than double the current value 8",
        ),
        (
            Level::Broker,
            "num.io.threads",
            "3",
            "failed for num.io.threads=3, value should be at least half the current value 8",
        ),
        (Level::Cluster, "who", "1", "Unknown broker config name: who"),
    ] {
        let problems = dynamic.validate(level, &overrides(&[(name, value)])).unwrap_err();
        assert!(problems.to_string().contains(part), "{problems}");
    }
    dynamic
        .validate(Level::Cluster, &overrides(&[("log.retention.ms", "5"), ("num.io.threads", "4")]))
        .unwrap();
}

#[test]
fn what_cannot_change_while_the_broker_runs_is_described_as_read_only() {
    let dynamic = DynamicConfig::new(Arc::new(with_zookeeper("").unwrap()));
    for described in dynamic.describe_broker(None) {
        let Some(definition) = vltava_settings::broker_keys().find(&described.name) else { continue };
        let value = described.value.as_deref().unwrap_or_default();
        let problem = dynamic.validate(Level::Broker, &overrides(&[(&described.name, value)])).err();
        let fixed = problem.is_some_and(|problem| {
            let problem = problem.to_string();
            problem.contains("Cannot update these configs dynamically")
                || problem.contains("while the broker runs")
        });
        assert_eq!(described.read_only, fixed, "{}", definition.name);
    }
}

#[test]
fn throttles_are_set_at_run_time_only() {
    let rate = "leader.replication.throttled.rate";
    let config = with_zookeeper("leader.replication.throttled.rate=5").unwrap();
    let warnings: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [format!("{rate} has no effect: it can only be set while the broker runs, see kafka-configs")]
    );
    let mut dynamic = DynamicConfig::new(Arc::new(config));
    assert_eq!(dynamic.describe_broker(Some(&[rate])), []);
    for level in [Level::Broker, Level::Cluster] {
        dynamic.validate(level, &overrides(&[(rate, "10485760")])).unwrap();
        let problems = dynamic.validate(level, &overrides(&[(rate, "-1")])).unwrap_err().to_string();
        assert_eq!(problems, format!("Invalid value -1 for configuration {rate}: Value must be at least 0"));
    }
    assert!(dynamic.replace(Level::Broker, overrides(&[(rate, "10485760")])).is_empty());
    let described = dynamic.describe_broker(Some(&[rate]));
    assert_eq!(
        (described[0].value.as_deref(), described[0].source),
        (Some("10485760"), ConfigSource::DynamicBroker)
    );
}

#[test]
fn dynamic_values_that_would_protect_are_known() {
    let config = with_zookeeper("listeners=PLAINTEXT://h:1").unwrap();
    for (name, text, kept) in [
        ("listeners", "PLAINTEXT://h:1", true),
        ("listeners", "SSL://h:1", false),
        ("advertised.listeners", "PLAINTEXT://public:1", false),
        ("listener.security.protocol.map", "PLAINTEXT:SASL_SSL", false),
        ("ssl.keystore.location", "/k", false),
        ("listener.name.internal.ssl.keystore.location", "/k", false),
        ("listener.name.internal.scram-sha-256.sasl.jaas.config", "encrypted", false),
        ("ssl.client.auth", "none", true),
        ("authorizer.class.name", "kafka.security.authorizer.AclAuthorizer", false),
        ("log.retention.ms", "1", true),
        ("max.connections", "x", true),
        ("no.such.key", "1", true),
    ] {
        let problem = unkept(&config, name, text);
        assert_eq!(problem.is_none(), kept, "{name}={text}: {problem:?}");
        let mut dynamic = DynamicConfig::new(Arc::new(config.clone()));
        let problems = dynamic.replace(Level::Broker, overrides(&[(name, text)]));
        let refused = |problem: &Problem| matches!(problem, Problem::Refused { .. });
        assert_eq!(problems.iter().any(refused), !kept, "{problems:?}");
        assert!(!format!("{problems:?}").contains("encrypted"));
    }
}

#[test]
fn a_listener_s_own_limits_can_change_while_the_broker_runs() {
    let file = "zookeeper.connect=localhost:2181\nlisteners=PLAINTEXT://:9092\nlistener.name.plaintext.max.connections=7\n\
        listener.name.plaintext.num.network.threads=4\n";
    let config = read(file).unwrap();
    let warned: Vec<String> = config.warnings().iter().map(ToString::to_string).collect();
    assert!(warned.iter().any(|warning| warning.contains("all listeners share the threads")), "{warned:?}");
    assert_eq!(config.get_own(broker::MAX_CONNECTIONS, "PLAINTEXT"), Some(7));
    let mut dynamic = DynamicConfig::new(Arc::new(config));
    let own = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let name = "listener.name.plaintext.max.connections";
    assert!(dynamic.replace(Level::Cluster, own(name, "8")).is_empty());
    assert_eq!(dynamic.current().get_own(broker::MAX_CONNECTIONS, "PLAINTEXT"), Some(8));
    assert!(dynamic.replace(Level::Broker, own(name, "9")).is_empty());
    assert_eq!(dynamic.current().get_own(broker::MAX_CONNECTIONS, "PLAINTEXT"), Some(9));
    assert_eq!(dynamic.current().get(broker::MAX_CONNECTIONS), i32::MAX, "the broker's own is another");
    assert!(dynamic.validate(Level::Broker, &own(name, "-1")).is_err());
    assert!(dynamic.validate(Level::Broker, &own("listener.name.plaintext.num.partitions", "1")).is_err());
}
