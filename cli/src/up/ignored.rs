//! Fields that have no meaning on a laptop. They are listed at the start, so that nobody believes in them.
//!
//! One table says what becomes of each field of the resources. A test holds it against the definitions, so that a field that is new
//! is not forgotten; a field that is in neither is listed.

use serde::Serialize;
use serde_json::Value;

use super::desired::Desired;

/// What becomes of a field, and of everything in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is made true, or refused if it can't be.
    Effective,
    /// It has no effect, and why.
    Ignored(&'static str),
    /// It has no effect, and why; but this value asks for nothing else.
    IgnoredUnless(&'static str, &'static str),
}

use Fate::{Effective, Ignored, IgnoredUnless};

const NO_LIMITS: &str = "processes are not limited";
const NO_LABELS: &str = "nothing selects by it here";
const SERVERS: &str = "there is no API server that reads it";
const ONE_FILE: &str = "the topics are those of the file";
const DIRECTORY: &str = "volumes are plain directories, as large as the disk";
const LEFT: &str = "a topic that leaves the file is left as it is";
const AT_ONCE: &str = "brokers whose properties change are restarted at once";

/// Fields that every resource has.
const COMMON: &[(&str, Fate)] = &[
    ("apiVersion", Effective),
    ("kind", Effective),
    ("metadata.name", Effective),
    ("metadata.namespace", Ignored("there are no namespaces")),
    ("metadata.labels", Ignored(NO_LABELS)),
    ("metadata.annotations", Ignored(NO_LABELS)),
    ("metadata.finalizers", Ignored(SERVERS)),
    ("metadata.ownerReferences", Ignored(SERVERS)),
    ("metadata.uid", Ignored(SERVERS)),
    ("metadata.resourceVersion", Ignored(SERVERS)),
    ("metadata.generation", Ignored(SERVERS)),
    ("metadata.creationTimestamp", Ignored(SERVERS)),
    ("metadata.managedFields", Ignored(SERVERS)),
    ("metadata.generateName", Ignored(SERVERS)),
    ("status", Ignored("it says how things were, not how they should be")),
];

/// Fields of a `KafkaCluster`.
const CLUSTER: &[(&str, Fate)] = &[
    ("spec.image", Ignored("brokers are this very program")),
    ("spec.pools[].name", Effective),
    ("spec.pools[].replicas", Effective),
    ("spec.pools[].firstBrokerId", Effective),
    ("spec.pools[].storage.size", Ignored(DIRECTORY)),
    ("spec.pools[].storage.class", Ignored(DIRECTORY)),
    // Their number has its effect: so many log directories.
    ("spec.pools[].storage.volumes[].size", Ignored(DIRECTORY)),
    ("spec.pools[].storage.volumes[].class", Ignored(DIRECTORY)),
    ("spec.pools[].storage.retain", IgnoredUnless("true", "data is always kept")),
    ("spec.pools[].resources", Ignored(NO_LIMITS)),
    ("spec.pools[].template", Ignored("there are no pods")),
    ("spec.config", Effective),
    ("spec.listeners[].name", Effective),
    ("spec.listeners[].port", Effective),
    ("spec.listeners[].type", IgnoredUnless("internal", "every listener is a port of 127.0.0.1")),
    // Refused where they ask for something.
    ("spec.listeners[].tls", Effective),
    ("spec.listeners[].authentication", Effective),
    ("spec.listeners[].advertised", Ignored("clients are told 127.0.0.1")),
    ("spec.rack", Ignored("there is one machine")),
    ("spec.zookeeper.replicas", IgnoredUnless("1", "the embedded ZooKeeper is one server")),
    ("spec.zookeeper.storage", Ignored("its data is a plain directory")),
    ("spec.zookeeper.resources", Ignored(NO_LIMITS)),
    ("spec.zookeeper.image", Ignored("the embedded ZooKeeper is this very program")),
    ("spec.zookeeper.external", Effective),
    ("spec.rollout.strategy", IgnoredUnless("Automatic", AT_ONCE)),
    ("spec.rollout.hold", Ignored(AT_ONCE)),
    ("spec.topics.namespaces", Ignored(ONE_FILE)),
    ("spec.topics.prefixes", Ignored(ONE_FILE)),
    ("spec.topics.defaultDeletionPolicy", IgnoredUnless("Retain", LEFT)),
    ("spec.metrics.podMonitor", IgnoredUnless("false", "there is no Prometheus operator")),
    ("spec.metrics.perPartition", IgnoredUnless("true", "all metrics are served")),
    ("spec.paused", IgnoredUnless("false", "the file is always made true")),
];

/// Fields of a `Topic`.
const TOPIC: &[(&str, Fate)] = &[
    ("spec.cluster.name", Effective),
    ("spec.cluster.namespace", Ignored("there are no namespaces")),
    ("spec.topicName", Effective),
    ("spec.partitions", Effective),
    ("spec.replicas", Effective),
    ("spec.config", Effective),
    ("spec.deletionPolicy", IgnoredUnless("Retain", LEFT)),
    ("spec.adopt", IgnoredUnless("true", "a topic that exists is taken over")),
];

/// Each ignored field with the reason, one line each.
pub(super) fn ignored(desired: &Desired) -> Vec<String> {
    let mut lines = ignored_of(&desired.cluster, CLUSTER, "");
    for topic in &desired.topics {
        lines.extend(ignored_of(topic, TOPIC, &format!("Topic {}: ", topic.name())));
    }
    lines.extend(desired.others.iter().map(|other| format!("{other}: not Vltava's")));
    lines
}

