//! The controller's map of topics: what it intends, with how far it has got.

use std::collections::{BTreeMap, BTreeSet};

use vltava_protocol::Uuid;

use super::model::{LeaderAndIsr, ReplicaAssignment, TopicAssignment, TopicName, TopicNode};

/// All topics that the controller has heard of.
pub(super) type Topics = BTreeMap<TopicName, Topic>;

/// One topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    /// The zxid that created its znode; 0 until it is read.
    pub(super) created: i64,
    /// The data version of its znode.
    pub(super) version: i32,
    /// Its id; zero until it is read or given.
    pub(super) id: Uuid,
    /// How far it has got.
    pub(super) phase: Phase,
    /// Its partitions.
    pub(super) partitions: BTreeMap<i32, Partition>,
}

/// How far a topic has got.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its znode is being read, or is waiting for a topic id.
    #[default]
    Reading,
    /// It is served.
    Live,
    /// It is going away.
    Deleting {
        /// The replicas `(partition, broker)` that have not said yet that they are gone.
        awaiting: BTreeSet<(i32, i32)>,
        /// Whether the znodes are being deleted.
        removing: bool,
    },
}

/// One partition.
#[derive(Debug)]
pub(super) struct Partition {
    /// Its replicas.
    pub(super) assignment: ReplicaAssignment,
    /// Its leader and ISR.
    pub(super) state: PartitionState,
    /// Whether a write of its state has not ended yet. Nothing else is written meanwhile.
    pub(super) in_flight: bool,
    /// The question that is answered when that write has ended, if its leader asked for it.
    pub(super) asked: Option<u64>,
    /// The live brokers that cannot serve their replica.
    pub(super) failed: BTreeSet<i32>,
    /// Who has been away since the state was written; see `restarts`.
    pub(super) away: BTreeSet<i32>,
    /// Those of whom the write under way takes account.
    pub(super) accounted: BTreeSet<i32>,
    /// The zxid that wrote the state, as the term's first read told it.
    pub(super) read_at: i64,
    /// Whether a write came to an unknown end, and the state has not been read since.
    pub(super) in_doubt: bool,
}

impl Partition {
    /// A partition whose state has not been read.
    pub(super) fn unread(assignment: ReplicaAssignment) -> Self {
        Self {
            assignment,
            state: PartitionState::Unread,
            in_flight: false,
            asked: None,
            failed: BTreeSet::new(),
            away: BTreeSet::new(),
            accounted: BTreeSet::new(),
            read_at: 0,
            in_doubt: false,
        }
    }
}

/// What is known of a partition's `state` znode.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartitionState {
    /// Not read yet.
    Unread,
    /// It makes no sense: left alone.
    Unreadable,
    /// There is none.
    New,
    /// It was read or written.
    Known {
        /// Its content.
        state: LeaderAndIsr,
        /// Its data version.
        version: i32,
    },
}

impl Topic {
    /// Whether it is served.
    pub(super) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether znode and states have been read, so far as this topic needs them.
    pub(super) fn is_loaded(&self) -> bool {
        match self.phase {
            Phase::Reading => false,
            Phase::Deleting { .. } => true,
            Phase::Live => {
                !self.partitions.values().any(|partition| partition.state == PartitionState::Unread)
            }
        }
    }

    /// Takes a newer content of the same znode: partitions are added, never removed (Kafka cannot shrink a topic); the replicas of
    /// the present ones change. Returns the partitions whose state must be read.
    pub(super) fn adopt(&mut self, node: &TopicNode) -> Vec<i32> {
        self.version = node.version;
        if let Some(id) = node.assignment.topic_id {
            self.id = id;
        }
        let mut unread = Vec::new();
        for (&number, assignment) in &node.assignment.partitions {
            if let Some(partition) = self.partitions.get_mut(&number) {
                partition.assignment = assignment.clone();
            } else {
                self.partitions.insert(number, Partition::unread(assignment.clone()));
                unread.push(number);
            }
        }
        unread
    }

    /// What the znode should say.
    pub(super) fn assignment(&self) -> TopicAssignment {
        TopicAssignment {
            topic_id: (self.id != Uuid::default()).then_some(self.id),
            partitions: self
                .partitions
                .iter()
                .map(|(&n, partition)| (n, partition.assignment.clone()))
                .collect(),
        }
    }

    /// Every replica, as `(partition, broker)`.
    pub(super) fn replicas(&self) -> BTreeSet<(i32, i32)> {
        self.partitions
            .iter()
            .flat_map(|(&number, partition)| {
                partition.assignment.replicas.iter().map(move |&broker| (number, broker))
            })
            .collect()
    }
}
