//! A group to be tried out: requests in one line each, and a clock that goes as told.

use std::collections::HashMap;

use vltava_cluster::groups::{
    Action, CommitRequest, CommittedOffset, Group, JoinAnswer, JoinRequest, LeavingMember, Limits, Moment,
    Partition, State, SyncAnswer, SyncRequest, Waiter, Write, WriteId,
};
use vltava_protocol::ErrorCode;

pub(crate) const SESSION: i32 = 10_000;
pub(crate) const REBALANCE: i32 = 60_000;

/// A group with a clock, whose writes succeed at once unless `fail_writes` says otherwise.
pub(crate) struct Bench {
    pub(crate) group: Group,
    pub(crate) now: i64,
    pub(crate) next: u64,
    pub(crate) fail_writes: Option<ErrorCode>,
    pub(crate) hold_writes: bool,
    pub(crate) held: Vec<WriteId>,
    pub(crate) answers: HashMap<Waiter, Action>,
    pub(crate) writes: Vec<Write>,
}

/// A moment by clocks that agree.
pub(crate) fn at(milliseconds: i64) -> Moment {
    Moment { steady: milliseconds, wall: milliseconds }
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let limits = Limits { max_size: 3, ..Limits::default() };
        Bench {
            group: Group::new("g", limits, at(0)),
            now: 0,
            next: 0,
            fail_writes: None,
            hold_writes: false,
            held: Vec::new(),
            answers: HashMap::new(),
            writes: Vec::new(),
        }
    }

    pub(crate) fn waiter(&mut self) -> Waiter {
        self.next += 1;
        Waiter(self.next)
    }

    pub(crate) fn carry_out(&mut self, actions: Vec<Action>) {
        let mut actions = std::collections::VecDeque::from(actions);
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Write(id, write) => {
                    self.writes.push(write);
                    if self.hold_writes {
                        self.held.push(id);
                        continue;
                    }
                    let result = self.fail_writes.map_or(Ok(self.writes.len() as i64), Err);
                    let mut more = Vec::new();
                    self.group.written(id, result, at(self.now), &mut more);
                    actions.extend(more);
                }
                Action::Join(waiter, _) | Action::Sync(waiter, _) | Action::Commit(waiter, _) => {
                    assert!(self.answers.insert(waiter, action).is_none(), "{waiter:?} was answered twice");
                }
            }
        }
    }

    pub(crate) fn release_writes(&mut self) {
        self.hold_writes = false;
        for id in std::mem::take(&mut self.held) {
            let mut out = Vec::new();
            self.group.written(id, Ok(1), at(self.now), &mut out);
            self.carry_out(out);
        }
    }

    pub(crate) fn join_as(&mut self, change: impl FnOnce(&mut JoinRequest)) -> Waiter {
        let waiter = self.waiter();
        let mut request = JoinRequest {
            member_id: String::new(),
            fresh_id: format!("m{}", waiter.0),
            instance_id: None,
            knows_member_id_required: false,
            knows_skip_assignment: false,
            client_id: "client".into(),
            client_host: "/127.0.0.1".into(),
            session_timeout: SESSION,
            rebalance_timeout: REBALANCE,
            protocol_type: "consumer".into(),
            protocols: vec![("range".into(), b"all".to_vec())],
        };
        change(&mut request);
        let mut out = Vec::new();
        self.group.join(request, waiter, at(self.now), &mut out);
        self.carry_out(out);
        waiter
    }

    pub(crate) fn join(&mut self, member_id: &str) -> Waiter {
        self.join_as(|request| request.member_id = member_id.into())
    }

    pub(crate) fn sync(&mut self, member_id: &str, generation: i32, parts: &[(&str, &[u8])]) -> Waiter {
        let waiter = self.waiter();
        let request = SyncRequest {
            generation,
            member_id: member_id.into(),
            instance_id: None,
            protocol_type: None,
            protocol: None,
            assignments: parts.iter().map(|(id, part)| ((*id).into(), part.to_vec())).collect(),
        };
        let mut out = Vec::new();
        self.group.sync(request, waiter, at(self.now), &mut out);
        self.carry_out(out);
        waiter
    }

    pub(crate) fn pass(&mut self, milliseconds: i64) {
        let end = self.now + milliseconds;
        while self.group.wake_at() <= end {
            self.now = self.now.max(self.group.wake_at());
            let mut out = Vec::new();
            self.group.on_time(at(self.now), &mut out);
            self.carry_out(out);
        }
        self.now = end;
    }

    pub(crate) fn joined(&self, waiter: Waiter) -> &JoinAnswer {
        match self.answers.get(&waiter) {
            Some(Action::Join(_, answer)) => answer,
            other => panic!("no join answer for {waiter:?}: {other:?}"),
        }
    }

    pub(crate) fn synced(&self, waiter: Waiter) -> &SyncAnswer {
        match self.answers.get(&waiter) {
            Some(Action::Sync(_, answer)) => answer,
            other => panic!("no sync answer for {waiter:?}: {other:?}"),
        }
    }

    pub(crate) fn commit_error(&self, waiter: Waiter) -> ErrorCode {
        match self.answers.get(&waiter) {
            Some(Action::Commit(_, results)) => results[0].1,
            other => panic!("no commit answer for {waiter:?}: {other:?}"),
        }
    }

    pub(crate) fn waits(&self, waiter: Waiter) -> bool {
        !self.answers.contains_key(&waiter)
    }

    pub(crate) fn heartbeat(&mut self, member_id: &str, generation: i32) -> ErrorCode {
        self.group.heartbeat(generation, member_id, None, at(self.now))
    }

    pub(crate) fn leave(&mut self, member_id: &str) -> ErrorCode {
        let member = LeavingMember { member_id: member_id.into(), instance_id: None };
        let mut out = Vec::new();
        let left = self.group.leave(vec![member], at(self.now), &mut out).unwrap();
        self.carry_out(out);
        left[0].error
    }

    pub(crate) fn commit(&mut self, member_id: &str, generation: i32, offset: i64) -> Waiter {
        let waiter = self.waiter();
        let committed = CommittedOffset {
            offset,
            leader_epoch: -1,
            metadata: "note".into(),
            committed_at: self.now,
            expires_at: None,
        };
        let request = CommitRequest {
            generation,
            member_id: member_id.into(),
            instance_id: None,
            offsets: vec![(partition(), Ok(committed))],
        };
        let mut out = Vec::new();
        self.group.commit(request, waiter, at(self.now), &mut out);
        self.carry_out(out);
        waiter
    }

    /// One member, alone and stable; its id.
    pub(crate) fn stable(&mut self) -> String {
        let join = self.join("");
        self.pass(3_000);
        let id = self.joined(join).member_id.clone();
        let generation = self.joined(join).generation;
        self.sync(&id, generation, &[(&id, b"part")]);
        assert_eq!(self.group.state(), State::Stable);
        id
    }
}

pub(crate) fn partition() -> Partition {
    Partition { topic: "t".into(), index: 0 }
}

pub(crate) fn topics_of(subscription: &[u8]) -> Option<Vec<String>> {
    Some(vec![String::from_utf8(subscription.to_vec()).unwrap()])
}
