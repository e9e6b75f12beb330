//! A broker's configuration, from properties files as users have them.

use std::collections::BTreeMap;
use std::sync::Arc;

use vltava_settings::{
    BrokerConfig, ConfigSource, DynamicConfig, Level, Properties, ProtocolVersion, TopicConfig, broker,
    topic, validate_topic_config, validate_topic_configs,
};

/// What the distributions ship, without the comments.
const SERVER_0_8_2: &str = "broker.id=0\nport=9092\n#host.name=localhost\nnum.network.threads=3\nnum.io.threads=8\n\
    socket.send.buffer.bytes=102400\nsocket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n\
    log.dirs=/tmp/kafka-logs\nnum.partitions=1\nnum.recovery.threads.per.data.dir=1\nlog.retention.hours=168\n\
    log.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\nlog.cleaner.enable=false\n\
    zookeeper.connect=localhost:2181\nzookeeper.connection.timeout.ms=6000\n";
const SERVER_0_11: &str = "broker.id=0\n#delete.topic.enable=true\nnum.network.threads=3\nnum.io.threads=8\n\
    socket.send.buffer.bytes=102400\nsocket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n\
    log.dirs=/tmp/kafka-logs\nnum.partitions=1\nnum.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n\
    transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\nlog.retention.hours=168\n\
    log.segment.bytes=1073741824\nlog.retention.check.interval.ms=300000\nzookeeper.connect=localhost:2181\n\
    zookeeper.connection.timeout.ms=6000\ngroup.initial.rebalance.delay.ms=0\n";
const SERVER_3_9: &str = "broker.id=0\n#listeners=PLAINTEXT://:9092\nnum.network.threads=3\nnum.io.threads=8\n\
    socket.send.buffer.bytes=102400\nsocket.receive.buffer.bytes=102400\nsocket.request.max.bytes=104857600\n\
    log.dirs=/tmp/kafka-logs\nnum.partitions=1\nnum.recovery.threads.per.data.dir=1\noffsets.topic.replication.factor=1\n\
    transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\nlog.retention.hours=168\n\
    log.retention.check.interval.ms=300000\nzookeeper.connect=localhost:2181\nzookeeper.connection.timeout.ms=18000\n\
    group.initial.rebalance.delay.ms=0\n";

fn read(text: &str) -> Result<BrokerConfig, Vec<String>> {
    let properties = Properties::parse(text, "server.properties").unwrap();
    BrokerConfig::from_properties(&properties, &Properties::default())
        .map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
}

fn with_zookeeper(text: &str) -> Result<BrokerConfig, Vec<String>> {
    read(&format!("zookeeper.connect=localhost:2181\n{text}"))
}

fn overrides(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn listeners(config: &BrokerConfig) -> Vec<(String, Option<String>)> {
    config
        .listeners()
        .iter()
        .map(|l| (l.bind.to_string(), l.advertised.as_ref().map(ToString::to_string)))
        .collect()
}

#[test]
fn the_properties_that_kafka_shipped_are_read() {
    for text in [SERVER_0_8_2, SERVER_0_11, SERVER_3_9] {
        let config = read(text).unwrap();
        assert_eq!(config.broker_id(), Some(0));
        assert_eq!(config.log_dirs(), ["/tmp/kafka-logs".into()] as [std::path::PathBuf; 1]);
        assert_eq!(config.zookeeper_connect(), "localhost:2181");
        assert_eq!(
            listeners(&config),
            [("PLAINTEXT://:9092".to_owned(), Some("PLAINTEXT://:9092".to_owned()))]
        );
        assert_eq!(config.inter_broker_listener(), "PLAINTEXT");
        assert_eq!(config.get(broker::NUM_PARTITIONS), 1);
    }
    let warnings: Vec<_> = read(SERVER_0_8_2).unwrap().warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "port is deprecated: use listeners",
            "log.cleaner.enable has no effect: compaction is not built yet: compacted topics are kept whole",
        ]
    );
}

#[test]
fn overrides_win_over_the_file() {
    let mut given = Properties::default();
    given.set_override("broker.id=7").unwrap();
    given.set_override("log.dir = /data ").unwrap();
    assert_eq!(
        given.set_override("broker.id").unwrap_err().to_string(),
        "invalid override 'broker.id': expected key=value"
    );
    let file = Properties::parse("broker.id=0\nzookeeper.connect=z:1/kafka\n", "p").unwrap();
    let config = BrokerConfig::from_properties(&file, &given).unwrap();
    assert_eq!(config.broker_id(), Some(7));
    assert_eq!(config.log_dirs(), ["/data".into()] as [std::path::PathBuf; 1]);
}

