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

use crate::{
    Broker,
    control::{PartitionMetadata, Snapshot},
    net::RequestContext,
};

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
    let mut results: BTreeMap<String, Vec<PartitionResult<'static>>> = BTreeMap::new();
    let mut elect = |topic: &str, number: i32, tell_not_needed: bool| {
        let code = refused.unwrap_or_else(|| outcome(&snapshot, topic, number, body.election_type));
        if code == ErrorCode::ElectionNotNeeded && !tell_not_needed {
            return;
        }
        let code = match code {
            ErrorCode::ElectionNotNeeded if request.version < FIRST_WITH_NOT_NEEDED => ErrorCode::None,
            code => code,
        };
        results.entry(topic.to_owned()).or_default().push(PartitionResult {
            partition_id: number,
            error_code: code.into(),
            error_message: message(code).map(Into::into),
            ..PartitionResult::default()
        });
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
        error_code: refused.unwrap_or(ErrorCode::None).into(),
        replica_election_results: results.into_iter().map(result).collect(),
        ..ElectLeadersResponse::default()
    }
}

fn outcome(snapshot: &Snapshot, topic: &str, number: i32, election: i8) -> ErrorCode {
    let Some(partition) = snapshot.partition(topic, number) else {
        return ErrorCode::UnknownTopicOrPartition;
    };
    let PartitionMetadata { leader, replicas, .. } = partition;
    let lives = snapshot.broker(*leader).is_some();
    match election {
        PREFERRED if lives && replicas.first() == Some(leader) => ErrorCode::ElectionNotNeeded,
        PREFERRED => ErrorCode::PreferredLeaderNotAvailable,
        _ if lives => ErrorCode::ElectionNotNeeded,
        _ => ErrorCode::EligibleLeadersNotAvailable,
    }
}

/// Kafka's words.
fn message(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::UnknownTopicOrPartition => Some("The partition does not exist."),
        ErrorCode::ElectionNotNeeded => Some("Leader election not needed for topic partition."),
        ErrorCode::PreferredLeaderNotAvailable => Some("The preferred leader was not available."),
        ErrorCode::EligibleLeadersNotAvailable => Some("Eligible topic partition leaders are not available."),
        _ => None,
    }
}
