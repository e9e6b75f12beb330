//! Brokers with the real machines, a controller among them, ZooKeeper as a model, and everything that goes wrong between them: one process, virtual
//! time, and chance from a seed.
//!
//! | file | idea |
//! |---|---|
//! | `replica_log` | a disk |
//! | `node` | a broker: its disk, and its process while there is one |
//! | `leading` | what a leader does with fetches and produces |
//! | `following` | how a follower agrees with its leader and copies |
//! | `office` | the controller's shell, and how its orders are obeyed |
//! | `keeping` | sessions, registration, election |
//! | `zookeeper` | what ZooKeeper holds |
//! | `network` | messages between brokers |
//! | `faults` | what goes wrong |
//! | `laws` | what must hold |
//! | `flaw` | rules broken on purpose |

mod faults;
pub(crate) mod flaw;
mod following;
mod keeping;
mod laws;
mod leading;
#[path = "../bench/lot.rs"]
mod lot;
mod network;
mod node;
mod office;
mod replica_log;
mod zookeeper;

use std::collections::{BTreeMap, BTreeSet};

use vltava_cluster::{
    controller::{ReplicaAssignment, TopicAssignment},
    replication::Replication,
};
use vltava_protocol::Uuid;

use flaw::Flaw;
use laws::Laws;
use lot::Lot;
use network::{Line, Message};
use node::Node;
use zookeeper::{Answer, Request, Watched, ZooKeeper};

pub(crate) const TOPIC: &str = "apples";
const BROKERS: i32 = 3;

/// How long things go wrong, and how long they then have to come to rest; in virtual milliseconds.
const TROUBLE: i64 = 6_000;
const REST: i64 = 4_000;

/// What happens at a time.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message reaches a process.
    Arrives(Box<Message>),
    /// A request reaches ZooKeeper.
    Zookeeper {
        id: i32,
        session: u64,
        connection: u64,
        request: Request,
    },
    /// ZooKeeper's answer reaches a process.
    Answered {
        id: i32,
        incarnation: u64,
        connection: u64,
        answer: Answer,
    },
    /// So does what a watch tells.
    Noticed {
        id: i32,
        incarnation: u64,
        session: u64,
        what: Watched,
    },
    /// A session is over if nothing has been heard of it since.
    Expires {
        session: u64,
        since: i64,
    },
    Timer {
        id: i32,
        incarnation: u64,
        timer: Timer,
    },
    Starts {
        id: i32,
    },
    /// A producer sends.
    Produces {
        id: i32,
        value: u64,
        above: i64,
    },
    /// The next producer's turn.
    Client,
    Fault,
}

/// What a process has set itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Timer {
    GiveUp { line: Line, peer: i32, number: u64 },
    Fetch { leader: i32 },
    WaitIsOver,
    Carry,
    Order { broker: i32 },
    Connect,
    Resume,
    Tick,
}

/// See the module.
pub(crate) struct World {
    pub(crate) lot: Lot,
    pub(crate) now: i64,
    sequence: u64,
    queue: BTreeMap<(i64, u64), Event>,
    nodes: Vec<Node>,
    zookeeper: ZooKeeper,
    /// When the last of what is on the way to and from ZooKeeper arrives.
    zookeeper_line: Vec<i64>,
    assignment: TopicAssignment,
    laws: Laws,
    flaw: Option<Flaw>,
    is_healed: bool,
    /// Pairs of brokers that do not reach each other.
    cut: BTreeSet<(i32, i32)>,
    next_value: u64,
    traces: bool,
}

/// What a history came to.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) acknowledged: usize,
    pub(crate) elections: i32,
    pub(crate) violation: Option<String>,
}

/// Names the history in which a machine panics.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the history of VLTAVA_SEED={}", self.0);
        }
    }
}

impl World {
    /// The history of a seed.
    pub(crate) fn run(seed: u64, flaw: Option<Flaw>, traces: bool) -> History {
        let _named = Named(seed);
        let mut world = Self::new(seed, flaw, traces);
        world.go_on_until(TROUBLE);
        world.heal();
        world.go_on_until(TROUBLE + REST);
        world.judge();
        History {
            acknowledged: world.laws.acknowledged(),
            elections: world.zookeeper.state.as_ref().map_or(0, |node| node.state.leader_epoch),
            violation: world.laws.violation,
        }
    }

