//! What administrators ask, in every version that is advertised: a request that means something, and an answer that is looked at field by field where versions
//! differ. Produce, Fetch and ListOffsets are in `data/`, the group protocol in `groups.rs`.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use house::{Client, House, until};
use vltava_broker::api;
use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        AlterConfigsRequest, ApiVersionsRequest, CreatePartitionsRequest, CreateTopicsRequest,
        DeleteRecordsRequest, DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest,
        DescribeLogDirsRequest, DescribeTopicPartitionsRequest, ElectLeadersRequest, FindCoordinatorRequest,
        IncrementalAlterConfigsRequest, InitProducerIdRequest, ListPartitionReassignmentsRequest,
        MetadataRequest, OffsetForLeaderEpochRequest, alter_configs,
        create_partitions::CreatePartitionsTopic,
        create_topics::CreatableTopic,
        delete_records::{DeleteRecordsPartition, DeleteRecordsTopic},
        delete_topics::DeleteTopicState,
        describe_configs::DescribeConfigsResource,
        describe_log_dirs::DescribableLogDirTopic,
        describe_topic_partitions::TopicRequest,
        elect_leaders::TopicPartitions,
        incremental_alter_configs,
        metadata::MetadataRequestTopic,
        offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic},
    },
    wire::Request,
};

/// The advertised versions of a request's API.
fn versions<R: Request>() -> std::ops::RangeInclusive<i16> {
    let versions = api::find(R::KEY).unwrap_or_else(|| panic!("{} is not served", R::KEY)).versions;
    versions.first..=versions.last
}

