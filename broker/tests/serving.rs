//! A whole broker in this process, with the embedded ZooKeeper: it starts, serves what it advertises over sockets, stops and comes back.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, elided_lifetimes_in_paths)]

mod house;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use house::{Client, House, PATIENCE, get, until};
use vltava_broker::{
    api::{self, TABLE},
    control::{Session, ZooKeeperAddress, znodes::Entity},
    server::Server,
};
use vltava_protocol::{
    ApiKey, ErrorCode,
    frame::{decode_response, encode_request},
    messages::*,
    records::BatchOptions,
    wire::Request,
};
use vltava_settings::broker as keys;
use zookeeper_client as zk;

/// Every version of the APIs named, if they are in the table: the smallest well-formed request, which is the default in nearly all.
macro_rules! walk {
    ($client:ident, $covered:ident, $($Request:ident $({ $($field:ident: $value:expr),* })?),* $(,)?) => {$(
        if let Some(api) = api::find(<$Request as Request>::KEY) {
            for version in api.versions.first..=api.versions.last {
                let request = $Request { $($($field: $value,)*)? ..Default::default() };
                $client.exchange(version, &request).await;
            }
            $covered.insert(api.key);
        }
    )*};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_advertised_version_answers_a_minimal_request() {
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    let mut covered: BTreeSet<ApiKey> = BTreeSet::new();
    walk!(
        client,
        covered,
        ProduceRequest { acks: -1 },
        FetchRequest { session_epoch: -1 },
        ListOffsetsRequest { replica_id: -1 },
        MetadataRequest,
        OffsetCommitRequest,
        OffsetFetchRequest,
        FindCoordinatorRequest,
        JoinGroupRequest,
        HeartbeatRequest,
        LeaveGroupRequest,
        SyncGroupRequest,
        DescribeGroupsRequest,
        ListGroupsRequest,
        ApiVersionsRequest { client_software_name: "walker".into(), client_software_version: "1.0".into() },
        CreateTopicsRequest,
        DeleteTopicsRequest,
        DeleteRecordsRequest,
        InitProducerIdRequest,
        OffsetForLeaderEpochRequest { replica_id: -1 },
        DescribeConfigsRequest,
        AlterConfigsRequest,
        DescribeLogDirsRequest,
        CreatePartitionsRequest,
        DeleteGroupsRequest,
        ElectLeadersRequest,
        IncrementalAlterConfigsRequest,
        ListPartitionReassignmentsRequest,
        OffsetDeleteRequest,
        // Of brokers and controllers that there are not: what one says of this one would be obeyed.
        LeaderAndIsrRequest { controller_id: 77, controller_epoch: -1 },
        StopReplicaRequest { controller_id: 77, controller_epoch: -1 },
        UpdateMetadataRequest { controller_id: 77, controller_epoch: -1 },
        ControlledShutdownRequest { broker_id: 77 },
        AlterPartitionRequest { broker_id: 77 },
        AllocateProducerIdsRequest { broker_id: 77 },
        DescribeClusterRequest,
        DescribeProducersRequest,
        ListTransactionsRequest,
        DescribeTransactionsRequest,
        ListConfigResourcesRequest,
        DescribeTopicPartitionsRequest,
    );
    let advertised: BTreeSet<ApiKey> = TABLE.iter().map(|api| api.key).collect();
    assert_eq!(covered, advertised, "the walk has a request for every line of the table");
    server.stop().await;
}

#[tokio::test]
async fn api_versions_advertises_the_table_and_answers_an_unknown_version_with_error_35() {
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    let answer = client.exchange(0, &ApiVersionsRequest::default()).await;
    let (_, answer) = decode_response::<ApiVersionsRequest<'_>>(&answer, 0).unwrap();
    let advertised: Vec<_> =
        answer.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    let table: Vec<_> =
        TABLE.iter().map(|api| (i16::from(api.key), api.versions.first, api.versions.last)).collect();
    assert_eq!(advertised, table);

    let mut frame = encode_request(5, Some("future"), 4, &ApiVersionsRequest::default()).unwrap();
    frame[6..8].copy_from_slice(&99_i16.to_be_bytes());
    client.send(&frame).await;
    let answer = client.receive().await.unwrap();
    let (correlation, answer) = decode_response::<ApiVersionsRequest<'_>>(&answer, 0).unwrap();
    assert_eq!((correlation, answer.error_code), (5, ErrorCode::UnsupportedVersion as i16));
    assert_eq!(answer.api_keys[0].api_key, ApiKey::ApiVersions as i16);
    // The connection goes on.
    client
        .exchange(
            4,
            &ApiVersionsRequest {
                client_software_name: "a".into(),
                client_software_version: "1".into(),
                ..Default::default()
            },
        )
        .await;
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_served_ends_the_connection() {
    let house = House::new().await;
    let server = house.start().await;
    let unknown_key =
        [&[0, 0, 0, 10][..], &999_i16.to_be_bytes(), &[0, 0], &[0, 0, 0, 1], &[0xff, 0xff]].concat();
    let mut unknown_version = encode_request(1, None, 0, &MetadataRequest::default()).unwrap();
    unknown_version[6..8].copy_from_slice(&99_i16.to_be_bytes());
    let mut cut_off =
        encode_request(1, None, 0, &MetadataRequest { topics: Some(vec![]), ..Default::default() }).unwrap();
    let end = cut_off.len();
    cut_off[end - 4..].copy_from_slice(&i32::MAX.to_be_bytes());
    for frame in [unknown_key, unknown_version, cut_off] {
        let mut client = Client::connect(&server).await;
        client.send(&frame).await;
        assert_eq!(client.receive().await, None);
    }
    server.stop().await;
}

#[tokio::test]
async fn a_broker_is_ready_counts_itself_and_registers_its_actual_port() {
    let house = House::new().await;
    let server = house.start().await;
    let port = server.listeners()[0].1.port();
    let watch = server.metrics_address().unwrap();
    assert!(get(watch, "/readyz").await.starts_with("HTTP/1.0 200"));
    let metrics = get(watch, "/metrics").await;
    for line in [
        "kafka_brokers 1".to_owned(),
        "kafka_controller_kafkacontroller_activecontrollercount 1".to_owned(),
        "kafka_server_kafkaserver_brokerstate 3".to_owned(),
        format!("kafka_broker_info{{id=\"0\",address=\"127.0.0.1:{port}\"}} 1"),
    ] {
        assert!(metrics.lines().any(|have| have == line), "{line} is missing in\n{metrics}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_broker_leaves_the_mark_of_a_clean_shutdown_and_starts_again() {
    let house = House::new().await;
    let marker = house.log_dir().join(".kafka_cleanshutdown");
    let first = house.start().await;
    let cluster = first.broker().control.cluster_id().to_owned();
    assert!(!marker.exists());
    first.stop().await;
    assert!(marker.exists());
    let second = house.start().await;
    assert_eq!(second.broker().control.cluster_id(), cluster);
    assert!(!marker.exists());
    second.stop().await;
}

#[tokio::test]
async fn a_broker_takes_over_from_its_killed_former_self_without_waiting_for_its_session() {
    let house = House::new().await;
    let address = ZooKeeperAddress {
        connect: house.zookeeper.as_ref().unwrap().local_addr().to_string(),
        session_timeout: Duration::from_secs(60),
        connection_timeout: PATIENCE,
    };
    // What a killed broker leaves: ephemeral nodes of a session that goes on for a minute.
    let first = house.start().await;
    let port = first.listeners()[0].1.port();
    let former = Session::open(&address).await.unwrap();
    let (registration, _) = former.read("/brokers/ids/0").await.unwrap().unwrap();
    let (controller, _) = former.read("/controller").await.unwrap().unwrap();
    first.stop().await;
    let ephemeral = zk::CreateMode::Ephemeral.with_acls(zk::Acls::anyone_all());
    former.client().create("/brokers/ids/0", &registration, &ephemeral).await.unwrap();
    former.client().create("/controller", &controller, &ephemeral).await.unwrap();

    let listeners = format!("PLAINTEXT://127.0.0.1:{port}");
    let began = std::time::Instant::now();
    let second = Server::start(house.config(&[("listeners", &listeners)])).await.unwrap();
    assert!(second.broker().control.is_active_controller());
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    second.stop().await;
}

#[tokio::test]
async fn a_start_that_fails_says_why_and_lets_go_of_everything() {
    let house = House::new().await;
    let running = house.start().await;
    let error = Server::start(house.config(&[])).await.unwrap_err().to_string();
    assert!(names(&error, &house.log_dir()), "the locked directory is named: {error}");

    let taken = running.listeners()[0].1.port().to_string();
    let listener = format!("PLAINTEXT://127.0.0.1:{taken}");
    let error = Server::start(house.config(&[("listeners", &listener)])).await.unwrap_err().to_string();
    assert!(error.contains("PLAINTEXT") && error.contains(&taken), "{error}");

    let elsewhere = house.directory().join("elsewhere");
    let nowhere = [
        ("zookeeper.connect", "127.0.0.1:1"),
        ("zookeeper.connection.timeout.ms", "200"),
        ("log.dir", elsewhere.to_str().unwrap()),
    ];
    let error = Server::start(house.config(&nowhere)).await.unwrap_err().to_string();
    assert!(error.contains("zookeeper.connect=127.0.0.1:1"), "{error}");
    running.stop().await;
    house.start().await.stop().await;
}

#[tokio::test]
async fn idle_producers_are_forgotten_after_a_time_that_can_be_changed() {
    let house = House::new().await;
    let server = house.start_with(&[("producer.id.expiration.check.interval.ms", "1")]).await;
    let mut client = Client::connect(&server).await;
    let of = |base_sequence| BatchOptions {
        producer_id: 5,
        producer_epoch: 0,
        base_sequence,
        ..BatchOptions::default()
    };
    client.create("before", 1, &[]).await;
    client.produce_as(of(0), "before", 0, &["a"]).await.unwrap();
    let leap = client.produce_as(of(9), "before", 0, &["b"]).await;
    assert_eq!(leap, Err(ErrorCode::OutOfOrderSequenceNumber), "it is known for a day");

    let soon = |before: &BTreeMap<String, String>| {
        let mut after = before.clone();
        after.insert("producer.id.expiration.ms".to_owned(), "1".to_owned());
        Ok(after)
    };
    server.broker().control.alter_overrides(&Entity::BrokerDefault, &soon).await.unwrap();
    let config = || server.broker().control.configs().broker();
    until("the change is there", async || config().get(keys::PRODUCER_ID_EXPIRATION_MS) == 1).await;
    client.create("after", 1, &[]).await;
    client.produce_as(of(0), "after", 0, &["a"]).await.unwrap();
    for topic in ["before", "after"] {
        until("the producer is forgotten", async || client.produce_as(of(9), topic, 0, &["b"]).await.is_ok())
            .await;
    }
    server.stop().await;
}

fn names(error: &str, path: &Path) -> bool {
    error.contains(path.to_str().unwrap())
}