#[test]
fn every_problem_is_told_at_once_with_key_value_and_what_is_allowed() {
    let problems = read(
        "num.partitions=abc\nlog.cleanup.policy=shred\nbroker.id=2000\nlisteners=PLAINTEXT//:9092\nssl.keystore.location=/k\n\
         ssl.key.password=s3cret\nauthorizer.class.name=kafka.security.auth.SimpleAclAuthorizer\nlog.segment.bytes=1\n",
    )
    .unwrap_err();
    assert_eq!(
        problems,
        [
            "Invalid value abc for configuration num.partitions: Not a number of type INT",
            "Invalid value shred for configuration log.cleanup.policy: String must be one of: compact, delete",
            "ssl.keystore.location=/k is refused: TLS is not built yet. Remove the key to run without it",
            "ssl.key.password=[hidden] is refused: TLS is not built yet. Remove the key to run without it",
            "authorizer.class.name=kafka.security.auth.SimpleAclAuthorizer is refused: authorization is not built yet, so \
             everybody could do everything. Remove the key to run without it",
            "Invalid value 1 for configuration log.segment.bytes: Value must be at least 14",
            "Invalid value PLAINTEXT//:9092 for configuration listeners: Unable to parse PLAINTEXT//:9092 to a broker endpoint",
            "at least one listener is needed, such as PLAINTEXT://:9092",
            "Invalid value 2000 for configuration broker.id: it must be greater than or equal to -1 and not greater than \
             reserved.broker.max.id, 1000",
            "Missing required configuration `zookeeper.connect` which has no default value.",
        ]
    );
}

#[test]
fn what_would_protect_and_is_not_built_stops_the_start_by_name() {
    for text in [
        "super.users=User:admin",
        "sasl.enabled.mechanisms=PLAIN",
        "security.inter.broker.protocol=SSL",
        "zookeeper.set.acl=true",
        "quota.producer.default=1048576",
        "process.roles=broker",
        "listeners=SASL_SSL://:9093",
        "listeners=PLAINTEXT://:9092,SAFE://:9093\nlistener.security.protocol.map=PLAINTEXT:PLAINTEXT,SAFE:SSL",
        "listener.name.plaintext.ssl.keystore.location=/k",
        "listener.name.x.scram-sha-256.sasl.jaas.config=secret;",
        "client.quota.callback.class=x.Y",
        "config.providers=env",
        "log.retention.hours.per.topic=a:1",
    ] {
        let problems = with_zookeeper(text).unwrap_err();
        let key = text.split(['=', '\n']).next().unwrap();
        assert!(
            problems.iter().any(|problem| problem.starts_with(key) && problem.contains(" is refused: ")),
            "{problems:?}"
        );
        assert!(!problems.concat().contains("secret;"));
    }
    // Saying what is the case anyway is no reason to stop.
    with_zookeeper("ssl.client.auth=none\nsasl.jaas.config=\nauthorizer.class.name=\nsecurity.inter.broker.protocol=PLAINTEXT").unwrap();
}

#[test]
fn unknown_keys_warn_and_name_the_nearest() {
    let config = with_zookeeper("num.partition=3\nmy.own.key=1").unwrap();
    let warnings: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "unknown configuration key num.partition is ignored; did you mean num.partitions?",
            "unknown configuration key my.own.key is ignored",
        ]
    );
}

