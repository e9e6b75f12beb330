//! ApiVersions: which versions of which APIs the broker serves.
//! A broker that does not know the version answers in version 0 with UNSUPPORTED_VERSION, and the response's header
//! is always version 0 (KIP-511).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ApiVersionsRequest<'a> {
    /// Letters, digits, dots and dashes (KIP-511).
    #[field(versions = "3+", ignorable)]
    pub client_software_name: Str<'a>,
    #[field(versions = "3+", ignorable)]
    pub client_software_version: Str<'a>,
    /// The cluster that the client means to talk to, if it knows; one of another answers REBOOTSTRAP_REQUIRED
    /// (KIP-1242).
    #[field(versions = "5+", default = None, ignorable)]
    pub cluster_id: Option<Str<'a>>,
    /// The broker that the client means to talk to, or -1 (KIP-1242).
    #[field(versions = "5+", default = -1, ignorable)]
    pub node_id: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// What the broker can do.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-5", flexible = "3+")]
pub struct ApiVersionsResponse<'a> {
    pub error_code: i16,
    pub api_keys: Vec<ApiVersion>,
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "3+", tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey<'a>>,
    /// -1 if unknown (KIP-584).
    #[field(versions = "3+", tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    #[field(versions = "3+", tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey<'a>>,
    #[field(versions = "3+", tag = 3, ignorable)]
    pub zk_migration_ready: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The versions of one API.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct ApiVersion {
    pub api_key: i16,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature that this broker supports (KIP-584).
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct SupportedFeatureKey<'a> {
    pub name: Str<'a>,
    pub min_version: i16,
    pub max_version: i16,
    pub unknown_tagged_fields: TaggedFields,
}

/// A feature that is in force in the whole cluster (KIP-584).
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "3+")]
pub struct FinalizedFeatureKey<'a> {
    pub name: Str<'a>,
    pub max_version_level: i16,
    pub min_version_level: i16,
    pub unknown_tagged_fields: TaggedFields,
}
