//! Topics: made, described, grown, deleted.

use std::collections::BTreeMap;

use vltava_protocol::Uuid;
use vltava_protocol::messages::create_partitions::CreatePartitionsTopic;
use vltava_protocol::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use vltava_protocol::messages::delete_topics::DeleteTopicState;
use vltava_protocol::messages::{CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest};

use crate::error::{ApiError, ClientError};
use crate::{Client, Node};

/// A topic to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; `None`: the broker's `num.partitions`.
    pub partitions: Option<i32>,
    /// How many replicas of each; `None`: the broker's `default.replication.factor`.
    pub replication_factor: Option<i16>,
    /// The brokers of each partition, instead of both numbers.
    pub assignments: Vec<Vec<i32>>,
    /// Its configuration.
    pub configs: BTreeMap<String, String>,
}

/// Makes topics, or with `validate_only` finds out whether they could be made.
///
/// # Errors
/// For the whole request; each topic has a result of its own.
pub async fn create_topics(
    client: &mut Client,
    topics: &[NewTopic],
    validate_only: bool,
) -> Result<Vec<Result<(), ApiError>>, ClientError> {
    let request = CreateTopicsRequest {
        topics: topics.iter().map(creatable).collect(),
        timeout_ms: milliseconds(client),
        validate_only,
        ..CreateTopicsRequest::default()
    };
    let response = client
        .ask_until(Node::Controller, &request, |response| {
            let results =
                response.topics.iter().map(|t| (t.name.as_ref(), t.error_code, t.error_message.as_deref()));
            verdicts(results, topics.iter().map(|topic| topic.name.as_str()))
        })
        .await?;
    Ok(response)
}

fn creatable(topic: &NewTopic) -> CreatableTopic<'_> {
    let assigned = !topic.assignments.is_empty();
    CreatableTopic {
        name: topic.name.as_str().into(),
        num_partitions: if assigned { -1 } else { topic.partitions.unwrap_or(-1) },
        replication_factor: if assigned { -1 } else { topic.replication_factor.unwrap_or(-1) },
        assignments: (0..)
            .zip(&topic.assignments)
            .map(|(partition_index, brokers)| CreatableReplicaAssignment {
                partition_index,
                broker_ids: brokers.clone(),
                ..Default::default()
            })
            .collect(),
        configs: topic
            .configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: name.as_str().into(),
                value: Some(value.as_str().into()),
                ..Default::default()
            })
            .collect(),
        ..Default::default()
    }
}

/// Deletes topics by name.
///
/// # Errors
/// For the whole request; each topic has a result of its own.
pub async fn delete_topics(
    client: &mut Client,
    names: &[&str],
) -> Result<Vec<Result<(), ApiError>>, ClientError> {
    let version = client.version::<DeleteTopicsRequest<'_>>(Node::Controller, i16::MAX).await?;
    let mut request =
        DeleteTopicsRequest { timeout_ms: milliseconds(client), ..DeleteTopicsRequest::default() };
    if version >= 6 {
        let state =
            |name: &&str| DeleteTopicState { name: Some((*name).to_owned().into()), ..Default::default() };
        request.topics = names.iter().map(state).collect();
    } else {
        request.topic_names = names.iter().map(|name| (*name).to_owned().into()).collect();
    }
    client
        .ask_until(Node::Controller, &request, |response| {
            let results = response.responses.iter();
            let results =
                results.map(|t| (t.name.as_deref().unwrap_or(""), t.error_code, t.error_message.as_deref()));
            verdicts(results, names.iter().copied())
        })
        .await
}

