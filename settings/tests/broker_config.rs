//! A broker's configuration, from properties files as users have them.

mod reading;

use reading::{overrides, read, with_zookeeper};
use vltava_settings::{
    BrokerConfig, Properties, ProtocolVersion, TopicConfig, Warning, broker, topic, validate_topic_config,
    validate_topic_configs,
};

/// What the distributions shipped as `config/server.properties`, without the comments.
const SHIPPED: [(&str, &str); 9] = [
    ("0.8.0", include_str!("shipped/0.8.0.properties")),
    ("0.8.1", include_str!("shipped/0.8.1.properties")),
    ("0.8.2", include_str!("shipped/0.8.2.properties")),
    ("0.9.0", include_str!("shipped/0.9.0.properties")),
    ("0.10.2", include_str!("shipped/0.10.2.properties")),
    ("0.11.0", include_str!("shipped/0.11.0.properties")),
    ("1.1", include_str!("shipped/1.1.properties")),
    ("2.8", include_str!("shipped/2.8.properties")),
    ("3.9", include_str!("shipped/3.9.properties")),
];

fn listeners(config: &BrokerConfig) -> Vec<(String, Option<String>)> {
    config
        .listeners()
        .iter()
        .map(|l| (l.bind.to_string(), l.advertised.as_ref().map(ToString::to_string)))
        .collect()
}

#[test]
fn the_properties_that_kafka_shipped_are_read() {
    for (version, text) in SHIPPED {
        let config = read(text).unwrap_or_else(|problems| panic!("{version}: {problems:?}"));
        assert_eq!(config.broker_id(), Some(0));
        assert_eq!(config.log_dirs(), ["/tmp/kafka-logs".into()] as [std::path::PathBuf; 1]);
        assert_eq!(config.zookeeper_connect(), "localhost:2181");
        assert_eq!(
            listeners(&config),
            [("PLAINTEXT://:9092".to_owned(), Some("PLAINTEXT://:9092".to_owned()))]
        );
        assert_eq!(config.inter_broker_listener(), "PLAINTEXT");
        let unknown = config.warnings().iter().find(|warning| matches!(warning, Warning::Unknown { .. }));
        assert_eq!(unknown, None, "{version}");
    }
    let warnings: Vec<_> = read(SHIPPED[2].1).unwrap().warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["port is deprecated: use listeners"]);
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
        ("log.dirs=/a, /b,/a", "Duplicate log directory found: /a"),
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
        let shaped =
            |problem: &String| problem.starts_with("Invalid value ") || problem.starts_with("You must set");
        assert!(problems.iter().all(shaped), "each names key, value and what is allowed: {problems:?}");
    }
    for (text, cause) in [
        (
            "listeners=PLAINTEXT//:9092\nadvertised.listeners=A://:1\ninter.broker.listener.name=A",
            "listeners",
        ),
        ("listener.security.protocol.map=A:FOO\nlisteners=A://:1", "listener.security.protocol.map"),
        ("listeners=SASL_SSL://:9093", "listeners"),
        ("socket.request.max.bytes=x\nqueued.max.request.bytes=10", "socket.request.max.bytes"),
        (
            "offsets.topic.replication.factor=0\noffsets.commit.required.acks=5",
            "offsets.topic.replication.factor",
        ),
    ] {
        let given = format!("zookeeper.connect=z:1\n{text}");
        let properties = Properties::parse(&given, "p").unwrap();
        let problems = BrokerConfig::from_properties(&properties, &Properties::default()).unwrap_err();
        let keys: Vec<&str> = problems.0.iter().map(vltava_settings::Problem::key).collect();
        assert_eq!(keys, [cause], "only the cause of {text} is told: {problems}");
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
