//! What the manifest asks for.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use vltava_operator::api::{KafkaCluster, Topic};
use vltava_operator::plan::{self, TopicPlan};
use vltava_operator::validation::Violation;
use vltava_operator::{Resource, changes, read_manifests};

/// A manifest that can be made true here: one cluster, and its topics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Desired {
    pub(super) cluster: KafkaCluster,
    pub(super) topics: Vec<Topic>,
    /// Documents of other API groups, as `kind name`.
    #[serde(skip)]
    pub(super) others: Vec<String>,
}

impl Desired {
    /// Reads a file. The error is for people, one line for each thing that is wrong.
    pub(super) fn read(file: &Path) -> Result<Desired, String> {
        let shown = file.display();
        let text = fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
        let resources = read_manifests(&text).map_err(|errors| {
            let lines: Vec<String> = errors.0.iter().map(|error| format!("{shown}: {error}")).collect();
            lines.join("\n")
        })?;
        let (mut clusters, mut topics, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for resource in resources {
            match resource {
                Resource::KafkaCluster(cluster) => clusters.push(*cluster),
                Resource::Topic(topic) => topics.push(*topic),
                Resource::Other { kind, name } => others.push(format!("{kind} {name}")),
            }
        }
        let cluster = match (clusters.pop(), clusters.len()) {
            (Some(cluster), 0) => cluster,
            (None, _) => return Err(format!("{shown}: there is no KafkaCluster in it")),
            (Some(_), more) => {
                return Err(format!(
                    "{shown}: there are {} KafkaClusters in it: `vltava up` runs one",
                    more + 1
                ));
            }
        };
        let desired = Desired { cluster, topics, others };
        let wrong = desired.wrong_topics();
        if wrong.is_empty() {
            Ok(desired)
        } else {
            Err(wrong.iter().map(|what| format!("{shown}: {what}")).collect::<Vec<_>>().join("\n"))
        }
    }

    /// Topics of other clusters, and topics that two resources claim.
    fn wrong_topics(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (index, topic) in self.topics.iter().enumerate() {
            if topic.spec.cluster.name != self.name() {
                let what =
                    format!("is of the cluster {}, and this is {}", topic.spec.cluster.name, self.name());
                wrong.push(format!("Topic {}: spec.cluster.name: {what}", topic.name()));
            }
            let name = plan::topic_name(topic);
            if let Some(other) = self.topics[..index].iter().find(|other| plan::topic_name(other) == name) {
                wrong.push(format!(
                    "Topic {}: {name} is already the topic of {}",
                    topic.name(),
                    other.name()
                ));
            }
        }
        wrong
    }

    /// The topics of an earlier manifest that this one has no more.
    pub(super) fn gone_topics(&self, old: &Desired) -> Vec<String> {
        let names: Vec<String> = self.topics.iter().map(plan::topic_name).collect();
        old.topics.iter().map(plan::topic_name).filter(|name| !names.contains(name)).collect()
    }

    /// What may not be changed in a cluster that is there, by the rules of the resources themselves.
    pub(super) fn forbidden_changes(&self, old: &Desired) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.name() != old.name() {
            wrong.push(format!(
                "the KafkaCluster {} has become {}: stop `vltava up` and start it anew",
                old.name(),
                self.name()
            ));
        }
        let mut add = |of: String, violations: Vec<Violation>| {
            wrong
                .extend(violations.into_iter().map(|found| format!("{of}: {}: {}", found.field, found.what)));
        };
        add(format!("KafkaCluster {}", self.name()), changes::cluster_update(&self.cluster, &old.cluster));
        for topic in &self.topics {
            if let Some(before) = old.topics.iter().find(|before| before.name() == topic.name()) {
                add(format!("Topic {}", topic.name()), changes::topic_update(topic, before));
            }
        }
        wrong
    }

    /// The cluster's name.
    pub(super) fn name(&self) -> &str {
        self.cluster.name()
    }

    /// What each topic should be.
    pub(super) fn topic_plans(&self) -> Vec<TopicPlan> {
        self.topics.iter().map(plan::topic_plan).collect()
    }
}
