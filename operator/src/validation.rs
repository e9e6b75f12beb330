//! What a resource must satisfy beyond its schema and its CEL rules: configuration against the settings table, and fields that
//! nothing serves yet, which are refused rather than ignored.

use std::collections::BTreeMap;

use kube::core::ObjectMeta;
use kube::core::cel::{ValidationError, ValidationErrors};
use vltava_settings::{Properties, broker_keys, validate_topic_config};

use crate::api::{ConfigValue, KafkaCluster, ListenerType, Topic};
use crate::plan;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field, such as `spec.config["num.partitions"]`.
    pub field: String,
    /// What is wrong and what is allowed.
    pub what: String,
}

/// The reason given for fields that no code serves yet.
pub const NOT_YET_SUPPORTED: &str = "NotYetSupported";

/// Beginnings of keys that the operator sets itself, or that must not be set behind its back.
const RESERVED: [&str; 15] = [
    "listeners",
    "listener.",
    "advertised.",
    "broker.",
    "node.id",
    "inter.broker.",
    "sasl.",
    "ssl.",
    "security.",
    "log.dir",
    "zookeeper.",
    "authorizer.",
    "super.users",
    "vltava.metrics.",
    "control.plane.",
];

/// Keys that begin like a reserved one and are free.
const FREE: [&str; 2] = ["inter.broker.protocol.version", "log.dir.failure.timeout.ms"];

/// Checks a cluster.
#[must_use]
pub fn cluster(cluster: &KafkaCluster) -> Vec<Violation> {
    let spec = &cluster.spec;
    let mut violations = names(&cluster.metadata);
    if violations.is_empty() {
        violations.extend(names_of_pods(cluster));
    }
    let mut add = |field: String, what: String| violations.push(Violation { field, what });
    for (index, listener) in spec.listeners.iter().flatten().enumerate() {
        let field = format!("spec.listeners[{index}]");
        if listener.tls == Some(true) {
            add(format!("{field}.tls"), format!("{NOT_YET_SUPPORTED}: listeners do not speak TLS yet"));
        }
        if listener.authentication.is_some() {
            let what = format!("{NOT_YET_SUPPORTED}: clients cannot authenticate yet");
            add(format!("{field}.authentication"), what);
        }
        let id = listener.advertised.as_ref().and_then(|advertised| advertised.host.as_deref());
        if id.is_some_and(|host| !host.contains("{id}")) && plan::broker_ids(cluster).len() > 1 {
            let what = "must contain {id}, which stands for the broker's id, since there are several brokers"
                .to_owned();
            add(format!("{field}.advertised.host"), what);
        }
        if listener.advertised.is_some() && listener.kind == ListenerType::Internal {
            add(
                format!("{field}.advertised"),
                "brokers use an internal listener by the pods' own names".to_owned(),
            );
        }
    }
    if plan::broker_ids(cluster).is_empty() {
        add("spec.pools".to_owned(), "a cluster needs a broker: one pool must have replicas".to_owned());
    }
    let config = spec.config.iter().flatten();
    for (key, value) in config {
        let field = format!("spec.config[\"{key}\"]");
        if let Some(reserved) = reserved(key) {
            add(field, format!("reserved: keys that begin with {reserved} follow from other fields"));
            continue;
        }
        if broker_keys().find(key).is_none() {
            let hint =
                broker_keys().nearest(key).map(|key| format!(", did you mean {key}")).unwrap_or_default();
            add(field, format!("unknown configuration key{hint}"));
            continue;
        }
        if let Some(what) = wrong_value(key, value) {
            add(field, what);
        }
    }
    if violations.is_empty() {
        violations.extend(rules_between_keys(cluster));
    }
    violations
}

/// Names that an API server would refuse: they become those of pods, of DNS, and of directories.
fn names(metadata: &ObjectMeta) -> Vec<Violation> {
    let is_label = |label: &str| {
        let is_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        label.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && is_end(label.chars().next())
            && is_end(label.chars().last())
    };
    let mut violations = Vec::new();
    let name = metadata.name.as_deref().unwrap_or_default();
    if name.len() > 253 || !name.split('.').all(is_label) {
        let what = format!("{name} is not a resource's name: {NAME_LETTERS}, '-' and '.', up to 253");
        violations.push(Violation { field: "metadata.name".to_owned(), what });
    }
    if let Some(namespace) = metadata.namespace.as_deref().filter(|name| name.len() > 63 || !is_label(name)) {
        let what = format!("{namespace} is not a namespace's name: {NAME_LETTERS} and '-', up to 63");
        violations.push(Violation { field: "metadata.namespace".to_owned(), what });
    }
    violations
}