fn ignored_of(resource: &impl Serialize, fields: &[(&str, Fate)], of: &str) -> Vec<String> {
    let mut lines = Vec::new();
    // What came from a file goes back into one.
    let value = serde_json::to_value(resource).unwrap_or_default();
    walk(&value, "", "", fields, &mut |field, why| lines.push(format!("{of}{field}: {why}")));
    lines
}

/// Goes down until a field is in the table. `path` is the field in the words of the table, `shown` in those of people.
fn walk(value: &Value, path: &str, shown: &str, fields: &[(&str, Fate)], tell: &mut impl FnMut(&str, &str)) {
    let below = |path: &str, name: &str| {
        if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
    };
    match (fate(path, fields), value) {
        (Some(Effective), _) | (_, Value::Null) => {}
        (Some(Ignored(why)), _) => tell(shown, why),
        (Some(IgnoredUnless(usual, why)), _) => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if text != usual {
                tell(shown, why);
            }
        }
        (None, Value::Object(entries)) => {
            for (name, value) in entries {
                walk(value, &below(path, name), &below(shown, name), fields, tell);
            }
        }
        (None, Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[]"), &format!("{shown}[{index}]"), fields, tell);
            }
        }
        (None, _) => tell(shown, "it has no effect here"),
    }
}

fn fate(path: &str, fields: &[(&str, Fate)]) -> Option<Fate> {
    let found = COMMON.iter().chain(fields).find(|(field, _)| *field == path);
    found.map(|(_, fate)| *fate)
}

#[cfg(test)]
mod tests {
    use vltava_operator::{Resource, definitions, read_manifests};

    use super::*;

    /// All fields of a schema that have no fields of their own, in the words of the table.
    fn leaves(schema: &Value, path: &str, found: &mut Vec<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            for (name, inner) in properties {
                leaves(inner, &format!("{path}.{name}"), found);
            }
        } else if schema["items"].is_object() && schema["items"]["properties"].is_object() {
            leaves(&schema["items"], &format!("{path}[]"), found);
        } else {
            found.push(path.to_owned());
        }
    }

    /// The fields of the specification in a definition.
    fn specification(file: &str) -> Vec<String> {
        let definitions = definitions().unwrap();
        let (_, text) = definitions.iter().find(|(name, _)| *name == file).unwrap();
        let definition: Value = serde_yaml::from_str(text).unwrap();
        let spec = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let mut found = Vec::new();
        leaves(spec, "spec", &mut found);
        found
    }

    #[test]
    fn every_field_of_the_resources_is_in_the_table_and_the_other_way_round() {
        for (file, fields) in [("kafkaclusters.yaml", CLUSTER), ("topics.yaml", TOPIC)] {
            let leaves = specification(file);
            assert!(leaves.len() >= 8, "{file}: {leaves:?}");
            let holds = |field: &str, leaf: &str| {
                leaf.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            for leaf in &leaves {
                let entries = fields.iter().filter(|(field, _)| holds(field, leaf)).count();
                assert_eq!(entries, 1, "{file}: {leaf} is not once in the table of cli/src/up/ignored.rs");
            }
            for (field, _) in fields {
                assert!(leaves.iter().any(|leaf| holds(field, leaf)), "{file} has no {field}");
            }
        }
    }

    #[test]
    fn what_is_ignored_is_told_with_its_place_and_what_has_an_effect_is_not() {
        let text = "apiVersion: kafka.vltava.dev/v1alpha1\nkind: KafkaCluster\nmetadata:\n  name: blue\n  namespace: shop\n  labels: \
                    {a: b}\n  uid: '7'\nspec:\n  pools:\n  - name: kafka\n    replicas: 1\n    firstBrokerId: 0\n    storage:\n      \
                    volumes:\n      - size: 1Gi\n      - size: 2Gi\n        class: fast\n      retain: true\n    resources:\n      \
                    limits: {cpu: '1', memory: 1Gi}\n  zookeeper:\n    replicas: 1\n  config:\n    num.partitions: 3\n  rollout:\n    \
                    strategy: Automatic\n  paused: false\n---\napiVersion: kafka.vltava.dev/v1alpha1\nkind: Topic\nmetadata:\n  name: \
                    orders\nspec:\n  cluster:\n    name: blue\n    namespace: shop\n  partitions: 3\n  deletionPolicy: Delete\n";
        let (mut clusters, mut topics) = (Vec::new(), Vec::new());
        for resource in read_manifests(text).unwrap() {
            match resource {
                Resource::KafkaCluster(cluster) => clusters.push(*cluster),
                Resource::Topic(topic) => topics.push(*topic),
                Resource::Other { .. } => {}
            }
        }
        let desired =
            Desired { cluster: clusters.remove(0), topics, others: vec!["v1 Namespace shop".to_owned()] };
        let mut lines = ignored(&desired);
        lines.sort();
        assert_eq!(
            lines,
            [
                "Topic orders: spec.cluster.namespace: there are no namespaces",
                "Topic orders: spec.deletionPolicy: a topic that leaves the file is left as it is",
                "metadata.labels: nothing selects by it here",
                "metadata.namespace: there are no namespaces",
                "metadata.uid: there is no API server that reads it",
                "spec.pools[0].resources: processes are not limited",
                "spec.pools[0].storage.volumes[0].size: volumes are plain directories, as large as the disk",
                "spec.pools[0].storage.volumes[1].class: volumes are plain directories, as large as the disk",
                "spec.pools[0].storage.volumes[1].size: volumes are plain directories, as large as the disk",
                "v1 Namespace shop: not Vltava's",
            ]
        );
    }
}
