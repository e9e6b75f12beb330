//! What administrators and clients ask of a whole broker over the embedded ZooKeeper: metadata, topics, coordinators and configuration, through the real codec.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use vltava_broker::{
    Broker,
    api::Dispatcher,
    control::{Control, MetadataCache, ServingMember, StoredIdentity},
    groups::Groups,
    metrics::Metrics,
    net::{ConnectionInfo, Frame, Piece, Principal, Service},
    partitions::{FileWork, Replicas, Setup, Storage, Surroundings, fetch_sessions::Limits, now_ms},
};
use vltava_cluster::controller::Endpoint;
use vltava_log::LogDirs;
use vltava_protocol::{
    ErrorCode, Message,
    frame::{decode_response, encode_request},
    messages::{
        AlterConfigsRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
        DescribeClusterRequest, DescribeConfigsRequest, DescribeTopicPartitionsRequest,
        FindCoordinatorRequest, IncrementalAlterConfigsRequest, MetadataRequest, alter_configs,
        create_partitions::CreatePartitionsTopic,
        create_topics::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig},
        delete_topics::DeleteTopicState,
        describe_configs::DescribeConfigsResource,
        describe_topic_partitions::{Cursor, DescribeTopicPartitionsResponseTopic},
        incremental_alter_configs,
        metadata::MetadataRequestTopic,
    },
    wire::Request,
};
use vltava_settings::{BrokerConfig, Properties, topic as topic_keys};
use vltava_zookeeper::{Server, ZooKeeperConfig};

const PATIENCE: Duration = Duration::from_secs(30);
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// A broker that has joined, its ZooKeeper and its directory.
struct House {
    broker: Arc<Broker>,
    dispatcher: Dispatcher,
    _server: Server,
    _directory: tempfile::TempDir,
}

impl House {
    async fn new(more: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!("dataDir={}\nclientPort=0\n", directory.path().join("zookeeper").display());
        let (mut config, _) = ZooKeeperConfig::from_properties(&text).expect("a configuration");
        config.client_address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let server = Server::start(config).await.expect("a server");
        let text = format!("broker.id=7\nzookeeper.connect={}\n{more}\n", server.local_addr());
        let properties = Properties::parse(&text, "server.properties").expect("properties");
        let config =
            BrokerConfig::from_properties(&properties, &Properties::default()).expect("a configuration");
        let control =
            Control::connect(Arc::new(config.clone()), &StoredIdentity::default()).await.expect("connected");
        let logs = directory.path().join("logs");
        std::fs::create_dir(&logs).expect("a directory");
        let storage = Storage::new(LogDirs::open(&[logs], 1000, 86_400_000).expect("directories"));
        let configs = control.configs().clone();
        storage.load(1, &|partition| configs.partition_settings(&partition.topic).log, now_ms());
        let metrics = Arc::new(Metrics::default());
        let replicas = Replicas::new(Setup {
            surroundings: Surroundings {
                broker_id: 7,
                replica_lag_ms: 30_000,
                fetch_max_bytes: 55 << 20,
                files: FileWork::new(1, 16),
                proposals: vltava_broker::partitions::Proposals::default(),
                high_watermark_moved: Default::default(),
            },
            storage,
            sessions: Limits::default(),
            configs: Box::new(move |topic| configs.partition_settings(topic)),
            metrics: metrics.clone(),
        });
        let (metadata, groups) = (MetadataCache::default(), Groups::new(&config));
        let broker = Arc::new(Broker {
            id: 7,
            config,
            replicas,
            cleaners: Default::default(),
            metadata,
            control,
            groups,
            metrics,
        });
        let endpoint = Endpoint {
            listener: "PLAINTEXT".into(),
            host: "kafka.local".into(),
            port: 9092,
            security_protocol: 0,
        };
        let member = ServingMember::new(broker.clone(), |_| {});
        broker.control.join(Arc::new(member), vec![endpoint]).await.expect("joined");
        broker.metadata.wait_for(PATIENCE, |now| now.is_initialized().then_some(())).await.expect("told");
        let mut status = broker.control.controller_status();
        let active = status.wait_for(|status| status.active);
        let _ = tokio::time::timeout(PATIENCE, active).await.expect("in time").expect("the controller");
        Self { dispatcher: Dispatcher::new(broker.clone()), broker, _server: server, _directory: directory }
    }