/// The longest name of a StatefulSet whose pods can be labelled with their revision, of ten letters and a dash, in the 63 characters of a label.
const MAX_STATEFUL_SET: usize = 52;

/// A cluster's name begins those of its Services and StatefulSets, which take less than a resource's own name may be.
fn names_of_pods(cluster: &KafkaCluster) -> Option<Violation> {
    let name = cluster.name();
    let violation =
        |what: String| Some(Violation { field: "metadata.name".to_owned(), what: format!("{name}{what}") });
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || name.contains('.') {
        return violation(
            " begins the names of Services: it must begin with a letter and have no '.'".to_owned(),
        );
    }
    let pools = cluster.spec.pools.iter().map(|pool| pool.name.as_str());
    let ensemble = cluster.spec.zookeeper.external.is_none().then_some("zookeeper");
    let longest = pools.chain(ensemble).max_by_key(|part| part.len())?;
    if name.len() + 1 + longest.len() <= MAX_STATEFUL_SET {
        return None;
    }
    violation(format!("-{longest} would be a StatefulSet's name of more than {MAX_STATEFUL_SET} characters"))
}

/// What the names of resources are made of.
const NAME_LETTERS: &str = "small letters and digits, between them";

fn reserved(key: &str) -> Option<&'static str> {
    let old = ["host.name", "port", "super.users"];
    if let Some(exact) = old.into_iter().find(|exact| *exact == key) {
        return Some(exact);
    }
    RESERVED.into_iter().find(|prefix| key.starts_with(prefix) && !FREE.contains(&key))
}

/// What is wrong with one value, as the broker itself would say at its start.
fn wrong_value(key: &str, value: &ConfigValue) -> Option<String> {
    let alone: Properties = [(key, value.to_string())].into_iter().collect();
    let problems = vltava_settings::BrokerConfig::from_properties(&alone, &Properties::default()).err()?;
    problems.0.iter().find(|problem| problem.key() == key).map(ToString::to_string)
}

/// Rules between keys, as each broker would find them at its start.
fn rules_between_keys(cluster: &KafkaCluster) -> Vec<Violation> {
    let brokers = plan::brokers(cluster, &plan::Nowhere);
    let Some(broker) = brokers.first() else { return Vec::new() };
    match vltava_settings::BrokerConfig::from_properties(&broker.properties, &Properties::default()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .0
            .iter()
            .map(|problem| Violation {
                field: format!("spec.config[\"{}\"]", problem.key()),
                what: problem.to_string(),
            })
            .collect(),
    }
}

/// Checks a topic.
#[must_use]
pub fn topic(topic: &Topic) -> Vec<Violation> {
    let mut violations = names(&topic.metadata);
    if let Some(violation) = violations.iter_mut().find(|violation| violation.field == "metadata.name") {
        violation.what += "; a topic of another name is named by spec.topicName";
    }
    let name = plan::topic_name(topic);
    let legal = name.len() <= 249
        && !matches!(name.as_str(), "." | "..")
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if !legal {
        let field = if topic.spec.topic_name.is_some() { "spec.topicName" } else { "metadata.name" };
        let what = format!(
            "{name} is not a topic's name: up to 249 letters, digits, '.', '_' and '-', and not '.' or '..'"
        );
        violations.push(Violation { field: field.to_owned(), what });
    }
    if name.starts_with("__") {
        let what = format!("{name} is an internal topic, which brokers keep themselves");
        violations.push(Violation { field: "spec.topicName".to_owned(), what });
    }
    let empty = BTreeMap::new();
    for (key, value) in topic.spec.config.as_ref().unwrap_or(&empty) {
        if let Err(problem) = validate_topic_config(key, &value.to_string()) {
            let hint = match vltava_settings::topic_keys().find(key) {
                Some(_) => None,
                None => vltava_settings::topic_keys().nearest(key).map(|key| format!(", did you mean {key}")),
            };
            let field = format!("spec.config[\"{key}\"]");
            violations.push(Violation { field, what: format!("{problem}{}", hint.unwrap_or_default()) });
        }
    }
    violations
}

/// The CEL rules that a resource breaks.
pub(crate) fn broken_rules(outcome: Result<(), ValidationErrors>) -> Vec<Violation> {
    let errors = outcome.err().map(ValidationErrors::into_vec).unwrap_or_default();
    let violation = |error: ValidationError| Violation {
        field: error.field_path.trim_start_matches('.').to_owned(),
        what: error.message,
    };
    errors.into_iter().map(violation).collect()
}
