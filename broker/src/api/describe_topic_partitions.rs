//! DescribeTopicPartitions (KIP-966): partitions page by page, with a cursor.

use std::{collections::BTreeSet, sync::Arc};

use vltava_protocol::{
    ErrorCode,
    messages::{
        DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
        describe_topic_partitions::{
            Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
        },
    },
};
use vltava_settings::broker as keys;

use super::metadata::{TOPIC_OPERATIONS, leader_error};
use crate::{
    Broker,
    control::{PartitionMetadata, Snapshot, topic_names::validate_name},
    net::RequestContext,
    partitions::is_internal,
};

/// All versions of this API know LISTENER_NOT_FOUND, which came with Metadata 6.
const SINCE_LISTENER_NOT_FOUND: i16 = 6;

pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: DescribeTopicPartitionsRequest<'_>,
) -> DescribeTopicPartitionsResponse<'static> {
    let snapshot = broker.metadata.owned();
    let all = body.topics.is_empty();
    let mut names: BTreeSet<String> = if all {
        snapshot.topics().map(|topic| topic.name.to_string()).collect()
    } else {
        body.topics.into_iter().map(|topic| topic.name.into_owned()).collect()
    };
    let mut first = 0;
    if let Some(cursor) = &body.cursor {
        names = names.split_off(&*cursor.topic_name);
        if names.first().is_some_and(|name| **name == *cursor.topic_name) {
            first = cursor.partition_index.max(0);
        }
    }
    // The most of one answer, whatever the client wants.
    let most = usize::try_from(broker.config.get(keys::MAX_REQUEST_PARTITION_SIZE_LIMIT)).unwrap_or(1).max(1);
    let mut left = usize::try_from(body.response_partition_limit).unwrap_or(0).clamp(1, most);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names {
        let from = std::mem::take(&mut first);
        if left == 0 {
            response.next_cursor = Some(cursor(&name, from));
            break;
        }
        let Some(topic) = snapshot.topic(&name) else {
            response.topics.push(unknown(name));
            continue;
        };
        let mut page = topic.partitions.range(from..).map(|(&index, partition)| (index, partition));
        let partitions: Vec<_> = page
            .by_ref()
            .take(left)
            .map(|(index, partition)| described(&snapshot, &request.listener, index, partition))
            .collect();
        left -= partitions.len();
        response.next_cursor = page.next().map(|(index, _)| cursor(&name, index));
        response.topics.push(DescribeTopicPartitionsResponseTopic {
            is_internal: is_internal(&name),
            name: Some(name.into()),
            topic_id: topic.id,
            partitions,
            topic_authorized_operations: TOPIC_OPERATIONS,
            ..Default::default()
        });
        if response.next_cursor.is_some() {
            break;
        }
    }
    response
}

/// Where the next page begins.
fn cursor(topic: &str, partition_index: i32) -> Cursor<'static> {
    Cursor { topic_name: topic.to_owned().into(), partition_index, ..Default::default() }
}

/// A topic that is not there. As in Kafka it has operations all the same: without an authorizer everything may be done to any name.
fn unknown(name: String) -> DescribeTopicPartitionsResponseTopic<'static> {
    let code = validate_name(&name).err().map_or(ErrorCode::UnknownTopicOrPartition, |error| error.code);
    DescribeTopicPartitionsResponseTopic {
        error_code: code.into(),
        is_internal: is_internal(&name),
        name: Some(name.into()),
        topic_authorized_operations: TOPIC_OPERATIONS,
        ..Default::default()
    }
}

fn described(
    snapshot: &Snapshot,
    listener: &str,
    index: i32,
    partition: &PartitionMetadata,
) -> DescribeTopicPartitionsResponsePartition {
    let error = leader_error(snapshot, listener, SINCE_LISTENER_NOT_FOUND, partition);
    DescribeTopicPartitionsResponsePartition {
        // Null is allowed on the wire, but Java's admin client takes the lists as given (KIP-966).
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        error_code: error.into(),
        partition_index: index,
        leader_id: if error == ErrorCode::None { partition.leader } else { -1 },
        leader_epoch: partition.leader_epoch,
        replica_nodes: partition.replicas.clone(),
        isr_nodes: partition.isr.clone(),
        offline_replicas: partition.offline.clone(),
        ..Default::default()
    }
}
