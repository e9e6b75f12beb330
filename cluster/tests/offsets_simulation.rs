//! Thousands of random histories of a group's offsets: commits, deletions and expiry, of which the log confirms each in its own time and order.
//!
//! Checked in every history: no commit younger than the retention is expired, not even one that is on its way to the log; and what the
//! group knows in the end is what a reader of its log would.
//! A seed replays its history: `VLTAVA_SEED=n` begins with that of seed n.

#![allow(clippy::panic, clippy::unwrap_used)]

#[path = "bench/lot.rs"]
mod lot;

use std::collections::BTreeMap;

use lot::Lot;
use vltava_cluster::groups::{
    Action, CommitRequest, CommittedOffset, Group, Limits, Moment, Partition, State, Waiter, Write, WriteId,
};
use vltava_protocol::ErrorCode;

const HISTORIES: u64 = 3_000;
const STEPS: u32 = 200;
const RETENTION: i64 = 1_000;
const PARTITIONS: u64 = 3;

struct World {
    lot: Lot,
    seed: u64,
    group: Group,
    now: i64,
    next_waiter: u64,
    /// Writes that the log has not confirmed, with their place in it, or why they are not in it.
    unconfirmed: Vec<(WriteId, Result<i64, ErrorCode>)>,
    end: i64,
    /// What the log says: of each partition the last commit, offset and time.
    log: BTreeMap<i32, (i64, i64)>,
    expiring: bool,
    expired: u64,
    out_of_order: u64,
}

/// A moment by clocks that agree.
fn moment(milliseconds: i64) -> Moment {
    Moment { steady: milliseconds, wall: milliseconds }
}

fn name(index: i32) -> Partition {
    Partition { topic: "t".into(), index }
}

impl World {
    fn new(seed: u64) -> World {
        World {
            lot: Lot(seed),
            seed,
            group: Group::new("g", Limits::default(), moment(0)),
            now: 0,
            next_waiter: 0,
            unconfirmed: Vec::new(),
            end: 0,
            log: BTreeMap::new(),
            expiring: false,
            expired: 0,
            out_of_order: 0,
        }
    }

    fn waiter(&mut self) -> Waiter {
        self.next_waiter += 1;
        Waiter(self.next_waiter)
    }

    fn partition(&mut self) -> i32 {
        i32::try_from(self.lot.draw(PARTITIONS)).unwrap()
    }

    fn commit(&mut self) {
        let (waiter, index) = (self.waiter(), self.partition());
        let offset = CommittedOffset {
            offset: i64::try_from(waiter.0).unwrap(),
            leader_epoch: -1,
            metadata: String::new(),
            committed_at: self.now,
            expires_at: None,
        };
        let request = CommitRequest {
            generation: -1,
            member_id: String::new(),
            instance_id: None,
            offsets: vec![(name(index), Ok(offset))],
        };
        let mut out = Vec::new();
        self.group.commit(request, waiter, moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn expire(&mut self) {
        let mut out = Vec::new();
        self.group.expire_offsets(RETENTION, |_| None, self.now, &mut out);
        self.expiring = true;
        self.carry_out(out);
        self.expiring = false;
    }

    /// A write is in the log from now on, or never; the group hears of it later.
    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            let Action::Write(id, write) = action else { continue };
            if self.lot.one_in(10) {
                self.unconfirmed.push((id, Err(ErrorCode::NotCoordinator)));
                continue;
            }
            match write {
                Write::Group(_) => panic!("nobody has joined"),
                Write::Offsets(offsets) => {
                    for (partition, offset) in offsets {
                        let offset = offset.unwrap();
                        self.log.insert(partition.index, (offset.offset, offset.committed_at));
                    }
                }
                Write::Tombstones { offsets, .. } => {
                    for partition in offsets {
                        let gone = self.log.remove(&partition.index);
                        if self.expiring {
                            self.expired += 1;
                            let young = gone.filter(|(_, at)| at + RETENTION > self.now);
                            assert_eq!(young, None, "seed {}: {partition:?} at {}", self.seed, self.now);
                        }
                    }
                }
            }
            self.end += 1;
            self.unconfirmed.push((id, Ok(self.end)));
        }
    }

    fn confirm(&mut self) {
        if self.unconfirmed.is_empty() {
            return;
        }
        let at = usize::try_from(self.lot.draw(self.unconfirmed.len() as u64)).unwrap();
        self.out_of_order += u64::from(at > 0);
        let (id, result) = self.unconfirmed.remove(at);
        let mut out = Vec::new();
        self.group.written(id, result, moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn step(&mut self) {
        match self.lot.draw(10) {
            0..=2 => self.commit(),
            3..=5 => self.confirm(),
            6 => self.expire(),
            7 if self.lot.one_in(4) => {
                let (waiter, index) = (self.waiter(), self.partition());
                let mut out = Vec::new();
                let _dead = self.group.delete_offsets(vec![name(index)], |_| None, waiter, &mut out);
                self.carry_out(out);
            }
            8 if self.lot.one_in(8) => {
                let mut out = Vec::new();
                let _dead = self.group.delete(None, &mut out);
                self.carry_out(out);
            }
            _ => self.now += i64::try_from(self.lot.draw(400)).unwrap(),
        }
        if self.group.state() == State::Dead {
            self.check();
            self.unconfirmed.clear();
            self.group = Group::new("g", Limits::default(), moment(self.now));
        }
    }

    /// The group knows what its log says.
    fn check(&self) {
        let known: BTreeMap<i32, i64> = self.group.offsets().map(|(_, index, o)| (index, o.offset)).collect();
        let logged: BTreeMap<i32, i64> =
            self.log.iter().map(|(index, (offset, _))| (*index, *offset)).collect();
        assert_eq!(known, logged, "seed {}", self.seed);
    }
}

#[test]
fn no_history_expires_a_young_commit_or_disagrees_with_the_log() {
    let (mut expired, mut out_of_order) = (0, 0);
    let first: u64 = std::env::var("VLTAVA_SEED").ok().map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + HISTORIES {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        while !world.unconfirmed.is_empty() {
            world.confirm();
        }
        world.check();
        expired += world.expired;
        out_of_order += world.out_of_order;
    }
    // A simulation in which nothing happens proves nothing.
    assert!(expired > 1_000, "{expired} expired");
    assert!(out_of_order > 10_000, "{out_of_order} out of order");
}
