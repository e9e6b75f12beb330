//! WriteTxnMarkers: a transaction coordinator tells leaders how transactions ended.

use crate::{
    Message,
    wire::{Str, TaggedFields},
};

/// The markers to append.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "1+")]
pub struct WriteTxnMarkersRequest<'a> {
    pub markers: Vec<WritableTxnMarker<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// How one transaction ended.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct WritableTxnMarker<'a> {
    pub producer_id: i64,
    pub producer_epoch: i16,
    /// True if committed.
    pub transaction_result: bool,
    pub topics: Vec<WritableTxnMarkerTopic<'a>>,
    /// The leader epoch of the coordinator's partition; a smaller one than before is refused.
    pub coordinator_epoch: i32,
    /// 0 or 1: the original protocol; 2: that of KIP-890 (KIP-1228).
    #[field(versions = "2+", ignorable)]
    pub transaction_version: i8,
    pub unknown_tagged_fields: TaggedFields,
}

/// Partitions of one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct WritableTxnMarkerTopic<'a> {
    pub name: Str<'a>,
    pub partition_indexes: Vec<i32>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the markers.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0-2", flexible = "1+")]
pub struct WriteTxnMarkersResponse<'a> {
    pub markers: Vec<WritableTxnMarkerResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one producer's markers.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct WritableTxnMarkerResult<'a> {
    pub producer_id: i64,
    pub topics: Vec<WritableTxnMarkerTopicResult<'a>>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of the markers in one topic.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct WritableTxnMarkerTopicResult<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
    pub unknown_tagged_fields: TaggedFields,
}

/// What became of one marker.
#[derive(Debug, Clone, PartialEq, Message)]
#[message(flexible = "1+")]
pub struct WritableTxnMarkerPartitionResult {
    pub partition_index: i32,
    pub error_code: i16,
    pub unknown_tagged_fields: TaggedFields,
}