    async fn ask<'a, R: Request + Message<'a>, T>(
        &self,
        version: i16,
        body: &R,
        see: impl FnOnce(R::Response<'_>) -> T,
    ) -> T {
        let frame = encode_request(42, Some("test"), version, body).expect("a request");
        let mut connection = ConnectionInfo {
            id: 1,
            listener: "PLAINTEXT".into(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            principal: Principal::anonymous(),
            client_id: None,
        };
        let answer = self.dispatcher.begin(&mut connection, Frame::from(Bytes::from(frame).slice(4..))).0;
        let response = tokio::time::timeout(PATIENCE, answer.response()).await.expect("no answer");
        let mut bytes = Vec::new();
        for piece in response.pieces() {
            let Piece::Bytes(more) = piece else { panic!("no answer of these has files") };
            bytes.extend_from_slice(more);
        }
        let (correlation, response) = decode_response::<R>(&bytes[4..], version).expect("a response");
        assert_eq!(correlation, 42);
        see(response)
    }

    async fn create(&self, topic: CreatableTopic<'_>) -> (i16, String) {
        let body = CreateTopicsRequest { topics: vec![topic], timeout_ms: 20_000, ..Default::default() };
        self.ask(7, &body, |response| {
            let result = &response.topics[0];
            (result.error_code, result.error_message.as_deref().unwrap_or_default().to_owned())
        })
        .await
    }

    /// Error, partitions and the first leader of one topic.
    async fn metadata(&self, version: i16, topic: &str) -> (i16, usize, Option<i32>) {
        let name = Some(topic.into());
        let topics = Some(vec![MetadataRequestTopic { name, ..Default::default() }]);
        let body = MetadataRequest { topics, ..Default::default() };
        self.ask(version, &body, |response| {
            let topic = &response.topics[0];
            (
                topic.error_code,
                topic.partitions.len(),
                topic.partitions.first().map(|partition| partition.leader_id),
            )
        })
        .await
    }

    async fn described(&self, kind: i8, name: &str, key: &str) -> Option<(Option<String>, i8, bool)> {
        let resource = DescribeConfigsResource {
            resource_type: kind,
            resource_name: name.into(),
            configuration_keys: Some(vec![key.into()]),
            ..Default::default()
        };
        let body = DescribeConfigsRequest {
            resources: vec![resource],
            include_synonyms: true,
            ..Default::default()
        };
        self.ask(4, &body, |response| {
            let result = &response.results[0];
            assert_eq!(result.error_code, 0, "{:?}", result.error_message);
            let config = result.configs.first()?;
            Some((config.value.as_deref().map(str::to_owned), config.config_source, config.read_only))
        })
        .await
    }
}

fn topic(name: &str, partitions: i32, factor: i16) -> CreatableTopic<'_> {
    CreatableTopic {
        name: name.into(),
        num_partitions: partitions,
        replication_factor: factor,
        ..Default::default()
    }
}

fn code(error: ErrorCode) -> i16 {
    error.into()
}

#[tokio::test]
async fn a_topic_comes_to_be_when_a_client_asks_for_it_in_any_version() {
    let house = House::new("num.partitions=2").await;
    for version in 0..=13 {
        let name = format!("asked-for-{version}");
        assert_eq!(
            house.metadata(version, &name).await,
            (code(ErrorCode::LeaderNotAvailable), 0, None),
            "{version}"
        );
        let made = house.broker.metadata.wait_for(PATIENCE, |now| now.topic(&name).map(|_| ()));
        made.await.unwrap_or_else(|| panic!("{name} is not made"));
        assert_eq!(house.metadata(version, &name).await, (0, 2, Some(7)), "{version}");
    }
    // Not when it is not wanted, and never under such a name.
    let unwanted = MetadataRequest {
        topics: Some(vec![MetadataRequestTopic { name: Some("unwanted".into()), ..Default::default() }]),
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let error = house.ask(4, &unwanted, |response| response.topics[0].error_code).await;
    assert_eq!(error, code(ErrorCode::UnknownTopicOrPartition));
    assert_eq!(house.metadata(1, "no such name").await.0, code(ErrorCode::InvalidTopic));
    // All topics, and none.
    for (version, topics, count) in
        [(0, Some(vec![]), 14), (1, Some(vec![]), 0), (1, None, 14), (13, None, 14)]
    {
        let body = MetadataRequest { topics, ..Default::default() };
        let seen = house
            .ask(version, &body, |response| {
                let brokers: Vec<_> =
                    response.brokers.iter().map(|b| (b.node_id, b.host.to_string(), b.port)).collect();
                assert_eq!(brokers, [(7, "kafka.local".to_owned(), 9092)]);
                response.topics.len()
            })
            .await;
        assert_eq!(seen, count, "{version}");
    }
    house.broker.control.leave().await;
}

#[tokio::test]
async fn the_topic_of_transactions_is_made_as_kafka_makes_it() {
    let house =
        House::new("transaction.state.log.num.partitions=2\ntransaction.state.log.segment.bytes=1048576")
            .await;
    assert_eq!(house.metadata(5, "__transaction_state").await.0, code(ErrorCode::LeaderNotAvailable));
    let made = house
        .broker
        .metadata
        .wait_for(PATIENCE, |now| Some(now.topic("__transaction_state")?.partitions.len()));
    assert_eq!(made.await, Some(2));
    let entity = vltava_broker::control::znodes::Entity::Topic("__transaction_state".into());
    let overrides = house.broker.control.overrides(&entity).await.expect("read");
    let expected = [
        ("cleanup.policy", "compact"),
        ("compression.type", "uncompressed"),
        ("min.insync.replicas", "1"),
        ("segment.bytes", "1048576"),
        ("unclean.leader.election.enable", "false"),
    ];
    assert_eq!(overrides, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    house.broker.control.leave().await;
}

#[tokio::test]
async fn coordinators_are_found_once_the_offsets_topic_is_there() {
    let house = House::new("offsets.topic.num.partitions=3\noffsets.topic.replication.factor=1").await;
    let old = FindCoordinatorRequest { key: "group".into(), ..Default::default() };
    let first = house.ask(0, &old, |response| response.error_code).await;
    assert_eq!(first, code(ErrorCode::CoordinatorNotAvailable));
    let made = house.broker.metadata.wait_for(PATIENCE, |now| {
        (now.topic("__consumer_offsets")?.partitions.values().filter(|p| p.leader >= 0).count() == 3)
            .then_some(())
    });
    made.await.expect("__consumer_offsets is made");
    assert!(house.broker.control.configs().topic("__consumer_offsets").is_compacted());
    for version in 0..=3 {
        let found = house.ask(version, &old, |r| (r.error_code, r.node_id, r.host.to_string(), r.port)).await;
        assert_eq!(found, (0, 7, "kafka.local".to_owned(), 9092), "{version}");
    }
    for version in 4..=6 {
        let new =
            FindCoordinatorRequest { coordinator_keys: vec!["a".into(), "b".into()], ..Default::default() };
        let found: Vec<_> = house
            .ask(version, &new, |r| {
                r.coordinators.iter().map(|c| (c.key.to_string(), c.error_code, c.node_id)).collect()
            })
            .await;
        assert_eq!(found, [("a".to_owned(), 0, 7), ("b".to_owned(), 0, 7)], "{version}");
    }
    let transaction = FindCoordinatorRequest { key: "t".into(), key_type: 1, ..Default::default() };
    let refused = house.ask(1, &transaction, |response| response.error_code).await;
    assert_eq!(refused, code(ErrorCode::UnsupportedVersion), "no client asks again for ever");
    house.broker.control.leave().await;
}

#[tokio::test]
async fn a_coordinator_is_not_available_while_its_topic_has_too_few_brokers() {
    let house = House::new("offsets.topic.replication.factor=3").await;
    let body = FindCoordinatorRequest { key: "group".into(), ..Default::default() };
    let error = house.ask(1, &body, |response| response.error_code).await;
    assert_eq!(error, code(ErrorCode::CoordinatorNotAvailable));
    assert!(house.broker.metadata.snapshot().topic("__consumer_offsets").is_none());
    house.broker.control.leave().await;
}

#[tokio::test]
async fn topics_are_created_as_asked_or_refused_in_kafkas_words() {
    let house = House::new("num.partitions=4").await;
    let config = |name: &'static str, value: Option<&'static str>| {
        vec![CreatableTopicConfig { name: name.into(), value: value.map(Into::into), ..Default::default() }]
    };
    let assignment = |index: i32, ids: &[i32]| CreatableReplicaAssignment {
        partition_index: index,
        broker_ids: ids.to_vec(),
        ..Default::default()
    };
    assert_eq!(house.create(topic("a.b", -1, -1)).await, (0, String::new()));
    assert_eq!(house.metadata(9, "a.b").await, (0, 4, Some(7)), "usable at once, with the broker's defaults");
    let chosen = CreatableTopic {
        assignments: vec![assignment(1, &[7]), assignment(0, &[7])],
        ..topic("chosen", -1, -1)
    };
    assert_eq!(house.create(chosen).await.0, 0);
    let cases = [
        (topic("a.b", 1, 1), ErrorCode::TopicAlreadyExists, "Topic 'a.b' already exists."),
        (topic("a_b", 1, 1), ErrorCode::InvalidTopic, "Topic 'a_b' collides with existing topics: a.b"),
        (topic("c", 0, 1), ErrorCode::InvalidPartitions, "Number of partitions must be larger than 0."),
        (topic("c", 1, 0), ErrorCode::InvalidReplicationFactor, "Replication factor must be larger than 0."),
        (
            topic("c", 1, 2),
            ErrorCode::InvalidReplicationFactor,
            "Replication factor: 2 larger than available brokers: 1.",
        ),
        (
            CreatableTopic { configs: config("retention.ms", None), ..topic("c", 1, 1) },
            ErrorCode::InvalidConfig,
            "Null value not supported for topic configs: retention.ms",
        ),
        (
            CreatableTopic { configs: config("no.such.key", Some("1")), ..topic("c", 1, 1) },
            ErrorCode::InvalidConfig,
            "Unknown topic config name: no.such.key",
        ),
        (
            CreatableTopic { assignments: vec![assignment(0, &[9])], ..topic("c", -1, -1) },
            ErrorCode::InvalidReplicaAssignment,
            "Unknown broker(s) in replica assignment: 9.",
        ),
        (
            CreatableTopic { assignments: vec![assignment(1, &[7])], ..topic("c", -1, -1) },
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        ),
    ];
    for (topic, error, message) in cases {
        let name = topic.name.to_string();
        assert_eq!(house.create(topic).await, (code(error), message.to_owned()), "{name}");
    }
    let body = CreateTopicsRequest {
        topics: vec![topic("dry", 3, 1)],
        timeout_ms: 1000,
        validate_only: true,
        ..Default::default()
    };
    for version in 1..=7 {
        let result = house
            .ask(version, &body, |r| {
                (
                    r.topics[0].error_code,
                    r.topics[0].num_partitions,
                    r.topics[0].configs.as_ref().map(Vec::len),
                )
            })
            .await;
        let expected =
            if version < 5 { (0, -1, Some(0)) } else { (0, 3, result.2.filter(|count| *count > 20)) };
        assert_eq!(result, expected, "{version}");
    }
    assert!(house.broker.metadata.snapshot().topic("dry").is_none());
    house.broker.control.leave().await;
}

#[tokio::test]
async fn topics_grow_and_go() {
    let house = House::new("").await;
    assert_eq!(house.create(topic("t", 1, 1)).await.0, 0);
    let grow = |count: i32| CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: "t".into(),
            count,
            assignments: None,
            ..Default::default()
        }],
        timeout_ms: 20_000,
        ..Default::default()
    };
    for version in 0..=3 {
        let error = house.ask(version, &grow(i32::from(version) + 2), |r| r.results[0].error_code).await;
        assert_eq!((error, house.metadata(5, "t").await.1), (0, version as usize + 2));
    }
    let error = house.ask(3, &grow(5), |r| r.results[0].error_message.as_deref().map(str::to_owned)).await;
    assert_eq!(error.as_deref(), Some("Topic already has 5 partitions."));
    let error = house.ask(3, &grow(2), |r| r.results[0].error_message.as_deref().map(str::to_owned)).await;
    assert_eq!(
        error.as_deref(),
        Some("Topic currently has 5 partitions, which is higher than the requested 2.")
    );

