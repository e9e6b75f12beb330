//! CreateTopics: checks as Kafka's `ZkAdminManager` does, writes to ZooKeeper, and waits until the topic can be used.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use vltava_protocol::{
    ErrorCode, Uuid,
    messages::{
        CreateTopicsRequest, CreateTopicsResponse,
        create_topics::{CreatableTopic, CreatableTopicConfigs, CreatableTopicResult},
    },
};
use vltava_settings::{broker as keys, validate_topic_configs};

use super::topic_rules::{MAX_NEW_PARTITIONS, fits, place_new};
use crate::{
    Broker,
    control::{AdminError, Snapshot, topic_names::validate_name},
    net::RequestContext,
};

/// A topic that may be created.
struct Plan {
    replicas: Vec<Vec<i32>>,
    overrides: BTreeMap<String, String>,
}

pub(super) async fn handle(
    broker: &Arc<Broker>,
    request: &RequestContext,
    body: CreateTopicsRequest<'_>,
) -> CreateTopicsResponse<'static> {
    let deadline =
        tokio::time::Instant::now() + Duration::from_millis(u64::try_from(body.timeout_ms).unwrap_or(0));
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for topic in &body.topics {
        *counts.entry(&topic.name).or_default() += 1;
    }
    let mut results = Vec::with_capacity(counts.len());
    let mut answered = BTreeSet::new();
    let mut room = MAX_NEW_PARTITIONS;
    for topic in &body.topics {
        if !answered.insert(&*topic.name) {
            continue;
        }
        let outcome = if counts[&*topic.name] > 1 {
            Err(AdminError::new(ErrorCode::InvalidRequest, "Duplicate topic name."))
        } else {
            create(broker, request.version, topic, body.validate_only, &mut room).await
        };
        results.push((topic, outcome));
    }
    let mut topics = Vec::with_capacity(results.len());
    for (topic, outcome) in results {
        let outcome = match outcome {
            Ok((plan, Some(id))) => {
                wait(broker, &topic.name, id, plan.replicas.len(), deadline).await.map(|()| (plan, id))
            }
            Ok((plan, None)) => Ok((plan, Uuid::ZERO)),
            Err(error) => Err(error),
        };
        topics.push(result(broker, topic, outcome));
    }
    CreateTopicsResponse { topics, ..Default::default() }
}

/// Waits until the topic is in the metadata with a leader for each partition, that clients may go on at once.
async fn wait(
    broker: &Broker,
    name: &str,
    id: Uuid,
    partitions: usize,
    deadline: tokio::time::Instant,
) -> Result<(), AdminError> {
    let patience = deadline.saturating_duration_since(tokio::time::Instant::now());
    let led = broker.metadata.wait_for(patience, |now| {
        let topic = now.topic(name).filter(|topic| topic.id == id)?;
        let led = topic.partitions.values().filter(|partition| partition.leader >= 0).count();
        (led >= partitions).then_some(())
    });
    led.await.ok_or_else(|| AdminError::new(ErrorCode::RequestTimedOut, "The topic is being created."))
}

async fn create(
    broker: &Broker,
    version: i16,
    topic: &CreatableTopic<'_>,
    validate_only: bool,
    room: &mut usize,
) -> Result<(Plan, Option<Uuid>), AdminError> {
    if !broker.control.is_active_controller() {
        return Err(AdminError::new(ErrorCode::NotController, ErrorCode::NotController.message()));
    }
    let plan = plan(broker, &broker.metadata.owned(), version, topic, *room)?;
    *room = room.saturating_sub(plan.replicas.len());
    if validate_only {
        return Ok((plan, None));
    }
    let id = broker.control.create_topic(&topic.name, plan.replicas.clone(), &plan.overrides).await?;
    Ok((plan, Some(id)))
}

fn plan(
    broker: &Broker,
    snapshot: &Snapshot,
    version: i16,
    topic: &CreatableTopic<'_>,
    room: usize,
) -> Result<Plan, AdminError> {
    let name = &*topic.name;
    if snapshot.topic(name).is_some() {
        let message = format!("Topic '{name}' already exists.");
        return Err(AdminError::new(ErrorCode::TopicAlreadyExists, message));
    }
    let invalid = |message: &str| Err(AdminError::new(ErrorCode::InvalidRequest, message));
    if topic.configs.iter().any(|config| config.value.is_none()) {
        let nulls: Vec<&str> = topic
            .configs
            .iter()
            .filter(|config| config.value.is_none())
            .map(|config| &*config.name)
            .collect();
        let message = format!("Null value not supported for topic configs: {}", nulls.join(","));
        return Err(AdminError::new(ErrorCode::InvalidConfig, message));
    }
    let asked = topic.num_partitions != -1 || topic.replication_factor != -1;
    if asked && !topic.assignments.is_empty() {
        return invalid(
            "Both numPartitions or replicationFactor and replicasAssignments were set. Both cannot be used at the same time.",
        );
    }
    // Defaults are a broker's to give from version 4 on (KIP-464).
    let replicas = if topic.assignments.is_empty() {
        let config = broker.control.configs().broker();
        let partitions = match topic.num_partitions {
            -1 if version >= 4 => config.get(keys::NUM_PARTITIONS),
            given => given,
        };
        let factor = match topic.replication_factor {
            -1 if version >= 4 => config.get(keys::DEFAULT_REPLICATION_FACTOR),
            given => i32::from(given),
        };
        validate_name(name)?;
        spread(snapshot, partitions, factor, room)?
    } else {
        validate_name(name)?;
        assigned(snapshot, topic, room)?
    };
    if let Some(other) = snapshot.topic_like(name) {
        let message = format!("Topic '{name}' collides with existing topics: {other}");
        return Err(AdminError::new(ErrorCode::InvalidTopic, message));
    }
    let value = |config: &vltava_protocol::messages::create_topics::CreatableTopicConfig<'_>| {
        (config.name.to_string(), config.value.as_deref().unwrap_or_default().to_owned())
    };
    let overrides: BTreeMap<String, String> = topic.configs.iter().map(value).collect();
    let dynamic = broker.control.configs().dynamic();
    validate_topic_configs(dynamic.topic_defaults(), &overrides)
        .map_err(|problem| AdminError::new(ErrorCode::InvalidConfig, problem.to_string()))?;
    Ok(Plan { replicas, overrides })
}

