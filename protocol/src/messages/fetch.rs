//! Fetch: read records from partitions, as a consumer or as a follower.
//! From version 7 on the broker may keep the list of partitions in a session, and a request names only what changed
//! (KIP-227). Topics have names up to version 12, and ids from 13 on (KIP-516).

use crate::{
    Message,
    wire::{Records, Str, TaggedFields, Uuid},
};

/// What to read, how much, and how long to wait for it.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-18", flexible = "12+")]
pub struct FetchRequest<'a> {
    /// Set by Raft only.
    #[field(versions = "12+", tag = 0, default = None, ignorable)]
    pub cluster_id: Option<Str<'a>>,
    /// The follower's broker id; -1 for a consumer. In `replica_state` from version 15 on.
    #[field(versions = "0-14", default = -1)]
    pub replica_id: i32,
    /// Who asks, from version 15 on.
    #[field(versions = "15+", tag = 1)]
    pub replica_state: ReplicaState,
    /// How long to wait for `min_bytes`.
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    /// A bound of the response; the first batch is returned even if it is larger.
    #[field(versions = "3+", default = i32::MAX, ignorable)]
    pub max_bytes: i32,
    /// 0: read uncommitted; 1: read committed, which ends at the last stable offset.
    #[field(versions = "4+", ignorable)]
    pub isolation_level: i8,
    /// 0 without a session.
    #[field(versions = "7+", ignorable)]
    pub session_id: i32,
    /// 0 opens a session, -1 closes it or goes without.
    #[field(versions = "7+", default = -1, ignorable)]
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic<'a>>,
    /// Partitions that leave the session.
    #[field(versions = "7+")]
    pub forgotten_topics_data: Vec<ForgottenTopic<'a>>,
    /// Where the consumer runs, so that it may be sent to a closer replica (KIP-392).
    #[field(versions = "11+", ignorable)]
    pub rack_id: Str<'a>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The follower that asks (KIP-903).
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct ReplicaState {
    /// -1 for a consumer.
    #[field(default = -1)]
    pub replica_id: i32,
    /// The broker epoch of the follower, or -1.
    #[field(default = -1)]
    pub replica_epoch: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// What to read of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct FetchTopic<'a> {
    #[field(versions = "0-12", ignorable)]
    pub topic: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What to read of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct FetchPartition {
    pub partition: i32,
    /// The epoch in which the client believes the leader to be; -1 does not check it (KIP-320).
    #[field(versions = "9+", default = -1, ignorable)]
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// The epoch of the last record that a follower has; the leader answers with `diverging_epoch` if their logs
    /// differ (KIP-595).
    #[field(versions = "12+", default = -1)]
    pub last_fetched_epoch: i32,
    /// Where the follower's log begins; -1 from a consumer.
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    /// Raft's.
    #[field(versions = "17+", tag = 0, ignorable)]
    pub replica_directory_id: Uuid,
    /// The one that the follower knows, or -1; the largest number if it cannot say (KIP-1166).
    #[field(versions = "18+", tag = 1, default = i64::MAX, ignorable)]
    pub high_watermark: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic that leave the session.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct ForgottenTopic<'a> {
    #[field(versions = "7-12", ignorable)]
    pub topic: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Records, or an error, for each partition that has news.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-18", flexible = "12+")]
pub struct FetchResponse<'a> {
    #[field(versions = "1+", ignorable)]
    pub throttle_time_ms: i32,
    #[field(versions = "7+", ignorable)]
    pub error_code: i16,
    /// 0 if there is no session.
    #[field(versions = "7+")]
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse<'a>>,
    /// Where the new leaders named in `current_leader` listen (KIP-951).
    #[field(versions = "16+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct FetchableTopicResponse<'a> {
    #[field(versions = "0-12", ignorable)]
    pub topic: Str<'a>,
    #[field(versions = "13+", ignorable)]
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// The records of one partition.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct PartitionData<'a> {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    /// Before it every transaction is decided.
    #[field(versions = "4+", default = -1, ignorable)]
    pub last_stable_offset: i64,
    #[field(versions = "5+", default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Where a follower has to truncate before it fetches again.
    #[field(versions = "12+", tag = 0)]
    pub diverging_epoch: EpochEndOffset,
    /// The leader, for a client that asked another broker.
    #[field(versions = "12+", tag = 1)]
    pub current_leader: LeaderIdAndEpoch,
    /// Raft's.
    #[field(versions = "12+", tag = 2)]
    pub snapshot_id: SnapshotId,
    /// Transactions whose records a read-committed consumer leaves out; null when it reads uncommitted.
    #[field(versions = "4+", ignorable)]
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// The broker to read from instead, or -1 (KIP-392).
    #[field(versions = "11+", default = -1)]
    pub preferred_read_replica: i32,
    /// Whole batches; the last may be cut, in the old formats.
    pub records: Option<Records<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// Where an epoch ends in the leader's log.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct EpochEndOffset {
    #[field(default = -1)]
    pub epoch: i32,
    #[field(default = -1)]
    pub end_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// Who leads a partition; -1 is unknown.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct LeaderIdAndEpoch {
    #[field(default = -1)]
    pub leader_id: i32,
    #[field(default = -1)]
    pub leader_epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A snapshot of Raft's log.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct SnapshotId {
    #[field(default = -1)]
    pub end_offset: i64,
    #[field(default = -1)]
    pub epoch: i32,
    pub unknown_tagged_fields: TaggedFields,
}

/// A transaction that was aborted.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct AbortedTransaction {
    pub producer_id: i64,
    /// Its first record in the partition.
    pub first_offset: i64,
    pub unknown_tagged_fields: TaggedFields,
}

/// The address of a broker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "12+")]
pub struct NodeEndpoint<'a> {
    pub node_id: i32,
    pub host: Str<'a>,
    pub port: i32,
    #[field(default = None)]
    pub rack: Option<Str<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}
