//! What the controller knows: brokers, assignments, and who leads each partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use vltava_protocol::Uuid;

/// A topic's name, shared by everything that speaks of it.
pub type TopicName = Arc<str>;

/// The leader of a partition that has none: no live replica may lead.
pub const NO_LEADER: i32 = -1;

/// The "leader" that UpdateMetadata names for a partition that is going away; caches drop the partition.
pub const LEADER_DURING_DELETE: i32 = -2;

/// The leader epoch that tells a broker to stop a replica whatever epoch it has seen (KIP-570).
pub const EPOCH_DURING_DELETE: i32 = -2;

/// One address of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, upper case.
    pub listener: String,
    /// The host that clients are told to connect to.
    pub host: String,
    /// The port that clients are told to connect to.
    pub port: u16,
    /// The number of the security protocol, as UpdateMetadata carries it: 0 is PLAINTEXT.
    pub security_protocol: i16,
}

/// A live broker, as it registered itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// `broker.id`.
    pub id: i32,
    /// The zxid that created its registration: a broker that came back has a higher one (KIP-380).
    pub epoch: i64,
    /// Its addresses, one per listener.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
}

/// The replicas of one partition, the preferred leader first (KIP-455 for `adding` and `removing`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicaAssignment {
    /// All replicas, in order of preference.
    pub replicas: Vec<i32>,
    /// Those that a reassignment is adding.
    pub adding: Vec<i32>,
    /// Those that a reassignment is removing.
    pub removing: Vec<i32>,
}

impl ReplicaAssignment {
    /// An assignment at rest.
    #[must_use]
    pub fn of(replicas: Vec<i32>) -> Self {
        Self { replicas, ..Self::default() }
    }
}

/// The content of `/brokers/topics/T`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicAssignment {
    /// The topic's id (KIP-516); tools before 2.8 write none.
    pub topic_id: Option<Uuid>,
    /// The partitions by number.
    pub partitions: BTreeMap<i32, ReplicaAssignment>,
}

/// A topic's znode as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicNode {
    /// The zxid that created the znode: tells a topic from an earlier one with the same name.
    pub created: i64,
    /// The znode's data version.
    pub version: i32,
    /// Its content.
    pub assignment: TopicAssignment,
}

/// The content of a partition's `state` znode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderAndIsr {
    /// The leading broker, or [`NO_LEADER`].
    pub leader: i32,
    /// Counts changes of the leader.
    pub leader_epoch: i32,
    /// The replicas that have everything that is committed.
    pub isr: Vec<i32>,
    /// Whether the leader was elected uncleanly and is still recovering (KIP-704).
    pub recovering: bool,
    /// The epoch of the controller that wrote this.
    pub controller_epoch: i32,
}

/// A partition's `state` znode as it was read: its content and data version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateNode {
    /// Its content.
    pub state: LeaderAndIsr,
    /// The znode's data version; LeaderAndIsr calls it the partition epoch.
    pub version: i32,
    /// The zxid that wrote it; 0 where it is not known.
    pub modified: i64,
}
