//! One broker: a disk that outlives its processes, and the process as long as there is one.

use std::collections::BTreeMap;

use vltava_cluster::{
    controller::{Controller, ControllerOptions},
    replication::{IsrChange, Replication},
};

use super::{following::Fetcher, leading::WaitingFetch, office::Office, replica_log::ReplicaLog, zookeeper};

/// See the module.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) id: i32,
    pub(crate) log: ReplicaLog,
    pub(crate) process: Option<Process>,
    /// Processes so far.
    pub(crate) incarnation: u64,
    pub(crate) paused_until: i64,
    /// A crash has cost it records that it may be believed to have.
    pub(crate) has_lost: bool,
    /// Where its log ended before.
    pub(crate) had: i64,
    /// How far its clock that nobody sets is off.
    pub(crate) skew: i64,
    /// Whether it fetches in version 12 or later.
    pub(crate) leader_tells: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Process {
    /// Since the first LeaderAndIsr.
    pub(crate) replica: Option<Replication>,
    /// The newest epoch of a controller whose order came.
    pub(crate) controller_epoch: i32,
    /// -1 before the first registration.
    pub(crate) broker_epoch: i64,
    /// Up to where consumers have read.
    pub(crate) shown: i64,
    /// What UpdateMetadata told: the leader and the controller.
    pub(crate) leader: i32,
    pub(crate) controller: i32,
    /// By leader.
    pub(crate) fetchers: BTreeMap<i32, Fetcher>,
    pub(crate) waiting_fetches: Vec<WaitingFetch>,
    pub(crate) produces: Vec<Produced>,
    pub(crate) carrier: Carrier,
    pub(crate) keeper: Keeper,
    pub(crate) machine: Controller,
    pub(crate) office: Option<Office>,
}

/// What was appended and is not committed yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Produced {
    pub(crate) value: u64,
    pub(crate) offset: i64,
    /// All that was acknowledged when it was sent lies below.
    pub(crate) above: i64,
}

/// Carries changes of the in-sync set to the controller, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Carrier {
    pub(crate) has_work: bool,
    pub(crate) asked: Option<(u64, PendingIsr)>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct PendingIsr {
    pub(crate) leader_epoch: i32,
    pub(crate) change: IsrChange,
}

/// The connection to ZooKeeper and the session in it.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    pub(crate) session: u64,
    /// Counts connections; what comes from an earlier one is lost.
    pub(crate) connection: u64,
    pub(crate) is_connected: bool,
    /// What has not been answered, in order.
    pub(crate) asked: Vec<zookeeper::Request>,
}

impl Process {
    pub(crate) fn new(session: u64) -> Self {
        Self {
            replica: None,
            controller_epoch: 0,
            broker_epoch: -1,
            shown: 0,
            leader: -1,
            controller: -1,
            fetchers: BTreeMap::new(),
            waiting_fetches: Vec::new(),
            produces: Vec::new(),
            carrier: Carrier::default(),
            keeper: Keeper { session, is_connected: true, ..Keeper::default() },
            machine: Controller::new(ControllerOptions::default()),
            office: None,
        }
    }
}

impl Node {
    pub(crate) fn new(id: i32, leader_tells: bool) -> Self {
        Self {
            id,
            log: ReplicaLog::default(),
            process: None,
            incarnation: 0,
            paused_until: 0,
            has_lost: false,
            had: 0,
            skew: 0,
            leader_tells,
        }
    }

    /// The replica, if it is led or followed by a process that lives.
    pub(crate) fn replica(&self) -> Option<&Replication> {
        self.process.as_ref()?.replica.as_ref()
    }
}
