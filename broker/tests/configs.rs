//! Configuration through sockets: throttles, the levels of the log, and requests that name the same thing again and again.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use house::{Client, House, until};
use vltava_protocol::{
    ErrorCode,
    messages::{
        AlterConfigsRequest, CreateTopicsRequest, DescribeConfigsRequest, IncrementalAlterConfigsRequest,
        alter_configs, create_topics::CreatableTopic, describe_configs::DescribeConfigsResource,
        incremental_alter_configs,
    },
};
use vltava_settings::topic::RETENTION_MS;
use zookeeper_client as zk;

/// Types of resources.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const LOGGERS: i8 = 8;

/// Operations on keys.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

/// A key, an operation and its value.
type Change<'a> = (&'a str, i8, Option<&'a str>);

fn alteration<'a>(kind: i8, resource: &'a str, changes: &[Change<'a>]) -> IncrementalAlterConfigsRequest<'a> {
    let config = |&(name, operation, value): &Change<'a>| incremental_alter_configs::AlterableConfig {
        name: name.into(),
        config_operation: operation,
        value: value.map(Into::into),
        ..Default::default()
    };
    IncrementalAlterConfigsRequest {
        resources: vec![incremental_alter_configs::AlterConfigsResource {
            resource_type: kind,
            resource_name: resource.into(),
            configs: changes.iter().map(config).collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// Alters one resource: the error and its message.
async fn alter(client: &mut Client, kind: i8, resource: &str, changes: &[Change<'_>]) -> (ErrorCode, String) {
    client
        .ask(1, &alteration(kind, resource, changes), |answer| {
            let answer = &answer.responses[0];
            let message = answer.error_message.as_deref().unwrap_or_default();
            (ErrorCode::of(answer.error_code), message.to_owned())
        })
        .await
}

/// One key of a resource: its value, its source, and whether it is read-only.
async fn described(client: &mut Client, kind: i8, name: &str, key: &str) -> Option<(String, i8, bool)> {
    let resource = DescribeConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configuration_keys: Some(vec![key.into()]),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    client
        .ask(4, &request, |answer| {
            let result = &answer.results[0];
            assert_eq!(result.error_code, 0, "{:?}", result.error_message);
            let config = result.configs.first()?;
            Some((config.value.as_deref()?.to_owned(), config.config_source, config.read_only))
        })
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttles_are_accepted_and_described() {
    const TOPIC_SOURCE: i8 = 1;
    const DYNAMIC_BROKER: i8 = 2;
    let house = House::new().await;
    let server = house.start().await;
    let client = &mut Client::connect(&server).await;
    client.create("t", 1, &[]).await;
    let (rate, replicas) = ("leader.replication.throttled.rate", "leader.replication.throttled.replicas");
    assert_eq!(alter(client, BROKER, "0", &[(rate, SET, Some("-5"))]).await.0, ErrorCode::InvalidConfig);
    assert_eq!(alter(client, BROKER, "0", &[(rate, SET, Some("10485760"))]).await.0, ErrorCode::None);
    let set = Some(("10485760".to_owned(), DYNAMIC_BROKER, false));
    assert_eq!(described(client, BROKER, "0", rate).await, set);
    assert_eq!(alter(client, TOPIC, "t", &[(replicas, SET, Some("0"))]).await.0, ErrorCode::InvalidConfig);
    assert_eq!(alter(client, TOPIC, "t", &[(replicas, SET, Some("0:0"))]).await.0, ErrorCode::None);
    let set = Some(("0:0".to_owned(), TOPIC_SOURCE, false));
    assert_eq!(described(client, TOPIC, "t", replicas).await, set);
    assert_eq!(alter(client, BROKER, "0", &[(rate, DELETE, None)]).await.0, ErrorCode::None);
    assert_eq!(described(client, BROKER, "0", rate).await, None, "as in Kafka, it is there while it is set");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notification_that_nobody_may_read_is_not_passed_over() {
    let house = House::new().await;
    let server = house.start().await;
    Client::connect(&server).await.create("t", 1, &[]).await;
    let session = house.session().await;
    let config = br#"{"version":1,"config":{"retention.ms":"7000"}}"#;
    session.client().set_data("/config/topics/t", config, None).await.unwrap();
    let others = [zk::Acl::new(zk::Permission::ALL, zk::AuthId::new("ip", "192.0.2.1"))];
    let hidden = zk::CreateMode::PersistentSequential.with_acls(zk::Acls::new(&others));
    session.client().create("/config/changes/config_change_", b"{}", &hidden).await.unwrap();
    let retention = || server.broker().control.configs().topic("t").get(RETENTION_MS);
    until("what it may have said is in force", async || retention() == 7000).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn levels_of_the_log_are_described_and_changed_as_kip_412_has_it() {
    let applied = house::watched_loggers("info,zookeeper_client=error");
    let house = House::new().await;
    let server = house.start().await;
    let client = &mut Client::connect(&server).await;
    levels_are(client, &[("root", "INFO"), ("zookeeper_client", "ERROR"), ("vltava_broker.control", "INFO")])
        .await;
    assert_eq!(described(client, LOGGERS, "0", "kafka.server.KafkaApis").await, None);

    let all = [
        ("vltava_broker.control", SET, Some("DEBUG")),
        ("root", SET, Some("WARN")),
        ("zookeeper_client", DELETE, None),
    ];
    assert_eq!(alter(client, LOGGERS, "0", &all).await, (ErrorCode::None, String::new()));
    let filter = "warn,vltava_broker::control=debug";
    assert_eq!(*applied.lock(), filter);
    levels_are(client, &[("vltava_broker.control.controller", "DEBUG"), ("zookeeper_client", "WARN")]).await;

    for (resource, change, code, part) in MISTAKES {
        // What is right in the same request is not done either.
        let changes = [("vltava_log", SET, Some("TRACE")), *change];
        let (answer, message) = alter(client, LOGGERS, resource, &changes).await;
        assert_eq!(answer, *code, "{message}");
        assert!(message.contains(part), "{message}");
    }
    let only_checked = IncrementalAlterConfigsRequest {
        validate_only: true,
        ..alteration(LOGGERS, "0", &[("root", SET, Some("TRACE"))])
    };
    assert_eq!(client.ask(1, &only_checked, |answer| answer.responses[0].error_code).await, 0);
    let resource = alter_configs::AlterConfigsResource {
        resource_type: LOGGERS,
        resource_name: "0".into(),
        ..Default::default()
    };
    let old = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let refused = client.ask(2, &old, |answer| ErrorCode::of(answer.responses[0].error_code)).await;
    assert_eq!(refused, ErrorCode::InvalidRequest, "AlterConfigs would replace all levels");
    assert_eq!(*applied.lock(), filter, "nothing of that was done");
    server.stop().await;
}

async fn levels_are(client: &mut Client, expected: &[(&str, &str)]) {
    const DYNAMIC_BROKER_LOGGER: i8 = 6;
    for (logger, level) in expected {
        let found = described(client, LOGGERS, "0", logger).await;
        assert_eq!(found, Some(((*level).to_owned(), DYNAMIC_BROKER_LOGGER, false)), "{logger}");
    }
}

/// Changes of levels that are refused, and why.
const MISTAKES: &[(&str, Change<'static>, ErrorCode, &str)] = &[
    (
        "0",
        ("root", DELETE, None),
        ErrorCode::InvalidRequest,
        "Removing the log level of the root logger is not",
    ),
    (
        "0",
        ("root", APPEND, Some("INFO")),
        ErrorCode::InvalidRequest,
        "APPEND operation is not allowed for the",
    ),
    (
        "0",
        ("root", SET, Some("info")),
        ErrorCode::InvalidConfig,
        "are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
    ),
    (
        "0",
        ("kafka.server", SET, Some("INFO")),
        ErrorCode::InvalidConfig,
        "Logger kafka.server does not exist!",
    ),
    ("0", ("root", SET, None), ErrorCode::InvalidRequest, "Null value not supported for : root"),
    (
        "8",
        ("root", SET, Some("INFO")),
        ErrorCode::InvalidRequest,
        "Unexpected node id. Expected 0, but received 8",
    ),
    ("x", ("root", SET, Some("INFO")), ErrorCode::InvalidRequest, "Node id must be an integer, but it is: x"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_named_again_and_again_is_answered_once() {
    let house = House::new().await;
    let server = house.start().await;
    let client = &mut Client::connect(&server).await;
    let keys = vec!["num.io.threads".into(), "num.io.threads".into(), "no.such.key".into()];
    let resource = |keys| DescribeConfigsResource {
        resource_type: BROKER,
        resource_name: "0".into(),
        configuration_keys: Some(keys),
        ..Default::default()
    };
    let twice = vec![resource(keys.clone()), resource(keys)];
    let request = DescribeConfigsRequest { resources: twice, ..Default::default() };
    let counts = |results: &[vltava_protocol::messages::describe_configs::DescribeConfigsResult<'_>]| {
        results.iter().map(|result| result.configs.len()).collect::<Vec<_>>()
    };
    assert_eq!(client.ask(4, &request, |answer| counts(&answer.results)).await, [1]);
    let request = DescribeConfigsRequest { resources: vec![resource(vec![])], ..Default::default() };
    let all = client.ask(4, &request, |answer| counts(&answer.results)).await;
    assert!(all[0] > 200, "no keys are all keys, as in Kafka");

    let mut twice = alteration(BROKER, "", &[("num.io.threads", SET, Some("9"))]);
    twice.resources.push(twice.resources[0].clone());
    let refused = client.ask(1, &twice, |answer| {
        answer.responses.iter().map(|one| ErrorCode::of(one.error_code)).collect::<Vec<_>>()
    });
    assert_eq!(refused.await, [ErrorCode::InvalidRequest; 2], "Each resource must appear at most once.");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_partitions_are_bounded_for_a_request_and_not_for_each_of_its_topics() {
    let house = House::new().await;
    let server = house.start().await;
    let client = &mut Client::connect(&server).await;
    let topic = |name: &'static str| CreatableTopic {
        name: name.into(),
        num_partitions: 60_000,
        replication_factor: 1,
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic("half"), topic("other-half")],
        validate_only: true,
        timeout_ms: 20_000,
        ..Default::default()
    };
    let answers = client.ask(7, &request, |answer| {
        answer.topics.iter().map(|topic| ErrorCode::of(topic.error_code)).collect::<Vec<_>>()
    });
    assert_eq!(answers.await, [ErrorCode::None, ErrorCode::InvalidPartitions]);
    server.stop().await;
}
