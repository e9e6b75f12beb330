//! The administrative APIs as functions of plain values.
//!
//! Each takes a [`Client`](crate::Client) and gives a result for each thing asked for, in the order asked, so that one bad topic does not
//! hide the others.

mod brokers;
mod configs;
mod elections;
mod groups;
mod offsets;
mod quotas;
mod reassignments;
mod records;
mod scram;
mod topics;

pub use brokers::{LogDir, ReplicaSize, log_dirs, move_replicas, racks};
pub use configs::{
    AlterOp, ConfigEntry, Resource, ResourceKind, alter_configs, client_metrics, describe_configs,
};
pub use elections::{ElectionType, elect_leaders};
pub use groups::{
    GroupDescription, GroupListing, GroupMember, GroupOffset, TopicPartition, commit_offsets, delete_groups,
    delete_offsets, describe_group, group_offsets, list_groups,
};
pub use offsets::{Isolation, ListedOffset, OffsetSpec, list_offsets, offsets_before};
pub use quotas::{QuotaKind, QuotaMatch, Quotas, alter_quotas, describe_quotas};
pub use reassignments::{Reassignment, alter_reassignments, list_reassignments};
pub use records::delete_records;
pub use scram::{NewCredential, ScramMechanism, ScramUser, alter_scram, describe_scram};
pub use topics::{
    NewTopic, PartitionDescription, TopicDescription, create_partitions, create_topics, delete_topics,
    describe_topics, list_topics,
};
