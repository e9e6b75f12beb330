//! A group, the states that it goes through, and what every part of the machine asks of it.

use std::collections::{BTreeMap, HashMap};

use vltava_protocol::ErrorCode;

use super::action::{Action, Write, WriteId};
use super::member::Member;
use super::moment::Moment;
use super::offsets::Offsets;
use super::promises::Promises;
use super::rebalance::Rebalance;
use super::sync::PendingAssignment;

/// Where a group stands. The names are those that DescribeGroups and ListGroups answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No members; perhaps offsets.
    Empty,
    /// Waiting for members to join.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Every member has its assignment.
    Stable,
    /// Deleted, or moved to another coordinator.
    Dead,
}

impl State {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::PreparingRebalance => "PreparingRebalance",
            State::CompletingRebalance => "CompletingRebalance",
            State::Stable => "Stable",
            State::Dead => "Dead",
        }
    }
}

/// The broker's settings that bound groups. Times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// `group.min.session.timeout.ms`
    pub min_session_timeout: i32,
    /// `group.max.session.timeout.ms`
    pub max_session_timeout: i32,
    /// `group.max.size`
    pub max_size: usize,
    /// `group.initial.rebalance.delay.ms`
    pub initial_rebalance_delay: i32,
    /// `offset.metadata.max.bytes`
    pub max_offset_metadata: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            min_session_timeout: 6_000,
            max_session_timeout: 1_800_000,
            max_size: i32::MAX as usize,
            initial_rebalance_delay: 3_000,
            max_offset_metadata: 4_096,
        }
    }
}

/// A consumer group of the classic protocol.
#[derive(Debug)]
pub struct Group {
    pub(super) id: String,
    pub(super) limits: Limits,
    pub(super) state: State,
    /// When the state last changed; offset expiry counts from here for an empty group.
    pub(super) state_since: i64,
    pub(super) protocol_type: Option<String>,
    pub(super) protocol: Option<String>,
    pub(super) generation: i32,
    pub(super) leader: Option<String>,
    pub(super) members: BTreeMap<String, Member>,
    /// Static names and the ids of the members that bear them now.
    pub(super) static_members: HashMap<String, String>,
    /// Ids given out by MEMBER_ID_REQUIRED.
    pub(super) promised_ids: Promises,
    pub(super) rebalance: Option<Rebalance>,
    /// When members that have not sent SyncGroup are put out, while the group is completing a rebalance.
    pub(super) sync_deadline: Option<i64>,
    pub(super) pending_assignment: Option<PendingAssignment>,
    pub(super) offsets: Offsets,
    next_write: u64,
    /// No deadline lies before this. Deadlines mostly move later, so this is a lower bound that `on_time` makes exact again.
    wake_at: i64,
}

impl Group {
    /// A group that nobody has joined.
    #[must_use]
    pub fn new(id: &str, limits: Limits, now: Moment) -> Group {
        Group {
            id: id.to_owned(),
            limits,
            state: State::Empty,
            state_since: now.wall,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: HashMap::new(),
            promised_ids: Promises::default(),
            rebalance: None,
            sync_deadline: None,
            pending_assignment: None,
            offsets: Offsets::default(),
            next_write: 0,
            wake_at: i64::MAX,
        }
    }

    /// The group's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where the group stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The generation, which every completed rebalance raises.
    #[must_use]
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// How many members the group has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Nothing is left that a reader or a member could ask for, no write is under way, and the log knows nothing of the group: one that has had a generation
    /// has a record there, and stays, as in Kafka, until expiry gives it a tombstone.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        matches!(self.state, State::Empty | State::Dead)
            && self.generation == 0
            && self.offsets.is_empty()
            && self.promised_ids.is_empty()
            && self.pending_assignment.is_none()
    }

    /// No later than the next time at which [`Group::on_time`] has something to do; `i64::MAX` if there is none.
    #[must_use]
    pub fn wake_at(&self) -> i64 {
        self.wake_at
    }

    pub(super) fn wake_by(&mut self, deadline: i64) {
        self.wake_at = self.wake_at.min(deadline);
    }

    pub(super) fn enter(&mut self, state: State, now: Moment) {
        self.state = state;
        self.state_since = now.wall;
    }

    /// The wall-clock deadlines, gathered anew.
    fn earliest_deadline(&self) -> i64 {
        let members = self.members.values().filter_map(|member| member.expires_at);
        members
            .chain(self.promised_ids.next_lapse())
            .chain(self.rebalance.map(|rebalance| rebalance.ends_at))
            .chain(self.sync_deadline)
            .min()
            .unwrap_or(i64::MAX)
    }

    /// Lets time pass: members that were not heard of leave, promised ids lapse, rebalances end.
    pub fn on_time(&mut self, now: Moment, out: &mut Vec<Action>) {
        if now.steady < self.wake_at {
            return;
        }
        self.promised_ids.lapse(now.steady);
        let gone: Vec<String> = self
            .members
            .values()
            .filter(|member| member.expires_at.is_some_and(|at| at <= now.steady))
            .map(|member| member.id.clone())
            .collect();
        for id in gone {
            // A static member is put out by its session like any other; only a rebalance waits for its name.
            self.remove_and_rebalance(&id, now, out);
        }
        self.on_sync_deadline(now, out);
        self.on_rebalance_deadline(now, out);
        self.try_complete_join(now, out);
        self.wake_at = self.earliest_deadline();
    }

    pub(super) fn write(&mut self, write: Write, out: &mut Vec<Action>) -> WriteId {
        let id = WriteId(self.next_write);
        self.next_write += 1;
        out.push(Action::Write(id, write));
        id
    }

    /// The shell's report on a write: the offset at which it lies in the log, or why there is none. The group acts on it only now.
    pub fn written(
        &mut self,
        id: WriteId,
        result: Result<i64, ErrorCode>,
        now: Moment,
        out: &mut Vec<Action>,
    ) {
        if self.pending_assignment.as_ref().is_some_and(|pending| pending.write == id) {
            self.assignment_written(result.err(), now, out);
        } else {
            self.offsets_written(id, result, out);
        }
    }

    /// The member that a request means: by its id, and by its static name where it has one. A static name that another id bears
    /// now has been taken over, and its old bearer is fenced.
    pub(super) fn validate(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(bearer) if bearer != member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// The member was heard of: its session starts anew. No session runs while the group holds one of the member's requests, also where a
    /// client sends heartbeats or commits beside it.
    pub(super) fn heard_of(&mut self, member_id: &str, now: Moment) {
        let Some(member) = self.members.get_mut(member_id) else { return };
        if member.joining.is_some() || member.syncing.is_some() {
            return;
        }
        let expires_at = now.steady + i64::from(member.session_timeout);
        member.expires_at = Some(expires_at);
        self.wake_by(expires_at);
    }

    /// Moves the group away from this broker: whoever waits looks for the coordinator again.
    pub fn unload(&mut self, now: Moment, out: &mut Vec<Action>) {
        self.enter(State::Dead, now);
        let waiting: Vec<String> = self.members.keys().cloned().collect();
        for id in waiting {
            self.refuse_waiters(&id, ErrorCode::NotCoordinator, out);
        }
        self.members.clear();
        self.static_members.clear();
        self.promised_ids.clear();
        self.rebalance = None;
        self.sync_deadline = None;
        self.wake_at = i64::MAX;
    }
}
