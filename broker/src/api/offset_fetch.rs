//! OffsetFetch: what groups have committed; in version 0 what lies in ZooKeeper.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use vltava_cluster::groups::{CommittedOffset, Group};
use vltava_protocol::messages::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchResponseGroup, OffsetFetchResponsePartition,
    OffsetFetchResponsePartitions, OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use vltava_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse};
use vltava_protocol::{ErrorCode, Uuid};

use crate::Broker;
use crate::groups::zookeeper_offsets;
use crate::net::RequestContext;

/// Several groups in one request from here on.
const FIRST_WITH_GROUPS: i16 = 8;

/// Topics are named by id from here on.
const FIRST_WITH_IDS: i16 = 10;

/// Answers an OffsetFetch.
pub(super) async fn handle<'a>(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: OffsetFetchRequest<'a>,
) -> OffsetFetchResponse<'static> {
    if request.version == 0 {
        return from_zookeeper(broker, &body).await;
    }
    if request.version < FIRST_WITH_GROUPS {
        return one_group(broker, request, &body);
    }
    // A group that is named again and again is told once, as in DescribeGroups.
    let mut told = HashSet::new();
    let groups = body.groups.iter().filter(|group| told.insert(&*group.group_id));
    let groups = groups.map(|group| several(broker, request, group));
    OffsetFetchResponse { groups: groups.collect(), ..OffsetFetchResponse::default() }
}

/// What stands for an offset that was never committed.
fn none() -> CommittedOffset {
    CommittedOffset {
        offset: -1,
        leader_epoch: -1,
        metadata: String::new(),
        committed_at: -1,
        expires_at: None,
    }
}

/// Looks at a group; a group that does not exist has committed nothing.
fn look<T>(broker: &Broker, group: &str, look: impl FnOnce(Option<&Group>) -> T) -> Result<T, ErrorCode> {
    match broker.groups.existing(broker, group, ErrorCode::GroupIdNotFound) {
        Ok(slot) => Ok(slot.look(|group| look(Some(group)))),
        Err(ErrorCode::GroupIdNotFound) => Ok(look(None)),
        Err(error) => Err(error),
    }
}

/// The offsets asked for, by topic in the order of the request; all of them if `asked` is `None`.
fn offsets(
    group: Option<&Group>,
    asked: Option<&[(String, Vec<i32>)]>,
) -> Vec<(String, Vec<(i32, CommittedOffset)>)> {
    match asked {
        Some(topics) => topics
            .iter()
            .map(|(topic, partitions)| {
                let offset = |index: &i32| {
                    let committed = group.and_then(|group| group.offset(topic, *index)).cloned();
                    (*index, committed.unwrap_or_else(none))
                };
                (topic.clone(), partitions.iter().map(offset).collect())
            })
            .collect(),
        None => {
            let mut topics: BTreeMap<String, Vec<(i32, CommittedOffset)>> = BTreeMap::new();
            for (topic, index, offset) in group.into_iter().flat_map(Group::offsets) {
                topics.entry(topic.to_owned()).or_default().push((index, offset.clone()));
            }
            topics.into_iter().collect()
        }
    }
}

/// Those partitions of a topic that this request has not asked for before: each is told once, as in Kafka.
fn once<T: Copy + Eq + Hash>(asked: &mut HashSet<(T, i32)>, topic: T, partitions: &[i32]) -> Vec<i32> {
    partitions.iter().copied().filter(|&index| asked.insert((topic, index))).collect()
}

