//! What happens to the controller, and what it wants done.

use vltava_protocol::Uuid;

use super::isr::{IsrProposal, IsrRefusal};
use super::model::{Broker, Endpoint, LeaderAndIsr, StateNode, TopicAssignment, TopicName, TopicNode};

/// Something the controller is told. Observations say what ZooKeeper held when it was read; they may come late or twice,
/// and in any order but for one rule: answers about the same thing come in the order in which they were read, as in a ZooKeeper session.
#[derive(Debug, Clone)]
pub enum Event {
    /// This broker now holds `/controller`.
    Elected {
        /// The new controller epoch.
        epoch: i32,
        /// The data version of `/controller_epoch`; each write is fenced by it.
        epoch_version: i32,
    },
    /// This broker no longer holds `/controller`, or lost its session.
    Resigned,
    /// All registered brokers.
    Brokers(Vec<Broker>),
    /// All children of `/brokers/topics`.
    Topics(Vec<TopicName>),
    /// One topic's znode; `None` when there is none.
    Topic {
        /// The topic.
        topic: TopicName,
        /// Its znode.
        node: Option<TopicNode>,
    },
    /// The states of some partitions of a topic; `None` for a partition without a state.
    States {
        /// The topic.
        topic: TopicName,
        /// Repeats [`Action::ReadStates`].
        created: i64,
        /// The states.
        states: Vec<(i32, Option<StateNode>)>,
    },
    /// A topic's znode, or a partition's state, holds something that makes no sense.
    Unreadable {
        /// The topic.
        topic: TopicName,
        /// The partition whose state it is; `None` for the topic's own znode.
        partition: Option<i32>,
    },
    /// All children of `/admin/delete_topics`, with the zxid that created each.
    Deletions(Vec<(TopicName, i64)>),
    /// A write has ended.
    Written {
        /// The write.
        write: Write,
        /// How it ended.
        outcome: WriteOutcome,
    },
    /// A broker has answered StopReplica for one replica.
    Stopped {
        /// The broker.
        broker: i32,
        /// The replica.
        replica: StopReplica,
        /// Whether it has stopped, and is deleted where that was asked for.
        done: bool,
    },
    /// A broker answered LeaderAndIsr with KAFKA_STORAGE_ERROR for these: topic, its id, partition.
    ReplicasFailed {
        /// The broker.
        broker: i32,
        /// The replicas.
        replicas: Vec<(TopicName, Uuid, i32)>,
    },
    /// A log directory of these brokers has failed (`/log_dir_event_notification`): which replicas it had, they tell when they are asked.
    LogDirsFailed(Vec<i32>),
    /// Someone asks that preferred replicas lead: of these partitions, or of all.
    ElectPreferred(Option<Vec<(TopicName, i32)>>),
    /// Someone asks that any replica that lives leads these partitions, where their leaders do not live (KIP-460).
    ElectUnclean(Vec<(TopicName, i32)>),
    /// Someone asks for other replicas.
    Reassign(Vec<(TopicName, i32, Vec<i32>)>),
    /// Leaders changed these partitions' ISR in ZooKeeper themselves (`/isr_change_notification`).
    IsrChanged(Vec<(TopicName, i32)>),
    /// A leader asks for another in-sync set (AlterPartition); answered by [`Action::AnswerIsr`].
    AlterIsr(IsrProposal),
    /// What a broker was to be told was lost: it is told everything.
    Introduce(i32),
    /// A broker is about to stop (ControlledShutdown) and wants its leaderships to move; it is registered still.
    ShuttingDown(i32),
    /// Whether a topic (or, without one, the cluster) lets a replica lead that is not in the ISR.
    UncleanElection {
        /// The topic, or `None` for the default.
        topic: Option<TopicName>,
        /// `None` removes a topic's own setting.
        enabled: Option<bool>,
    },
}

/// Something the controller wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Read `/brokers/ids`; answer [`Event::Brokers`].
    ReadBrokers,
    /// Read `/brokers/topics`; answer [`Event::Topics`].
    ReadTopics,
    /// Read `/admin/delete_topics`; answer [`Event::Deletions`].
    ReadDeletions,
    /// Read one topic's znode; answer [`Event::Topic`].
    ReadTopic(TopicName),
    /// Read partition states; answer [`Event::States`].
    ReadStates {
        /// The topic.
        topic: TopicName,
        /// Which incarnation of the topic is meant; repeated in the answer.
        created: i64,
        /// The partitions.
        partitions: Vec<i32>,
    },
    /// Write, fenced by the controller epoch; answer [`Event::Written`].
    Write(Write),
    /// Send to a broker, which may be this one.
    Send {
        /// The broker.
        broker: i32,
        /// The request.
        request: BrokerRequest,
    },
    /// Answer [`Event::AlterIsr`] with the state that stands, or a refusal.
    AnswerIsr {
        /// Repeats the question's.
        ticket: u64,
        /// The answer.
        outcome: Result<StateNode, IsrRefusal>,
    },
    /// Give `/controller` up: another controller has written with a higher epoch.
    Resign,
}