/// Grows topics to a number of partitions; `assignments` places the new ones, empty lets the controller choose.
///
/// # Errors
/// For the whole request; each topic has a result of its own.
pub async fn create_partitions(
    client: &mut Client,
    topics: &[(&str, i32, Vec<Vec<i32>>)],
) -> Result<Vec<Result<(), ApiError>>, ClientError> {
    use vltava_protocol::messages::create_partitions::CreatePartitionsAssignment as Assignment;
    let place = |brokers: &Vec<i32>| Assignment { broker_ids: brokers.clone(), ..Default::default() };
    let request = CreatePartitionsRequest {
        topics: topics
            .iter()
            .map(|(name, count, assignments)| CreatePartitionsTopic {
                name: (*name).to_owned().into(),
                count: *count,
                assignments: (!assignments.is_empty()).then(|| assignments.iter().map(place).collect()),
                ..Default::default()
            })
            .collect(),
        timeout_ms: milliseconds(client),
        ..CreatePartitionsRequest::default()
    };
    client
        .ask_until(Node::Controller, &request, |response| {
            let results = response.results.iter();
            let results = results.map(|t| (t.name.as_ref(), t.error_code, t.error_message.as_deref()));
            verdicts(results, topics.iter().map(|(name, ..)| *name))
        })
        .await
}

/// A topic as metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: String,
    /// Its id; zero from brokers that have none.
    pub id: Uuid,
    /// Whether it is the cluster's own.
    pub internal: bool,
    /// Its partitions by index.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// The index.
    pub index: i32,
    /// The leader's id, `None` while there is none.
    pub leader: Option<i32>,
    /// The replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those in sync.
    pub isr: Vec<i32>,
}

/// The names of all topics, sorted, internal ones included.
///
/// # Errors
/// When no broker answers.
pub async fn list_topics(client: &mut Client) -> Result<Vec<(String, bool)>, ClientError> {
    let metadata = client.metadata(None).await?;
    let named = metadata.topics.iter().filter_map(|t| Some((t.name.as_deref()?.to_owned(), t.is_internal)));
    let mut names: Vec<_> = named.collect();
    names.sort_unstable();
    Ok(names)
}

/// Describes topics; `None`: all of them, sorted by name.
///
/// # Errors
/// When no broker answers.
pub async fn describe_topics(
    client: &mut Client,
    names: Option<&[&str]>,
) -> Result<Vec<Result<TopicDescription, ApiError>>, ClientError> {
    let mut metadata = client.metadata(names).await?;
    metadata.topics.sort_by(|a, b| a.name.cmp(&b.name));
    let describe = |topic: &vltava_protocol::messages::metadata::MetadataResponseTopic<'_>| {
        ApiError::check(topic.error_code, None)?;
        let mut partitions: Vec<PartitionDescription> = topic
            .partitions
            .iter()
            .map(|partition| PartitionDescription {
                index: partition.partition_index,
                leader: (partition.leader_id >= 0).then_some(partition.leader_id),
                replicas: partition.replica_nodes.clone(),
                isr: partition.isr_nodes.clone(),
            })
            .collect();
        partitions.sort_by_key(|partition| partition.index);
        Ok(TopicDescription {
            name: topic.name.as_deref().unwrap_or_default().to_owned(),
            id: topic.topic_id,
            internal: topic.is_internal,
            partitions,
        })
    };
    Ok(metadata.topics.iter().map(describe).collect())
}

/// The request's own limit: the client's, which must not end before the broker's.
pub(super) fn milliseconds(client: &Client) -> i32 {
    i32::try_from(client.options().timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Results in the order asked. If the answering broker is no longer the controller, none of them stands and the whole question is asked again.
fn verdicts<'a>(
    results: impl Iterator<Item = (&'a str, i16, Option<&'a str>)>,
    asked: impl Iterator<Item = &'a str>,
) -> Result<Vec<Result<(), ApiError>>, ApiError> {
    use vltava_protocol::ErrorCode;
    let mut found = BTreeMap::new();
    for (name, code, message) in results {
        let result = ApiError::check(code, message);
        if let Err(error) = &result
            && error.code == ErrorCode::NotController
        {
            return Err(error.clone());
        }
        found.insert(name, result);
    }
    let missing = || Err(ApiError { code: ErrorCode::UnknownServerError, message: None });
    Ok(asked.map(|name| found.get(name).cloned().unwrap_or_else(missing)).collect())
}
