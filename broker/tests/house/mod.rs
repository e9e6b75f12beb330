//! A whole broker in this process, as tests see it: it listens on sockets, with a ZooKeeper of the test's choice.

// Each test program uses a part of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    elided_lifetimes_in_paths
)]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use vltava_broker::{
    control::{Session, ZooKeeperAddress},
    loggers::{self, Levels},
    server::Server,
};
use vltava_protocol::{
    ErrorCode, Message,
    frame::{decode_response, encode_request},
    messages::{
        CreateTopicsRequest, FetchRequest, FindCoordinatorRequest, MetadataRequest, ProduceRequest,
        create_topics::{CreatableTopic, CreatableTopicConfig},
        fetch::{FetchPartition, FetchTopic},
        metadata::MetadataRequestTopic,
        produce::{PartitionProduceData, TopicProduceData},
    },
    records::{BatchBuilder, BatchOptions, Entries},
    wire::{Records, Request},
};
use vltava_settings::{BrokerConfig, Properties};
use vltava_zookeeper::ZooKeeperConfig;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A broker's directory, and the ZooKeeper that it is to use.
pub struct House {
    directory: tempfile::TempDir,
    /// The embedded one, unless the test has its own.
    pub zookeeper: Option<vltava_zookeeper::Server>,
    connect: String,
}

impl House {
    /// With an embedded ZooKeeper.
    pub async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = ZooKeeperConfig {
            data_dir: directory.path().join("zookeeper"),
            client_port: 0,
            client_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            force_sync: false,
            ..ZooKeeperConfig::default()
        };
        let zookeeper = vltava_zookeeper::Server::start(config).await.unwrap();
        let connect = zookeeper.local_addr().to_string();
        Self { directory, zookeeper: Some(zookeeper), connect }
    }

    /// On a ZooKeeper that is there.
    pub fn on(connect: impl Into<String>) -> Self {
        Self { directory: tempfile::tempdir().unwrap(), zookeeper: None, connect: connect.into() }
    }

    /// Its properties, with more of them.
    pub fn config(&self, more: &[(&str, &str)]) -> BrokerConfig {
        let mut properties = Properties::default();
        properties.set("broker.id", "0");
        properties.set("listeners", "PLAINTEXT://127.0.0.1:0");
        properties.set("log.dir", self.log_dir().to_str().unwrap());
        properties.set("zookeeper.connect", &self.connect);
        properties.set("vltava.metrics.listener", "127.0.0.1:0");
        properties.set("offsets.topic.replication.factor", "1");
        properties.set("offsets.topic.num.partitions", "4");
        properties.set("group.initial.rebalance.delay.ms", "0");
        for (key, value) in more {
            properties.set(*key, *value);
        }
        BrokerConfig::from_properties(&properties, &Properties::default()).unwrap()
    }

    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub fn log_dir(&self) -> PathBuf {
        self.directory.path().join("logs")
    }

    pub async fn start(&self) -> Server {
        Server::start(self.config(&[])).await.unwrap()
    }

    pub async fn start_with(&self, more: &[(&str, &str)]) -> Server {
        Server::start(self.config(more)).await.unwrap()
    }

    /// Makes ZooKeeper say that only a broker that is not there has all of a partition's records.
    pub async fn lose_the_leader(&self, topic: &str) {
        let session = self.session().await;
        let path = format!("/brokers/topics/{topic}/partitions/0/state");
        let state = br#"{"controller_epoch":1,"leader":-1,"version":1,"leader_epoch":7,"isr":[9]}"#;
        session.client().set_data(&path, state, None).await.unwrap();
        let changed = format!(r#"{{"version":1,"partitions":[{{"topic":"{topic}","partition":0}}]}}"#);
        let sequential = zookeeper_client::CreateMode::PersistentSequential
            .with_acls(zookeeper_client::Acls::anyone_all());
        let path = "/isr_change_notification/isr_change_";
        session.client().create(path, changed.as_bytes(), &sequential).await.unwrap();
    }

    /// A session of somebody else on the same ZooKeeper.
    pub async fn session(&self) -> Session {
        let address = ZooKeeperAddress {
            connect: self.connect.clone(),
            session_timeout: Duration::from_secs(20),
            connection_timeout: PATIENCE,
        };
        Session::open(&address).await.unwrap()
    }
}

/// One connection and one request at a time.
pub struct Client(pub TcpStream);

impl Client {
    pub async fn connect(server: &Server) -> Self {
        Self(TcpStream::connect(server.listeners()[0].1).await.unwrap())
    }

    pub async fn send(&mut self, frame: &[u8]) {
        self.0.write_all(frame).await.unwrap();
    }

