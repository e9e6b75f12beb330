//! LeaderAndIsr and StopReplica, whole: from a request of any version to each partition's order, and to the response.

use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        LeaderAndIsrRequest, LeaderAndIsrResponse, StopReplicaRequest, StopReplicaResponse,
        leader_and_isr::{LeaderAndIsrPartitionError, LeaderAndIsrTopicError},
        stop_replica::StopReplicaPartitionError,
    },
};

use super::Replicas;

impl Replicas {
    /// Obeys LeaderAndIsr. The response answers both ways of naming topics, so that it can be encoded in any version. Makes and opens files.
    pub fn leader_and_isr(
        &self,
        request: &LeaderAndIsrRequest<'_>,
        now: i64,
    ) -> LeaderAndIsrResponse<'static> {
        let mut response = LeaderAndIsrResponse::default();
        let _one_at_a_time = self.order();
        if let Err(stale) = self.admit_controller(request.controller_epoch) {
            response.error_code = stale.into();
            return response;
        }
        for state in &request.ungrouped_partition_states {
            let code = code(self.assign(&state.topic_name, Uuid::ZERO, state, now));
            response.partition_errors.push(LeaderAndIsrPartitionError {
                topic_name: state.topic_name.clone().into_owned().into(),
                partition_index: state.partition_index,
                error_code: code,
                ..Default::default()
            });
        }
        for topic in &request.topic_states {
            let mut errors = Vec::with_capacity(topic.partition_states.len());
            for state in &topic.partition_states {
                errors.push(LeaderAndIsrPartitionError {
                    topic_name: topic.topic_name.clone().into_owned().into(),
                    partition_index: state.partition_index,
                    error_code: code(self.assign(&topic.topic_name, topic.topic_id, state, now)),
                    ..Default::default()
                });
            }
            response.partition_errors.extend(errors.iter().cloned());
            response.topics.push(LeaderAndIsrTopicError {
                topic_id: topic.topic_id,
                partition_errors: errors,
                ..Default::default()
            });
        }
        response
    }

    /// Obeys StopReplica: partitions stop to be served, and are deleted where it says so. Renames files; removing them comes with upkeep.
    pub fn stop_replica(&self, request: &StopReplicaRequest<'_>, now: i64) -> StopReplicaResponse<'static> {
        let mut response = StopReplicaResponse::default();
        let _one_at_a_time = self.order();
        if let Err(stale) = self.admit_controller(request.controller_epoch) {
            response.error_code = stale.into();
            return response;
        }
        let whole = request.delete_partitions;
        let ungrouped = request.ungrouped_partitions.iter();
        let named = request.topics.iter();
        let stated = request.topic_states.iter();
        let orders = ungrouped
            .map(|p| (&p.topic_name, p.partition_index, -1, whole))
            .chain(
                named.flat_map(|t| t.partition_indexes.iter().map(move |index| (&t.name, *index, -1, whole))),
            )
            .chain(stated.flat_map(|t| {
                let states = t.partition_states.iter();
                states.map(move |s| (&t.topic_name, s.partition_index, s.leader_epoch, s.delete_partition))
            }));
        for (topic, index, epoch, delete) in orders {
            response.partition_errors.push(StopReplicaPartitionError {
                topic_name: topic.clone().into_owned().into(),
                partition_index: index,
                error_code: code(self.stop(topic, index, epoch, delete, now)),
                ..Default::default()
            });
        }
        response
    }
}

fn code(outcome: Result<(), ErrorCode>) -> i16 {
    outcome.err().unwrap_or(ErrorCode::None).into()
}
