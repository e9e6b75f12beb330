//! One file per API, and the table of what is served.
//!
//! To serve an API: write `api/<name>.rs` and add its line to [`TABLE`]. ApiVersions advertises exactly this table, so a line goes in when every
//! version it names is answered whole. A handler has one of three forms:
//!
//! - `now!(module, XRequest)`: `fn handle(&Arc<Broker>, &RequestContext, XRequest<'_>) -> XResponse<'_>` answers from memory;
//! - `waits!(module, XRequest)`: `async fn handle(&Arc<Broker>, &RequestContext, XRequest<'_>) -> XResponse<'_>` may wait, and holds the
//!   request's bytes while it does;
//! - `begins!(module, XRequest)`: `fn begin(&Arc<Broker>, RequestContext, XRequest<'_>) -> Answer` does at once what must happen in the order of requests,
//!   and waits in a future that holds none of the request's bytes. For Fetch, and for groups;
//! - Produce is given its frame, since what it compresses anew on another thread borrows from that.
//!
//! A handler may return a [`Response`](crate::net::Response) instead of a message, where it sends file slices.

// Handlers take their request by value: that is the form of the table, whether or not one keeps parts of it.
#![allow(clippy::needless_pass_by_value)]

mod acknowledge;
mod allocate_producer_ids;
mod alter_configs;
mod alter_partition;
pub mod api_versions;
mod bring;
mod broker_loggers;
mod config_resources;
mod controlled_shutdown;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_topic_partitions;
mod dispatch;
mod elect_leaders;
mod fetch;
pub(crate) mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leader_and_isr;
mod leave_group;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod locate;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod stop_replica;
mod sync_group;
pub(crate) mod topic_rules;
mod update_metadata;

use std::sync::Arc;

use vltava_protocol::{ApiKey, messages, wire::Versions};

use crate::{
    Broker,
    net::{Answer, Frame, Order, RequestContext},
};
pub use dispatch::Dispatcher;
use dispatch::{begins, now, waits};

/// Starts the work of a request; the frame is its body, without the header.
pub type Begin = fn(&Arc<Broker>, RequestContext, Frame) -> Answer;

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Api {
    /// The key on the wire.
    pub key: ApiKey,
    /// The versions that are served whole, and advertised.
    pub versions: Versions,
    /// When the connection's next request begins.
    pub order: Order,
    /// The handler.
    pub begin: Begin,
}

const fn api(key: ApiKey, first: i16, last: i16, begin: Begin) -> Api {
    Api { key, versions: Versions::new(first, last), order: Order::Whole, begin }
}

/// An API whose requests wait without holding up those behind them.
const fn flowing(api: Api) -> Api {
    Api { order: Order::UntilItWaits, ..api }
}

/// All that this broker serves, by key.
pub static TABLE: &[Api] = &[
    flowing(api(ApiKey::Produce, 0, 13, produce::begin)),
    api(ApiKey::Fetch, 0, 18, begins!(fetch, FetchRequest)),
    api(ApiKey::ListOffsets, 0, 11, waits!(list_offsets, ListOffsetsRequest)),
    api(ApiKey::Metadata, 0, 13, now!(metadata, MetadataRequest)),
    api(ApiKey::LeaderAndIsr, 0, 7, waits!(leader_and_isr, LeaderAndIsrRequest)),
    api(ApiKey::StopReplica, 0, 4, waits!(stop_replica, StopReplicaRequest)),
    api(ApiKey::UpdateMetadata, 0, 8, waits!(update_metadata, UpdateMetadataRequest)),
    api(ApiKey::ControlledShutdown, 0, 3, waits!(controlled_shutdown, owned ControlledShutdownRequest)),
    api(ApiKey::OffsetCommit, 0, 10, waits!(offset_commit, OffsetCommitRequest)),
    api(ApiKey::OffsetFetch, 0, 10, waits!(offset_fetch, OffsetFetchRequest)),
    api(ApiKey::FindCoordinator, 0, 6, now!(find_coordinator, FindCoordinatorRequest)),
    api(ApiKey::JoinGroup, 0, 9, begins!(join_group, JoinGroupRequest)),
    api(ApiKey::Heartbeat, 0, 4, now!(heartbeat, HeartbeatRequest)),
    api(ApiKey::LeaveGroup, 0, 5, now!(leave_group, LeaveGroupRequest)),
    api(ApiKey::SyncGroup, 0, 5, begins!(sync_group, SyncGroupRequest)),
    api(ApiKey::DescribeGroups, 0, 6, now!(describe_groups, DescribeGroupsRequest)),
    api(ApiKey::ListGroups, 0, 5, now!(list_groups, ListGroupsRequest)),
    api(ApiKey::ApiVersions, 0, 5, now!(api_versions, ApiVersionsRequest)),
    api(ApiKey::CreateTopics, 0, 7, waits!(create_topics, CreateTopicsRequest)),
    api(ApiKey::DeleteTopics, 0, 6, waits!(delete_topics, DeleteTopicsRequest)),
    api(ApiKey::DeleteRecords, 0, 2, waits!(delete_records, DeleteRecordsRequest)),
    api(ApiKey::InitProducerId, 0, 5, waits!(init_producer_id, InitProducerIdRequest)),
    api(ApiKey::OffsetForLeaderEpoch, 0, 4, now!(offset_for_leader_epoch, OffsetForLeaderEpochRequest)),
    api(ApiKey::DescribeConfigs, 0, 4, waits!(describe_configs, DescribeConfigsRequest)),
    api(ApiKey::AlterConfigs, 0, 2, waits!(alter_configs, AlterConfigsRequest)),
    api(ApiKey::DescribeLogDirs, 0, 5, waits!(describe_log_dirs, DescribeLogDirsRequest)),
    api(ApiKey::CreatePartitions, 0, 3, waits!(create_partitions, CreatePartitionsRequest)),
    api(ApiKey::DeleteGroups, 0, 3, waits!(delete_groups, DeleteGroupsRequest)),
    api(ApiKey::ElectLeaders, 0, 2, waits!(elect_leaders, ElectLeadersRequest)),
    api(
        ApiKey::IncrementalAlterConfigs,
        0,
        1,
        waits!(incremental_alter_configs, IncrementalAlterConfigsRequest),
    ),
    api(
        ApiKey::ListPartitionReassignments,
        0,
        0,
        now!(list_partition_reassignments, ListPartitionReassignmentsRequest),
    ),
    api(ApiKey::OffsetDelete, 0, 0, waits!(offset_delete, OffsetDeleteRequest)),
    api(ApiKey::AlterPartition, 0, 3, waits!(alter_partition, AlterPartitionRequest)),
    api(ApiKey::DescribeCluster, 0, 2, now!(describe_cluster, owned DescribeClusterRequest)),
    api(ApiKey::AllocateProducerIds, 0, 0, waits!(allocate_producer_ids, owned AllocateProducerIdsRequest)),
    api(
        ApiKey::DescribeTopicPartitions,
        0,
        0,
        now!(describe_topic_partitions, DescribeTopicPartitionsRequest),
    ),
];

/// The line of an API.
pub fn find(key: ApiKey) -> Option<&'static Api> {
    TABLE.iter().find(|api| api.key == key)
}
