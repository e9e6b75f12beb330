//! `KafkaCluster`: brokers, their ZooKeeper and everything around them.

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::config::ConfigValue;
use super::listener::ListenerSpec;
use super::pool::Pool;
use super::status::KafkaClusterStatus;
use super::topic::DeletionPolicy;
use super::zookeeper::ZooKeeperSpec;

/// A cluster of brokers, as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, CustomResource, KubeSchema)]
#[kube(
    cel,
    group = "kafka.vltava.dev",
    version = "v1alpha1",
    kind = "KafkaCluster",
    plural = "kafkaclusters",
    shortname = "kc",
    namespaced,
    status = "KafkaClusterStatus",
    derive = "PartialEq",
    doc = "A Kafka cluster: brokers in pools, their ZooKeeper, listeners and configuration.",
    printcolumn = r#"{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name":"Brokers","type":"string","jsonPath":".status.readyBrokers"}"#,
    printcolumn = r#"{"name":"ZK","type":"string","jsonPath":".status.zookeeper.ready"}"#,
    printcolumn = r#"{"name":"Rollout","type":"string","jsonPath":".status.rollout.phase"}"#,
    printcolumn = r#"{"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}"#
)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.pools.all(a, self.pools.all(b, a.name == b.name || a.firstBrokerId + a.replicas <= b.firstBrokerId || b.firstBrokerId + b.replicas <= a.firstBrokerId))").message("the broker ids of pools must not overlap").field_path(".pools"),
    validation = Rule::new("!has(self.listeners) || self.listeners.all(a, self.listeners.exists_one(b, a.port == b.port))").message("each listener needs a port of its own").field_path(".listeners"),
    validation = Rule::new("!has(self.listeners) || self.listeners.exists(a, a.type == 'internal')").message("one listener must be of type internal: brokers use it among themselves").field_path(".listeners"),
)]
pub struct KafkaClusterSpec {
    /// The brokers' image. Absent: the one in use is kept, so that an upgrade of the operator restarts nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// Brokers, in pools of those that are alike.
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(length(min = 1, max = 16))]
    pub pools: Vec<Pool>,
    /// Configuration of all brokers, by the keys of their properties files. Keys that the operator sets itself are refused:
    /// `listeners`, `advertised.*`, `broker.*`, `inter.broker.*`, `sasl.*`, `ssl.*`, `security.*`, `log.dir`, `log.dirs`,
    /// `zookeeper.*`, `authorizer.*`, `super.users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 500))]
    pub config: Option<BTreeMap<String, ConfigValue>>,
    /// How clients reach the brokers. Absent: one internal listener, `plaintext` on port 9092.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    #[schemars(length(min = 1, max = 16))]
    pub listeners: Option<Vec<ListenerSpec>>,
    /// How replicas are spread over racks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<Rack>,
    /// The ensemble that coordinates the brokers.
    pub zookeeper: ZooKeeperSpec,
    /// How changes that need a restart are rolled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Which `Topic` resources this cluster accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<TopicPolicy>,
    /// What is measured, and who scrapes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// Whether the operator leaves the cluster alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// How replicas are spread over racks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rack {
    /// The node label that names a rack, such as `topology.kubernetes.io/zone`.
    #[schemars(length(min = 1, max = 317))]
    pub topology_key: String,
}

/// How changes that need a restart are rolled out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// Whether restarts wait for a word. Absent is `Automatic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RolloutStrategy>,
    /// Brokers that must not be restarted for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 1000))]
    pub hold: Option<Vec<i32>>,
}

/// Whether restarts wait for a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RolloutStrategy {
    /// Brokers are restarted one by one as soon as it is safe.
    Automatic,
    /// A plan is published, and restarts wait until it is approved.
    Manual,
}

/// Which `Topic` resources a cluster accepts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopicPolicy {
    /// Namespaces whose topics are accepted, besides the cluster's own; `*` is all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    #[schemars(length(max = 256))]
    pub namespaces: Option<Vec<String>>,
    /// Beginnings that the names of topics from other namespaces must have, by namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefixes: Option<BTreeMap<String, String>>,
    /// What happens to a topic whose resource is deleted and says nothing itself. Absent is `Retain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_deletion_policy: Option<DeletionPolicy>,
}

/// What is measured, and who scrapes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// Whether a PodMonitor is made for Prometheus' operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_monitor: Option<bool>,
    /// Whether series per partition are served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_partition: Option<bool>,
}

impl KafkaCluster {
    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }
}