    let delete = |name: &'static str| DeleteTopicsRequest {
        topic_names: vec![name.into()],
        timeout_ms: 20_000,
        ..Default::default()
    };
    for version in 0..=5 {
        let error = house.ask(version, &delete("never"), |r| r.responses[0].error_code).await;
        assert_eq!(error, code(ErrorCode::UnknownTopicOrPartition), "{version}");
    }
    assert_eq!(house.ask(1, &delete("t"), |r| r.responses[0].error_code).await, 0);
    assert!(house.broker.metadata.snapshot().topic("t").is_none());
    // The name is free when the controller has cleared its znodes.
    let free = async {
        while house.broker.control.assignment("t").await.expect("read").is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("deleted");
    assert_eq!(house.create(topic("t", 1, 1)).await.0, 0);
    let id = house.broker.metadata.snapshot().topic("t").expect("made again").id;
    let by_id = DeleteTopicsRequest {
        topics: vec![DeleteTopicState { topic_id: id, ..Default::default() }],
        timeout_ms: 20_000,
        ..Default::default()
    };
    let answer = house
        .ask(6, &by_id, |r| (r.responses[0].error_code, r.responses[0].name.as_deref().map(str::to_owned)))
        .await;
    assert_eq!(answer, (0, Some("t".to_owned())));
    assert_eq!(house.ask(6, &by_id, |r| r.responses[0].error_code).await, code(ErrorCode::UnknownTopicId));
    house.broker.control.leave().await;
}

