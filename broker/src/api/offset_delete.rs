//! OffsetDelete: a group forgets offsets of topics that no member reads (KIP-496).

use std::collections::BTreeMap;
use std::sync::Arc;

use vltava_cluster::groups::Partition;
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::offset_delete::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic};
use vltava_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use crate::Broker;
use crate::groups::{Reply, subscribed};
use crate::net::RequestContext;

/// Answers an OffsetDelete.
pub(super) async fn handle<'a>(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: OffsetDeleteRequest<'a>,
) -> OffsetDeleteResponse<'static> {
    match delete(broker, &body).await {
        Ok(topics) => OffsetDeleteResponse { topics, ..OffsetDeleteResponse::default() },
        Err(error) => OffsetDeleteResponse { error_code: error.into(), ..OffsetDeleteResponse::default() },
    }
}

async fn delete(
    broker: &Arc<Broker>,
    body: &OffsetDeleteRequest<'_>,
) -> Result<Vec<OffsetDeleteResponseTopic<'static>>, ErrorCode> {
    let slot = broker.groups.existing(broker, &body.group_id, ErrorCode::GroupIdNotFound)?;
    let mut results = Vec::new();
    let mut partitions = Vec::new();
    let snapshot = broker.metadata.owned();
    for topic in &body.topics {
        for asked in &topic.partitions {
            let partition = Partition { topic: topic.name.to_string(), index: asked.partition_index };
            if snapshot.partition(&topic.name, asked.partition_index).is_some() {
                partitions.push(partition);
            } else {
                results.push((partition, ErrorCode::UnknownTopicOrPartition));
            }
        }
    }
    let mut refused = None;
    let answer = slot.ask(|group, waiter, _, out| {
        if let Err(error) = group.delete_offsets(partitions, subscribed, waiter, out) {
            refused = Some((waiter, error));
        }
    });
    if let Some((waiter, error)) = refused {
        slot.forget_waiter(waiter);
        return Err(error);
    }
    drop(slot);
    match answer.await {
        Ok(Reply::Results(deleted)) => results.extend(deleted),
        _ => return Err(ErrorCode::NotCoordinator),
    }
    let mut topics: BTreeMap<String, Vec<OffsetDeleteResponsePartition>> = BTreeMap::new();
    for (partition, error) in results {
        let answer =
            OffsetDeleteResponsePartition { partition_index: partition.index, error_code: error.into() };
        topics.entry(partition.topic).or_default().push(answer);
    }
    let topic = |(name, partitions): (String, _)| OffsetDeleteResponseTopic { name: name.into(), partitions };
    Ok(topics.into_iter().map(topic).collect())
}
