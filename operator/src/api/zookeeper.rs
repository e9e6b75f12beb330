//! The ZooKeeper ensemble of a cluster: the operator's, or one that is there already.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::pool::{Resources, Storage};

/// The ensemble that coordinates the brokers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.external) != has(self.replicas)").message("give either replicas, for an ensemble of the operator's, or external"),
    validation = Rule::new("has(self.external) == has(oldSelf.external)").message("the operator's ensemble and an external one cannot take each other's place: what the brokers know of each other is in it"),
    validation = Rule::new("!has(self.replicas) || self.replicas in [1, 3, 5, 7]").message("replicas must be 1, 3, 5 or 7").field_path(".replicas"),
    validation = Rule::new("!has(self.external) || (!has(self.storage) && !has(self.resources) && !has(self.image))").message("storage, resources and image are those of an ensemble of the operator's, not of an external one"),
)]
pub struct ZooKeeperSpec {
    /// Servers of an ensemble that the operator runs: 1, 3, 5 or 7.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Where they keep their data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Storage>,
    /// Processor and memory of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Their image; absent is the operator's choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    pub image: Option<String>,
    /// An ensemble that is there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalZooKeeper>,
}

/// An ensemble that is there already.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalZooKeeper {
    /// Its address, as `host:port,host:port/chroot`.
    #[schemars(length(min = 1, max = 2048))]
    pub connect: String,
}
