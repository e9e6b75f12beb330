//! Offsets of partitions by time.

use std::collections::BTreeMap;

use vltava_protocol::messages::ListOffsetsRequest;
use vltava_protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};

use super::groups::TopicPartition;
use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// Which offset to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The first that can be read.
    Earliest,
    /// The one after the last.
    Latest,
    /// That of the record with the largest timestamp (KIP-734).
    MaxTimestamp,
    /// The first on local disk (KIP-405).
    EarliestLocal,
    /// The last in tiered storage (KIP-1005).
    LatestTiered,
    /// The first whose timestamp is not below this, milliseconds since 1970.
    Time(i64),
}

impl OffsetSpec {
    /// The number on the wire.
    #[must_use]
    pub fn timestamp(self) -> i64 {
        match self {
            OffsetSpec::Latest => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::MaxTimestamp => -3,
            OffsetSpec::EarliestLocal => -4,
            OffsetSpec::LatestTiered => -5,
            OffsetSpec::Time(timestamp) => timestamp,
        }
    }
}

/// Whether records of open and aborted transactions count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Isolation {
    /// They do.
    #[default]
    ReadUncommitted,
    /// The latest offset is the last stable one.
    ReadCommitted,
}

/// An offset that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset, -1 if no record matches.
    pub offset: i64,
    /// The timestamp of its record, -1 where the question was not about one.
    pub timestamp: i64,
}

/// Looks up an offset in each partition, at its leader.
///
/// # Errors
/// When a leader does not answer; each partition has a result of its own.
pub async fn list_offsets(
    client: &mut Client,
    partitions: &[(TopicPartition, OffsetSpec)],
    isolation: Isolation,
) -> Result<BTreeMap<TopicPartition, Result<ListedOffset, ApiError>>, ClientError> {
    let mut topics: Vec<&str> = partitions.iter().map(|(partition, _)| partition.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let leaders = super::groups::leaders(client, &topics).await?;
    let mut results = BTreeMap::new();
    let mut by_leader: BTreeMap<i32, Vec<(&TopicPartition, OffsetSpec)>> = BTreeMap::new();
    for (partition, spec) in partitions {
        match leaders.get(partition) {
            Some(Ok(leader)) => by_leader.entry(*leader).or_default().push((partition, *spec)),
            Some(Err(error)) => {
                results.insert(partition.clone(), Err(error.clone()));
            }
            None => {
                let code = vltava_protocol::ErrorCode::UnknownTopicOrPartition;
                results.insert(partition.clone(), Err(ApiError { code, message: None }));
            }
        }
    }
    for (leader, wanted) in by_leader {
        // Version 0 has another answer: a list of segments' offsets, none with a time.
        let version = client.version::<ListOffsetsRequest<'_>>(Node::Broker(leader), i16::MAX).await?;
        let mut request = ListOffsetsRequest {
            replica_id: -1,
            isolation_level: i8::from(isolation == Isolation::ReadCommitted),
            timeout_ms: super::topics::milliseconds(client),
            ..ListOffsetsRequest::default()
        };
        for (partition, spec) in wanted {
            let asked = ListOffsetsPartition {
                partition_index: partition.partition,
                timestamp: spec.timestamp(),
                ..ListOffsetsPartition::default()
            };
            match request.topics.iter_mut().find(|topic| topic.name == partition.topic) {
                Some(topic) => topic.partitions.push(asked),
                None => request.topics.push(ListOffsetsTopic {
                    name: partition.topic.clone().into(),
                    partitions: vec![asked],
                    ..Default::default()
                }),
            }
        }
        let response = client.ask_at(Node::Broker(leader), &request, version).await?;
        for topic in response.topics {
            for answer in topic.partitions {
                let partition = TopicPartition {
                    topic: topic.name.clone().into_owned(),
                    partition: answer.partition_index,
                };
                let offset = if version == 0 {
                    answer.old_style_offsets.first().copied().unwrap_or(-1)
                } else {
                    answer.offset
                };
                let found = ListedOffset { offset, timestamp: answer.timestamp };
                results.insert(partition, ApiError::check(answer.error_code, None).map(|()| found));
            }
        }
    }
    Ok(results)
}
