//! One group's machine, its lock, and the requests that wait for its answers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::oneshot;
use vltava_cluster::groups::{
    Action, Group, JoinAnswer, Moment, Partition, State, SyncAnswer, Waiter, WriteId,
};
use vltava_protocol::ErrorCode;

use super::shard::{Shard, Written, coordinator_error};
use super::timer::{Call, Timer};
use crate::partitions::waiting::{Until, Waiter as LogWaiter};
use crate::partitions::{now_ms, steady_ms};

/// The moment that it is.
pub(super) fn moment() -> Moment {
    Moment { steady: steady_ms(), wall: now_ms() }
}

/// The answer that a request waits for.
#[derive(Debug)]
pub enum Reply {
    /// To a JoinGroup.
    Join(JoinAnswer),
    /// To a SyncGroup.
    Sync(SyncAnswer),
    /// To an OffsetCommit, OffsetDelete or DeleteGroups.
    Results(Vec<(Partition, ErrorCode)>),
}

/// A group and its waiting requests.
#[derive(Debug)]
pub struct Slot {
    shard: Weak<Shard>,
    timer: Timer,
    state: Mutex<SlotState>,
}

#[derive(Debug)]
struct SlotState {
    group: Group,
    waiting: HashMap<Waiter, oneshot::Sender<Reply>>,
    next_waiter: u64,
    /// When the timer will call, if it will.
    alarm: Option<Call>,
}

impl Slot {
    pub(super) fn new(shard: &Arc<Shard>, timer: Timer, group: Group) -> Slot {
        let state = SlotState { group, waiting: HashMap::new(), next_waiter: 0, alarm: None };
        Slot { shard: Arc::downgrade(shard), timer, state: Mutex::new(state) }
    }

    /// Looks at the group.
    pub fn look<T>(&self, look: impl FnOnce(&Group) -> T) -> T {
        look(&self.state.lock().group)
    }

    /// Lets the group act on something that is answered at once.
    pub fn act<T>(self: &Arc<Slot>, work: impl FnOnce(&mut Group, Moment, &mut Vec<Action>) -> T) -> T {
        let now = moment();
        let mut actions = Vec::new();
        let mut state = self.state.lock();
        let value = work(&mut state.group, now, &mut actions);
        self.carry_out(state, actions, now);
        value
    }

