//! CreatePartitions (KIP-195): topics grow.

use std::{collections::HashMap, sync::Arc, time::Duration};

use vltava_cluster::controller::place;
use vltava_protocol::{
    ErrorCode,
    messages::{
        CreatePartitionsRequest, CreatePartitionsResponse,
        create_partitions::{CreatePartitionsTopic, CreatePartitionsTopicResult},
    },
};

use super::{create_topics::check_replicas, topic_rules::MAX_NEW_PARTITIONS};
use crate::{Broker, control::AdminError, net::RequestContext};

pub(super) async fn handle(
    broker: &Arc<Broker>,
    _: &RequestContext,
    body: CreatePartitionsRequest<'_>,
) -> CreatePartitionsResponse<'static> {
    let deadline =
        tokio::time::Instant::now() + Duration::from_millis(u64::try_from(body.timeout_ms).unwrap_or(0));
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for topic in &body.topics {
        *counts.entry(&topic.name).or_default() += 1;
    }
    let mut results = Vec::with_capacity(counts.len());
    for topic in &body.topics {
        let outcome = match counts.remove(&*topic.name) {
            None => continue,
            Some(1) => grow(broker, topic, body.validate_only, deadline).await,
            Some(_) => Err(AdminError::new(ErrorCode::InvalidRequest, "Duplicate topic in request.")),
        };
        let error = outcome.err();
        results.push(CreatePartitionsTopicResult {
            name: topic.name.to_string().into(),
            error_code: error.as_ref().map_or(ErrorCode::None, |error| error.code).into(),
            error_message: error.map(|error| error.message.into()),
            ..Default::default()
        });
    }
    CreatePartitionsResponse { results, ..Default::default() }
}

async fn grow(
    broker: &Broker,
    topic: &CreatePartitionsTopic<'_>,
    validate_only: bool,
    deadline: tokio::time::Instant,
) -> Result<(), AdminError> {
    let error = |code: ErrorCode, message: String| Err(AdminError::new(code, message));
    if !broker.control.is_active_controller() {
        return error(ErrorCode::NotController, ErrorCode::NotController.message().to_owned());
    }
    let snapshot = broker.metadata.owned();
    if snapshot.topic(&topic.name).is_none() {
        return error(
            ErrorCode::UnknownTopicOrPartition,
            format!("The topic '{}' does not exist.", topic.name),
        );
    }
    let Some(assignment) = broker.control.assignment(&topic.name).await? else {
        return error(
            ErrorCode::UnknownTopicOrPartition,
            format!("The topic '{}' does not exist.", topic.name),
        );
    };
    let present = assignment.partitions.len();
    let wanted = usize::try_from(topic.count).unwrap_or(0);
    if wanted < present {
        return error(
            ErrorCode::InvalidPartitions,
            format!(
                "Topic currently has {present} partitions, which is higher than the requested {}.",
                topic.count
            ),
        );
    }
    if wanted == present {
        return error(ErrorCode::InvalidPartitions, format!("Topic already has {present} partitions."));
    }
    let count = wanted - present;
    if count > MAX_NEW_PARTITIONS {
        return error(
            ErrorCode::InvalidPartitions,
            format!("Not more than {MAX_NEW_PARTITIONS} partitions at once."),
        );
    }
    // All partitions have as many replicas as the first, which is also where the new ones continue.
    let first = assignment.partitions.values().next().map(|first| first.replicas.clone()).unwrap_or_default();
    let added = match &topic.assignments {
        None => {
            let brokers: Vec<i32> = snapshot.brokers().map(|live| live.id).collect();
            let start =
                first.first().and_then(|id| brokers.iter().position(|known| known == id)).unwrap_or(0);
            place(&brokers, present, count, first.len(), (start, start))
                .map_err(|error| AdminError::new(ErrorCode::InvalidReplicationFactor, error.to_string()))?
        }
        Some(chosen) => {
            let chosen: Vec<Vec<i32>> = chosen.iter().map(|chosen| chosen.broker_ids.clone()).collect();
            if chosen.len() != count {
                return error(
                    ErrorCode::InvalidReplicaAssignment,
                    format!(
                        "Increasing the number of partitions by {count} but {} assignments provided.",
                        chosen.len()
                    ),
                );
            }
            for (index, replicas) in (present..).zip(&chosen) {
                check_replicas(&snapshot, i32::try_from(index).unwrap_or(i32::MAX), replicas, first.len())?;
            }
            chosen
        }
    };
    if validate_only {
        return Ok(());
    }
    broker.control.add_partitions(&topic.name, present, &added).await?;
    let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
    let grown = broker.metadata.wait_for(patience, |now| {
        let led =
            now.topic(&topic.name)?.partitions.values().filter(|partition| partition.leader >= 0).count();
        (led >= wanted).then_some(())
    });
    grown
        .await
        .ok_or_else(|| AdminError::new(ErrorCode::RequestTimedOut, "The partitions are being created."))
}