async fn topic_id(client: &mut Client, name: &str) -> Option<Uuid> {
    let all = MetadataRequest { topics: None, ..MetadataRequest::default() };
    let of = |topic: &vltava_protocol::messages::metadata::MetadataResponseTopic<'_>| {
        topic.name.as_deref() == Some(name)
    };
    client
        .ask(12, &all, |answer| answer.topics.iter().find(|topic| of(topic)).map(|topic| topic.topic_id))
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_life_of_a_topic_in_every_version() {
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    for version in versions::<CreateTopicsRequest<'_>>() {
        let name = format!("created-{version}");
        let topic = CreatableTopic {
            name: name.as_str().into(),
            num_partitions: 2,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        client
            .ask(version, &request, |answer| {
                let topic = &answer.topics[0];
                assert_eq!((&*topic.name, topic.error_code), (&*name, 0), "CreateTopics {version}");
                if version >= 5 {
                    assert_eq!(
                        (topic.num_partitions, topic.replication_factor),
                        (2, 1),
                        "CreateTopics {version}"
                    );
                    let configs = topic.configs.as_ref().expect("settings are told");
                    assert!(
                        configs.iter().any(|config| config.name == "retention.ms"),
                        "CreateTopics {version}"
                    );
                }
                assert_eq!(topic.topic_id.is_zero(), version < 7, "CreateTopics {version}");
            })
            .await;
        let again = client.ask(version, &request, |answer| ErrorCode::of(answer.topics[0].error_code)).await;
        assert_eq!(again, ErrorCode::TopicAlreadyExists, "CreateTopics {version}");
    }
    for version in versions::<MetadataRequest<'_>>() {
        let topic = MetadataRequestTopic { name: Some("created-0".into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: true,
            include_topic_authorized_operations: (8..).contains(&version),
            ..Default::default()
        };
        let cluster = server.broker().control.cluster_id().to_owned();
        client
            .ask(version, &request, |answer| {
                let (broker, topic) = (&answer.brokers[0], &answer.topics[0]);
                assert_eq!((broker.node_id, &*broker.host), (0, "127.0.0.1"), "Metadata {version}");
                assert_eq!(broker.port, i32::from(server.listeners()[0].1.port()), "Metadata {version}");
                assert_eq!(answer.controller_id, if version >= 1 { 0 } else { -1 }, "Metadata {version}");
                let cluster = Some(cluster.as_str()).filter(|_| version >= 2);
                assert_eq!(answer.cluster_id.as_deref(), cluster, "Metadata {version}");
                assert_eq!((topic.error_code, topic.partitions.len()), (0, 2), "Metadata {version}");
                assert_eq!(topic.topic_id.is_zero(), version < 10, "Metadata {version}");
                assert_eq!(topic.topic_authorized_operations == i32::MIN, version < 8, "Metadata {version}");
                let partition = &topic.partitions[0];
                let epoch = if version >= 7 { 0 } else { -1 };
                assert_eq!((partition.leader_id, partition.leader_epoch), (0, epoch), "Metadata {version}");
                assert_eq!((&*partition.replica_nodes, &*partition.isr_nodes), (&[0][..], &[0][..]));
            })
            .await;
    }
    for version in versions::<CreatePartitionsRequest<'_>>() {
        let count = 3 + i32::from(version);
        let grown = CreatePartitionsTopic {
            name: "created-1".into(),
            count,
            assignments: None,
            ..Default::default()
        };
        let request =
            CreatePartitionsRequest { topics: vec![grown], timeout_ms: 30_000, ..Default::default() };
        let code = client.ask(version, &request, |answer| answer.results[0].error_code).await;
        assert_eq!(code, 0, "CreatePartitions {version}");
        client.until_led("created-1", count).await;
        let again = client.ask(version, &request, |answer| ErrorCode::of(answer.results[0].error_code)).await;
        assert_eq!(again, ErrorCode::InvalidPartitions, "CreatePartitions {version}");
    }
    for version in versions::<DeleteTopicsRequest<'_>>() {
        let name = format!("created-{version}");
        let id = topic_id(&mut client, &name).await.unwrap();
        // The last version may name the id alone.
        let state = DeleteTopicState { name: None, topic_id: id, ..Default::default() };
        let request = DeleteTopicsRequest {
            topics: if version >= 6 { vec![state] } else { vec![] },
            topic_names: if version < 6 { vec![name.as_str().into()] } else { vec![] },
            timeout_ms: 30_000,
            ..Default::default()
        };
        client
            .ask(version, &request, |answer| {
                let deleted = &answer.responses[0];
                assert_eq!(
                    (deleted.name.as_deref(), deleted.error_code),
                    (Some(&*name), 0),
                    "DeleteTopics {version}"
                );
                assert_eq!(deleted.topic_id, if version >= 6 { id } else { Uuid::default() });
            })
            .await;
        until("it is gone", async || topic_id(&mut client, &name).await.is_none()).await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_directories_epochs_and_producers_in_every_version() {
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    client.create("orders", 1, &[]).await;
    client.produce("orders", 0, &["0", "1", "2", "3", "4", "5"]).await.unwrap();
    for version in versions::<OffsetForLeaderEpochRequest<'_>>() {
        let partition = OffsetForLeaderPartition { partition: 0, leader_epoch: 0, ..Default::default() };
        let topic = OffsetForLeaderTopic {
            topic: "orders".into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request =
            OffsetForLeaderEpochRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        client
            .ask(version, &request, |answer| {
                let end = &answer.topics[0].partitions[0];
                let epoch = if version >= 1 { 0 } else { -1 };
                assert_eq!(
                    (end.error_code, end.leader_epoch, end.end_offset),
                    (0, epoch, 6),
                    "epochs {version}"
                );
            })
            .await;
    }
    for version in versions::<DeleteRecordsRequest<'_>>() {
        let offset = i64::from(version) + 1;
        let partition = DeleteRecordsPartition { partition_index: 0, offset, ..Default::default() };
        let topic =
            DeleteRecordsTopic { name: "orders".into(), partitions: vec![partition], ..Default::default() };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 30_000, ..Default::default() };
        let answered = client
            .ask(version, &request, |answer| {
                let partition = &answer.topics[0].partitions[0];
                (partition.low_watermark, partition.error_code)
            })
            .await;
        assert_eq!(answered, (offset, 0), "DeleteRecords {version}");
    }
    for version in versions::<DescribeLogDirsRequest<'_>>() {
        let topic =
            DescribableLogDirTopic { topic: "orders".into(), partitions: vec![0], ..Default::default() };
        let request = DescribeLogDirsRequest { topics: Some(vec![topic]), ..Default::default() };
        client
            .ask(version, &request, |answer| {
                let dir = &answer.results[0];
                assert_eq!(&*dir.log_dir, house.log_dir().to_str().unwrap(), "DescribeLogDirs {version}");
                assert_eq!(
                    dir.total_bytes > 0 && dir.usable_bytes > 0,
                    version >= 4,
                    "DescribeLogDirs {version}"
                );
                let partition = &dir.topics[0].partitions[0];
                assert!(
                    partition.partition_size > 0 && !partition.is_future_key,
                    "DescribeLogDirs {version}"
                );
            })
            .await;
    }
    let mut given = std::collections::BTreeSet::new();
    for version in versions::<InitProducerIdRequest<'_>>() {
        let request = InitProducerIdRequest {
            transactional_id: None,
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        let (code, id, epoch) = client
            .ask(version, &request, |answer| (answer.error_code, answer.producer_id, answer.producer_epoch))
            .await;
        assert_eq!((code, epoch), (0, 0), "InitProducerId {version}");
        assert!(given.insert(id), "InitProducerId {version} gives {id} again");
    }
    for version in versions::<FindCoordinatorRequest<'_>>() {
        let several = version >= 4;
        let request = FindCoordinatorRequest {
            key: if several { "".into() } else { "readers".into() },
            coordinator_keys: if several { vec!["readers".into(), "writers".into()] } else { vec![] },
            ..Default::default()
        };
        let port = i32::from(server.listeners()[0].1.port());
        client.until_coordinated("readers").await;
        client
            .ask(version, &request, |answer| {
                if several {
                    let keys: Vec<&str> = answer.coordinators.iter().map(|found| &*found.key).collect();
                    assert_eq!(keys, ["readers", "writers"], "FindCoordinator {version}");
                    let found = &answer.coordinators[0];
                    assert_eq!((found.error_code, found.node_id, found.port), (0, 0, port));
                } else {
                    assert_eq!((answer.error_code, answer.node_id, answer.port), (0, 0, port), "{version}");
                    assert_eq!(&*answer.host, "127.0.0.1");
                }
            })
            .await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn configuration_in_every_version() {
    const TOPIC: i8 = 2;
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    client.create("orders", 1, &[]).await;
    for version in versions::<AlterConfigsRequest<'_>>() {
        let value = format!("{}", 100_000 + i32::from(version));
        let config = alter_configs::AlterableConfig {
            name: "retention.ms".into(),
            value: Some(value.as_str().into()),
            ..Default::default()
        };
        let resource = alter_configs::AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: "orders".into(),
            configs: vec![config],
            ..Default::default()
        };
        let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
        client
            .ask(version, &request, |answer| {
                let done = &answer.responses[0];
                assert_eq!((done.error_code, done.resource_type, &*done.resource_name), (0, TOPIC, "orders"));
            })
            .await;
    }
    for version in versions::<IncrementalAlterConfigsRequest<'_>>() {
        let config = incremental_alter_configs::AlterableConfig {
            name: "cleanup.policy".into(),
            config_operation: if version == 0 { 2 } else { 3 },
            value: Some("compact".into()),
            ..Default::default()
        };
        let resource = incremental_alter_configs::AlterConfigsResource {
            resource_type: TOPIC,
            resource_name: "orders".into(),
            configs: vec![config],
            ..Default::default()
        };
        let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
        assert_eq!(
            client.ask(version, &request, |answer| answer.responses[0].error_code).await,
            0,
            "{version}"
        );
    }
    for version in versions::<DescribeConfigsRequest<'_>>() {
        let resource = DescribeConfigsResource {
            resource_type: TOPIC,
            resource_name: "orders".into(),
            configuration_keys: Some(vec![
                "retention.ms".into(),
                "cleanup.policy".into(),
                "segment.ms".into(),
            ]),
            ..Default::default()
        };
        let request = DescribeConfigsRequest {
            resources: vec![resource],
            include_synonyms: version >= 1,
            include_documentation: version >= 3,
            ..Default::default()
        };
        client
            .ask(version, &request, |answer| {
                let result = &answer.results[0];
                assert_eq!(result.error_code, 0, "DescribeConfigs {version}");
                let find = |name: &str| result.configs.iter().find(|config| config.name == name).unwrap();
                let (own, default) = (find("retention.ms"), find("segment.ms"));
                assert_eq!(own.value.as_deref(), Some("100002"), "DescribeConfigs {version}");
                assert_eq!(
                    find("cleanup.policy").value.as_deref(),
                    Some("delete"),
                    "appended, then subtracted"
                );
                if version == 0 {
                    assert!(!own.is_default && default.is_default, "DescribeConfigs {version}");
                } else {
                    // 1 is the topic's own, 5 the default.
                    assert_eq!(
                        (own.config_source, default.config_source),
                        (1, 5),
                        "DescribeConfigs {version}"
                    );
                    assert_eq!(own.synonyms[0].source, 1, "DescribeConfigs {version}");
                }
                assert_eq!(own.config_type, if version >= 3 { 5 } else { 0 }, "DescribeConfigs {version}");
                let documented = own.documentation.as_deref().is_some_and(|text| !text.is_empty());
                assert_eq!(documented, version >= 3, "DescribeConfigs {version}");
            })
            .await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cluster_and_its_leaders_in_every_version() {
    let house = House::new().await;
    let server = house.start().await;
    let cluster = server.broker().control.cluster_id().to_owned();
    let mut client = Client::connect(&server).await;
    client.create("orders", 2, &[]).await;
    for version in versions::<DescribeClusterRequest>() {
        let request = DescribeClusterRequest {
            include_cluster_authorized_operations: true,
            endpoint_type: 1,
            ..Default::default()
        };
        client
            .ask(version, &request, |answer| {
                assert_eq!((answer.error_code, &*answer.cluster_id, answer.controller_id), (0, &*cluster, 0));
                assert_eq!(answer.brokers.len(), 1, "DescribeCluster {version}");
                assert!(answer.cluster_authorized_operations > 0, "DescribeCluster {version}");
            })
            .await;
    }
    for version in versions::<DescribeTopicPartitionsRequest<'_>>() {
        let topic = TopicRequest { name: "orders".into(), ..Default::default() };
        let request = DescribeTopicPartitionsRequest {
            topics: vec![topic],
            response_partition_limit: 1,
            ..Default::default()
        };
        client
            .ask(version, &request, |answer| {
                assert_eq!(answer.topics[0].partitions.len(), 1, "as many as the client takes");
                let cursor = answer.next_cursor.as_ref().unwrap();
                assert_eq!((&*cursor.topic_name, cursor.partition_index), ("orders", 1));
            })
            .await;
    }
    for version in versions::<ListPartitionReassignmentsRequest<'_>>() {
        let request = ListPartitionReassignmentsRequest::default();
        client
            .ask(version, &request, |answer| assert!(answer.error_code == 0 && answer.topics.is_empty()))
            .await;
    }
    for version in versions::<ElectLeadersRequest<'_>>() {
        let topic = TopicPartitions { topic: "orders".into(), partitions: vec![0, 7], ..Default::default() };
        for election_type in 0..=i8::from(version >= 1) {
            let request = ElectLeadersRequest {
                election_type,
                topic_partitions: Some(vec![topic.clone()]),
                ..Default::default()
            };
            let results = client
                .ask(version, &request, |answer| {
                    assert_eq!(answer.error_code, 0);
                    let results = answer.replica_election_results[0].partition_result.iter();
                    results
                        .map(|result| (result.partition_id, ErrorCode::of(result.error_code)))
                        .collect::<Vec<_>>()
                })
                .await;
            let leads = if version == 0 { ErrorCode::None } else { ErrorCode::ElectionNotNeeded };
            assert_eq!(
                results,
                [(0, leads), (7, ErrorCode::UnknownTopicOrPartition)],
                "ElectLeaders {version}"
            );
        }
        if version >= 1 {
            // A replica that lives and may not have everything leads only where somebody asks for that.
            let name = format!("lost-{version}");
            client.create(&name, 1, &[]).await;
            house.lose_the_leader(&name).await;
            let lost =
                TopicPartitions { topic: name.as_str().into(), partitions: vec![0], ..Default::default() };
            let request = ElectLeadersRequest {
                election_type: 1,
                topic_partitions: Some(vec![lost]),
                timeout_ms: 30_000,
                ..Default::default()
            };
            until("an election", async || {
                client
                    .ask(version, &request, |answer| {
                        ErrorCode::of(answer.replica_election_results[0].partition_result[0].error_code)
                    })
                    .await
                    == ErrorCode::None
            })
            .await;
            client.until_led(&name, 1).await;
        }
        let all = ElectLeadersRequest { topic_partitions: None, ..Default::default() };
        client.ask(version, &all, |answer| assert!(answer.replica_election_results.is_empty())).await;
    }
    for version in versions::<ApiVersionsRequest<'_>>() {
        let request = |cluster_id: Option<&str>, node_id| ApiVersionsRequest {
            client_software_name: "walker".into(),
            client_software_version: "1.0".into(),
            cluster_id: cluster_id.map(|id| id.to_owned().into()),
            node_id,
            ..Default::default()
        };
        for (asked, ours) in [
            (request(None, -1), true),
            (request(Some(&cluster), 0), true),
            (request(Some(&cluster), 1), false),
            (request(Some("another-cluster-really"), -1), false),
        ] {
            let answered =
                client.ask(version, &asked, |answer| (answer.error_code, answer.api_keys.len())).await;
            let expected = if ours || version < 5 { (0, api::TABLE.len()) } else { (129, 0) };
            assert_eq!(answered, expected, "ApiVersions {version}");
        }
    }
    server.stop().await;
}
