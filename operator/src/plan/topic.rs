//! From a `Topic` to what must be done about it.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::Topic;

/// A topic, as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// Its partitions; `None` leaves them to the brokers.
    pub partitions: Option<i32>,
    /// Its replicas; `None` leaves them to the brokers.
    pub replicas: Option<i32>,
    /// Its configuration.
    pub config: BTreeMap<String, String>,
}

/// A topic, as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExistingTopic {
    /// Its partitions.
    pub partitions: i32,
    /// Its replicas.
    pub replicas: i32,
    /// Its own configuration.
    pub config: BTreeMap<String, String>,
}

/// One thing to do, or to say, about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicChange {
    /// It must be created.
    Create,
    /// It must grow to so many partitions.
    Grow {
        /// Partitions that it has.
        from: i32,
        /// Partitions that it should have.
        to: i32,
    },
    /// Its configuration must be changed.
    Configure {
        /// Keys to set.
        set: BTreeMap<String, String>,
        /// Keys to give back to the brokers.
        reset: BTreeSet<String>,
    },
    /// It has more partitions than it should, and can't lose any.
    CannotShrink {
        /// Partitions that it has.
        from: i32,
        /// Partitions that it should have.
        to: i32,
    },
    /// It has another number of replicas, which needs a reassignment.
    ReplicasDiffer {
        /// Replicas that it has.
        from: i32,
        /// Replicas that it should have.
        to: i32,
    },
}

/// The topic's name: `topicName`, else the resource's.
#[must_use]
pub fn topic_name(topic: &Topic) -> String {
    topic.spec.topic_name.clone().unwrap_or_else(|| topic.name().to_owned())
}

/// What a resource asks for.
#[must_use]
pub fn topic_plan(topic: &Topic) -> TopicPlan {
    let config = topic.spec.config.iter().flatten();
    TopicPlan {
        name: topic_name(topic),
        partitions: topic.spec.partitions,
        replicas: topic.spec.replicas,
        config: config.map(|(key, value)| (key.clone(), value.to_string())).collect(),
    }
}

/// What must be done so that a topic becomes what it should be; nothing if it is. `managed` are the configuration keys that were
/// set from the resource before: one that it no longer has is reset, while keys set by others are left alone.
#[must_use]
pub fn changes(
    plan: &TopicPlan,
    existing: Option<&ExistingTopic>,
    managed: &BTreeSet<String>,
) -> Vec<TopicChange> {
    let Some(existing) = existing else { return vec![TopicChange::Create] };
    let mut changes = Vec::new();
    match plan.partitions {
        Some(to) if to > existing.partitions => {
            changes.push(TopicChange::Grow { from: existing.partitions, to })
        }
        Some(to) if to < existing.partitions => {
            changes.push(TopicChange::CannotShrink { from: existing.partitions, to });
        }
        _ => {}
    }
    if let Some(to) = plan.replicas.filter(|&to| to != existing.replicas) {
        changes.push(TopicChange::ReplicasDiffer { from: existing.replicas, to });
    }
    let differs = |(key, value): &(&String, &String)| existing.config.get(*key) != Some(*value);
    let set: BTreeMap<_, _> =
        plan.config.iter().filter(differs).map(|(key, value)| (key.clone(), value.clone())).collect();
    let gone = |key: &&String| !plan.config.contains_key(*key) && existing.config.contains_key(*key);
    let reset: BTreeSet<_> = managed.iter().filter(gone).cloned().collect();
    if !set.is_empty() || !reset.is_empty() {
        changes.push(TopicChange::Configure { set, reset });
    }
    changes
}