    fn new(seed: u64, flaw: Option<Flaw>, traces: bool) -> Self {
        let mut lot = Lot(seed);
        let first = lot.draw(BROKERS as u64) as i32;
        let replicas = (0..BROKERS).map(|n| (first + n) % BROKERS).collect();
        let partitions = BTreeMap::from([(0, ReplicaAssignment::of(replicas))]);
        let nodes = (0..BROKERS).map(|id| Node::new(id, lot.one_in(2))).collect();
        let mut world = Self {
            lot,
            now: 0,
            sequence: 0,
            queue: BTreeMap::new(),
            nodes,
            zookeeper: ZooKeeper::default(),
            zookeeper_line: vec![0; BROKERS as usize],
            assignment: TopicAssignment { topic_id: Some(Uuid::from(7)), partitions },
            laws: Laws::default(),
            flaw,
            is_healed: false,
            cut: BTreeSet::new(),
            next_value: 0,
            traces,
        };
        for id in 0..BROKERS {
            world.start(id);
        }
        world.at(100, Event::Client);
        world.at(300, Event::Fault);
        world
    }

    pub(crate) fn at(&mut self, time: i64, event: Event) {
        self.sequence += 1;
        self.queue.insert((time, self.sequence), event);
    }

    pub(crate) fn timer(&mut self, id: i32, after: i64, timer: Timer) {
        let incarnation = self.nodes[id as usize].incarnation;
        self.at(self.now + after, Event::Timer { id, incarnation, timer });
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        if self.traces {
            println!("{:>6} {}", self.now, what());
        }
    }

    /// What a broker's clock says that nobody sets.
    pub(crate) fn clock(&self, id: i32) -> i64 {
        self.now + self.nodes[id as usize].skew
    }

    pub(crate) fn replica_mut(&mut self, id: i32) -> Option<&mut Replication> {
        self.nodes[id as usize].process.as_mut()?.replica.as_mut()
    }

    fn go_on_until(&mut self, end: i64) {
        while self.laws.violation.is_none()
            && let Some(entry) = self.queue.first_entry()
            && entry.key().0 <= end
        {
            let ((time, sequence), event) = entry.remove_entry();
            self.now = time;
            match self.paused_until(&event) {
                // It is handled when its process goes on, in its turn.
                Some(until) => {
                    self.queue.insert((until, sequence), event);
                }
                None => self.happen(event),
            }
        }
        self.now = end;
    }

    fn paused_until(&self, event: &Event) -> Option<i64> {
        let id = match event {
            Event::Arrives(message) => message.to,
            Event::Answered { id, .. } | Event::Noticed { id, .. } | Event::Timer { id, .. } => *id,
            _ => return None,
        };
        let until = self.nodes[id as usize].paused_until;
        (until > self.now).then_some(until)
    }

    fn happen(&mut self, event: Event) {
        let lives = |world: &Self, id: i32, incarnation: u64| {
            let node = &world.nodes[id as usize];
            node.process.is_some() && node.incarnation == incarnation
        };
        match event {
            Event::Arrives(message) => self.arrived(*message),
            Event::Zookeeper { id, session, connection, request } => {
                self.carry_out(id, session, connection, request);
            }
            Event::Answered { id, incarnation, connection, answer } if lives(self, id, incarnation) => {
                self.answered_by_zookeeper(id, connection, answer);
            }
            Event::Noticed { id, incarnation, session, what } if lives(self, id, incarnation) => {
                self.noticed(id, session, what);
            }
            Event::Expires { session, since } => self.may_expire(session, since),
            Event::Timer { id, incarnation, timer } if lives(self, id, incarnation) => self.ring(id, timer),
            Event::Starts { id } => self.start(id),
            Event::Produces { id, value, above } => self.produce(id, value, above),
            Event::Client => self.client(),
            Event::Fault if !self.is_healed => {
                self.fault();
                let next = 10 + self.lot.draw(250) as i64;
                self.at(self.now + next, Event::Fault);
            }
            Event::Answered { .. } | Event::Noticed { .. } | Event::Timer { .. } | Event::Fault => {}
        }
    }

