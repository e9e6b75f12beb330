//! Electing leaders (KIP-183, KIP-460).

use std::collections::BTreeMap;

use vltava_protocol::messages::ElectLeadersRequest;
use vltava_protocol::messages::elect_leaders::TopicPartitions;

use super::groups::TopicPartition;
use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// Who is to lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElectionType {
    /// The first replica, if it is in sync.
    Preferred,
    /// Any replica that lives, where no one in sync does: records may be lost.
    Unclean,
}

/// Elects leaders of these partitions, or of all there are. Each has a result of its own; of all, those that needed no election have none.
///
/// # Errors
/// When the controller does not answer, or refuses the whole request; [`ClientError::Unsupported`] for an unclean election by a broker before 2.4.
pub async fn elect_leaders(
    client: &mut Client,
    kind: ElectionType,
    partitions: Option<&[TopicPartition]>,
) -> Result<BTreeMap<TopicPartition, Result<(), ApiError>>, ClientError> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions.unwrap_or_default() {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    let named = topics.into_iter().map(|(topic, partitions)| TopicPartitions {
        topic: topic.to_owned().into(),
        partitions,
        ..Default::default()
    });
    let request = ElectLeadersRequest {
        election_type: i8::from(kind == ElectionType::Unclean),
        topic_partitions: partitions.map(|_| named.collect()),
        timeout_ms: super::topics::milliseconds(client),
        ..Default::default()
    };
    client
        .ask_until(Node::Controller, &request, |response| {
            ApiError::check(response.error_code, None)?;
            let mut results = BTreeMap::new();
            for topic in response.replica_election_results {
                for answer in topic.partition_result {
                    let name = TopicPartition {
                        topic: topic.topic.clone().into_owned(),
                        partition: answer.partition_id,
                    };
                    results.insert(name, ApiError::check(answer.error_code, answer.error_message.as_deref()));
                }
            }
            Ok(results)
        })
        .await
}
