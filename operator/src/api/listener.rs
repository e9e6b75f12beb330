//! Listeners: how clients reach the brokers.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One listener of every broker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListenerSpec {
    /// Its name; in the broker's properties it is in capitals.
    #[schemars(length(min = 1, max = 25), regex(pattern = "^[a-z][a-z0-9]*$"))]
    pub name: String,
    /// The port it listens on.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// How it is reached.
    #[serde(rename = "type")]
    pub kind: ListenerType,
    /// Whether it speaks TLS. Not yet supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<bool>,
    /// How clients authenticate. Not yet supported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub authentication: Option<String>,
    /// What clients are told to connect to, if it is not what the operator finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advertised: Option<Advertised>,
}

/// How a listener is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ListenerType {
    /// From within the Kubernetes cluster, by the pods' names.
    Internal,
    /// By a port of every node.
    #[serde(rename = "nodeport")]
    NodePort,
    /// By a load balancer per broker.
    #[serde(rename = "loadbalancer")]
    LoadBalancer,
    /// By a service with an address per broker.
    ClusterIp,
}

/// What clients are told to connect to; `{id}` stands for the broker's id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Advertised {
    /// The host, such as `broker-{id}.example.com`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub host: Option<String>,
    /// The port of broker 0; that of the others is higher by their id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
}
