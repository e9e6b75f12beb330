//! Deleting records before an offset.

use std::collections::BTreeMap;

use vltava_protocol::messages::DeleteRecordsRequest;
use vltava_protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};

use super::groups::TopicPartition;
use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// Deletes everything before an offset in each partition; -1 is the high watermark. The result is the first offset left.
///
/// # Errors
/// When a leader does not answer; each partition has a result of its own.
pub async fn delete_records(
    client: &mut Client,
    before: &BTreeMap<TopicPartition, i64>,
) -> Result<BTreeMap<TopicPartition, Result<i64, ApiError>>, ClientError> {
    let mut topics: Vec<&str> = before.keys().map(|partition| partition.topic.as_str()).collect();
    topics.dedup();
    let leaders = super::groups::leaders(client, &topics).await?;
    let mut results = BTreeMap::new();
    for (partition, offset) in before {
        let leader = match leaders.get(partition) {
            Some(Ok(leader)) => *leader,
            Some(Err(error)) => {
                results.insert(partition.clone(), Err(error.clone()));
                continue;
            }
            None => {
                let code = vltava_protocol::ErrorCode::UnknownTopicOrPartition;
                results.insert(partition.clone(), Err(ApiError { code, message: None }));
                continue;
            }
        };
        let request = DeleteRecordsRequest {
            topics: vec![DeleteRecordsTopic {
                name: partition.topic.as_str().into(),
                partitions: vec![DeleteRecordsPartition {
                    partition_index: partition.partition,
                    offset: *offset,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            timeout_ms: super::topics::milliseconds(client),
            ..DeleteRecordsRequest::default()
        };
        let response = client.ask(Node::Broker(leader), &request).await?;
        for answer in response.topics.into_iter().flat_map(|topic| topic.partitions) {
            let result = ApiError::check(answer.error_code, None).map(|()| answer.low_watermark);
            results.insert(partition.clone(), result);
        }
    }
    Ok(results)
}
