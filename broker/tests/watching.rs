//! What a broker tells those who watch it: every name of the dashboards, with the labels that they ask for, and a number that follows the load; and whether
//! it is ready and may stop.

// All of this file is tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod house;

use std::collections::HashMap;

use house::{Client, House, get, until};
use vltava_broker::server::Server;
use vltava_protocol::messages::{
    DeleteRecordsRequest, JoinGroupRequest, OffsetCommitRequest, SyncGroupRequest,
    delete_records::{DeleteRecordsPartition, DeleteRecordsTopic},
    join_group::JoinGroupRequestProtocol,
    offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    sync_group::SyncGroupRequestAssignment,
};
use zookeeper_client as zk;

/// What a series must do while the load goes on.
#[derive(Debug, Clone, Copy)]
enum After {
    Is(f64),
    Grows,
    Between(f64, f64),
}
use After::{Between, Grows, Is};

/// A series as it is written: its name, its labels and what it does. `PORT` stands for the broker's port, `LOGS` for its log directory.
const SERIES: &[(&str, &str, After)] = &[
    ("kafka_server_replicamanager_leadercount", "", Grows),
    ("kafka_server_replicamanager_partitioncount", "", Grows),
    ("kafka_server_replicamanager_underreplicatedpartitions", "", Is(0.0)),
    ("kafka_server_replicamanager_underminisrpartitioncount", "", Is(0.0)),
    ("kafka_cluster_partition_atminisr", r#"{topic="load",partition="0"}"#, Is(1.0)),
    ("kafka_cluster_partition_underminisr", r#"{topic="load",partition="0"}"#, Is(0.0)),
    ("kafka_cluster_partition_replicascount", r#"{topic="load",partition="0"}"#, Is(1.0)),
    ("kafka_log_log_size", r#"{topic="load",partition="0"}"#, Grows),
    ("kafka_log_logmanager_offlinelogdirectorycount", "", Is(0.0)),
    ("kafka_server_replicamanager_offlinereplicacount", "", Is(0.0)),
    ("kafka_log_logmanager_logdirectoryoffline", r#"{logDirectory="LOGS"}"#, Is(0.0)),
    ("vltava_log_directory_full", r#"{path="LOGS"}"#, Is(0.0)),
    ("vltava_log_directory_usable_bytes", r#"{path="LOGS"}"#, Between(1.0, 1e18)),
    ("vltava_log_directory_total_bytes", r#"{path="LOGS"}"#, Between(1.0, 1e18)),
    ("kafka_controller_kafkacontroller_activecontrollercount", "", Is(1.0)),
    ("kafka_controller_kafkacontroller_offlinepartitionscount", "", Is(0.0)),
    ("kafka_controller_controllerstats_uncleanleaderelections_total", "", Grows),
    ("kafka_server_brokertopicmetrics_bytesin_total", "", Grows),
    ("kafka_server_brokertopicmetrics_bytesin_total", r#"{topic="load"}"#, Grows),
    ("kafka_server_brokertopicmetrics_bytesout_total", "", Grows),
    ("kafka_server_brokertopicmetrics_bytesout_total", r#"{topic="load"}"#, Grows),
    ("kafka_server_brokertopicmetrics_messagesin_total", "", Grows),
    ("kafka_server_brokertopicmetrics_messagesin_total", r#"{topic="load"}"#, Grows),
    ("kafka_server_brokertopicmetrics_totalproducerequests_total", "", Grows),
    ("kafka_server_brokertopicmetrics_totalproducerequests_total", r#"{topic="load"}"#, Grows),
    ("kafka_server_brokertopicmetrics_failedproducerequests_total", "", Between(0.0, 0.0)),
    ("kafka_server_brokertopicmetrics_failedproducerequests_total", r#"{topic="load"}"#, Between(0.0, 0.0)),
    ("kafka_server_brokertopicmetrics_totalfetchrequests_total", "", Grows),
    ("kafka_server_brokertopicmetrics_totalfetchrequests_total", r#"{topic="load"}"#, Grows),
    ("kafka_server_brokertopicmetrics_failedfetchrequests_total", "", Between(0.0, 0.0)),
    ("kafka_server_brokertopicmetrics_failedfetchrequests_total", r#"{topic="load"}"#, Between(0.0, 0.0)),
    ("kafka_network_socketserver_networkprocessoravgidle_percent", "", Between(0.0, 1.0)),
    ("kafka_server_kafkarequesthandlerpool_requesthandleravgidle_percent", "", Between(0.0, 1.0)),
    ("kafka_server_kafkaserver_linux_disk_read_bytes", "", Between(0.0, f64::MAX)),
    ("kafka_server_kafkaserver_linux_disk_write_bytes", "", Between(0.0, f64::MAX)),
    (
        "kafka_server_socket_server_metrics_connection_count",
        r#"{listener="PLAINTEXT",networkProcessor="0"}"#,
        Grows,
    ),
    (
        "kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms",
        r#"{quantile="0.50"}"#,
        Between(0.0, 30_000.0),
    ),
    (
        "kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms",
        r#"{quantile="0.99"}"#,
        Between(0.001, 30_000.0),
    ),
    ("kafka_server_zookeeperclientmetrics_zookeeperrequestlatencyms_count", "", Grows),
    ("process_open_fds", "", Between(5.0, 1e6)),
    ("process_cpu_seconds_total", "", Between(0.0, 1e6)),
    ("process_resident_memory_bytes", "", Between(1e6, 1e10)),
    ("kafka_brokers", "", Is(1.0)),
    ("kafka_broker_info", r#"{id="0",address="127.0.0.1:PORT"}"#, Is(1.0)),
    ("kafka_topic_partitions", r#"{topic="load"}"#, Is(2.0)),
    ("kafka_topic_partition_current_offset", r#"{topic="load",partition="0"}"#, Grows),
    ("kafka_topic_partition_oldest_offset", r#"{topic="load",partition="0"}"#, Grows),
    ("kafka_topic_partition_leader", r#"{topic="load",partition="1"}"#, Is(0.0)),
    ("kafka_topic_partition_replicas", r#"{topic="load",partition="1"}"#, Is(1.0)),
    ("kafka_topic_partition_in_sync_replica", r#"{topic="load",partition="1"}"#, Is(1.0)),
    ("kafka_topic_partition_leader_is_preferred", r#"{topic="load",partition="1"}"#, Is(1.0)),
    ("kafka_topic_partition_under_replicated_partition", r#"{topic="load",partition="1"}"#, Is(0.0)),
    ("kafka_consumergroup_current_offset", r#"{consumergroup="readers",topic="load",partition="0"}"#, Grows),
    ("kafka_consumergroup_lag", r#"{consumergroup="readers",topic="load",partition="0"}"#, Grows),
    ("kafka_consumergroup_current_offset_sum", r#"{consumergroup="readers",topic="load"}"#, Grows),
    ("kafka_consumergroup_lag_sum", r#"{consumergroup="readers",topic="load"}"#, Grows),
    ("kafka_consumergroup_members", r#"{consumergroup="readers"}"#, Is(1.0)),
];

/// All series of a scrape; each is there once.
async fn scrape(server: &Server) -> HashMap<String, f64> {
    let page = get(server.metrics_address().unwrap(), "/metrics").await;
    let (head, body) = page.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    let mut series = HashMap::new();
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert_eq!(series.insert(name.to_owned(), value), None, "{name} is told twice");
    }
    series
}

async fn commit(client: &mut Client, member: &(String, i32), offset: i64) {
    let request = OffsetCommitRequest {
        group_id: "readers".into(),
        member_id: member.0.as_str().into(),
        generation_id_or_member_epoch: member.1,
        topics: vec![OffsetCommitRequestTopic {
            name: "load".into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: offset,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(client.ask(3, &request, |answer| answer.topics[0].partitions[0].error_code).await, 0);
}

/// Joins the group alone.
async fn join(client: &mut Client) -> (String, i32) {
    let join = JoinGroupRequest {
        group_id: "readers".into(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol { name: "range".into(), ..Default::default() }],
        ..Default::default()
    };
    client.until_coordinated("readers").await;
    let mut joined = None;
    until("the group is joined", async || {
        joined = client
            .ask(3, &join, |answer| {
                (answer.error_code == 0).then(|| (answer.member_id.to_string(), answer.generation_id))
            })
            .await;
        joined.is_some()
    })
    .await;
    let (member_id, generation_id) = joined.unwrap();
    let sync = SyncGroupRequest {
        group_id: "readers".into(),
        member_id: member_id.as_str().into(),
        generation_id,
        assignments: vec![SyncGroupRequestAssignment {
            member_id: member_id.as_str().into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    assert_eq!(client.ask(2, &sync, |answer| answer.error_code).await, 0);
    (member_id, generation_id)
}

/// Deletes a partition's oldest records.
async fn delete_records(client: &mut Client, before: i64) {
    let partition = DeleteRecordsPartition { partition_index: 0, offset: before, ..Default::default() };
    let request = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: "load".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        timeout_ms: 30_000,
        ..Default::default()
    };
    assert_eq!(client.ask(1, &request, |answer| answer.topics[0].partitions[0].error_code).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_name_of_the_dashboards_has_its_series_and_follows_the_load() {
    let house = House::new().await;
    let server = house.start().await;
    let port = server.listeners()[0].1.port().to_string();
    let mut client = Client::connect(&server).await;
    client.create("load", 2, &[]).await;
    client.produce("load", 0, &["0", "1", "2"]).await.unwrap();
    client.fetch("load", 0, 0).await;
    let member = join(&mut client).await;
    commit(&mut client, &member, 1).await;
    let before = scrape(&server).await;

    let mut second = Client::connect(&server).await;
    let values: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    second.produce("load", 0, &values).await.unwrap();
    second.fetch("load", 0, 0).await;
    commit(&mut second, &member, 3).await;
    delete_records(&mut second, 2).await;
    // Only where its owner allows it does a replica lead that may not have everything.
    second.create("careful", 1, &[]).await;
    second.create("careless", 1, &[("unclean.leader.election.enable", "true")]).await;
    house.lose_the_leader("careful").await;
    house.lose_the_leader("careless").await;
    let unclean = "kafka_controller_controllerstats_uncleanleaderelections_total";
    until("an unclean election", async || scrape(&server).await[unclean] == 1.0).await;
    second.until_led("careless", 1).await;
    let offline = "kafka_controller_kafkacontroller_offlinepartitionscount";
    assert_eq!(scrape(&server).await[offline], 1.0, "the other topic waits for its records");
    // What is changed while the broker runs counts from then on.
    let session = house.session().await;
    let allowed = br#"{"version":1,"config":{"unclean.leader.election.enable":"true"}}"#;
    session.client().set_data("/config/topics/careful", allowed, None).await.unwrap();
    let sequential = zk::CreateMode::PersistentSequential.with_acls(zk::Acls::anyone_all());
    let notification = br#"{"version":2,"entity_path":"topics/careful"}"#;
    session.client().create("/config/changes/config_change_", notification, &sequential).await.unwrap();
    second.until_led("careful", 1).await;

    let after = scrape(&server).await;
    let mut wrong = Vec::new();
    for (name, labels, does) in SERIES {
        let labels = labels.replace("PORT", &port).replace("LOGS", house.log_dir().to_str().unwrap());
        let series = format!("{name}{labels}");
        let (Some(&was), Some(&is)) = (before.get(&series), after.get(&series)) else {
            wrong.push(format!("{series}: before {:?}, after {:?}", before.get(&series), after.get(&series)));
            continue;
        };
        let right = match *does {
            Is(value) => is == value,
            Grows => is > was,
            Between(least, most) => is >= least && is <= most,
        };
        if !right {
            wrong.push(format!("{series} should be {does:?}: before {was}, after {is}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let zero = r#"kafka_consumergroup_lag{consumergroup="readers",topic="load",partition="0"}"#;
    assert_eq!(after[zero], 100.0, "103 records, of which 3 are read");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_says_whether_it_is_alive_ready_and_may_stop() {
    let house = House::new().await;
    let pages = format!("127.0.0.1:{}", vltava_testkit::wait::free_port());
    let address = pages.parse().unwrap();
    // ZooKeeper comes after the broker.
    let port = vltava_testkit::wait::free_port();
    let late = format!("127.0.0.1:{port}");
    let config = house.config(&[
        ("vltava.metrics.listener", &pages),
        ("zookeeper.connect", &late),
        ("zookeeper.connection.timeout.ms", "60000"),
    ]);
    let starting = tokio::spawn(Server::start(config));
    until("the pages are there", async || tokio::net::TcpStream::connect(address).await.is_ok()).await;
    assert!(get(address, "/healthz").await.starts_with("HTTP/1.0 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.0 503"));
    let status = get(address, "/status").await;
    assert!(status.contains(r#""state":"starting""#) && status.contains(r#""safe":false"#), "{status}");

    let zookeeper = vltava_zookeeper::ZooKeeperConfig {
        data_dir: house.directory().join("late"),
        client_port: port,
        client_address: std::net::Ipv4Addr::LOCALHOST.into(),
        force_sync: false,
        ..vltava_zookeeper::ZooKeeperConfig::default()
    };
    let zookeeper = vltava_zookeeper::Server::start(zookeeper).await.unwrap();
    let server = starting.await.unwrap().unwrap();
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.0 200"));
    let mut client = Client::connect(&server).await;
    client.create("alone", 1, &[]).await;
    let status = get(address, "/status").await;
    for part in [
        r#""state":"running""#,
        r#""safe":true"#,
        r#""remainingLogs":0"#,
        r#""brokerId":0"#,
        r#""isThisBroker":true"#,
        r#""notInSync":0"#,
    ] {
        assert!(status.contains(part), "{part}: {status}");
    }
    drop(zookeeper);
    client.produce("alone", 0, &["goes on"]).await.unwrap();
    assert!(
        get(address, "/readyz").await.starts_with("HTTP/1.0 200"),
        "partitions are served without ZooKeeper"
    );
    server.stop().await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

/// The JSON of `/status`.
async fn status(server: &Server) -> serde_json::Value {
    let page = get(server.metrics_address().unwrap(), "/status").await;
    serde_json::from_str(page.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_until_it_has_room() {
    let Some(disk) = vltava_testkit::disk::SmallDisk::mount("a_full_disk_is_told_until_it_has_room", 4096)
    else {
        return;
    };
    let house = House::new().await;
    let logs = disk.path().to_str().unwrap().to_owned();
    let server = house.start_with(&[("log.dirs", &logs)]).await;
    let mut client = Client::connect(&server).await;
    client.create("t", 1, &[]).await;
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![0; 8 << 20]).unwrap_err();
    let series = |name: &str| format!("{name}{{path=\"{logs}\"}}");
    until("the disk is full", async || status(&server).await["disks"][0]["full"] == true).await;
    let told = status(&server).await;
    assert_eq!(
        (&told["disks"][0]["path"], &told["disks"][0]["online"]),
        (&logs.as_str().into(), &true.into())
    );
    assert!(told["disks"][0]["usableBytes"].as_u64().unwrap() < 40_000, "{told}");
    assert_eq!(told["disks"][0]["totalBytes"], 4096 << 10);
    let page = scrape(&server).await;
    assert_eq!(page[&series("vltava_log_directory_full")], 1.0);
    assert!(page[&series("vltava_log_directory_usable_bytes")] < 40_000.0);
    let ready = get(server.metrics_address().unwrap(), "/readyz").await;
    assert!(ready.starts_with("HTTP/1.0 200"), "reads go on: {ready}");
    std::fs::remove_file(filler).unwrap();
    until("there is room", async || status(&server).await["disks"][0]["full"] == false).await;
    assert_eq!(scrape(&server).await[&series("vltava_log_directory_full")], 0.0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_is_broken_is_named_and_counted() {
    let house = House::new().await;
    let server = house.start().await;
    let mut client = Client::connect(&server).await;
    client.create("t", 3, &[]).await;
    server.stop().await;
    std::fs::write(house.log_dir().join("t-2/partition.metadata"), "bad\n").unwrap();
    let server = house.start().await;
    let replicas = "kafka_server_replicamanager_offlinereplicacount";
    until("it is counted", async || scrape(&server).await.get(replicas) == Some(&1.0)).await;
    let told = status(&server).await;
    assert_eq!(told["offlineReplicas"], 1);
    let broken = &told["brokenPartitions"][0];
    assert_eq!((&broken["topic"], &broken["partition"]), (&"t".into(), &2.into()), "{told}");
    assert!(broken["reason"].as_str().unwrap().contains("partition.metadata"), "{told}");
    // The controller takes its leadership away, and counts it.
    let offline = "kafka_controller_kafkacontroller_offlinepartitionscount";
    until("it has no leader", async || scrape(&server).await[offline] == 1.0).await;
    let mut client = Client::connect(&server).await;
    client.produce("t", 0, &["goes on"]).await.unwrap();
    server.stop().await;
    // Who mends it gets it back.
    std::fs::remove_file(house.log_dir().join("t-2/partition.metadata")).unwrap();
    let server = house.start().await;
    Client::connect(&server).await.until_led("t", 3).await;
    assert_eq!(status(&server).await["brokenPartitions"], serde_json::json!([]));
    server.stop().await;
}