/// One change of ZooKeeper, each in one transaction with the check of the controller epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Create a partition's `state`, and its parents where they are missing.
    CreateState {
        /// The topic.
        topic: TopicName,
        /// Which incarnation of the topic is meant.
        created: i64,
        /// The partition.
        partition: i32,
        /// The first state.
        state: LeaderAndIsr,
    },
    /// Replace a partition's `state`.
    UpdateState {
        /// The topic.
        topic: TopicName,
        /// Which incarnation of the topic is meant.
        created: i64,
        /// The partition.
        partition: i32,
        /// The new state.
        state: LeaderAndIsr,
        /// The version that it replaces.
        expected: i32,
    },
    /// Replace a topic's assignment; one without a topic id is given a new one by the writer.
    SetTopic {
        /// The topic.
        topic: TopicName,
        /// Which incarnation of the topic is meant.
        created: i64,
        /// The new content.
        assignment: TopicAssignment,
        /// The version that it replaces.
        expected: i32,
    },
    /// Delete a topic's tree, its configuration, and its entry in `/admin/delete_topics`.
    DeleteTopic {
        /// The topic.
        topic: TopicName,
        /// Which incarnation of the topic is meant.
        created: i64,
    },
    /// Delete the entry in `/admin/delete_topics` alone.
    ClearDeletion {
        /// The topic.
        topic: TopicName,
        /// On which condition; else it is a conflict.
        only_if: ClearIf,
    },
    /// Delete `/admin/preferred_replica_election`.
    ClearPreferredElection,
    /// Delete `/admin/reassign_partitions`.
    ClearReassignment,
}

/// When a request to delete a topic is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClearIf {
    /// In any case.
    Always,
    /// If the topic does not exist.
    TopicAbsent,
    /// If the request is still the one that this zxid created.
    Asked(i64),
}

/// How a write ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// It is there; the znode has this data version.
    Done(i32),
    /// Somebody else wrote first (wrong version, or the znode exists already, or is gone).
    Conflict,
    /// Not known, or not now: the connection was lost.
    Unknown,
    /// The controller epoch has moved: this is no longer the controller.
    Fenced,
}

/// What a broker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerRequest {
    /// Lead or follow these partitions.
    LeaderAndIsr {
        /// The controller's epoch.
        controller_epoch: i32,
        /// Whether these are all the partitions that the broker takes part in: it stops any other, and keeps its files.
        full: bool,
        /// The partitions.
        partitions: Vec<PartitionUpdate>,
        /// The addresses of the leaders among them.
        live_leaders: Vec<Broker>,
    },
    /// Know these brokers and partitions.
    UpdateMetadata {
        /// The controller's epoch.
        controller_epoch: i32,
        /// Every live broker.
        brokers: Vec<Broker>,
        /// Whether these are all partitions there are: the cache forgets any other.
        full: bool,
        /// The partitions.
        partitions: Vec<PartitionUpdate>,
    },
    /// Stop these replicas.
    StopReplica {
        /// The controller's epoch.
        controller_epoch: i32,
        /// The replicas.
        replicas: Vec<StopReplica>,
    },
}

/// One partition in LeaderAndIsr or UpdateMetadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionUpdate {
    /// The topic.
    pub topic: TopicName,
    /// The topic's id.
    pub topic_id: Uuid,
    /// The partition.
    pub partition: i32,
    /// Leader, epoch and ISR.
    pub state: LeaderAndIsr,
    /// The data version of the `state` znode.
    pub version: i32,
    /// The replicas, the preferred one first.
    pub replicas: Vec<i32>,
    /// Those that a reassignment adds.
    pub adding: Vec<i32>,
    /// Those that a reassignment removes.
    pub removing: Vec<i32>,
    /// Those whose broker is not there, or cannot serve them.
    pub offline: Vec<i32>,
    /// Whether the partition has never been on a broker before.
    pub is_new: bool,
}

/// One replica to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopReplica {
    /// The topic.
    pub topic: TopicName,
    /// Which incarnation of the topic is meant.
    pub created: i64,
    /// The partition.
    pub partition: i32,
    /// The epoch that stops it; [`super::EPOCH_DURING_DELETE`] stops it whatever its own.
    pub leader_epoch: i32,
    /// Whether its files go too.
    pub delete: bool,
}

impl Broker {
    /// The endpoint of a listener.
    #[must_use]
    pub fn endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.listener == listener)
    }
}
