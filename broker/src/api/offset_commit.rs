//! OffsetCommit: a group's offsets are written to `__consumer_offsets`, or in version 0 to ZooKeeper.

use std::sync::Arc;

use vltava_cluster::groups::{CommitRequest, CommittedOffset, Partition};
use vltava_protocol::ErrorCode;
use vltava_protocol::messages::offset_commit::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponsePartition,
    OffsetCommitResponseTopic,
};
use vltava_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use crate::Broker;
use crate::groups::{Reply, zookeeper_offsets};
use crate::net::RequestContext;
use crate::partitions::now_ms;

/// Topics are named by id from here on.
const FIRST_WITH_IDS: i16 = 10;

/// The only version in which a client says when each offset was committed.
const WITH_COMMIT_TIME: i16 = 1;

/// Answers an OffsetCommit.
pub(super) async fn handle<'a>(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: OffsetCommitRequest<'a>,
) -> OffsetCommitResponse<'static> {
    let body = body.into_owned();
    let names = topic_names(broker, request, &body.topics);
    let results = if request.version == 0 {
        in_zookeeper(broker, &body, &names).await
    } else {
        in_the_log(broker, request, &body, &names).await
    };
    let mut results = results.into_iter();
    let topic = |topic: &OffsetCommitRequestTopic<'static>| OffsetCommitResponseTopic {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|partition| OffsetCommitResponsePartition {
                partition_index: partition.partition_index,
                error_code: results.next().unwrap_or(ErrorCode::UnknownServerError).into(),
                ..OffsetCommitResponsePartition::default()
            })
            .collect(),
        ..OffsetCommitResponseTopic::default()
    };
    OffsetCommitResponse {
        topics: body.topics.iter().map(topic).collect(),
        ..OffsetCommitResponse::default()
    }
}

/// The name of each topic of the request, `None` for an id that nobody has.
fn topic_names(
    broker: &Broker,
    request: &RequestContext,
    topics: &[OffsetCommitRequestTopic<'_>],
) -> Vec<Option<String>> {
    let snapshot = broker.metadata.snapshot();
    let name = |topic: &OffsetCommitRequestTopic<'_>| {
        if request.version < FIRST_WITH_IDS {
            Some(topic.name.to_string())
        } else {
            snapshot.name(&topic.topic_id).map(ToString::to_string)
        }
    };
    topics.iter().map(name).collect()
}

/// All partitions in the order of the request, with the name of their topic.
fn partitions<'r>(
    body: &'r OffsetCommitRequest<'static>,
    names: &'r [Option<String>],
) -> impl Iterator<Item = (Option<&'r str>, &'r OffsetCommitRequestPartition<'static>)> {
    let topics = body.topics.iter().zip(names);
    topics
        .flat_map(|(topic, name)| topic.partitions.iter().map(move |partition| (name.as_deref(), partition)))
}

async fn in_zookeeper(
    broker: &Broker,
    body: &OffsetCommitRequest<'static>,
    names: &[Option<String>],
) -> Vec<ErrorCode> {
    let mut results = Vec::new();
    let session = broker.control.session();
    let limit = i64::from(broker.config.get(vltava_settings::broker::OFFSET_METADATA_MAX_BYTES));
    for (name, partition) in partitions(body, names) {
        let name = name.unwrap_or_default();
        let index = partition.partition_index;
        let known = broker.metadata.snapshot().partition(name, index).is_some();
        let note = partition.committed_metadata.as_ref().map_or(0, |note| note.len());
        results.push(match &session {
            _ if !known => ErrorCode::UnknownTopicOrPartition,
            _ if i64::try_from(note).unwrap_or(i64::MAX) > limit => ErrorCode::OffsetMetadataTooLarge,
            None => ErrorCode::CoordinatorNotAvailable,
            Some(session) => {
                let (complaints, offset) = (broker.groups.complaints(), partition.committed_offset);
                zookeeper_offsets::commit(session, complaints, &body.group_id, name, index, offset).await
            }
        });
    }
    results
}

async fn in_the_log(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: &OffsetCommitRequest<'static>,
    names: &[Option<String>],
) -> Vec<ErrorCode> {
    let count = body.topics.iter().map(|topic| topic.partitions.len()).sum();
    // A group that does not exist is made by a client that only keeps its offsets here; a member of one that is gone must join again.
    let slot = if body.generation_id_or_member_epoch < 0 {
        broker.groups.or_new(broker, &body.group_id)
    } else {
        broker.groups.existing(broker, &body.group_id, ErrorCode::IllegalGeneration)
    };
    let slot = match slot {
        Ok(slot) => slot,
        Err(error) => return vec![error; count],
    };
    let now = now_ms();
    let snapshot = broker.metadata.owned();
    let offsets = partitions(body, names).map(|(name, partition)| {
        let index = partition.partition_index;
        let place = Partition { topic: name.unwrap_or_default().to_owned(), index };
        let offset = match name {
            None => Err(ErrorCode::UnknownTopicId),
            Some(name) if snapshot.partition(name, index).is_none() => {
                Err(ErrorCode::UnknownTopicOrPartition)
            }
            Some(_) => Ok(committed(request, body, partition, now)),
        };
        (place, offset)
    });
    let commit = CommitRequest {
        generation: body.generation_id_or_member_epoch,
        member_id: body.member_id.to_string(),
        instance_id: body.group_instance_id.as_deref().map(str::to_owned),
        offsets: offsets.collect(),
    };
    let answer = slot.ask(|group, waiter, now, out| group.commit(commit, waiter, now, out));
    drop(slot);
    match answer.await {
        Ok(Reply::Results(results)) => results.into_iter().map(|(_, error)| error).collect(),
        _ => vec![ErrorCode::NotCoordinator; count],
    }
}

fn committed(
    request: &RequestContext,
    body: &OffsetCommitRequest<'_>,
    partition: &OffsetCommitRequestPartition<'_>,
    now: i64,
) -> CommittedOffset {
    let said = request.version == WITH_COMMIT_TIME && partition.commit_timestamp >= 0;
    let committed_at = if said { partition.commit_timestamp } else { now };
    CommittedOffset {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_deref().unwrap_or_default().to_owned(),
        committed_at,
        expires_at: (body.retention_time_ms >= 0)
            .then(|| committed_at.saturating_add(body.retention_time_ms)),
    }
}
