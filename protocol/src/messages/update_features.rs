//! UpdateFeatures: raise or lower what the whole cluster supports (KIP-584).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The changes.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesRequest<'a> {
    #[field(default = 60_000)]
    pub timeout_ms: i32,
    pub feature_updates: Vec<FeatureUpdateKey<'a>>,
    #[field(versions = "1+")]
    pub validate_only: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// A change.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct FeatureUpdateKey<'a> {
    pub feature: Str<'a>,
    /// Below 1 deletes the feature.
    pub max_version_level: i16,
    #[field(versions = "0")]
    pub allow_downgrade: bool,
    /// 1: upgrade, 2: safe downgrade, 3: unsafe downgrade.
    #[field(versions = "1+", default = 1)]
    pub upgrade_type: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct UpdateFeaturesResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    #[field(versions = "0-1", ignorable)]
    pub results: Vec<UpdatableFeatureResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct UpdatableFeatureResult<'a> {
    pub feature: Str<'a>,
    pub error_code: i16,
    pub error_message: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
