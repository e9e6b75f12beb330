//! Thousands of random histories of one group: clients that join, sync, crash, pause and come back late, writes that are slow or fail.
//!
//! Checked in every history: a request is answered exactly once; a generation has one leader; a member has one assignment in a
//! generation, and it is the leader's; a commit of an old generation is refused; and when everybody falls silent the group ends empty.
//! A seed replays its history: `VLTAVA_SEED=n` begins with that of seed n.

#![allow(clippy::panic, clippy::unwrap_used)]

#[path = "bench/lot.rs"]
mod lot;

use std::collections::{BTreeMap, HashMap, VecDeque};

use lot::Lot;
use vltava_cluster::groups::{
    Action, CommitRequest, CommittedOffset, Group, JoinRequest, LeavingMember, Limits, Moment, Partition,
    State, SyncRequest, Waiter, WriteId,
};
use vltava_protocol::ErrorCode;

/// Histories that `make test` runs; each has `STEPS` events.
const HISTORIES: u64 = 3_000;
const STEPS: u32 = 300;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Waits {
    Nothing,
    Join(Waiter),
    Sync(Waiter),
}

/// A client as real ones behave, with a memory of generations to send stale commits from.
#[derive(Debug)]
struct Client {
    instance_id: Option<String>,
    member_id: String,
    generation: i32,
    leads: Vec<String>,
    in_group: bool,
    waits: Waits,
}

struct World {
    lot: Lot,
    seed: u64,
    group: Group,
    now: i64,
    next_waiter: u64,
    clients: Vec<Client>,
    open: HashMap<Waiter, (usize, i32)>,
    writes: VecDeque<WriteId>,
    leaders: BTreeMap<i32, String>,
    given: BTreeMap<i32, HashMap<String, Vec<u8>>>,
    received: HashMap<(i32, String), Vec<u8>>,
    rebalances: u32,
    stale_commits: u32,
}

/// A moment by a wall clock that somebody sets all the time: nothing that this simulation looks at may go by it.
fn moment(milliseconds: i64) -> Moment {
    Moment { steady: milliseconds, wall: milliseconds.wrapping_mul(7_919) % 1_000_003 }
}

impl World {
    fn new(seed: u64) -> World {
        let mut lot = Lot(seed);
        let clients = (0..2 + lot.draw(4))
            .map(|i| Client {
                instance_id: (i % 3 == 2).then(|| format!("static-{i}")),
                member_id: String::new(),
                generation: -1,
                leads: Vec::new(),
                in_group: false,
                waits: Waits::Nothing,
            })
            .collect();
        World {
            group: Group::new("g", Limits::default(), moment(0)),
            lot,
            seed,
            now: 0,
            next_waiter: 0,
            clients,
            open: HashMap::new(),
            writes: VecDeque::new(),
            leaders: BTreeMap::new(),
            given: BTreeMap::new(),
            received: HashMap::new(),
            rebalances: 0,
            stale_commits: 0,
        }
    }

    fn ask(&mut self, client: usize) -> Waiter {
        self.next_waiter += 1;
        let waiter = Waiter(self.next_waiter);
        self.open.insert(waiter, (client, self.group.generation()));
        waiter
    }

