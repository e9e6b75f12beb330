//! Offsets of partitions by time.

use std::collections::BTreeMap;

use vltava_protocol::ErrorCode;
use vltava_protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic,
};
use vltava_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

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

/// What each partition has answered.
type Answers<T> = BTreeMap<TopicPartition, Result<T, ApiError>>;

/// Looks up an offset in each partition, at its leader.
///
/// # Errors
/// When a leader does not answer; each partition has a result of its own.
pub async fn list_offsets(
    client: &mut Client,
    partitions: &[(TopicPartition, OffsetSpec)],
    isolation: Isolation,
) -> Result<Answers<ListedOffset>, ClientError> {
    let asked =
        partitions.iter().map(|(partition, spec)| Asked { partition, timestamp: spec.timestamp(), most: 1 });
    let mut results = BTreeMap::new();
    for (leader, asked) in by_leader(client, asked, &mut results).await? {
        // Version 0 has another answer: a list of segments' offsets, none with a time.
        let version = client.version::<ListOffsetsRequest<'_>>(Node::Broker(leader), i16::MAX).await?;
        let request = request(client, &asked, isolation);
        let response = client.ask_at(Node::Broker(leader), &request, version).await?;
        results.extend(answers(response, |answer| ListedOffset {
            offset: match version {
                0 => answer.old_style_offsets.first().copied().unwrap_or(-1),
                _ => answer.offset,
            },
            timestamp: answer.timestamp,
        }));
    }
    Ok(results)
}

/// Asks as clients before 0.10.1 did: for as many offsets as `most`, the latest first, at which segments begin that were last
/// written at `timestamp` or before; of the latest (-1) also the end of the log.
///
/// # Errors
/// When a leader does not answer, or [`ClientError::Unsupported`] from one of Kafka 4.0 and later, which has forgotten the question.
pub async fn offsets_before(
    client: &mut Client,
    partitions: &[TopicPartition],
    timestamp: i64,
    most: i32,
) -> Result<Answers<Vec<i64>>, ClientError> {
    const OLD: i16 = 0;
    let asked = partitions.iter().map(|partition| Asked { partition, timestamp, most });
    let mut results = BTreeMap::new();
    for (leader, asked) in by_leader(client, asked, &mut results).await? {
        let version = client.version::<ListOffsetsRequest<'_>>(Node::Broker(leader), OLD).await?;
        let request = request(client, &asked, Isolation::ReadUncommitted);
        let response = client.ask_at(Node::Broker(leader), &request, version).await?;
        results.extend(answers(response, |answer| answer.old_style_offsets));
    }
    Ok(results)
}

/// A question about one partition.
#[derive(Clone, Copy)]
struct Asked<'a> {
    partition: &'a TopicPartition,
    timestamp: i64,
    most: i32,
}

/// The questions by the leaders that can answer them; those that have no leader are answered in `results`.
async fn by_leader<'a, T>(
    client: &mut Client,
    asked: impl Iterator<Item = Asked<'a>> + Clone,
    results: &mut Answers<T>,
) -> Result<BTreeMap<i32, Vec<Asked<'a>>>, ClientError> {
    let mut topics: Vec<&str> = asked.clone().map(|asked| asked.partition.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    let leaders = super::groups::leaders(client, &topics).await?;
    let mut by_leader: BTreeMap<i32, Vec<Asked<'a>>> = BTreeMap::new();
    for asked in asked {
        let error = match leaders.get(asked.partition) {
            Some(Ok(leader)) => {
                by_leader.entry(*leader).or_default().push(asked);
                continue;
            }
            Some(Err(error)) => error.clone(),
            None => ApiError { code: ErrorCode::UnknownTopicOrPartition, message: None },
        };
        results.insert(asked.partition.clone(), Err(error));
    }
    Ok(by_leader)
}

fn request(client: &Client, asked: &[Asked<'_>], isolation: Isolation) -> ListOffsetsRequest<'static> {
    let mut request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: i8::from(isolation == Isolation::ReadCommitted),
        timeout_ms: super::topics::milliseconds(client),
        ..ListOffsetsRequest::default()
    };
    for asked in asked {
        let question = ListOffsetsPartition {
            partition_index: asked.partition.partition,
            timestamp: asked.timestamp,
            max_num_offsets: asked.most,
            ..ListOffsetsPartition::default()
        };
        match request.topics.iter_mut().find(|topic| topic.name == asked.partition.topic) {
            Some(topic) => topic.partitions.push(question),
            None => request.topics.push(ListOffsetsTopic {
                name: asked.partition.topic.clone().into(),
                partitions: vec![question],
                ..Default::default()
            }),
        }
    }
    request
}

fn answers<T>(
    response: ListOffsetsResponse<'static>,
    read: impl Fn(ListOffsetsPartitionResponse) -> T,
) -> Answers<T> {
    let mut answers = BTreeMap::new();
    for topic in response.topics {
        for answer in topic.partitions {
            let partition =
                TopicPartition { topic: topic.name.clone().into_owned(), partition: answer.partition_index };
            let checked = ApiError::check(answer.error_code, None);
            answers.insert(partition, checked.map(|()| read(answer)));
        }
    }
    answers
}
