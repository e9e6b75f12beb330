use crate::{Message, wire::Str};

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct OffsetDeleteRequest<'a> {
    pub group_id: Str<'a>,
    pub topics: Vec<OffsetDeleteRequestTopic<'a>>,
}

#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteRequestTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

#[derive(Debug, Clone, PartialEq, Message)]
#[message(versions = "0")]
pub struct OffsetDeleteResponse<'a> {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic<'a>>,
}

#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteResponseTopic<'a> {
    pub name: Str<'a>,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

#[derive(Debug, Clone, PartialEq, Message)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}