    /// Lets the group act on a request whose answer may come later. A dropped receiver is a client that went away.
    pub fn ask(
        self: &Arc<Slot>,
        work: impl FnOnce(&mut Group, Waiter, Moment, &mut Vec<Action>),
    ) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        let now = moment();
        let mut actions = Vec::new();
        let mut state = self.state.lock();
        let waiter = Waiter(state.next_waiter);
        state.next_waiter += 1;
        state.waiting.insert(waiter, sender);
        work(&mut state.group, waiter, now, &mut actions);
        self.carry_out(state, actions, now);
        receiver
    }

    /// Takes back a waiter that the group refused without an answer.
    pub fn forget_waiter(&self, waiter: Waiter) {
        self.state.lock().waiting.remove(&waiter);
    }

    pub(super) fn unload(self: &Arc<Slot>, now: Moment) {
        let mut actions = Vec::new();
        let mut state = self.state.lock();
        state.group.unload(now, &mut actions);
        self.carry_out(state, actions, now);
        // Commits on their way have no answer any more; their clients find the new coordinator when the channel closes.
        self.state.lock().waiting.clear();
    }

    /// The timer's call.
    pub(super) fn on_time(self: &Arc<Slot>, now: Moment) {
        let mut actions = Vec::new();
        let mut state = self.state.lock();
        if state.alarm.is_some_and(|call| call.at > now.steady) {
            // It was on its way already when another took its place.
            return;
        }
        state.alarm = None;
        state.group.on_time(now, &mut actions);
        self.carry_out(state, actions, now);
    }

    /// Expires offsets past their retention.
    pub(super) fn expire(self: &Arc<Slot>, now: Moment) {
        let Some(shard) = self.shard.upgrade() else { return };
        let mut actions = Vec::new();
        let mut state = self.state.lock();
        state.group.expire_offsets(shard.retention(), super::subscribed, now.wall, &mut actions);
        self.carry_out(state, actions, now);
    }

    /// Makes sure that the timer calls in time.
    pub(super) fn schedule(self: &Arc<Slot>) {
        let mut state = self.state.lock();
        self.set_alarm(&mut state);
    }

    fn set_alarm(self: &Arc<Slot>, state: &mut SlotState) {
        let wake_at = state.group.wake_at();
        if wake_at < state.alarm.map_or(i64::MAX, |call| call.at) {
            state.alarm = Some(self.timer.call(wake_at, self, state.alarm));
        }
    }

    /// Does what the machine asked for. Appends happen under the group's lock, so that records lie in the order of decisions.
    fn carry_out(
        self: &Arc<Slot>,
        mut state: parking_lot::MutexGuard<'_, SlotState>,
        actions: Vec<Action>,
        now: Moment,
    ) {
        let mut actions = VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            let (waiter, reply) = match action {
                Action::Join(waiter, answer) => (waiter, Reply::Join(answer)),
                Action::Sync(waiter, answer) => (waiter, Reply::Sync(answer)),
                Action::Commit(waiter, results) => (waiter, Reply::Results(results)),
                Action::Write(id, write) => {
                    let shard = self.shard.upgrade();
                    let written = shard.as_ref().ok_or(ErrorCode::NotCoordinator);
                    let written = written.and_then(|shard| shard.append(state.group.id(), &write, now.wall));
                    let result = match (written, shard) {
                        (Ok(written), Some(shard)) if !written.committed || written.flush.is_some() => {
                            self.await_safety(&shard, id, written);
                            continue;
                        }
                        (Ok(written), _) => Ok(written.offset),
                        (Err(error), _) => Err(error),
                    };
                    let mut more = Vec::new();
                    state.group.written(id, result, now, &mut more);
                    actions.extend(more);
                    continue;
                }
            };
            if let Some(sender) = state.waiting.remove(&waiter) {
                let _ = sender.send(reply);
            }
        }
        self.set_alarm(&mut state);
        let over =
            state.group.state() == State::Dead || (state.group.is_unused() && state.waiting.is_empty());
        if over {
            if state.group.state() != State::Dead {
                state.group.unload(now, &mut Vec::new());
            }
            let id = state.group.id().to_owned();
            drop(state);
            if let Some(shard) = self.shard.upgrade() {
                shard.forget(&id, self);
            }
        }
    }

    /// Waits, without the lock, until a write is on disk if it has to be and enough replicas have it, and tells the group.
    fn await_safety(self: &Arc<Slot>, shard: &Arc<Shard>, id: WriteId, written: Written) {
        let Written { offset, flush, .. } = written;
        let slot = self.clone();
        let partition = shard.partition().clone();
        let patience = shard.commit_timeout();
        shard.runtime().spawn(async move {
            let flushed = match flush {
                Some(job) => partition.flush(job).await,
                None => Ok(()),
            };
            let waiter = LogWaiter::new(1);
            let ticket = partition.waits.enter(&waiter, Until::HighWatermark(offset + 1));
            if partition.is_committed(offset + 1).is_none() {
                waiter.sleep(patience).await;
            }
            partition.waits.leave(ticket);
            let result = match (flushed, partition.is_committed(offset + 1)) {
                (Err(error), _) => Err(coordinator_error(&error)),
                (Ok(()), Some(Ok(()))) => Ok(offset),
                (Ok(()), Some(Err(_))) => Err(ErrorCode::NotCoordinator),
                (Ok(()), None) => Err(ErrorCode::CoordinatorNotAvailable),
            };
            let now = moment();
            let mut actions = Vec::new();
            let mut state = slot.state.lock();
            state.group.written(id, result, now, &mut actions);
            slot.carry_out(state, actions, now);
        });
    }
}

#[cfg(test)]
mod tests {
    use vltava_cluster::groups::{JoinRequest, Limits};

    use super::*;

    fn at(milliseconds: i64) -> Moment {
        Moment { steady: milliseconds, wall: milliseconds }
    }

    /// Somebody asks for an id that lapses after `session_timeout`.
    fn ask_for_id(slot: &Arc<Slot>, number: i32, session_timeout: i32, now: Moment) {
        let request = JoinRequest {
            member_id: String::new(),
            fresh_id: format!("member-{number}"),
            instance_id: None,
            knows_member_id_required: true,
            knows_skip_assignment: true,
            client_id: "member".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout,
            rebalance_timeout: 60_000,
            protocol_type: "consumer".to_owned(),
            protocols: vec![("range".to_owned(), Vec::new())],
        };
        let mut actions = Vec::new();
        let mut state = slot.state.lock();
        state.group.join(request, Waiter(0), now, &mut actions);
        slot.carry_out(state, actions, now);
    }

    #[test]
    fn calls_do_not_pile_up() {
        let timer = Timer::default();
        let group = Group::new("g", Limits::default(), at(0));
        let state = SlotState { group, waiting: HashMap::new(), next_waiter: 0, alarm: None };
        let slot = Arc::new(Slot { shard: Weak::new(), timer: timer.clone(), state: Mutex::new(state) });
        ask_for_id(&slot, 0, 1_800_000, at(0));
        let mut now = 0;
        for number in 1..=20 {
            ask_for_id(&slot, number, 6_000, at(now));
            now += 6_000;
            for called in timer.due(now) {
                called.upgrade().unwrap().on_time(at(now));
            }
            assert_eq!(timer.waiting(), 1, "after {number} earlier calls");
        }
        for called in timer.due(1_800_000) {
            called.upgrade().unwrap().on_time(at(1_800_000));
        }
        assert!(slot.look(Group::is_unused), "the last id lapses in its time");
        assert_eq!(timer.waiting(), 0);
    }
}
