//! OffsetForLeaderEpoch: where an epoch ends in this leader's log, by which clients and followers find where their logs diverge (KIP-101,
//! KIP-320).

use std::sync::Arc;

use vltava_protocol::messages::{
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    offset_for_leader_epoch::{EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult},
};

use crate::{Broker, net::RequestContext, partitions::PartitionError};

/// Answers an OffsetForLeaderEpoch, from memory.
pub(super) fn handle<'a>(
    broker: &Arc<Broker>,
    _request: &RequestContext,
    body: OffsetForLeaderEpochRequest<'a>,
) -> OffsetForLeaderEpochResponse<'a> {
    let topics = body.topics.into_iter().map(|topic| OffsetForLeaderTopicResult {
        partitions: topic.partitions.iter().map(|asked| answer(broker, &topic.topic, asked)).collect(),
        topic: topic.topic,
        ..Default::default()
    });
    OffsetForLeaderEpochResponse { topics: topics.collect(), ..Default::default() }
}

fn answer(broker: &Broker, topic: &str, asked: &OffsetForLeaderPartition) -> EpochEndOffset {
    let partition = asked.partition;
    match end(broker, topic, asked) {
        Ok((leader_epoch, end_offset)) => {
            EpochEndOffset { partition, leader_epoch, end_offset, ..Default::default() }
        }
        Err(error) => EpochEndOffset { partition, error_code: error.code().into(), ..Default::default() },
    }
}

fn end(broker: &Broker, topic: &str, asked: &OffsetForLeaderPartition) -> Result<(i32, i64), PartitionError> {
    let found = broker.replicas.partition(topic, asked.partition);
    let partition = found
        .map_err(|e| super::locate::elsewhere(broker, topic, &Default::default(), asked.partition, e))?;
    partition.check_leader(asked.current_leader_epoch)?;
    let end = partition.reader().end_of_epoch(asked.leader_epoch);
    Ok((end.epoch, end.end_offset))
}