    fn join(&mut self, at: usize) {
        let waiter = self.ask(at);
        let knows_member_id_required = self.clients[at].instance_id.is_none() && self.lot.one_in(2);
        let client = &mut self.clients[at];
        client.waits = Waits::Join(waiter);
        let request = JoinRequest {
            member_id: client.member_id.clone(),
            fresh_id: format!("c{at}-{}", waiter.0),
            instance_id: client.instance_id.clone(),
            knows_member_id_required,
            knows_skip_assignment: true,
            client_id: format!("c{at}"),
            client_host: "/127.0.0.1".into(),
            session_timeout: 10_000,
            rebalance_timeout: 20_000,
            protocol_type: "consumer".into(),
            protocols: vec![("range".into(), vec![u8::try_from(self.lot.draw(2)).unwrap()])],
        };
        let mut out = Vec::new();
        self.group.join(request, waiter, moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn sync(&mut self, at: usize) {
        let waiter = self.ask(at);
        let mark = self.lot.draw(1 << 30).to_be_bytes().to_vec();
        let client = &mut self.clients[at];
        client.waits = Waits::Sync(waiter);
        let assignments: HashMap<String, Vec<u8>> =
            client.leads.iter().map(|id| (id.clone(), [id.as_bytes(), &mark].concat())).collect();
        if !assignments.is_empty() {
            // Only the first that the leader sends in a generation may count; the writes decide which.
            self.given.entry(client.generation).or_insert_with(|| assignments.clone());
        }
        let request = SyncRequest {
            generation: client.generation,
            member_id: client.member_id.clone(),
            instance_id: client.instance_id.clone(),
            protocol_type: None,
            protocol: None,
            assignments,
        };
        let mut out = Vec::new();
        self.group.sync(request, waiter, moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn commit(&mut self, at: usize) {
        let waiter = self.ask(at);
        let client = &self.clients[at];
        let generation = client.generation - i32::try_from(self.lot.draw(2)).unwrap();
        let offset = CommittedOffset {
            offset: self.now,
            leader_epoch: -1,
            metadata: String::new(),
            committed_at: self.now,
            expires_at: None,
        };
        let stale = generation != self.group.generation();
        let request = CommitRequest {
            generation,
            member_id: client.member_id.clone(),
            instance_id: client.instance_id.clone(),
            offsets: vec![(Partition { topic: "t".into(), index: 0 }, Ok(offset))],
        };
        let mut out = Vec::new();
        let has_members = self.group.size() > 0;
        self.group.commit(request, waiter, moment(self.now), &mut out);
        if stale && generation >= 0 && has_members {
            self.stale_commits += 1;
            let refused = matches!(&out[..], [Action::Commit(_, results)] if results[0].1 != ErrorCode::None);
            assert!(refused, "seed {}: a commit of generation {generation} was let in: {out:?}", self.seed);
        }
        self.carry_out(out);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        for action in actions {
            let waiter = match &action {
                Action::Write(id, _) => {
                    self.writes.push_back(*id);
                    continue;
                }
                Action::Join(waiter, _) | Action::Sync(waiter, _) | Action::Commit(waiter, _) => *waiter,
            };
            let (at, _) = self.open.remove(&waiter).unwrap_or_else(|| {
                panic!("seed {}: {waiter:?} was answered twice, or never asked", self.seed)
            });
            self.hear(at, waiter, action);
        }
    }

    fn hear(&mut self, at: usize, waiter: Waiter, action: Action) {
        let seed = self.seed;
        let client = &mut self.clients[at];
        match action {
            Action::Join(_, answer) => {
                if answer.error == ErrorCode::None {
                    self.rebalances += 1;
                    if answer.member_id == answer.leader {
                        let leader =
                            self.leaders.entry(answer.generation).or_insert_with(|| answer.leader.clone());
                        let same_name = client.instance_id.is_some();
                        assert!(
                            *leader == answer.leader || same_name,
                            "seed {seed}: generation {} has two leaders",
                            answer.generation
                        );
                    }
                }
                if client.waits != Waits::Join(waiter) {
                    return;
                }
                client.waits = Waits::Nothing;
                match answer.error {
                    ErrorCode::None => {
                        client.in_group = true;
                        client.member_id = answer.member_id;
                        client.generation = answer.generation;
                        client.leads = if answer.skip_assignment {
                            Vec::new()
                        } else {
                            answer.members.into_iter().map(|member| member.member_id).collect()
                        };
                    }
                    ErrorCode::MemberIdRequired => client.member_id = answer.member_id,
                    _ => client.forget(),
                }
            }
            Action::Sync(_, answer) => {
                if client.waits != Waits::Sync(waiter) {
                    return;
                }
                client.waits = Waits::Nothing;
                match answer.error {
                    ErrorCode::None => {
                        let place = (client.generation, client.member_id.clone());
                        if client.instance_id.is_none() {
                            let given = self
                                .given
                                .get(&client.generation)
                                .and_then(|given| given.get(&client.member_id));
                            let expected = given.cloned().unwrap_or_default();
                            assert_eq!(answer.assignment, expected, "seed {seed}: not what the leader gave");
                        }
                        let part = self.received.entry(place).or_insert_with(|| answer.assignment.clone());
                        assert_eq!(
                            *part, answer.assignment,
                            "seed {seed}: {} got two assignments in generation {}",
                            client.member_id, client.generation
                        );
                    }
                    ErrorCode::RebalanceInProgress => client.in_group = false,
                    _ => client.forget(),
                }
            }
            Action::Commit(..) | Action::Write(..) => {}
        }
    }

    fn finish_write(&mut self) {
        let Some(id) = self.writes.pop_front() else { return };
        let result = if self.lot.one_in(12) { Err(ErrorCode::NotCoordinator) } else { Ok(self.now) };
        let mut out = Vec::new();
        self.group.written(id, result, moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn pass(&mut self, milliseconds: i64) {
        self.now += milliseconds;
        let mut out = Vec::new();
        self.group.on_time(moment(self.now), &mut out);
        self.carry_out(out);
    }

    fn heartbeat(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let error = self.group.heartbeat(
            client.generation,
            &client.member_id,
            client.instance_id.as_deref(),
            moment(self.now),
        );
        match error {
            ErrorCode::None => {}
            ErrorCode::RebalanceInProgress => client.in_group = false,
            _ => client.forget(),
        }
    }

    fn step(&mut self) {
        let at = usize::try_from(self.lot.draw(self.clients.len() as u64)).unwrap();
        match self.lot.draw(20) {
            0..=2 => {
                let milliseconds = i64::try_from(self.lot.draw(4_000)).unwrap();
                self.pass(milliseconds);
            }
            3..=6 => self.finish_write(),
            7 if self.lot.one_in(4) => self.clients[at].forget(),
            8 if self.lot.one_in(4) && self.clients[at].waits == Waits::Nothing => {
                let client = &mut self.clients[at];
                let member = LeavingMember {
                    member_id: client.member_id.clone(),
                    instance_id: client.instance_id.clone(),
                };
                client.forget();
                let mut out = Vec::new();
                self.group.leave(vec![member], moment(self.now), &mut out).unwrap();
                self.carry_out(out);
            }
            9..=10 => self.commit(at),
            _ => match self.clients[at].waits {
                // Now and then a client gives up waiting and asks again.
                Waits::Join(_) | Waits::Sync(_) if !self.lot.one_in(30) => {}
                _ if !self.clients[at].in_group => self.join(at),
                _ if self.lot.one_in(3) => self.heartbeat(at),
                _ => self.sync(at),
            },
        }
    }

    /// Everybody falls silent; what is open must close.
    fn end(&mut self) {
        for _ in 0..400 {
            while !self.writes.is_empty() {
                self.finish_write();
            }
            self.pass(5_000);
        }
        assert!(self.open.is_empty(), "seed {}: never answered: {:?}", self.seed, self.open);
        assert_eq!(self.group.state(), State::Empty, "seed {}", self.seed);
    }
}

impl Client {
    fn forget(&mut self) {
        self.member_id.clear();
        self.generation = -1;
        self.leads.clear();
        self.in_group = false;
        self.waits = Waits::Nothing;
    }
}

#[test]
fn no_history_breaks_a_rule() {
    let (mut rebalances, mut stale_commits, mut assignments) = (0, 0, 0);
    let first: u64 = std::env::var("VLTAVA_SEED").ok().map_or(0, |seed| seed.parse().unwrap());
    for seed in first..first + HISTORIES {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.end();
        rebalances += world.rebalances;
        stale_commits += world.stale_commits;
        assignments += world.received.len();
    }
    // A simulation in which nothing happens proves nothing.
    assert!(rebalances > 10_000, "{rebalances} joins");
    assert!(stale_commits > 10_000, "{stale_commits} stale commits");
    assert!(assignments > 5_000, "{assignments} assignments");
}
