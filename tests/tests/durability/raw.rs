//! Requests in chosen versions, with chosen records, from this process.

use std::time::Duration;

use vltava_client::admin::{NewTopic, create_topics};
use vltava_client::{Client, ClientError, Node, Options};
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use vltava_protocol::messages::fetch::{FetchPartition, FetchTopic};
use vltava_protocol::messages::metadata::MetadataRequestTopic;
use vltava_protocol::messages::produce::{PartitionProduceData, TopicProduceData};
use vltava_protocol::messages::{
    DeleteRecordsRequest, FetchRequest, InitProducerIdRequest, MetadataRequest, ProduceRequest,
};
use vltava_protocol::records::{BatchBuilder, BatchOptions, Entries};
use vltava_testkit::wait;
use vltava_tests::member::LIMIT;

/// A client that asks one broker, and asks again while the broker starts.
pub(crate) struct Raw {
    runtime: tokio::runtime::Runtime,
    bootstrap: String,
}

/// A producer that is only idempotent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

impl Raw {
    pub(crate) fn new(bootstrap: impl ToString) -> Raw {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Raw { runtime, bootstrap: bootstrap.to_string() }
    }

    fn client(&self) -> Client {
        let mut options = Options::new(&self.bootstrap).unwrap();
        options.timeout = Duration::from_secs(30);
        wait::until("the broker answers", LIMIT, || {
            self.runtime.block_on(Client::connect(options.clone())).ok()
        })
    }

    /// A producer id that nobody has.
    pub(crate) fn producer(&self) -> Producer {
        let mut client = self.client();
        let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
        wait::until("a producer id", LIMIT, || {
            let answer = self.runtime.block_on(client.ask(Node::Any, &request)).unwrap();
            match ErrorCode::try_from(answer.error_code).unwrap() {
                ErrorCode::None => Some(Producer { id: answer.producer_id, epoch: answer.producer_epoch }),
                // The ids come from ZooKeeper: soon after a start there may be none yet.
                code if code.is_retriable() => None,
                code => panic!("InitProducerId: {code:?}"),
            }
        })
    }

    /// Produces a batch with acks=all to partition 0, in one version; the offset of its first record.
    pub(crate) fn produce(&self, version: i16, topic: &str, batch: &[u8]) -> Result<i64, ErrorCode> {
        let partition = PartitionProduceData { records: Some(batch.into()), ..Default::default() };
        let data =
            TopicProduceData { name: topic.into(), partition_data: vec![partition], ..Default::default() };
        let request =
            ProduceRequest { acks: -1, timeout_ms: 20_000, topic_data: vec![data], ..Default::default() };
        let answer = self.runtime.block_on(self.client().ask_at(Node::Any, &request, version)).unwrap();
        let partition = &answer.responses[0].partition_responses[0];
        match ErrorCode::try_from(partition.error_code).unwrap() {
            ErrorCode::None => Ok(partition.base_offset),
            code => Err(code),
        }
    }

    /// [`Raw::produce`] until the broker leads the partition.
    pub(crate) fn produce_when_led(&self, topic: &str, batch: &[u8]) -> i64 {
        const NOT_YET: [ErrorCode; 3] = [
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::LeaderNotAvailable,
            ErrorCode::NotLeaderOrFollower,
        ];
        wait::until(&format!("{topic} is led"), LIMIT, || match self.produce(9, topic, batch) {
            Ok(offset) => Some(offset),
            Err(code) if NOT_YET.contains(&code) => None,
            Err(code) => panic!("produce to {topic}: {code:?}"),
        })
    }

