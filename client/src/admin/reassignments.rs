//! Moving partitions to other brokers (KIP-455).

use std::collections::BTreeMap;

use vltava_protocol::messages::alter_partition_reassignments::{ReassignablePartition, ReassignableTopic};
use vltava_protocol::messages::list_partition_reassignments::ListPartitionReassignmentsTopics;
use vltava_protocol::messages::{AlterPartitionReassignmentsRequest, ListPartitionReassignmentsRequest};

use super::groups::TopicPartition;
use super::topics::milliseconds;
use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A partition that moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    /// All replicas that it has now, those to come and those to go among them.
    pub replicas: Vec<i32>,
    /// Those to come.
    pub adding: Vec<i32>,
    /// Those to go.
    pub removing: Vec<i32>,
}

/// The partitions that move: all there are, or those of a list.
///
/// # Errors
/// When the controller does not answer, or refuses; [`ClientError::Unsupported`] from a broker before 2.4.
pub async fn list_reassignments(
    client: &mut Client,
    partitions: Option<&[TopicPartition]>,
) -> Result<BTreeMap<TopicPartition, Reassignment>, ClientError> {
    let asked = |(name, partition_indexes): (&str, Vec<i32>)| ListPartitionReassignmentsTopics {
        name: name.to_owned().into(),
        partition_indexes,
        ..Default::default()
    };
    let topics = partitions.map(|partitions| {
        let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for partition in partitions {
            topics.entry(&partition.topic).or_default().push(partition.partition);
        }
        topics.into_iter().map(asked).collect()
    });
    let request = ListPartitionReassignmentsRequest {
        timeout_ms: milliseconds(client),
        topics,
        ..ListPartitionReassignmentsRequest::default()
    };
    client
        .ask_until(Node::Controller, &request, |response| {
            ApiError::check(response.error_code, response.error_message.as_deref())?;
            let mut moving = BTreeMap::new();
            for topic in response.topics {
                for partition in topic.partitions {
                    let name = TopicPartition {
                        topic: topic.name.to_string(),
                        partition: partition.partition_index,
                    };
                    moving.insert(
                        name,
                        Reassignment {
                            replicas: partition.replicas,
                            adding: partition.adding_replicas,
                            removing: partition.removing_replicas,
                        },
                    );
                }
            }
            Ok(moving)
        })
        .await
}

/// Has partitions move to these brokers, the preferred leader first, or with `None` stops their moving. Each has a result of its own.
///
/// # Errors
/// When the controller does not answer, or refuses all; [`ClientError::Unsupported`] from a broker before 2.4.
pub async fn alter_reassignments(
    client: &mut Client,
    targets: &BTreeMap<TopicPartition, Option<Vec<i32>>>,
) -> Result<BTreeMap<TopicPartition, Result<(), ApiError>>, ClientError> {
    let mut topics: Vec<ReassignableTopic<'_>> = Vec::new();
    for (partition, replicas) in targets {
        let wish = ReassignablePartition {
            partition_index: partition.partition,
            replicas: replicas.clone(),
            ..Default::default()
        };
        match topics.last_mut().filter(|topic| topic.name == partition.topic) {
            Some(topic) => topic.partitions.push(wish),
            None => topics.push(ReassignableTopic {
                name: partition.topic.as_str().into(),
                partitions: vec![wish],
                ..Default::default()
            }),
        }
    }
    let request = AlterPartitionReassignmentsRequest {
        timeout_ms: milliseconds(client),
        topics,
        ..AlterPartitionReassignmentsRequest::default()
    };
    client
        .ask_until(Node::Controller, &request, |response| {
            ApiError::check(response.error_code, response.error_message.as_deref())?;
            let mut results = BTreeMap::new();
            for topic in response.responses {
                for answer in topic.partitions {
                    let name =
                        TopicPartition { topic: topic.name.to_string(), partition: answer.partition_index };
                    results.insert(name, ApiError::check(answer.error_code, answer.error_message.as_deref()));
                }
            }
            Ok(results)
        })
        .await
}
