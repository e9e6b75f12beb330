//! What a broker's answer means to the controller's machine.

use std::collections::HashSet;

use vltava_cluster::controller::{BrokerRequest, Event, StopReplica, TopicName};
use vltava_protocol::{ErrorCode, Uuid, messages::LeaderAndIsrResponse};

use crate::control::orders::Reply;

/// What is to be learned from the answer to a request.
#[derive(Debug)]
pub(super) enum Expects {
    /// Nothing.
    Nothing,
    /// Which of these replicas cannot be served.
    Assigned(Vec<(TopicName, Uuid, i32)>),
    /// Which of these have stopped.
    Stopped(Vec<StopReplica>),
}

impl Expects {
    pub(super) fn of(request: &BrokerRequest) -> Self {
        match request {
            BrokerRequest::UpdateMetadata { .. } => Self::Nothing,
            BrokerRequest::StopReplica { replicas, .. } => Self::Stopped(replicas.clone()),
            BrokerRequest::LeaderAndIsr { partitions, .. } => Self::Assigned(
                partitions.iter().map(|p| (p.topic.clone(), p.topic_id, p.partition)).collect(),
            ),
        }
    }

    /// What happened at `broker`; without a reply nothing is known to have.
    pub(super) fn events(self, broker: i32, reply: Option<Reply>) -> Vec<Event> {
        match (self, reply) {
            (Self::Assigned(assigned), Some(Reply::LeaderAndIsr(response))) => {
                let failed = storage_failures(&response);
                let has_failed = |(topic, id, partition): &(TopicName, Uuid, i32)| {
                    failed.contains(&Named::Id(*id, *partition))
                        || failed.contains(&Named::Name(topic, *partition))
                };
                let replicas: Vec<_> = assigned.into_iter().filter(has_failed).collect();
                if replicas.is_empty() {
                    Vec::new()
                } else {
                    vec![Event::ReplicasFailed { broker, replicas }]
                }
            }
            (Self::Stopped(stops), reply) => {
                let response = match reply {
                    Some(Reply::StopReplica(response)) if response.error_code == 0 => Some(response),
                    _ => None,
                };
                let failed: Option<HashSet<(&str, i32)>> = response.as_ref().map(|response| {
                    let failed =
                        response.partition_errors.iter().filter(|partition| partition.error_code != 0);
                    failed.map(|partition| (&*partition.topic_name, partition.partition_index)).collect()
                });
                let is_done = |replica: &StopReplica| {
                    failed
                        .as_ref()
                        .is_some_and(|failed| !failed.contains(&(&*replica.topic, replica.partition)))
                };
                let stopped = stops.into_iter().map(|replica| {
                    let done = is_done(&replica);
                    Event::Stopped { broker, replica, done }
                });
                stopped.collect()
            }
            (Self::Nothing | Self::Assigned(_), _) => Vec::new(),
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum Named<'a> {
    Name(&'a str, i32),
    Id(Uuid, i32),
}

/// The replicas whose storage has failed: named by the topic up to version 4, by its id from there on.
fn storage_failures<'a>(response: &'a LeaderAndIsrResponse<'_>) -> HashSet<Named<'a>> {
    let is_storage = |code: i16| code == ErrorCode::KafkaStorageError.code();
    let named = response.partition_errors.iter().filter(|partition| is_storage(partition.error_code));
    let by_id = response.topics.iter().filter(|topic| !topic.topic_id.is_zero()).flat_map(|topic| {
        let failed = topic.partition_errors.iter().filter(|partition| is_storage(partition.error_code));
        failed.map(|partition| Named::Id(topic.topic_id, partition.partition_index))
    });
    named
        .map(|partition| Named::Name(&partition.topic_name, partition.partition_index))
        .chain(by_id)
        .collect()
}