    /// Every record of partition 0 from an offset on: its offset and value.
    pub(crate) fn read(&self, topic: &str, from: i64) -> Result<Vec<(i64, String)>, ErrorCode> {
        let mut all: Vec<(i64, String)> = Vec::new();
        let mut client = self.client();
        loop {
            let fetch_offset = all.last().map_or(from, |(offset, _)| offset + 1);
            let partition =
                FetchPartition { fetch_offset, partition_max_bytes: 1 << 20, ..Default::default() };
            let wanted =
                FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
            let request =
                FetchRequest { min_bytes: 1, max_bytes: 1 << 24, topics: vec![wanted], ..Default::default() };
            let answer = self.runtime.block_on(client.ask_at(Node::Any, &request, 11)).unwrap();
            let partition = &answer.responses[0].partitions[0];
            match ErrorCode::try_from(partition.error_code).unwrap() {
                ErrorCode::None => {}
                code => return Err(code),
            }
            let bytes = partition.records.as_ref().and_then(|records| records.as_bytes()).unwrap_or_default();
            let before = all.len();
            for entry in Entries::new(bytes, usize::MAX) {
                let entry = entry.unwrap();
                let mut records = entry.records(1 << 24).unwrap();
                while let Some(record) = records.next().unwrap() {
                    if record.offset >= fetch_offset {
                        let value = record.value.unwrap_or_default().to_vec();
                        all.push((record.offset, String::from_utf8(value).unwrap()));
                    }
                }
            }
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// Deletes the records of partition 0 below an offset; the partition's start then.
    pub(crate) fn delete_records(&self, topic: &str, before: i64) -> Result<i64, ErrorCode> {
        let partition = DeleteRecordsPartition { partition_index: 0, offset: before, ..Default::default() };
        let wanted =
            DeleteRecordsTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
        let request = DeleteRecordsRequest { topics: vec![wanted], timeout_ms: 20_000, ..Default::default() };
        let answer = self.runtime.block_on(self.client().ask_at(Node::Any, &request, 2)).unwrap();
        let partition = &answer.topics[0].partitions[0];
        match ErrorCode::try_from(partition.error_code).unwrap() {
            ErrorCode::None => Ok(partition.low_watermark),
            code => Err(code),
        }
    }

    /// The leader of partition 0, as clients are told.
    pub(crate) fn leader(&self, topic: &str) -> Result<i32, ErrorCode> {
        let topics = vec![MetadataRequestTopic { name: Some(topic.into()), ..Default::default() }];
        let request = MetadataRequest { topics: Some(topics), ..Default::default() };
        let answer = self.runtime.block_on(self.client().ask_at(Node::Any, &request, 9)).unwrap();
        let partition = &answer.topics[0].partitions[0];
        match ErrorCode::try_from(partition.error_code).unwrap() {
            ErrorCode::None => Ok(partition.leader_id),
            code => Err(code),
        }
    }

    /// Makes a topic with a configuration.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) {
        let topic = NewTopic {
            name: name.to_owned(),
            partitions: Some(partitions),
            replication_factor: Some(1),
            configs: configs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            ..NewTopic::default()
        };
        let made = self.admin(async |client| create_topics(client, &[topic], false).await);
        assert_eq!(made, [Ok(())], "{name}");
    }

    /// Runs one of the functions of `vltava_client::admin`.
    pub(crate) fn admin<T>(&self, ask: impl AsyncFnOnce(&mut Client) -> Result<T, ClientError>) -> T {
        let mut client = self.client();
        self.runtime.block_on(ask(&mut client)).unwrap()
    }
}

/// One batch with these values; of a producer's, beginning with a sequence, or of nobody's.
pub(crate) fn batch(values: &[&str], producer: Option<(Producer, i32)>) -> Vec<u8> {
    let mut options = BatchOptions::default();
    if let Some((producer, sequence)) = producer {
        options.producer_id = producer.id;
        options.producer_epoch = producer.epoch;
        options.base_sequence = sequence;
    }
    let mut builder = BatchBuilder::new(Vec::new(), options).unwrap();
    for (time, value) in (vltava_tests::stage::an_hour_ago()..).zip(values) {
        builder.append(time, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap().0
}