    fn ring(&mut self, id: i32, timer: Timer) {
        match timer {
            Timer::GiveUp { line: Line::Fetch, peer, number } => self.fetch_given_up(id, peer, number),
            Timer::GiveUp { line: Line::AlterPartition, number, .. } => self.alter_given_up(id, number),
            Timer::GiveUp { line: Line::Order, peer, number } => self.order_given_up(id, peer, number),
            Timer::Fetch { leader } => self.fetch_round(id, leader),
            Timer::WaitIsOver => self.wake_fetches(id, false),
            Timer::Carry => self.carry(id),
            Timer::Order { broker } => self.go_on(id, broker),
            Timer::Connect => self.connect(id),
            Timer::Resume => self.resume(id),
            Timer::Tick => {
                self.look_for_laggards(id);
                self.write_down(id);
                self.timer(id, leading::LAG / 2, Timer::Tick);
            }
        }
    }

    fn write_down(&mut self, id: i32) {
        let node = &mut self.nodes[id as usize];
        let Some(mark) = node.replica().map(Replication::high_watermark) else { return };
        if self.lot.one_in(2) {
            node.log.checkpoint = mark;
        }
        if self.lot.one_in(3) {
            node.log.flush();
        }
    }

    /// A producer asks a broker who leads, and sends there.
    fn client(&mut self) {
        let asked = self.lot.draw(self.nodes.len() as u64) as usize;
        let leader = self.nodes[asked].process.as_ref().map_or(-1, |process| process.leader);
        if leader >= 0 {
            self.next_value += 1;
            let (value, above) = (self.next_value, self.laws.acknowledged_up_to());
            let delay = 1 + self.lot.draw(30) as i64;
            self.at(self.now + delay, Event::Produces { id: leader, value, above });
        }
        if self.now < TROUBLE + REST / 2 {
            let next = 2 + self.lot.draw(60) as i64;
            self.at(self.now + next, Event::Client);
        }
    }

    /// A replica's high watermark may have moved: consumers see what is below.
    pub(crate) fn show(&mut self, id: i32) {
        let mark = self.high_watermark(id);
        let node = &mut self.nodes[id as usize];
        let Some(process) = &mut node.process else { return };
        let from = process.shown;
        process.shown = from.max(mark);
        let before = self.laws.committed.len();
        self.laws.show(id, &node.log, from, mark);
        if self.laws.committed.len() > before {
            self.hold_in_sync(before);
        }
    }

    /// Whoever is in sync for the controller has everything that was shown, from `from` on.
    fn hold_in_sync(&mut self, from: usize) {
        let Some(state) = &self.zookeeper.state else { return };
        for &id in &state.state.isr {
            let node = &mut self.nodes[id as usize];
            if node.has_lost {
                node.has_lost = node.log.end() < node.had || !self.laws.is_held_by(&node.log);
                node.had = if node.has_lost { node.had } else { 0 };
            } else {
                self.laws.holds_everything("in sync:", id, &node.log, from);
            }
        }
    }

    /// ZooKeeper holds another state.
    pub(crate) fn state_written(&mut self) {
        self.hold_in_sync(0);
        self.forgive();
    }

    /// At the end everybody is in sync, and nobody has lost anything.
    fn judge(&mut self) {
        if self.laws.violation.is_some() {
            return;
        }
        let Some(state) = self.zookeeper.state.as_ref().map(|node| node.state.clone()) else {
            return self.laws.violate(|| "there is no state".to_owned());
        };
        let all_in_sync = state.isr.len() == self.nodes.len();
        let leads = state.leader >= 0
            && self.nodes[state.leader as usize].replica().is_some_and(Replication::is_leader);
        let ends: BTreeSet<i64> = self.nodes.iter().map(|node| node.log.end()).collect();
        let marks: BTreeSet<i64> = (0..BROKERS).map(|id| self.high_watermark(id)).collect();
        if !all_in_sync || !leads || ends.len() != 1 || marks != ends {
            let told: Vec<_> = self.nodes.iter().map(Node::replica).collect();
            self.laws.violate(|| {
                format!("no rest: {state:?}, logs end at {ends:?}, high watermarks {marks:?}: {told:#?}")
            });
        }
        for node in &self.nodes {
            self.laws.keeps_what_was_acknowledged(node.id, &node.log);
            self.laws.holds_everything("at rest:", node.id, &node.log, 0);
        }
    }
}
