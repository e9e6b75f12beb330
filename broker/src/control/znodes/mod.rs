//! The znodes of Apache Kafka 0.8 to 3.9: paths, and the exact JSON in them.
//!
//! We write what 3.9 writes, fields in its order; we read what any version wrote: unknown fields are passed over, missing ones
//! have the value that they had before they existed. Nothing here does I/O.

mod admin;
mod broker;
mod cluster;
mod config;
pub mod paths;
mod topic;

pub use admin::{PreferredElection, Reassignment, decode_preferred_election, decode_reassignment};
pub use broker::{
    BrokerRegistration, decode_broker, decode_log_dir_event, encode_broker, encode_log_dir_event,
};
pub use cluster::{
    FeatureNode, ProducerIdBlock, decode_cluster_id, decode_controller, decode_controller_epoch,
    decode_feature, decode_producer_ids, encode_cluster_id, encode_controller, encode_controller_epoch,
    encode_feature, encode_producer_ids,
};
pub use config::{
    ConfigChange, Entity, decode_config, decode_config_change, encode_config, encode_config_change,
};
pub use topic::{
    decode_isr_change, decode_state, decode_topic, encode_isr_change, encode_state, encode_topic,
};

/// The largest content that is looked at, in bytes: ZooKeeper's own limit is 1 MiB unless it has been raised.
pub const MAX_ZNODE_BYTES: usize = 16 << 20;

/// A znode whose content makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the znode {path} makes no sense: {reason}")]
pub struct ZnodeError {
    /// Its path, without the chroot.
    pub path: String,
    /// What was wrong.
    pub reason: String,
}

impl ZnodeError {
    pub(crate) fn new(path: &str, reason: impl std::fmt::Display) -> Self {
        Self { path: path.into(), reason: reason.to_string() }
    }
}

/// Reads JSON into `T`, within the bound.
fn from_json<'a, T: serde::Deserialize<'a>>(path: &str, data: &'a [u8]) -> Result<T, ZnodeError> {
    if data.len() > MAX_ZNODE_BYTES {
        return Err(ZnodeError::new(
            path,
            format_args!("{} bytes are more than {MAX_ZNODE_BYTES}", data.len()),
        ));
    }
    serde_json::from_slice(data).map_err(|error| ZnodeError::new(path, error))
}

/// Writes JSON. Serializing these types into memory cannot fail; if it ever did, the empty content is refused by every reader.
fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