    /// The next response, without its size; `None` if the connection ends.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        let read = async {
            let size = self.0.read_u32().await.ok()?;
            let mut frame = vec![0; size as usize];
            self.0.read_exact(&mut frame).await.unwrap();
            Some(frame)
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a response or the end")
    }

    /// Sends the request and proves that its answer is one.
    pub async fn exchange<'a, R: Request + Message<'a>>(&mut self, version: i16, request: &R) -> Vec<u8> {
        let frame = encode_request(77, Some("walker"), version, request).unwrap();
        self.send(&frame).await;
        let answer = self.receive().await;
        let answer = answer.unwrap_or_else(|| panic!("{} version {version} ended the connection", R::KEY));
        let (correlation, _) = decode_response::<R>(&answer, version)
            .unwrap_or_else(|error| panic!("{} version {version}: {error}", R::KEY));
        assert_eq!(correlation, 77, "{} version {version}", R::KEY);
        answer
    }

    /// Sends the request and looks at its answer.
    pub async fn ask<'a, R: Request + Message<'a>, T>(
        &mut self,
        version: i16,
        request: &R,
        see: impl FnOnce(R::Response<'_>) -> T,
    ) -> T {
        let answer = self.exchange(version, request).await;
        see(decode_response::<R>(&answer, version).unwrap().1)
    }

    /// Creates a topic with one replica of each partition, and waits until it is led.
    pub async fn create(&mut self, topic: &str, partitions: i32, overrides: &[(&str, &str)]) {
        let configs = overrides.iter().map(|(name, value)| CreatableTopicConfig {
            name: (*name).into(),
            value: Some((*value).into()),
            ..Default::default()
        });
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: topic.into(),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs.collect(),
                ..Default::default()
            }],
            timeout_ms: 30_000,
            ..Default::default()
        };
        let code = self.ask(4, &request, |answer| answer.topics[0].error_code).await;
        assert_eq!(code, 0, "{topic} is created: {:?}", ErrorCode::of(code));
        self.until_led(topic, partitions).await;
    }

    /// Waits until all partitions of a topic have a leader.
    pub async fn until_led(&mut self, topic: &str, partitions: i32) {
        let name = MetadataRequestTopic { name: Some(topic.into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![name]),
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let led = self
                .ask(5, &request, |answer| {
                    let partitions = &answer.topics[0].partitions;
                    partitions
                        .iter()
                        .filter(|partition| partition.error_code == 0 && partition.leader_id >= 0)
                        .count()
                })
                .await;
            if led == partitions as usize {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{topic}: {led} of {partitions} partitions are led"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a group has its coordinator, whose topic is made for the first one who asks.
    pub async fn until_coordinated(&mut self, group: &str) {
        let request = FindCoordinatorRequest { key: group.into(), ..Default::default() };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while self.ask(1, &request, |answer| answer.error_code).await != 0 {
            assert!(tokio::time::Instant::now() < deadline, "{group} has no coordinator");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Produces values with acks=all; the base offset, or the error.
    pub async fn produce(&mut self, topic: &str, partition: i32, values: &[&str]) -> Result<i64, ErrorCode> {
        self.produce_as(BatchOptions::default(), topic, partition, values).await
    }

    /// As [`Self::produce`], in a batch of that kind.
    pub async fn produce_as(
        &mut self,
        options: BatchOptions,
        topic: &str,
        partition: i32,
        values: &[&str],
    ) -> Result<i64, ErrorCode> {
        let mut batch = BatchBuilder::new(Vec::new(), options).unwrap();
        for value in values {
            batch.append(vltava_broker::partitions::now_ms(), None, Some(value.as_bytes()), &[]).unwrap();
        }
        let (bytes, _) = batch.finish().unwrap();
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            topic_data: vec![TopicProduceData {
                name: topic.into(),
                partition_data: vec![PartitionProduceData {
                    index: partition,
                    records: Some(bytes.as_slice().into()),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let (code, offset) = self
            .ask(3, &request, |answer| {
                let partition = &answer.responses[0].partition_responses[0];
                (partition.error_code, partition.base_offset)
            })
            .await;
        if code == 0 { Ok(offset) } else { Err(ErrorCode::of(code)) }
    }

    /// The values of a partition from an offset on.
    pub async fn fetch(&mut self, topic: &str, partition: i32, from: i64) -> Vec<String> {
        let request = FetchRequest {
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 16 << 20,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: topic.into(),
                partitions: vec![FetchPartition {
                    partition,
                    fetch_offset: from,
                    partition_max_bytes: 16 << 20,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let bytes = self
            .ask(11, &request, |answer| {
                let partition = &answer.responses[0].partitions[0];
                assert_eq!(partition.error_code, 0, "{topic}: {:?}", ErrorCode::of(partition.error_code));
                match &partition.records {
                    Some(Records::Bytes(bytes)) => Some(bytes.to_vec()),
                    _ => None,
                }
            })
            .await
            .unwrap_or_default();
        let mut values = Vec::new();
        for entry in Entries::new(&bytes, usize::MAX) {
            let entry = entry.unwrap();
            let mut records = entry.records(64 << 20).unwrap();
            while let Some(record) = records.next().unwrap() {
                if record.offset >= from {
                    values.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
                }
            }
        }
        values
    }
}

/// What a page answers, head and body.
pub async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\nHost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Waits until a condition holds.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Installs the process's loggers with a filter; what is given back is the filter that was last put in force.
pub fn watched_loggers(filter: &str) -> Arc<Mutex<String>> {
    let applied = Arc::new(Mutex::new(String::new()));
    let seen = applied.clone();
    let apply = move |filter: &str| {
        filter.clone_into(&mut seen.lock());
        Ok(())
    };
    loggers::install(Levels::of_filter(filter), Box::new(apply));
    applied
}
