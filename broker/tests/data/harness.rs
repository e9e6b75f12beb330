//! A broker without sockets: requests go in as frames, responses come out as the bytes that a client would read.

use std::{
    net::SocketAddr,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use vltava_broker::{
    Broker,
    api::Dispatcher,
    control::{Control, MetadataCache},
    groups::Groups,
    metrics::Metrics,
    net::{Answer, ConnectionInfo, Frame, Piece, Principal, Response, Service},
    partitions::{
        FileWork, Partition, Replicas, Setup, Storage, Surroundings, TopicConfig, fetch_sessions::Limits,
        now_ms,
    },
};
use vltava_log::{LogDirs, LogError};
use vltava_protocol::{
    Message, Uuid,
    frame::{decode_response, encode_request},
    messages::{
        FetchRequest, LeaderAndIsrRequest, ProduceRequest, UpdateMetadataRequest,
        fetch::{FetchPartition, FetchTopic},
        leader_and_isr::{LeaderAndIsrPartitionState, LeaderAndIsrTopicState},
        produce::{PartitionProduceData, TopicProduceData},
        update_metadata::{UpdateMetadataPartitionState, UpdateMetadataTopicState},
    },
    records::{
        BatchBuilder, BatchOptions, Codec, Entries, Headers, MessageSetBuilder, MessageSetOptions, Record,
    },
    wire::Request,
};
use vltava_settings::{BrokerConfig, Properties};

/// The broker's id.
pub const ID: i32 = 7;

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One broker and its directory.
pub struct House {
    pub broker: Arc<Broker>,
    dispatcher: Dispatcher,
    directory: Option<tempfile::TempDir>,
}

/// The id of a topic in these tests: its name's bytes.
pub fn topic_id(name: &str) -> Uuid {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    Uuid::from_bytes(bytes)
}

impl House {
    /// A broker over a fresh directory, with topics' settings from `config`.
    pub fn with_config(config: impl Fn(&str) -> TopicConfig + Send + Sync + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut house = Self::over(directory.path(), config);
        house.directory = Some(directory);
        house
    }

    /// A broker over a directory that is there.
    pub fn over(directory: &Path, config: impl Fn(&str) -> TopicConfig + Send + Sync + 'static) -> Self {
        Self::over_all(&[directory.to_owned()], config)
    }

    /// A broker over several directories.
    pub fn over_all(
        directories: &[PathBuf],
        config: impl Fn(&str) -> TopicConfig + Send + Sync + 'static,
    ) -> Self {
        let metrics = Arc::new(Metrics::default());
        // A broker that was dropped lets go of the directory when the last of its threads is done.
        let opened = vltava_testkit::wait::until("the directory is free", PATIENCE, || {
            match LogDirs::open(directories, 1000, 86_400_000) {
                Err(LogError::Foreign { .. }) => None,
                other => Some(other),
            }
        });
        let storage = Storage::new(opened.unwrap());
        storage.load(2, &|partition| config(&partition.topic).log, now_ms());
        let replicas = Replicas::new(Setup {
            surroundings: Surroundings {
                broker_id: ID,
                replica_lag_ms: 30_000,
                fetch_max_bytes: 55 << 20,
                files: FileWork::new(2, 64),
                proposals: vltava_broker::partitions::Proposals::default(),
                high_watermark_moved: Default::default(),
            },
            storage,
            sessions: Limits::default(),
            configs: Box::new(config),
            metrics: metrics.clone(),
        });
        let mut properties = Properties::default();
        properties.set("broker.id", ID.to_string());
        properties.set("zookeeper.connect", "localhost:2181");
        let settings = BrokerConfig::from_properties(&properties, &Properties::default()).unwrap();
        let broker = Arc::new(Broker {
            id: ID,
            config: settings.clone(),
            replicas,
            cleaners: Default::default(),
            metadata: MetadataCache::default(),
            control: Control::detached(Arc::new(settings.clone()), ID),
            groups: Groups::new(&settings),
            metrics,
        });
        let dispatcher = Dispatcher::new(broker.clone());
        Self { broker, dispatcher, directory: None }
    }

    /// A broker with default settings.
    pub fn new() -> Self {
        Self::with_config(|_| TopicConfig::default())
    }

    /// Makes this broker the leader of partitions `0..count` of a topic, alone.
    pub fn lead(&self, topic: &str, count: i32) {
        self.assign(topic, count, ID, &[ID], 0);
    }

    /// Delivers a LeaderAndIsr and an UpdateMetadata for partitions `0..count`.
    pub fn assign(&self, topic: &str, count: i32, leader: i32, isr: &[i32], epoch: i32) {
        let codes = self.order(topic, count, leader, isr, epoch);
        assert!(codes.iter().all(|code| *code == 0), "{topic}: {codes:?}");
    }

    /// Does what [`House::assign`] does; answers each partition's error code.
    pub fn order(&self, topic: &str, count: i32, leader: i32, isr: &[i32], epoch: i32) -> Vec<i16> {
        let partition = |partition_index| LeaderAndIsrPartitionState {
            partition_index,
            leader,
            leader_epoch: epoch,
            isr: isr.to_vec(),
            replicas: if isr.contains(&ID) {
                isr.to_vec()
            } else {
                isr.iter().copied().chain([ID]).collect()
            },
            is_new: true,
            ..Default::default()
        };
        let request = LeaderAndIsrRequest {
            controller_id: ID,
            topic_states: vec![LeaderAndIsrTopicState {
                topic_name: topic.into(),
                topic_id: topic_id(topic),
                partition_states: (0..count).map(partition).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        let response = self.broker.replicas.leader_and_isr(&request, now_ms());
        assert_eq!(response.error_code, 0);
        let known = |partition_index| UpdateMetadataPartitionState {
            partition_index,
            leader,
            leader_epoch: epoch,
            isr: isr.to_vec(),
            replicas: isr.to_vec(),
            ..Default::default()
        };
        let update = UpdateMetadataRequest {
            topic_states: vec![UpdateMetadataTopicState {
                topic_name: topic.into(),
                topic_id: topic_id(topic),
                partition_states: (0..count).map(known).collect(),
                ..Default::default()
            }],
            ..Default::default()
        };
        self.broker.metadata.update(&update).unwrap();
        response.partition_errors.iter().map(|error| error.error_code).collect()
    }

    pub fn partition(&self, topic: &str, index: i32) -> Arc<Partition> {
        self.broker.replicas.partition(topic, index).unwrap()
    }

    /// Begins a request as a connection would.
    pub fn begin<'a, R: Request + Message<'a>>(&self, version: i16, body: &R) -> Answer {
        self.begin_as(Some("test"), version, body)
    }

    /// As [`Self::begin`], as the client of that name.
    pub fn begin_as<'a, R: Request + Message<'a>>(
        &self,
        client: Option<&str>,
        version: i16,
        body: &R,
    ) -> Answer {
        self.begin_on(1, client, version, body)
    }

    /// As [`Self::begin`], on the connection of that number.
    pub fn begin_by<'a, R: Request + Message<'a>>(&self, connection: u64, version: i16, body: &R) -> Answer {
        self.begin_on(connection, Some("test"), version, body)
    }

    fn begin_on<'a, R: Request + Message<'a>>(
        &self,
        connection: u64,
        client: Option<&str>,
        version: i16,
        body: &R,
    ) -> Answer {
        let frame = encode_request(42, client, version, body).unwrap();
        let mut connection = ConnectionInfo {
            id: connection,
            listener: "PLAINTEXT".into(),
            peer: SocketAddr::from(([127, 0, 0, 1], 1)),
            principal: Principal::anonymous(),
            client_id: None,
        };
        self.dispatcher.begin(&mut connection, Frame::from(Bytes::from(frame).slice(4..))).0
    }

    /// The bytes of the response, without their size; empty if there is none.
    pub async fn bytes<'a, R: Request + Message<'a>>(&self, version: i16, body: &R) -> Vec<u8> {
        let answer = self.begin(version, body).response();
        let response = tokio::time::timeout(PATIENCE, answer).await.expect("no answer");
        on_the_wire(&response)
    }

    /// Sends a request and decodes its response in place: `see` gets it.
    pub async fn ask<'a, R: Request + Message<'a>, T>(
        &self,
        version: i16,
        body: &R,
        see: impl FnOnce(R::Response<'_>) -> T,
    ) -> T {
        let bytes = self.bytes(version, body).await;
        decoded::<R, T>(version, &bytes, see)
    }
}

/// Decodes a response's bytes.
pub fn decoded<R: Request, T>(version: i16, bytes: &[u8], see: impl FnOnce(R::Response<'_>) -> T) -> T {
    let (correlation, response) = decode_response::<R>(bytes, version).unwrap();
    assert_eq!(correlation, 42);
    see(response)
}

/// What a client would read after the size: the response's pieces, those in files read from there.
pub fn on_the_wire(response: &Response) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in response.pieces() {
        match piece {
            Piece::Bytes(bytes) => all.extend_from_slice(bytes),
            Piece::File(slice) => {
                let mut bytes = vec![0; usize::try_from(slice.length).unwrap()];
                slice.file.read_exact_at(&mut bytes, slice.position).unwrap();
                all.extend_from_slice(&bytes);
            }
        }
    }
    if all.is_empty() {
        return all;
    }
    let size = u32::from_be_bytes(all[..4].try_into().unwrap());
    assert_eq!(size as usize, all.len() - 4, "the size in front is that of the rest");
    all.split_off(4)
}

/// A batch of magic 2 with these values.
pub fn batch(values: &[&str], options: BatchOptions) -> Vec<u8> {
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (index, value) in values.iter().enumerate() {
        let timestamp = now_ms() + i64::try_from(index).unwrap();
        builder.append(timestamp, Some(b"k"), Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().0
}

/// A message set of an old magic with these values.
pub fn message_set(magic: i8, codec: Codec, values: &[&str]) -> Vec<u8> {
    let options = MessageSetOptions { magic, codec, level: None, log_append_time: None };
    let mut builder = MessageSetBuilder::new(Vec::new(), options).unwrap();
    for (offset, value) in (0..).zip(values) {
        let timestamp = if magic == 0 { -1 } else { now_ms() };
        let record = Record {
            offset,
            timestamp,
            key: Some(b"k"),
            value: Some(value.as_bytes()),
            headers: Headers::default(),
        };
        builder.append_record(&record).unwrap();
    }
    builder.finish().unwrap()
}

/// The offsets and values in record data of any magic.
pub fn values(records: &[u8]) -> Vec<(i64, String)> {
    let mut all = Vec::new();
    for entry in Entries::new(records, usize::MAX) {
        let entry = entry.unwrap();
        let mut records = entry.records(1 << 20).unwrap();
        while let Some(record) = records.next().unwrap() {
            all.push((record.offset, String::from_utf8(record.value.unwrap_or_default().to_vec()).unwrap()));
        }
    }
    all
}

/// A Produce of records to one partition; the topic is named both ways.
pub fn produce<'a>(topic: &'a str, index: i32, acks: i16, records: &'a [u8]) -> ProduceRequest<'a> {
    ProduceRequest {
        acks,
        timeout_ms: 20_000,
        topic_data: vec![TopicProduceData {
            name: topic.into(),
            topic_id: topic_id(topic),
            partition_data: vec![PartitionProduceData {
                index,
                records: Some(records.into()),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A Fetch of one partition without a session; the topic is named both ways.
pub fn fetch(topic: &str, index: i32, offset: i64) -> FetchRequest<'_> {
    FetchRequest {
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![FetchTopic {
            topic: topic.into(),
            topic_id: topic_id(topic),
            partitions: vec![FetchPartition {
                partition: index,
                fetch_offset: offset,
                partition_max_bytes: 1 << 20,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// What a response says of its only partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Fetched {
    pub error: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start: i64,
    pub values: Vec<(i64, String)>,
}

impl House {
    /// Produces and answers the only partition's response as error, base offset, append time and log start.
    pub async fn produced(&self, version: i16, request: &ProduceRequest<'_>) -> (i16, i64, i64, i64) {
        self.ask(version, request, |response| {
            let answer = &response.responses[0].partition_responses[0];
            (answer.error_code, answer.base_offset, answer.log_append_time_ms, answer.log_start_offset)
        })
        .await
    }

    /// Fetches and answers what the response says of its only partition.
    pub async fn fetched(&self, version: i16, request: &FetchRequest<'_>) -> Fetched {
        self.ask(version, request, |response| {
            assert_eq!(response.error_code, 0);
            let answer = &response.responses[0].partitions[0];
            Fetched {
                error: answer.error_code,
                high_watermark: answer.high_watermark,
                last_stable_offset: answer.last_stable_offset,
                log_start: answer.log_start_offset,
                values: values(answer.records.as_ref().unwrap().as_bytes().unwrap()),
            }
        })
        .await
    }
}