#[tokio::test]
async fn configuration_is_described_altered_and_obeyed() {
    let house = House::new("log.retention.ms=3600000").await;
    assert_eq!(house.create(topic("t", 1, 1)).await.0, 0);
    const TOPIC_SOURCE: i8 = 1;
    const STATIC: i8 = 4;
    let hour = Some("3600000".to_owned());
    assert_eq!(house.described(TOPIC, "t", "retention.ms").await, Some((hour.clone(), STATIC, false)));
    let alter = |pairs: &[(&'static str, &'static str)]| AlterConfigsRequest {
        resources: vec![alter_configs::AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: "t".into(),
            configs: pairs
                .iter()
                .map(|&(name, value)| alter_configs::AlterableConfig {
                    name: name.into(),
                    value: Some(value.into()),
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        }],
        ..Default::default()
    };
    for version in 0..=2 {
        let body = alter(&[("retention.ms", "5000"), ("segment.ms", "6000")]);
        assert_eq!(house.ask(version, &body, |r| r.responses[0].error_code).await, 0, "{version}");
    }
    let retention = || house.broker.control.configs().topic("t").get(topic_keys::RETENTION_MS);
    assert_eq!(retention(), 5000, "in effect when the answer comes");
    assert_eq!(
        house.described(TOPIC, "t", "retention.ms").await,
        Some((Some("5000".into()), TOPIC_SOURCE, false))
    );
    assert_eq!(house.ask(0, &alter(&[("segment.ms", "7000")]), |r| r.responses[0].error_code).await, 0);
    assert_eq!(retention(), 3_600_000, "AlterConfigs replaces all");
    let wrong = house.ask(0, &alter(&[("retention.ms", "soon")]), |r| r.responses[0].error_code).await;
    assert_eq!(wrong, code(ErrorCode::InvalidConfig));

    let incremental =
        |kind: i8, name: &'static str, key: &'static str, operation: i8, value: Option<&'static str>| {
            IncrementalAlterConfigsRequest {
                resources: vec![incremental_alter_configs::AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name.into(),
                    configs: vec![incremental_alter_configs::AlterableConfig {
                        name: key.into(),
                        config_operation: operation,
                        value: value.map(Into::into),
                        ..Default::default()
                    }],
                    ..Default::default()
                }],
                ..Default::default()
            }
        };
    for (kind, name, key, operation, value) in [
        (TOPIC, "t", "retention.ms", 0, Some("8000")),
        (TOPIC, "t", "cleanup.policy", 2, Some("compact")),
        (TOPIC, "t", "segment.ms", 1, None),
        (BROKER, "7", "log.retention.ms", 0, Some("9000")),
        (BROKER, "", "log.segment.bytes", 0, Some("1048576")),
    ] {
        for version in 0..=1 {
            let body = incremental(kind, name, key, operation, value);
            let answer = house.ask(version, &body, |r| {
                (r.responses[0].error_code, format!("{:?}", r.responses[0].error_message))
            });
            assert_eq!(answer.await, (0, "None".to_owned()), "{key}");
        }
    }
    let overrides: BTreeMap<String, String> = house
        .broker
        .control
        .overrides(&vltava_broker::control::znodes::Entity::Topic("t".into()))
        .await
        .expect("read");
    let expected = [("cleanup.policy", "delete,compact"), ("retention.ms", "8000")];
    assert_eq!(overrides, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    assert_eq!(house.described(BROKER, "7", "log.retention.ms").await, Some((Some("9000".into()), 2, false)));
    assert_eq!(
        house.described(BROKER, "", "log.segment.bytes").await,
        Some((Some("1048576".into()), 3, false))
    );
    assert_eq!(house.broker.control.configs().topic("t").get(topic_keys::SEGMENT_BYTES), 1_048_576);
    let other = house
        .ask(0, &incremental(BROKER, "8", "log.retention.ms", 0, Some("1")), |r| r.responses[0].error_code)
        .await;
    assert_eq!(other, code(ErrorCode::InvalidRequest));
    house.broker.control.leave().await;
}

