//! What to say about a partition that has no replica here: whether it is anywhere.

use vltava_protocol::{ErrorCode, Uuid};

use crate::{
    Broker,
    partitions::{
        PartitionError,
        fetch_sessions::{TopicRef, Wanted},
    },
};

/// A partition that the cluster knows is led by somebody else; only one that nobody knows is unknown. `name` is empty where the request names
/// topics by `id`.
pub(super) fn elsewhere(
    broker: &Broker,
    name: &str,
    id: &Uuid,
    index: i32,
    error: PartitionError,
) -> PartitionError {
    match is_known(broker, name, id, index, &error) {
        Some(true) => PartitionError::NotLeader,
        Some(false) => PartitionError::Unknown,
        None => error,
    }
}

/// As [`elsewhere`], for what a Fetch wants: the error's code.
pub(super) fn code_elsewhere(broker: &Broker, want: &Wanted, error: &PartitionError) -> ErrorCode {
    let known = match &want.topic {
        TopicRef::Name(name) => is_known(broker, name, &Uuid::ZERO, want.partition, error),
        TopicRef::Id(id) => is_known(broker, "", id, want.partition, error),
    };
    match known {
        Some(true) => ErrorCode::NotLeaderOrFollower,
        Some(false) => ErrorCode::UnknownTopicOrPartition,
        None => error.code(),
    }
}

/// Whether the cluster knows a partition that is not here; `None` where the error is another, or not even the topic's id is known.
fn is_known(broker: &Broker, name: &str, id: &Uuid, index: i32, error: &PartitionError) -> Option<bool> {
    if !matches!(error, PartitionError::Unknown | PartitionError::UnknownId) {
        return None;
    }
    let snapshot = broker.metadata.snapshot();
    let name = if name.is_empty() { snapshot.name(id)? } else { name };
    Some(snapshot.partition(name, index).is_some())
}
