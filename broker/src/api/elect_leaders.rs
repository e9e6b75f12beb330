//! ElectLeaders (KIP-183, KIP-460): what of each partition's leader an election could change. With one member of the cluster nothing can be moved: the
//! preferred replica leads wherever it lives.

use std::{collections::BTreeMap, sync::Arc};

use vltava_protocol::{
    ErrorCode,
    messages::{
        ElectLeadersRequest, ElectLeadersResponse,
        elect_leaders::{PartitionResult, ReplicaElectionResult},
    },
};

use crate::{Broker, control::PartitionMetadata, net::RequestContext};

/// `election_type` of an election of the preferred replica; the other one is of any replica that lives.
const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

/// From here on a partition whose leader may stay is told with an error of its own.
const FIRST_WITH_NOT_NEEDED: i16 = 1;

pub(super) fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: ElectLeadersRequest<'_>,
) -> ElectLeadersResponse<'static> {
    let snapshot = broker.metadata.owned();
    let refused = if !matches!(body.election_type, PREFERRED | UNCLEAN) {
        Some(ErrorCode::InvalidRequest)
    } else if broker.control.is_active_controller() {
        None
    } else {
        Some(ErrorCode::NotController)
    };
    let lives = |id: &i32| snapshot.broker(*id).is_some();
    let mut results: BTreeMap<String, Vec<PartitionResult<'static>>> = BTreeMap::new();
    let mut elect = |topic: &str, number: i32, tell_not_needed: bool| {
        let (code, message) = match refused {
            Some(code) => (code, None),
            None => outcome(snapshot.partition(topic, number), lives, body.election_type),
        };
        if code != ErrorCode::ElectionNotNeeded || tell_not_needed {
            let told = told(request.version, number, code, message);
            results.entry(topic.to_owned()).or_default().push(told);
        }
    };
    match &body.topic_partitions {
        Some(topics) => {
            for topic in topics {
                for &number in &topic.partitions {
                    elect(&topic.topic, number, true);
                }
            }
        }
        // All of them: those that need none are left out.
        None => {
            for topic in snapshot.topics() {
                for &number in topic.partitions.keys() {
                    elect(&topic.name, number, false);
                }
            }
        }
    }
    let result = |(topic, partition_result): (String, _)| ReplicaElectionResult {
        topic: topic.into(),
        partition_result,
        ..ReplicaElectionResult::default()
    };
    ElectLeadersResponse {
        // That this is not the controller is told of each partition, as in Kafka.
        error_code: refused
            .filter(|code| *code != ErrorCode::NotController)
            .unwrap_or(ErrorCode::None)
            .into(),
        replica_election_results: results.into_iter().map(result).collect(),
        ..ElectLeadersResponse::default()
    }
}

fn told(
    version: i16,
    partition_id: i32,
    code: ErrorCode,
    message: Option<&'static str>,
) -> PartitionResult<'static> {
    let code = match code {
        ErrorCode::ElectionNotNeeded if version < FIRST_WITH_NOT_NEEDED => ErrorCode::None,
        code => code,
    };
    let error_message = message.filter(|_| code != ErrorCode::None).map(Into::into);
    PartitionResult { partition_id, error_code: code.into(), error_message, ..PartitionResult::default() }
}

/// What an election comes to, and Kafka's words for it.
fn outcome(
    partition: Option<&PartitionMetadata>,
    lives: impl Fn(&i32) -> bool,
    election: i8,
) -> (ErrorCode, Option<&'static str>) {
    let Some(PartitionMetadata { leader, replicas, offline, .. }) = partition else {
        return (ErrorCode::UnknownTopicOrPartition, Some("The partition does not exist."));
    };
    let needed = if election == PREFERRED { replicas.first() != Some(leader) } else { !lives(leader) };
    if !needed {
        return (ErrorCode::ElectionNotNeeded, Some("Leader election not needed for topic partition."));
    }
    if election == PREFERRED {
        return (ErrorCode::PreferredLeaderNotAvailable, Some("The preferred leader was not available."));
    }
    // Kafka would elect it here.
    let electable = replicas.iter().any(|id| lives(id) && !offline.contains(id));
    let message = if electable {
        "A replica that lives is elected only where the topic says unclean.leader.election.enable=true."
    } else {
        "Eligible topic partition leaders are not available."
    };
    (ErrorCode::EligibleLeadersNotAvailable, Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elections_are_answered_as_a_controller_in_zookeeper_mode_does() {
        // One broker lives, 1; of 2 nothing is known.
        let lives = |id: &i32| *id == 1;
        let answer = |leader: i32, replicas: &[i32], offline: &[i32], election| {
            let partition = PartitionMetadata {
                leader,
                leader_epoch: 0,
                replicas: replicas.to_vec(),
                isr: vec![leader],
                offline: offline.to_vec(),
            };
            outcome(Some(&partition), lives, election)
        };
        let code = |leader, replicas: &[i32], election| answer(leader, replicas, &[], election).0;
        assert_eq!(code(1, &[1], PREFERRED), ErrorCode::ElectionNotNeeded);
        assert_eq!(code(1, &[2, 1], PREFERRED), ErrorCode::PreferredLeaderNotAvailable);
        assert_eq!(code(1, &[2, 1], UNCLEAN), ErrorCode::ElectionNotNeeded);
        assert_eq!(code(-1, &[2], UNCLEAN), ErrorCode::EligibleLeadersNotAvailable);
        assert_eq!(outcome(None, lives, UNCLEAN).0, ErrorCode::UnknownTopicOrPartition);
        let told = |offline: &[i32]| answer(-1, &[2, 1], offline, UNCLEAN).1.unwrap_or_default();
        assert!(told(&[]).contains("unclean.leader.election.enable=true"));
        assert!(told(&[1]).contains("Eligible topic partition leaders are not available."));
    }
}