#[tokio::test]
async fn partitions_are_described_page_by_page_and_the_cluster_whole() {
    let house = House::new("").await;
    for name in ["a", "b"] {
        assert_eq!(house.create(topic(name, 3, 1)).await.0, 0);
    }
    let mut cursor: Option<(String, i32)> = None;
    let mut pages = Vec::new();
    loop {
        let body = DescribeTopicPartitionsRequest {
            response_partition_limit: 2,
            cursor: cursor.take().map(|(topic, partition_index)| Cursor {
                topic_name: topic.into(),
                partition_index,
                ..Default::default()
            }),
            ..Default::default()
        };
        let (page, next) = house
            .ask(0, &body, |response| {
                let operations =
                    |topic: &DescribeTopicPartitionsResponseTopic<'_>| topic.topic_authorized_operations;
                assert!(response.topics.iter().map(operations).all(|all| all == 0b1101_1111_1000));
                let page: Vec<String> = response
                    .topics
                    .iter()
                    .flat_map(|topic| {
                        let name = topic.name.as_deref().unwrap_or_default();
                        topic
                            .partitions
                            .iter()
                            .map(move |partition| format!("{name}{}", partition.partition_index))
                    })
                    .collect();
                (page, response.next_cursor.map(|next| (next.topic_name.to_string(), next.partition_index)))
            })
            .await;
        pages.push(page.join(" "));
        let Some(next) = next else { break };
        cursor = Some(next);
    }
    assert_eq!(pages, ["a0 a1", "a2 b0", "b1 b2"]);
    for version in 0..=2 {
        let seen = house
            .ask(version, &DescribeClusterRequest::default(), |r| {
                (r.cluster_id.len(), r.controller_id, r.brokers.len())
            })
            .await;
        assert_eq!(seen, (22, 7, 1));
    }
    house.broker.control.leave().await;
}