#[test]
fn listeners_are_what_the_keys_of_all_eras_say() {
    for (text, expected) in [
        ("host.name=h\nport=9999", &[("PLAINTEXT://h:9999", Some("PLAINTEXT://h:9999"))][..]),
        ("port=0", &[("PLAINTEXT://:0", Some("PLAINTEXT://:0"))]),
        ("advertised.host.name=public", &[("PLAINTEXT://:9092", Some("PLAINTEXT://public:9092"))]),
        ("host.name=h\nadvertised.port=1", &[("PLAINTEXT://h:9092", Some("PLAINTEXT://h:1"))]),
        (
            "listeners=PLAINTEXT://a:1\nhost.name=h\nport=9\nadvertised.port=7",
            &[("PLAINTEXT://a:1", Some("PLAINTEXT://a:1"))],
        ),
        ("listeners=plaintext://[::1]:9092", &[("PLAINTEXT://[::1]:9092", Some("PLAINTEXT://[::1]:9092"))]),
        (
            "listeners=IN://:1,OUT://:2\nlistener.security.protocol.map=in:PLAINTEXT,out:plaintext\n\
             advertised.listeners=OUT://o:20\ninter.broker.listener.name=out",
            &[("IN://:1", None), ("OUT://:2", Some("OUT://o:20"))],
        ),
        (
            "listeners=A://0.0.0.0:1,B://[::]:1\nlistener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n\
             advertised.listeners=A://h:1,B://h:1\ninter.broker.listener.name=B",
            &[("A://0.0.0.0:1", Some("A://h:1")), ("B://[::]:1", Some("B://h:1"))],
        ),
    ] {
        let config = with_zookeeper(text).unwrap();
        let expected: Vec<_> =
            expected.iter().map(|(b, a)| ((*b).to_owned(), a.map(str::to_owned))).collect();
        assert_eq!(listeners(&config), expected, "{text}");
    }
}

#[test]
fn listeners_that_cannot_work_are_refused() {
    for (text, part) in [
        ("listeners=PLAINTEXT://:1,PLAINTEXT://:2", "Each listener must have a different name"),
        ("listeners=A://:1,PLAINTEXT://:1", "Each listener must have a different port"),
        ("listeners=A://:1", "No security protocol defined for listener A"),
        (
            "listeners=PLAINTEXT://0.0.0.0:1",
            "advertised.listeners cannot use the nonroutable meta-address 0.0.0.0",
        ),
        (
            "advertised.listeners=B://h:1",
            "Found B. The valid options based on the current configuration are PLAINTEXT",
        ),
        (
            "inter.broker.listener.name=B",
            "B defined in inter.broker.listener.name not found in listener.security.protocol.map",
        ),
        (
            "inter.broker.listener.name=SSL",
            "must be a listener name defined in advertised.listeners. Found SSL",
        ),
        ("inter.broker.listener.name=PLAINTEXT\nsecurity.inter.broker.protocol=PLAINTEXT", "Only one of"),
        ("listeners=PLAINTEXT://h:65536", "the port must be a number from 0 to 65535"),
        ("listeners=PLAINTEXT://h h:1", "Unable to parse"),
        ("listener.security.protocol.map=PLAINTEXT:FOO", "Invalid security protocol `FOO`"),
        ("listeners=", "at least one listener"),
    ] {
        let problems = with_zookeeper(text).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(part)), "{text}: {problems:?}");
    }
}

#[test]
fn keys_are_checked_against_each_other() {
    for (text, part) in [
        ("broker.id=1\nnode.id=2", "`node.id` to the same value as `broker.id`"),
        ("log.retention.ms=0", "Invalid value 0 for configuration log.retention.ms"),
        ("log.roll.ms=0", "log.roll.ms"),
        ("log.dirs=,", "At least one log directory"),
        (
            "queued.max.request.bytes=10",
            "queued.max.request.bytes must be larger or equal to socket.request.max.bytes",
        ),
        ("offsets.commit.required.acks=-2", "offsets.commit.required.acks must be greater or equal -1"),
        ("offsets.topic.compression.codec=9", "0 (none), 1 (gzip), 2 (snappy)"),
        (
            "inter.broker.protocol.version=0.10.0\nlog.message.format.version=0.11.0",
            "version 0.11.0 or higher",
        ),
        ("inter.broker.protocol.version=2.0\ncompression.type=zstd", "2.1 or higher"),
        ("inter.broker.protocol.version=4.0", "Version 4.0 is not a valid version"),
        ("max.connections.per.ip=0", "max.connections.per.ip can be set to zero only if"),
        ("max.connections.per.ip.overrides=h", "'h' is not address:count"),
        ("vltava.metrics.listener=9404", "it must be host:port, :port, or empty"),
    ] {
        let problems = with_zookeeper(text).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(part)), "{text}: {problems:?}");
    }
    let config = with_zookeeper(
        "node.id=5\ninter.broker.protocol.version=2.7\nmax.connections.per.ip.overrides=a:1,[::1]:2",
    )
    .unwrap();
    assert_eq!(config.broker_id(), Some(5));
    assert_eq!(config.inter_broker_protocol(), ProtocolVersion::V2_7_IV2);
    assert_eq!(config.connections_per_ip_overrides(), [("a".to_owned(), 1), ("[::1]".to_owned(), 2)]);
    assert_eq!(config.zookeeper_connection_timeout_ms(), 18_000);
}