async fn from_zookeeper(broker: &Broker, body: &OffsetFetchRequest<'_>) -> OffsetFetchResponse<'static> {
    let session = broker.control.session();
    let mut topics = Vec::new();
    let mut asked = HashSet::new();
    for topic in body.topics.iter().flatten() {
        let indexes = once(&mut asked, &*topic.name, &topic.partition_indexes);
        let mut partitions = Vec::with_capacity(indexes.len());
        for index in &indexes {
            let known = broker.metadata.snapshot().partition(&topic.name, *index).is_some();
            let found = match &session {
                _ if !known => Err(ErrorCode::UnknownTopicOrPartition),
                None => Err(ErrorCode::CoordinatorNotAvailable),
                Some(session) => {
                    let complaints = broker.groups.complaints();
                    zookeeper_offsets::fetch(session, complaints, &body.group_id, &topic.name, *index).await
                }
            };
            let (offset, error) = match found {
                Ok(Some(offset)) => (offset, ErrorCode::None),
                // Before offsets moved into the log, "none" was an error.
                Ok(None) => (-1, ErrorCode::UnknownTopicOrPartition),
                Err(error) => (-1, error),
            };
            partitions.push(OffsetFetchResponsePartition {
                partition_index: *index,
                committed_offset: offset,
                error_code: error.into(),
                ..OffsetFetchResponsePartition::default()
            });
        }
        let name = topic.name.to_string().into();
        topics.push(OffsetFetchResponseTopic { name, partitions, ..OffsetFetchResponseTopic::default() });
    }
    OffsetFetchResponse { topics, ..OffsetFetchResponse::default() }
}

/// Versions 1 to 7. Version 1 has no place for an error of the whole group: each partition carries it.
fn one_group(
    broker: &Broker,
    request: &RequestContext,
    body: &OffsetFetchRequest<'_>,
) -> OffsetFetchResponse<'static> {
    let asked: Option<Vec<(String, Vec<i32>)>> = body.topics.as_ref().map(|topics| {
        let mut asked = HashSet::new();
        topics
            .iter()
            .map(|topic| (topic.name.to_string(), once(&mut asked, &*topic.name, &topic.partition_indexes)))
            .collect()
    });
    let found = look(broker, &body.group_id, |group| offsets(group, asked.as_deref()));
    let (found, error) = match found {
        Ok(found) => (found, ErrorCode::None),
        Err(error) if request.version >= 2 => {
            return OffsetFetchResponse { error_code: error.into(), ..OffsetFetchResponse::default() };
        }
        Err(error) => (offsets(None, asked.as_deref()), error),
    };
    let topic = |(name, partitions): (String, Vec<(i32, CommittedOffset)>)| OffsetFetchResponseTopic {
        name: name.into(),
        partitions: partitions
            .into_iter()
            .map(|(index, offset)| OffsetFetchResponsePartition {
                partition_index: index,
                committed_offset: offset.offset,
                committed_leader_epoch: offset.leader_epoch,
                metadata: Some(offset.metadata.into()),
                error_code: error.into(),
                ..OffsetFetchResponsePartition::default()
            })
            .collect(),
        ..OffsetFetchResponseTopic::default()
    };
    OffsetFetchResponse { topics: found.into_iter().map(topic).collect(), ..OffsetFetchResponse::default() }
}

/// One group of version 8 and later.
fn several(
    broker: &Broker,
    request: &RequestContext,
    asked: &OffsetFetchRequestGroup<'_>,
) -> OffsetFetchResponseGroup<'static> {
    let named =
        OffsetFetchResponseGroup { group_id: asked.group_id.to_string().into(), ..Default::default() };
    let snapshot = broker.metadata.owned();
    let by_id = request.version >= FIRST_WITH_IDS;
    // An id that nobody has keeps its place under an empty name.
    let ids: Vec<Uuid> = asked.topics.iter().flatten().map(|topic| topic.topic_id).collect();
    let wanted: Option<Vec<(String, Vec<i32>)>> = asked.topics.as_ref().map(|topics| {
        let name = |topic: &vltava_protocol::messages::offset_fetch::OffsetFetchRequestTopics<'_>| {
            let known = snapshot.name(&topic.topic_id).map(ToString::to_string);
            if by_id { known.unwrap_or_default() } else { topic.name.to_string() }
        };
        let mut asked = HashSet::new();
        topics
            .iter()
            .map(|topic| {
                let known = (topic.topic_id, &*topic.name);
                (name(topic), once(&mut asked, known, &topic.partition_indexes))
            })
            .collect()
    });
    let found = match look(broker, &asked.group_id, |group| offsets(group, wanted.as_deref())) {
        Ok(found) => found,
        Err(error) => return OffsetFetchResponseGroup { error_code: error.into(), ..named },
    };
    let topic = |(at, (name, partitions)): (usize, (String, Vec<(i32, CommittedOffset)>))| {
        let known = snapshot.topic(&name).map(|topic| topic.id);
        let topic_id = ids.get(at).copied().filter(|_| by_id).or(known).unwrap_or_default();
        let error = if by_id && known.is_none() { ErrorCode::UnknownTopicId } else { ErrorCode::None };
        OffsetFetchResponseTopics {
            name: name.into(),
            topic_id,
            partitions: partitions
                .into_iter()
                .map(|(index, offset)| OffsetFetchResponsePartitions {
                    partition_index: index,
                    committed_offset: offset.offset,
                    committed_leader_epoch: offset.leader_epoch,
                    metadata: Some(offset.metadata.into()),
                    error_code: error.into(),
                    ..OffsetFetchResponsePartitions::default()
                })
                .collect(),
            ..OffsetFetchResponseTopics::default()
        }
    };
    OffsetFetchResponseGroup { topics: found.into_iter().enumerate().map(topic).collect(), ..named }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_that_is_asked_for_again_and_again_is_told_once() {
        let mut asked = HashSet::new();
        assert_eq!(once(&mut asked, "t", &[1, 0, 1, 1]), [1, 0]);
        assert_eq!(once(&mut asked, "u", &[1]), [1]);
        assert_eq!(once(&mut asked, "t", &[0, 2]), [2]);
    }
}
