//! What a group asks of its shell.

use vltava_protocol::ErrorCode;

use super::offsets::{CommittedOffset, Partition};
use super::stored::StoredGroup;

/// The shell's name for a request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Waiter(pub u64);

/// A write to `__consumer_offsets`, named by the group, unique within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId(pub u64);

/// What the shell must do, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Answer a JoinGroup.
    Join(Waiter, JoinAnswer),
    /// Answer a SyncGroup.
    Sync(Waiter, SyncAnswer),
    /// Answer an OffsetCommit: an error code for each partition, in the order of the request.
    Commit(Waiter, Vec<(Partition, ErrorCode)>),
    /// Append to `__consumer_offsets` and report by [`super::Group::written`].
    Write(WriteId, Write),
}

/// The records of one write.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// The group's metadata record.
    Group(StoredGroup),
    /// Offset records; `None` is a tombstone.
    Offsets(Vec<(Partition, Option<CommittedOffset>)>),
    /// Tombstones of the group and of all offsets that it still has.
    Tombstones {
        /// The offsets to delete.
        offsets: Vec<Partition>,
        /// Whether the group's metadata goes too.
        group: bool,
    },
}

/// The answer to a JoinGroup.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinAnswer {
    /// NONE, or why the member is not in.
    pub error: ErrorCode,
    /// The generation joined, -1 on an error.
    pub generation: i32,
    /// The protocol type, where the group has one.
    pub protocol_type: Option<String>,
    /// The protocol that all members share, chosen by vote.
    pub protocol: Option<String>,
    /// The leader's member id.
    pub leader: String,
    /// The id of the member that asked.
    pub member_id: String,
    /// The leader need not assign: its returned predecessor's assignment stands (KIP-814).
    pub skip_assignment: bool,
    /// All members with their subscriptions; for the leader only.
    pub members: Vec<JoinMember>,
}

impl JoinAnswer {
    /// An answer that lets nobody in.
    #[must_use]
    pub fn refused(error: ErrorCode, member_id: &str) -> JoinAnswer {
        JoinAnswer {
            error,
            generation: -1,
            protocol_type: None,
            protocol: None,
            leader: String::new(),
            member_id: member_id.to_owned(),
            skip_assignment: false,
            members: Vec::new(),
        }
    }
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinMember {
    /// Its id.
    pub member_id: String,
    /// Its static name, if it has one.
    pub instance_id: Option<String>,
    /// Its subscription in the chosen protocol; the coordinator does not look inside.
    pub metadata: Vec<u8>,
}

/// The answer to a SyncGroup.
#[derive(Debug, Clone, PartialEq)]
pub struct SyncAnswer {
    /// NONE, or why there is no assignment.
    pub error: ErrorCode,
    /// The protocol type, where the group has one.
    pub protocol_type: Option<String>,
    /// The chosen protocol.
    pub protocol: Option<String>,
    /// The member's part; the coordinator does not look inside.
    pub assignment: Vec<u8>,
}

impl SyncAnswer {
    /// An answer without an assignment.
    #[must_use]
    pub fn refused(error: ErrorCode) -> SyncAnswer {
        SyncAnswer { error, protocol_type: None, protocol: None, assignment: Vec::new() }
    }
}