#[test]
fn a_listener_may_have_values_of_its_own() {
    let config = with_zookeeper("max.connections=5\nlistener.name.plaintext.max.connections=2").unwrap();
    assert_eq!(config.get_for_listener(broker::MAX_CONNECTIONS, "PLAINTEXT"), 2);
    assert_eq!(config.get_for_listener(broker::MAX_CONNECTIONS, "OTHER"), 5);
    assert_eq!(config.get_own(broker::MAX_CONNECTIONS, "OTHER"), None);
}

#[test]
fn a_topic_takes_from_its_broker_in_the_right_units() {
    for (text, retention, segment) in [
        ("", 604_800_000, 604_800_000),
        ("log.retention.hours=1\nlog.roll.hours=2", 3_600_000, 7_200_000),
        ("log.retention.hours=1\nlog.retention.minutes=1", 60_000, 604_800_000),
        ("log.retention.hours=1\nlog.retention.minutes=1\nlog.retention.ms=5\nlog.roll.ms=6", 5, 6),
        ("log.retention.hours=-1", -1, 604_800_000),
    ] {
        let defaults = TopicConfig::defaults(&with_zookeeper(text).unwrap());
        assert_eq!(defaults.get(topic::RETENTION_MS), retention, "{text}");
        assert_eq!(defaults.get(topic::SEGMENT_MS), segment, "{text}");
    }
    let broker = with_zookeeper(
        "message.max.bytes=7\nlog.cleanup.policy=compact,delete\nlog.message.timestamp.difference.max.ms=9",
    )
    .unwrap();
    let defaults = TopicConfig::defaults(&broker);
    assert_eq!(defaults.get(topic::MAX_MESSAGE_BYTES), 7);
    assert!(defaults.is_compacted() && defaults.is_deleted());
    assert_eq!(defaults.timestamp_before_max_ms(), 9);

    let (config, problems) =
        defaults.with_overrides(&overrides(&[("retention.ms", "1"), ("segment.ms", "x"), ("what", "1")]));
    assert_eq!(config.get(topic::RETENTION_MS), 1);
    assert_eq!(config.get(topic::SEGMENT_MS), 604_800_000);
    assert_eq!(problems.len(), 2);
}

#[test]
fn topic_overrides_are_validated_in_kafka_s_words() {
    for (name, value, message) in [
        ("retention.ms", "x", "Invalid value x for configuration retention.ms: Not a number of type LONG"),
        ("colour", "red", "Unknown topic config name: colour"),
        (
            "cleanup.policy",
            "delete,shred",
            "Invalid value shred for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        (
            "segment.bytes",
            "13",
            "Invalid value 13 for configuration segment.bytes: Value must be at least 14",
        ),
        (
            "remote.storage.enable",
            "true",
            "remote.storage.enable=true is refused: remote storage is not built yet. Remove the key to run without it",
        ),
    ] {
        assert_eq!(validate_topic_config(name, value).unwrap_err().to_string(), message);
    }
    let defaults = TopicConfig::defaults(&with_zookeeper("").unwrap());
    let conflict = overrides(&[("min.compaction.lag.ms", "5"), ("max.compaction.lag.ms", "4")]);
    let message = validate_topic_configs(&defaults, &conflict).unwrap_err().to_string();
    assert_eq!(
        message,
        "conflict topic config setting min.compaction.lag.ms (5) > max.compaction.lag.ms (4)"
    );
}

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

#[test]
fn the_reference_page_is_the_table_s() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md"))
        .unwrap_or_default();
    assert!(page == vltava_settings::reference(), "docs/configuration.md is stale: run `make docs`");
}

#[test]
fn the_properties_file_that_is_shipped_says_nothing_without_effect() {
    let config = read(include_str!("../../config/server.properties")).unwrap();
    assert_eq!(config.warnings().len(), 0, "{:?}", config.warnings());
}
