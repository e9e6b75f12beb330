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

use super::{
    create_topics::check_replicas,
    topic_rules::{MAX_NEW_PARTITIONS, fits},
};
use crate::{
    Broker,
    control::{AdminError, Snapshot},
    net::RequestContext,
};

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
    let mut room = MAX_NEW_PARTITIONS;
    for topic in &body.topics {
        let outcome = match counts.remove(&*topic.name) {
            None => continue,
            Some(1) => grow(broker, topic, body.validate_only, &mut room, deadline).await,
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
    room: &mut usize,
    deadline: tokio::time::Instant,
) -> Result<(), AdminError> {
    if !broker.control.is_active_controller() {
        return Err(AdminError::new(ErrorCode::NotController, ErrorCode::NotController.message()));
    }
    let unknown = || {
        let message = format!("The topic '{}' does not exist.", topic.name);
        AdminError::new(ErrorCode::UnknownTopicOrPartition, message)
    };
    let snapshot = broker.metadata.owned();
    snapshot.topic(&topic.name).ok_or_else(unknown)?;
    let assignment = broker.control.assignment(&topic.name).await?.ok_or_else(unknown)?;
    let present = assignment.partitions.len();
    let count = more(present, topic.count)?;
    fits(count, *room)?;
    *room -= count;
    // All partitions have as many replicas as the first, which is also where the new ones continue.
    let first =
        assignment.partitions.values().next().map(|first| first.replicas.as_slice()).unwrap_or_default();
    let added = replicas(&snapshot, topic, present, count, first)?;
    if validate_only {
        return Ok(());
    }
    broker.control.add_partitions(&topic.name, present, &added).await?;
    let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
    let grown = broker.metadata.wait_for(patience, |now| {
        let led =
            now.topic(&topic.name)?.partitions.values().filter(|partition| partition.leader >= 0).count();
        (led >= present + count).then_some(())
    });
    grown
        .await
        .ok_or_else(|| AdminError::new(ErrorCode::RequestTimedOut, "The partitions are being created."))
}

/// How many partitions are to be added to those that are there.
fn more(present: usize, wanted: i32) -> Result<usize, AdminError> {
    let invalid = |message: String| Err(AdminError::new(ErrorCode::InvalidPartitions, message));
    match usize::try_from(wanted).unwrap_or(0) {
        count if count < present => invalid(format!(
            "Topic currently has {present} partitions, which is higher than the requested {wanted}."
        )),
        count if count == present => invalid(format!("Topic already has {present} partitions.")),
        count => Ok(count - present),
    }
}

/// The replicas of the new partitions: as the client chose, or placed after the first partition's.
fn replicas(
    snapshot: &Snapshot,
    topic: &CreatePartitionsTopic<'_>,
    present: usize,
    count: usize,
    first: &[i32],
) -> Result<Vec<Vec<i32>>, AdminError> {
    let Some(chosen) = &topic.assignments else {
        let brokers: Vec<i32> = snapshot.brokers().map(|live| live.id).collect();
        let start = first.first().and_then(|id| brokers.iter().position(|known| known == id)).unwrap_or(0);
        return place(&brokers, present, count, first.len(), (start, start))
            .map_err(|error| AdminError::new(ErrorCode::InvalidReplicationFactor, error.to_string()));
    };
    if chosen.len() != count {
        let message = format!(
            "Increasing the number of partitions by {count} but {} assignments provided.",
            chosen.len()
        );
        return Err(AdminError::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    let chosen: Vec<Vec<i32>> = chosen.iter().map(|chosen| chosen.broker_ids.clone()).collect();
    for (index, replicas) in (present..).zip(&chosen) {
        check_replicas(snapshot, i32::try_from(index).unwrap_or(i32::MAX), replicas, first.len())?;
    }
    Ok(chosen)
}
