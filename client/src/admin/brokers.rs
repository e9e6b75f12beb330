//! What brokers tell of themselves and their own disks, and the moves between those.

use std::collections::BTreeMap;

use vltava_protocol::messages::alter_replica_log_dirs::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
use vltava_protocol::messages::describe_log_dirs::DescribableLogDirTopic;
use vltava_protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest};

use super::groups::TopicPartition;
use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A log directory of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    /// Its path on the broker.
    pub path: String,
    /// Why it is offline.
    pub error: Option<ApiError>,
    /// The replicas in it.
    pub replicas: Vec<ReplicaSize>,
    /// The size of its volume in bytes, -1 where the broker does not tell.
    pub total_bytes: i64,
    /// What is free on it, likewise.
    pub usable_bytes: i64,
}

/// A replica in a log directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaSize {
    /// The partition.
    pub partition: TopicPartition,
    /// Bytes on disk.
    pub size: i64,
    /// How far it is behind.
    pub offset_lag: i64,
    /// Whether it is on its way into this directory.
    pub is_future: bool,
}

/// The log directories of a broker, with the replicas of `topics` (`None`: all).
///
/// # Errors
/// When it does not answer, or refuses.
pub async fn log_dirs(
    client: &mut Client,
    broker: i32,
    topics: Option<&[TopicPartition]>,
) -> Result<Vec<LogDir>, ClientError> {
    let mut request = DescribeLogDirsRequest { topics: topics.map(|_| Vec::new()), ..Default::default() };
    for partition in topics.into_iter().flatten() {
        let Some(asked) = &mut request.topics else { break };
        match asked.iter_mut().find(|topic| topic.topic == partition.topic) {
            Some(topic) => topic.partitions.push(partition.partition),
            None => asked.push(DescribableLogDirTopic {
                topic: partition.topic.clone().into(),
                partitions: vec![partition.partition],
                ..Default::default()
            }),
        }
    }
    let response = client.ask(Node::Broker(broker), &request).await?;
    ApiError::check(response.error_code, None)?;
    let describe = |dir: vltava_protocol::messages::describe_log_dirs::DescribeLogDirsResult<'_>| {
        let mut replicas = Vec::new();
        for topic in &dir.topics {
            replicas.extend(topic.partitions.iter().map(|partition| ReplicaSize {
                partition: TopicPartition {
                    topic: topic.name.to_string(),
                    partition: partition.partition_index,
                },
                size: partition.partition_size,
                offset_lag: partition.offset_lag,
                is_future: partition.is_future_key,
            }));
        }
        LogDir {
            path: dir.log_dir.into_owned(),
            error: ApiError::check(dir.error_code, None).err(),
            replicas,
            total_bytes: dir.total_bytes,
            usable_bytes: dir.usable_bytes,
        }
    };
    Ok(response.results.into_iter().map(describe).collect())
}

/// The live brokers by id, each with its rack.
///
/// # Errors
/// When no broker answers.
pub async fn racks(client: &mut Client) -> Result<BTreeMap<i32, Option<String>>, ClientError> {
    let metadata = client.metadata(Some(&[])).await?;
    let rack = |rack: vltava_protocol::wire::Str<'_>| rack.into_owned();
    Ok(metadata.brokers.into_iter().map(|broker| (broker.node_id, broker.rack.map(rack))).collect())
}

/// Has a broker move replicas of its own to other directories (KIP-113). Each has a result of its own.
///
/// # Errors
/// When the broker does not answer; [`ClientError::Unsupported`] from one before 1.0.
pub async fn move_replicas(
    client: &mut Client,
    broker: i32,
    targets: &BTreeMap<TopicPartition, String>,
) -> Result<BTreeMap<TopicPartition, Result<(), ApiError>>, ClientError> {
    let mut dirs: BTreeMap<&str, BTreeMap<&str, Vec<i32>>> = BTreeMap::new();
    for (partition, dir) in targets {
        dirs.entry(dir).or_default().entry(&partition.topic).or_default().push(partition.partition);
    }
    let topic = |(name, partitions): (&str, Vec<i32>)| AlterReplicaLogDirTopic {
        name: name.to_owned().into(),
        partitions,
        ..Default::default()
    };
    let dirs = dirs.into_iter().map(|(path, topics)| AlterReplicaLogDir {
        path: path.to_owned().into(),
        topics: topics.into_iter().map(topic).collect(),
        ..Default::default()
    });
    let request = AlterReplicaLogDirsRequest { dirs: dirs.collect(), ..Default::default() };
    let response = client.ask(Node::Broker(broker), &request).await?;
    let mut results = BTreeMap::new();
    for topic in response.results {
        for answer in topic.partitions {
            let name =
                TopicPartition { topic: topic.topic_name.to_string(), partition: answer.partition_index };
            results.insert(name, ApiError::check(answer.error_code, None));
        }
    }
    Ok(results)
}
