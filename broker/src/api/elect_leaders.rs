//! ElectLeaders (KIP-183, KIP-460): what of each partition's leader an election could change, and the election of a replica that lives where the leader
//! does not. With one member of the cluster no preferred replica can take over: it leads wherever it lives.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;
use vltava_cluster::controller::TopicName;
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

pub(super) async fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: ElectLeadersRequest<'_>,
) -> ElectLeadersResponse<'static> {
    let deadline = Instant::now() + Duration::from_millis(u64::try_from(body.timeout_ms).unwrap_or(0));
    let refused = if !matches!(body.election_type, PREFERRED | UNCLEAN) {
        Some(ErrorCode::InvalidRequest)
    } else if broker.control.is_active_controller() {
        None
    } else {
        Some(ErrorCode::NotController)
    };
    let mut outcomes = outcomes(&broker.metadata.owned(), &body, refused);
    let electable = outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Electable);
    let electable: Vec<(TopicName, i32)> =
        electable.map(|((topic, number), _)| (topic.as_str().into(), *number)).collect();
    if !electable.is_empty() {
        let led = elect(broker, electable, deadline).await;
        for ((topic, number), outcome) in outcomes.iter_mut().filter(|(_, it)| **it == Outcome::Electable) {
            *outcome = match led.contains(&(topic.as_str().into(), *number)) {
                true => Outcome::Told(ErrorCode::None, None),
                false => Outcome::Told(ErrorCode::RequestTimedOut, None),
            };
        }
    }
    let mut results: BTreeMap<String, Vec<PartitionResult<'static>>> = BTreeMap::new();
    // Those that need none are left out where all are asked for.
    let tell_not_needed = body.topic_partitions.is_some();
    for ((topic, number), outcome) in outcomes {
        let Outcome::Told(code, message) = outcome else { continue };
        if code != ErrorCode::ElectionNotNeeded || tell_not_needed {
            results.entry(topic).or_default().push(told(request.version, number, code, message));
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

/// What an election comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// This, in Kafka's words.
    Told(ErrorCode, Option<&'static str>),
    /// A replica that lives can lead: the controller is asked.
    Electable,
}

/// Of each partition that is asked for, once.
fn outcomes(
    snapshot: &Snapshot,
    body: &ElectLeadersRequest<'_>,
    refused: Option<ErrorCode>,
) -> BTreeMap<(String, i32), Outcome> {
    let lives = |id: &i32| snapshot.broker(*id).is_some();
    let of = |topic: &str, number: i32| match refused {
        Some(code) => Outcome::Told(code, None),
        None => outcome(snapshot.partition(topic, number), lives, body.election_type),
    };
    match &body.topic_partitions {
        Some(topics) => {
            let asked = topics
                .iter()
                .flat_map(|topic| topic.partitions.iter().map(|number| (&*topic.topic, *number)));
            asked.map(|(topic, number)| ((topic.to_owned(), number), of(topic, number))).collect()
        }
        None => {
            let all = snapshot
                .topics()
                .flat_map(|topic| topic.partitions.keys().map(|number| (&*topic.name, *number)));
            all.map(|(topic, number)| ((topic.to_owned(), number), of(topic, number))).collect()
        }
    }
}

/// Asks the controller for leaders, and answers whose partitions have one that lives when the time is up or all have.
async fn elect(
    broker: &Broker,
    partitions: Vec<(TopicName, i32)>,
    deadline: Instant,
) -> BTreeSet<(TopicName, i32)> {
    let led = |snapshot: &Snapshot| -> BTreeSet<(TopicName, i32)> {
        let is_led = |(topic, number): &&(TopicName, i32)| {
            let found = snapshot.partition(topic, *number);
            found.is_some_and(|partition| snapshot.broker(partition.leader).is_some())
        };
        partitions.iter().filter(is_led).cloned().collect()
    };
    let asked = tokio::time::timeout_at(deadline, broker.control.elect_unclean(partitions.clone())).await;
    if let Ok(true) = asked {
        let patience = deadline.saturating_duration_since(Instant::now());
        let all = |snapshot: &Snapshot| (led(snapshot).len() == partitions.len()).then_some(());
        broker.metadata.wait_for(patience, all).await;
    }
    led(&broker.metadata.snapshot())
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

/// What an election comes to before anybody is asked, and Kafka's words for it.
fn outcome(partition: Option<&PartitionMetadata>, lives: impl Fn(&i32) -> bool, election: i8) -> Outcome {
    let told = |code, words| Outcome::Told(code, Some(words));
    let Some(PartitionMetadata { leader, replicas, offline, .. }) = partition else {
        return told(ErrorCode::UnknownTopicOrPartition, "The partition does not exist.");
    };
    let needed = if election == PREFERRED { replicas.first() != Some(leader) } else { !lives(leader) };
    if !needed {
        return told(ErrorCode::ElectionNotNeeded, "Leader election not needed for topic partition.");
    }
    if election == PREFERRED {
        return told(ErrorCode::PreferredLeaderNotAvailable, "The preferred leader was not available.");
    }
    if replicas.iter().any(|id| lives(id) && !offline.contains(id)) {
        Outcome::Electable
    } else {
        told(ErrorCode::EligibleLeadersNotAvailable, "Eligible topic partition leaders are not available.")
    }
}
