//! What to say about a partition that has no replica here: whether it is anywhere.

use vltava_protocol::Uuid;

use crate::{Broker, partitions::PartitionError};

/// A partition that the cluster knows is led by somebody else; only one that nobody knows is unknown. `name` is empty where the request names
/// topics by `id`.
pub(super) fn elsewhere(
    broker: &Broker,
    name: &str,
    id: &Uuid,
    index: i32,
    error: PartitionError,
) -> PartitionError {
    if !matches!(error, PartitionError::Unknown | PartitionError::UnknownId) {
        return error;
    }
    let snapshot = broker.metadata.snapshot();
    let name = if name.is_empty() { snapshot.name(id).map_or("", |name| &**name) } else { name };
    if name.is_empty() {
        return error;
    }
    if snapshot.partition(name, index).is_some() {
        PartitionError::NotLeader
    } else {
        PartitionError::Unknown
    }
}
