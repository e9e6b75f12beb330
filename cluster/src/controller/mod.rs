//! The controller: the one broker that decides who leads what.
//!
//! [`Controller`] is pure: [`Controller::handle`] takes one [`Event`] and returns the [`Action`]s that follow. It reads no clock and
//! does no I/O, and it is *level-triggered*: events say what ZooKeeper held when it was read, not what changed, so that they may
//! come late, twice or in any order, and a lost notification is made good by the next read. A finished write comes back as an
//! event; only then are brokers told.
//!
//! | file | idea |
//! |---|---|
//! | `model` | brokers, assignments, leader and ISR |
//! | `event` | what happens, what is wanted |
//! | `machine` | one event after the other; becoming and ceasing to be the controller |
//! | `topics` | the map of topics and partitions |
//! | `observations` | what to do when ZooKeeper's content differs from the map |
//! | `election` | who leads |
//! | `isr` | changes of in-sync sets that leaders ask for |
//! | `restarts` | brokers that were away between two looks |
//! | `deletion` | a topic going away |
//! | `outbox` | what brokers are told |
//! | `placement` | where new replicas go |
//!
//! An incarnation of a topic is told by the zxid that created its znode, so that a topic deleted and made again under its old name is
//! never mistaken for its predecessor.

mod deletion;
mod election;
mod event;
mod isr;
mod machine;
mod model;
mod observations;
mod offline;
mod outbox;
mod placement;
mod restarts;
mod topics;

pub use event::{Action, BrokerRequest, ClearIf, Event, PartitionUpdate, StopReplica, Write, WriteOutcome};
pub use isr::{IsrProposal, IsrRefusal};
pub use machine::{Controller, ControllerOptions};
pub use model::{
    Broker, EPOCH_DURING_DELETE, Endpoint, LEADER_DURING_DELETE, LeaderAndIsr, NO_LEADER, ReplicaAssignment,
    StateNode, TopicAssignment, TopicName, TopicNode,
};
pub use placement::{PlacementError, place};
