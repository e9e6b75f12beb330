//! What brokers tell of their own disks.

use vltava_protocol::messages::DescribeLogDirsRequest;
use vltava_protocol::messages::describe_log_dirs::DescribableLogDirTopic;

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
