//! DescribeCluster: the brokers and the controller (KIP-700).

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// What to describe.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    pub include_cluster_authorized_operations: bool,
    /// 1: brokers, 2: controllers (KIP-919).
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    #[field(versions = "2+")]
    pub include_fenced_brokers: bool,
    pub unknown_tagged_fields: TaggedFields,
}

/// The cluster.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse<'a> {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    #[field(default = None)]
    pub error_message: Option<Str<'a>>,
    #[field(versions = "1+", default = 1)]
    pub endpoint_type: i8,
    pub cluster_id: Str<'a>,
    /// Or -1.
    #[field(default = -1)]
    pub controller_id: i32,
    pub brokers: Vec<DescribeClusterBroker<'a>>,
    /// A bit for each operation; the smallest number if not asked for.
    #[field(default = i32::MIN)]
    pub cluster_authorized_operations: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A broker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "0+")]
pub struct DescribeClusterBroker<'a> {
    pub broker_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    #[field(default = None)]
    pub rack: Option<Str<'a>>,
    #[field(versions = "2+")]
    pub is_fenced: bool,
    pub unknown_tagged_fields: TaggedFields,
}
