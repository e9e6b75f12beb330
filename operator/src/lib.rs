//! Custom resources and the pure planning from a `KafkaCluster` to its brokers.
//!
//! [`api`] are the resources, [`read_manifests`] reads them from files as strictly as an API server with this operator would, and
//! [`changes`] says what must stay as it is, and [`plan`] what brokers and topics follow from them, on whatever platform. Controllers come later; `vltava up` uses all of
//! this on a laptop.

pub mod api;
pub mod changes;
mod definitions;
mod manifest;
pub mod plan;
pub mod validation;

pub use self::definitions::definitions;
pub use self::manifest::{ManifestError, ManifestErrors, Resource, read_manifests};