fn spread(
    snapshot: &Snapshot,
    partitions: i32,
    factor: i32,
    room: usize,
) -> Result<Vec<Vec<i32>>, AdminError> {
    let Some(count) = usize::try_from(partitions).ok().filter(|count| *count > 0) else {
        let message = "Number of partitions must be larger than 0.";
        return Err(AdminError::new(ErrorCode::InvalidPartitions, message));
    };
    fits(count, room)?;
    let wrong = |message: String| AdminError::new(ErrorCode::InvalidReplicationFactor, message);
    let factor = usize::try_from(factor)
        .ok()
        .filter(|factor| *factor > 0)
        .ok_or_else(|| wrong("Replication factor must be larger than 0.".to_owned()))?;
    if factor > snapshot.broker_count() {
        let message = format!(
            "Replication factor: {factor} larger than available brokers: {}.",
            snapshot.broker_count()
        );
        return Err(wrong(message));
    }
    place_new(snapshot, count, factor).map_err(|error| wrong(error.to_string()))
}

/// The replicas that the client chose.
fn assigned(
    snapshot: &Snapshot,
    topic: &CreatableTopic<'_>,
    room: usize,
) -> Result<Vec<Vec<i32>>, AdminError> {
    fits(topic.assignments.len(), room)?;
    let invalid = |message: String| AdminError::new(ErrorCode::InvalidReplicaAssignment, message);
    let by_index: BTreeMap<i32, &Vec<i32>> =
        topic.assignments.iter().map(|chosen| (chosen.partition_index, &chosen.broker_ids)).collect();
    if by_index.len() != topic.assignments.len() || !by_index.keys().copied().eq(0..by_index.len() as i32) {
        return Err(invalid("partitions should be a consecutive 0-based integer sequence".to_owned()));
    }
    let factor = by_index.values().next().map_or(0, |replicas| replicas.len());
    for (index, replicas) in &by_index {
        check_replicas(snapshot, *index, replicas, factor)?;
    }
    Ok(by_index.into_values().cloned().collect())
}

/// Checks the replicas that a client chose for one partition.
pub(super) fn check_replicas(
    snapshot: &Snapshot,
    index: i32,
    replicas: &[i32],
    factor: usize,
) -> Result<(), AdminError> {
    let invalid = |message: String| Err(AdminError::new(ErrorCode::InvalidReplicaAssignment, message));
    let list = replicas.iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
    if replicas.is_empty() {
        return invalid(format!("Cannot have replication factor of 0 for partition id {index}."));
    }
    if replicas.iter().collect::<BTreeSet<_>>().len() != replicas.len() {
        return invalid(format!(
            "Duplicate brokers not allowed in replica assignment: {list} for partition id {index}."
        ));
    }
    if let Some(unknown) = replicas.iter().find(|id| snapshot.broker(**id).is_none()) {
        return invalid(format!("Unknown broker(s) in replica assignment: {unknown}."));
    }
    if replicas.len() != factor {
        return invalid(format!(
            "Inconsistent replication factor between partitions, partition 0 has {factor} while partitions [{index}] have replication factors [{}], respectively.",
            replicas.len()
        ));
    }
    Ok(())
}

fn result(
    broker: &Broker,
    topic: &CreatableTopic<'_>,
    outcome: Result<(Plan, Uuid), AdminError>,
) -> CreatableTopicResult<'static> {
    let name = topic.name.to_string().into();
    let (plan, topic_id) = match outcome {
        Ok(created) => created,
        Err(error) => {
            return CreatableTopicResult {
                name,
                error_code: error.code.into(),
                error_message: Some(error.message.into()),
                ..Default::default()
            };
        }
    };
    // All of the topic's settings, so that the client need not ask for them (KIP-525).
    let described = broker.control.configs().dynamic().describe_topic(&plan.overrides, None);
    let configs = described
        .into_iter()
        .map(|config| CreatableTopicConfigs {
            config_source: config.source.wire_code(),
            name: config.name.into(),
            value: config.value.map(Into::into),
            read_only: config.read_only,
            is_sensitive: config.is_sensitive,
            ..Default::default()
        })
        .collect();
    CreatableTopicResult {
        name,
        topic_id,
        num_partitions: i32::try_from(plan.replicas.len()).unwrap_or(-1),
        replication_factor: plan
            .replicas
            .first()
            .and_then(|replicas| i16::try_from(replicas.len()).ok())
            .unwrap_or(-1),
        configs: Some(configs),
        error_message: None,
        ..Default::default()
    }
}
