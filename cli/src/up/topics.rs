//! Topics: what the cluster has is compared with what the manifest asks for, and the difference is made.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vltava_client::admin::{self, AlterOp, NewTopic, Resource, ResourceKind};
use vltava_client::{Client, ClientError, Options};
use vltava_operator::plan::{self, ExistingTopic, TopicChange, TopicPlan};
use vltava_protocol::ErrorCode;

/// How long one question to the brokers may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The code of a topic's own values in DescribeConfigs.
const TOPIC_SOURCE: i8 = 1;

/// What was done, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// One line for each change that was made or can't be made.
    pub(super) lines: Vec<String>,
    /// Whether some change failed and is worth another try.
    pub(super) again: bool,
}

/// Notes the configuration keys that are going to be set, beside those that were; answers whether there are new ones. To be kept before [`reconcile`], which
/// may be dropped, or end with its process, when a key has been set and nobody knows yet: it would not be reset when the manifest lets go of it.
pub(super) fn note(plans: &[TopicPlan], managed: &mut BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut is_news = false;
    for plan in plans.iter().filter(|plan| !plan.config.is_empty()) {
        let keys = managed.entry(plan.name.clone()).or_default();
        for key in plan.config.keys() {
            is_news |= keys.insert(key.clone());
        }
    }
    is_news
}

/// Makes the topics what they should be. `managed` are the configuration keys set from the manifest, by topic; it is brought up
/// to date.
pub(super) async fn reconcile(
    bootstrap: &str,
    plans: &[TopicPlan],
    managed: &mut BTreeMap<String, BTreeSet<String>>,
) -> Result<Outcome, ClientError> {
    let mut options = Options::new(bootstrap)?;
    options.timeout = TIMEOUT;
    "vltava-up".clone_into(&mut options.client_id);
    let mut client = Client::connect(options).await?;
    let mut outcome = Outcome::default();
    for plan in plans {
        let none = BTreeSet::new();
        let existing = describe(&mut client, &plan.name).await?;
        let mut whole = true;
        for change in plan::changes(plan, existing.as_ref(), managed.get(&plan.name).unwrap_or(&none)) {
            match apply(&mut client, plan, &change).await {
                Ok(line) => outcome.lines.push(format!("topic {}: {line}", plan.name)),
                // The brokers have not heard of it yet, as just after a restart: it will be there at the next look.
                Err(ClientError::Api(error)) if error.code == ErrorCode::TopicAlreadyExists => whole = false,
                Err(error) => {
                    outcome.lines.push(format!("topic {}: {}: {error}", plan.name, attempt(&change)));
                    whole = false;
                }
            }
        }
        if whole {
            managed.insert(plan.name.clone(), plan.config.keys().cloned().collect());
        }
        outcome.again |= !whole;
    }
    Ok(outcome)
}

async fn describe(client: &mut Client, name: &str) -> Result<Option<ExistingTopic>, ClientError> {
    let described = admin::describe_topics(client, Some(&[name])).await?;
    let topic = match described.into_iter().next() {
        Some(Ok(topic)) => topic,
        Some(Err(error)) if error.code == ErrorCode::UnknownTopicOrPartition => return Ok(None),
        Some(Err(error)) => return Err(error.into()),
        None => return Ok(None),
    };
    let entries = admin::describe_configs(client, &resource(name)).await?;
    let own = entries.into_iter().filter(|entry| entry.source == TOPIC_SOURCE);
    Ok(Some(ExistingTopic {
        partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        replicas: topic
            .partitions
            .first()
            .map_or(0, |partition| i32::try_from(partition.replicas.len()).unwrap_or(i32::MAX)),
        config: own.filter_map(|entry| Some((entry.name, entry.value?))).collect(),
    }))
}

fn resource(topic: &str) -> Resource {
    Resource { kind: ResourceKind::Topic, name: topic.to_owned() }
}

async fn apply(client: &mut Client, plan: &TopicPlan, change: &TopicChange) -> Result<String, ClientError> {
    match change {
        TopicChange::Create => {
            let topic = NewTopic {
                name: plan.name.clone(),
                partitions: plan.partitions,
                replication_factor: plan.replicas.and_then(|replicas| i16::try_from(replicas).ok()),
                configs: plan.config.clone(),
                ..NewTopic::default()
            };
            first(admin::create_topics(client, &[topic], false).await?)?;
            let partitions = plan
                .partitions
                .map_or_else(String::new, |count| format!(" with {}", counted(count, "partition")));
            Ok(format!("created{partitions}"))
        }
        TopicChange::Grow { from, to } => {
            first(admin::create_partitions(client, &[(&plan.name, *to, Vec::new())]).await?)?;
            Ok(format!("grown from {from} to {}", counted(*to, "partition")))
        }
        TopicChange::Configure { set, reset } => {
            let sets = set.iter().map(|(key, value)| (key.clone(), AlterOp::Set(value.clone())));
            let resets = reset.iter().map(|key| (key.clone(), AlterOp::Delete));
            let changes: Vec<_> = sets.chain(resets).collect();
            admin::alter_configs(client, &resource(&plan.name), &changes, false).await?;
            let set = set.iter().map(|(key, value)| format!("{key}={value}"));
            let reset = reset.iter().map(|key| format!("{key} reset"));
            Ok(set.chain(reset).collect::<Vec<_>>().join(", "))
        }
        TopicChange::CannotShrink { from, to } => Ok(format!(
            "has {}, and {to} are asked for: partitions can only grow",
            counted(*from, "partition")
        )),
        TopicChange::ReplicasDiffer { from, to } => Ok(format!(
            "has {}, and {to} are asked for: a reassignment is not built yet",
            counted(*from, "replica")
        )),
    }
}

/// What failed, in the words of an error.
fn attempt(change: &TopicChange) -> &'static str {
    match change {
        TopicChange::Create => "cannot be created",
        TopicChange::Grow { .. } | TopicChange::CannotShrink { .. } => "cannot be grown",
        TopicChange::Configure { .. } => "cannot be configured",
        TopicChange::ReplicasDiffer { .. } => "cannot be reassigned",
    }
}

fn counted(count: i32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn first<E: Into<ClientError>>(results: Vec<Result<(), E>>) -> Result<(), ClientError> {
    results.into_iter().next().unwrap_or(Ok(())).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_going_to_be_set_is_noted_beside_what_was() {
        let plan = |keys: &[&str]| TopicPlan {
            name: "t".to_owned(),
            partitions: None,
            replicas: None,
            config: keys.iter().map(|key| ((*key).to_owned(), "1".to_owned())).collect(),
        };
        let mut managed = BTreeMap::new();
        assert!(!note(&[plan(&[])], &mut managed) && managed.is_empty());
        assert!(note(&[plan(&["retention.ms"])], &mut managed));
        assert!(!note(&[plan(&["retention.ms"])], &mut managed), "it is known");
        // The file has changed before anybody could tell whether the key was set.
        assert!(note(&[plan(&["segment.bytes"])], &mut managed));
        let existing = ExistingTopic {
            partitions: 1,
            replicas: 1,
            config: BTreeMap::from([("retention.ms".to_owned(), "1".to_owned())]),
        };
        let changes = plan::changes(&plan(&["segment.bytes"]), Some(&existing), &managed["t"]);
        let reset = BTreeSet::from(["retention.ms".to_owned()]);
        let set = BTreeMap::from([("segment.bytes".to_owned(), "1".to_owned())]);
        assert_eq!(changes, [TopicChange::Configure { set, reset }]);
    }
}
