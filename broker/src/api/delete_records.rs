//! DeleteRecords: moves a partition's start up; what lies below cannot be read any more, and its segments go with the next retention.
//!
//! It is answered when the new starts are on the disk, one small file for each log directory: what was deleted must not come back. (Kafka writes them
//! within `log.flush.start.offset.checkpoint.interval.ms`, and counts on the other replicas until then.)

use std::{collections::HashSet, sync::Arc};

use vltava_log::TopicPartition;
use vltava_protocol::{
    ErrorCode,
    messages::{
        DeleteRecordsRequest, DeleteRecordsResponse,
        delete_records::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
    },
};

use crate::{Broker, net::RequestContext};

/// Answers a DeleteRecords. The files that this writes are small; so it is done on a thread for file work.
pub(super) async fn handle(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: DeleteRecordsRequest<'_>,
) -> DeleteRecordsResponse<'static> {
    let body = body.into_owned();
    let worker = broker.clone();
    let orders = body.clone();
    let done = broker.replicas.files().read(move || delete(&worker, &orders)).await;
    done.unwrap_or_else(|_| DeleteRecordsResponse {
        topics: body.topics.iter().map(|topic| failed(topic, ErrorCode::KafkaStorageError)).collect(),
        ..Default::default()
    })
}

type Topic = vltava_protocol::messages::delete_records::DeleteRecordsTopic<'static>;

fn delete(broker: &Broker, body: &DeleteRecordsRequest<'static>) -> DeleteRecordsResponse<'static> {
    let mut response = DeleteRecordsResponse::default();
    for topic in &body.topics {
        let mut result = failed(topic, ErrorCode::None);
        for (answer, order) in result.partitions.iter_mut().zip(&topic.partitions) {
            match delete_one(broker, &topic.name, order.partition_index, order.offset) {
                Ok(low_watermark) => answer.low_watermark = low_watermark,
                Err(code) => answer.error_code = code.into(),
            }
        }
        response.topics.push(result);
    }
    refuse_unwritten(broker, &mut response);
    response
}

/// Makes the starts that have moved durable; where that fails, says so.
fn refuse_unwritten(broker: &Broker, response: &mut DeleteRecordsResponse<'static>) {
    let moved = response.topics.iter().flat_map(|topic| {
        let moved = topic.partitions.iter().filter(|answer| answer.error_code == 0);
        moved.map(|answer| TopicPartition::new(&*topic.name, answer.partition_index))
    });
    let moved: Vec<TopicPartition> = moved.collect();
    if moved.is_empty() {
        return;
    }
    let unwritten: HashSet<TopicPartition> =
        broker.replicas.checkpoint_log_starts(&moved).into_iter().collect();
    for topic in &mut response.topics {
        for answer in &mut topic.partitions {
            if unwritten.contains(&TopicPartition::new(&*topic.name, answer.partition_index)) {
                answer.error_code = ErrorCode::KafkaStorageError.into();
                answer.low_watermark = -1;
            }
        }
    }
}

fn delete_one(broker: &Broker, topic: &str, index: i32, offset: i64) -> Result<i64, ErrorCode> {
    let found = broker.replicas.partition(topic, index);
    let partition = found
        .map_err(|error| super::locate::elsewhere(broker, topic, &Default::default(), index, error).code())?;
    if partition.topic.is_internal() {
        return Err(ErrorCode::InvalidTopic);
    }
    partition.delete_records(offset).map_err(|error| error.code())
}

fn failed(topic: &Topic, code: ErrorCode) -> DeleteRecordsTopicResult<'static> {
    let answer = |partition_index| DeleteRecordsPartitionResult {
        partition_index,
        low_watermark: -1,
        error_code: code.into(),
        ..Default::default()
    };
    DeleteRecordsTopicResult {
        name: topic.name.clone(),
        partitions: topic.partitions.iter().map(|partition| answer(partition.partition_index)).collect(),
        ..Default::default()
    }
}
