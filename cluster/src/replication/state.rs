//! The machine: leadership, epochs and the high watermark.

use thiserror::Error;

use super::isr::{Isr, IsrChange};
use super::progress::{Progress, UNKNOWN};

/// What a caller has to do after an event. `Copy`, so that it costs nothing when there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "an effect that is not obeyed loses a wake-up or an ISR change"]
pub struct Effect {
    /// The high watermark moved to this offset: publish it, wake who waits.
    pub high_watermark: Option<i64>,
    /// A change of the ISR is proposed: send [`Replication::pending_isr`] to the controller.
    pub propose_isr: bool,
}

/// The configured limits that decide who is in sync; they may change while the partition lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// `min.insync.replicas` of the topic.
    pub min_isr: usize,
    /// `replica.lag.time.max.ms` of the broker.
    pub lag_ms: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { min_isr: 1, lag_ms: 30_000 }
    }
}

/// What LeaderAndIsr tells a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderState {
    /// The epoch of this leadership.
    pub leader_epoch: i32,
    /// The version of the partition's state.
    pub partition_epoch: i32,
    /// Who is in sync.
    pub isr: Vec<i32>,
    /// All replicas, this one among them.
    pub replicas: Vec<i32>,
}

/// What LeaderAndIsr tells a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerState {
    /// Who leads; -1 if nobody does.
    pub leader_id: i32,
    /// The epoch of that leadership.
    pub leader_epoch: i32,
    /// The version of the partition's state.
    pub partition_epoch: i32,
    /// All replicas, this one among them.
    pub replicas: Vec<i32>,
}

/// What this replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Told nothing yet, or told to stop.
    Idle,
    /// It leads since the epoch began at `start`, its log end offset then.
    Leader {
        /// The first offset of this leader epoch.
        start: i64,
    },
    /// It follows `leader`, -1 if there is none.
    Follower {
        /// The leader's broker id.
        leader: i32,
    },
}

/// A request was made for another leader epoch than the present one (KIP-320).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EpochError {
    /// The client is behind: FENCED_LEADER_EPOCH.
    #[error("leader epoch {requested} is older than the current {current}")]
    Fenced {
        /// What the client holds.
        requested: i32,
        /// What this replica holds.
        current: i32,
    },
    /// This replica is behind: UNKNOWN_LEADER_EPOCH.
    #[error("leader epoch {requested} is newer than the current {current}")]
    Unknown {
        /// What the client holds.
        requested: i32,
        /// What this replica holds.
        current: i32,
    },
}

/// A state from the controller is older than the one held; it is not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "leader epoch {offered} with partition epoch {offered_partition_epoch} is older than {held} with {held_partition_epoch}"
)]
pub struct StaleState {
    /// Leader epoch of the refused state.
    pub offered: i32,
    /// Partition epoch of the refused state.
    pub offered_partition_epoch: i32,
    /// Leader epoch held.
    pub held: i32,
    /// Partition epoch held.
    pub held_partition_epoch: i32,
}

/// This replica does not lead the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this replica is not the leader")]
pub struct NotLeader;

/// A fetch came from a broker that is no replica of the partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("broker {0} is not a replica of the partition")]
pub struct UnknownReplica(pub i32);

/// A follower's fetch, as it tells its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowerFetch {
    /// The follower.
    pub follower: i32,
    /// The registration of the follower that asks (KIP-903, from Fetch version 15 on); -1 where it says none.
    pub broker_epoch: i64,
    /// The leader epoch that it follows in; -1 where it says none.
    pub leader_epoch: i32,
    /// Where it fetches from: everything below is on its disk.
    pub log_end: i64,
    /// Its log start offset.
    pub log_start: i64,
}

/// Why a follower's fetch does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FetchRefused {
    /// It is no replica, or this one does not lead.
    #[error(transparent)]
    Replica(#[from] UnknownReplica),
    /// It follows in another epoch.
    #[error(transparent)]
    Epoch(#[from] EpochError),
    /// It is from before its broker started again, and may tell of records that are lost since: NOT_LEADER_OR_FOLLOWER.
    #[error("the fetch is of the follower's registration {asked}, which {known} has replaced")]
    Outlived {
        /// The fetch's.
        asked: i64,
        /// The newest known.
        known: i64,
    },
}

/// One partition's replication. See the module for the rules.
#[derive(Debug, Clone)]
pub struct Replication {
    local: i32,
    role: Role,
    rules: Rules,
    leader_epoch: i32,
    partition_epoch: i32,
    replicas: Vec<i32>,
    isr: Isr,
    followers: Vec<Progress>,
    log_end: i64,
    high_watermark: i64,
}

impl Replication {
    /// The replica of broker `local` with a log that ends at `log_end` and a high watermark read from the checkpoint (0 if there is none;
    /// one above the log's end is lowered to it).
    pub fn new(local: i32, log_end: i64, high_watermark: i64, rules: Rules) -> Self {
        Self {
            local,
            role: Role::Idle,
            rules,
            leader_epoch: -1,
            partition_epoch: -1,
            replicas: Vec::new(),
            isr: Isr::default(),
            followers: Vec::new(),
            log_end,
            high_watermark: high_watermark.clamp(0, log_end.max(0)),
        }
    }

    /// What this replica is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader { .. })
    }

    /// Who leads, -1 if unknown or nobody.
    pub fn leader_id(&self) -> i32 {
        match self.role {
            Role::Idle => -1,
            Role::Leader { .. } => self.local,
            Role::Follower { leader } => leader,
        }
    }

    /// The current leader epoch, -1 before the first state.
    pub fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// The current version of the partition's state (in ZooKeeper mode the version of its znode).
    pub fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// All replicas, in order of preference.
    pub fn replicas(&self) -> &[i32] {
        &self.replicas
    }

    /// The in-sync replicas, confirmed and pending.
    pub fn isr(&self) -> &Isr {
        &self.isr
    }

    /// The change that waits for the controller's answer.
    pub fn pending_isr(&self) -> Option<&IsrChange> {
        self.isr.pending()
    }

    /// The followers' progress; empty unless this replica leads.
    pub fn followers(&self) -> &[Progress] {
        &self.followers
    }

    /// Everything below is committed.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// Whether the confirmed ISR is smaller than `min.insync.replicas` (or than all replicas, where those are fewer): acks=all is
    /// refused, and the high watermark stands still.
    pub fn is_under_min_isr(&self) -> bool {
        self.is_leader() && self.isr.committed().len() < self.rules.min_isr.min(self.replicas.len())
    }

    /// Whether the confirmed ISR holds fewer members than `min.insync.replicas` demands of a producer with acks=all. Unlike
    /// [`Self::is_under_min_isr`], a demand that can never be met counts too.
    pub fn refuses_acks_all(&self) -> bool {
        self.isr.committed().len() < self.rules.min_isr
    }

    /// Checks the leader epoch that a client holds; -1 is no claim.
    pub fn check_epoch(&self, requested: i32) -> Result<(), EpochError> {
        let current = self.leader_epoch;
        match requested {
            i32::MIN..=-1 => Ok(()),
            _ if requested < current => Err(EpochError::Fenced { requested, current }),
            _ if requested > current => Err(EpochError::Unknown { requested, current }),
            _ => Ok(()),
        }
    }

    /// Configuration changed. A lower `min.insync.replicas` may free the high watermark.
    pub fn set_rules(&mut self, rules: Rules, now: i64) -> Effect {
        self.rules = rules;
        Effect { high_watermark: self.advance(now), propose_isr: false }
    }

    /// The controller makes this replica the leader, or tells a leader a newer state of the same epoch.
    ///
    /// A state with the epochs held is applied again without harm, as a resent LeaderAndIsr must be; an older one is refused. `log_end` is the log's
    /// end now: with a new leader epoch, it is where that epoch begins.
    pub fn become_leader(
        &mut self,
        state: LeaderState,
        log_end: i64,
        now: i64,
    ) -> Result<Effect, StaleState> {
        self.admit(state.leader_epoch, state.partition_epoch)?;
        let continues = self.is_leader() && state.leader_epoch == self.leader_epoch;
        // A resent state says nothing new, and the change that waits for its answer may still be made: it goes on to count.
        let is_resent = continues && state.partition_epoch == self.partition_epoch;
        self.log_end = log_end;
        self.leader_epoch = state.leader_epoch;
        self.partition_epoch = state.partition_epoch;
        if !is_resent {
            self.isr.confirm(state.isr);
        }
        self.replicas = state.replicas;
        let known = if continues { std::mem::take(&mut self.followers) } else { Vec::new() };
        if !continues {
            self.role = Role::Leader { start: log_end };
        }
        self.followers = self
            .replicas
            .iter()
            .filter(|&&id| id != self.local)
            .map(|&id| {
                let fresh = Progress::new(id, self.isr.committed().contains(&id), now);
                known.iter().find(|old| old.id == id).copied().unwrap_or(fresh)
            })
            .collect();
        Ok(Effect { high_watermark: self.advance(now), propose_isr: false })
    }

    /// The controller makes this replica a follower. Its high watermark stays until the leader tells a newer one.
    pub fn become_follower(&mut self, state: FollowerState) -> Result<(), StaleState> {
        self.admit(state.leader_epoch, state.partition_epoch)?;
        self.role = Role::Follower { leader: state.leader_id };
        self.leader_epoch = state.leader_epoch;
        self.partition_epoch = state.partition_epoch;
        self.replicas = state.replicas;
        self.isr = Isr::default();
        self.followers.clear();
        Ok(())
    }

    /// StopReplica without deletion, or a failed log directory: the replica neither leads nor follows. Epochs stay, to tell old requests.
    pub fn stop(&mut self) {
        self.role = Role::Idle;
        self.isr = Isr::default();
        self.followers.clear();
    }

    /// The log grew to `log_end`. On a leader without followers this commits at once.
    pub fn on_append(&mut self, log_end: i64, now: i64) -> Effect {
        self.log_end = log_end;
        Effect { high_watermark: self.advance(now), propose_isr: false }
    }

    /// The log was cut to `log_end` (a follower that diverged).
    pub fn on_truncate(&mut self, log_end: i64) -> Effect {
        self.log_end = log_end;
        if self.high_watermark > log_end {
            self.high_watermark = log_end;
            return Effect { high_watermark: Some(log_end), propose_isr: false };
        }
        Effect::default()
    }

    /// The log's start moved (deleted records, or a follower that began anew at its leader's start): everything below is committed.
    pub fn on_log_start(&mut self, log_start: i64) -> Effect {
        if self.high_watermark < log_start && log_start <= self.log_end {
            self.high_watermark = log_start;
            return Effect { high_watermark: Some(log_start), propose_isr: false };
        }
        Effect::default()
    }

    /// A follower fetched: everything below the offset is on that follower's disk. What was asked in another leader epoch, or before the follower's
    /// broker started again, does not count: a fetch may have waited for records, or on its way, since then.
    pub fn on_fetch(&mut self, fetch: FollowerFetch, now: i64) -> Result<Effect, FetchRefused> {
        self.check_epoch(fetch.leader_epoch)?;
        let id = fetch.follower;
        if self.is_leader()
            && fetch.broker_epoch >= 0
            && let Some(follower) = self.followers.iter_mut().find(|f| f.id == id)
        {
            if fetch.broker_epoch < follower.broker_epoch {
                return Err(FetchRefused::Outlived {
                    asked: fetch.broker_epoch,
                    known: follower.broker_epoch,
                });
            }
            follower.broker_epoch = fetch.broker_epoch;
        }
        Ok(self.on_follower_fetch(id, fetch.log_end, fetch.log_start, now)?)
    }

    /// The same of a follower that says nothing of epochs.
    pub fn on_follower_fetch(
        &mut self,
        id: i32,
        log_end: i64,
        log_start: i64,
        now: i64,
    ) -> Result<Effect, UnknownReplica> {
        let Role::Leader { start } = self.role else { return Err(UnknownReplica(id)) };
        let leader_log_end = self.log_end;
        let follower = self.followers.iter_mut().find(|f| f.id == id).ok_or(UnknownReplica(id))?;
        follower.fetched(log_end, log_start, leader_log_end, now);
        let advanced = self.advance(now);
        // Joining needs the high watermark *and* the start of this epoch: below it, the follower may still hold records that the
        // previous leader never committed.
        let joins = self.isr.pending().is_none()
            && !self.isr.committed().contains(&id)
            && log_end >= self.high_watermark
            && log_end >= start;
        if joins {
            let members = self.isr.committed().iter().copied().chain([id]).collect();
            self.propose(members);
        }
        Ok(Effect { high_watermark: advanced, propose_isr: joins })
    }

    /// A follower learned the leader's high watermark from a fetch response.
    pub fn on_leader_high_watermark(&mut self, leader_high_watermark: i64) -> Effect {
        let bounded = leader_high_watermark.min(self.log_end);
        if matches!(self.role, Role::Follower { .. }) && bounded > self.high_watermark {
            self.high_watermark = bounded;
            return Effect { high_watermark: Some(bounded), propose_isr: false };
        }
        Effect::default()
    }

    /// Time passed: who has not kept up for `replica.lag.time.max.ms` is proposed to leave the ISR.
    pub fn on_tick(&mut self, now: i64) -> Effect {
        let has_laggard = |followers: &[Progress]| followers.iter().any(|f| self.lags(f, now));
        if !self.is_leader() || self.isr.pending().is_some() || !has_laggard(&self.followers) {
            return Effect::default();
        }
        let stays = |id: &i32| !self.followers.iter().any(|f| f.id == *id && self.lags(f, now));
        let members = self.isr.committed().iter().copied().filter(stays).collect();
        self.propose(members);
        Effect { high_watermark: None, propose_isr: true }
    }

    /// The controller confirmed an ISR: under a new partition epoch, or under the one held where nothing had to change. An answer older
    /// than what is held changes nothing.
    pub fn on_isr_confirmed(
        &mut self,
        members: Vec<i32>,
        leader_epoch: i32,
        partition_epoch: i32,
        now: i64,
    ) -> Effect {
        if !self.is_leader() || leader_epoch != self.leader_epoch || partition_epoch < self.partition_epoch {
            return Effect::default();
        }
        self.partition_epoch = partition_epoch;
        self.isr.confirm(members);
        Effect { high_watermark: self.advance(now), propose_isr: false }
    }

    /// The controller refused the change that was built on `partition_epoch` and it will never happen; what was pending is forgotten.
    /// (Where the answer is unknown, nothing is called: both ISRs go on to count.)
    pub fn on_isr_refused(&mut self, partition_epoch: i32, now: i64) -> Effect {
        if self.isr.pending().is_some_and(|change| change.partition_epoch == partition_epoch) {
            self.isr.withdraw();
        }
        Effect { high_watermark: self.advance(now), propose_isr: false }
    }

    /// The least log start offset over all replicas, which DeleteRecords answers with; -1 while a follower's is unknown.
    pub fn low_watermark(&self, local_log_start: i64) -> Result<i64, NotLeader> {
        if !self.is_leader() {
            return Err(NotLeader);
        }
        Ok(self.followers.iter().map(|f| f.log_start).fold(local_log_start, i64::min))
    }

    fn propose(&mut self, members: Vec<i32>) {
        let epoch_of = |id: &i32| self.followers.iter().find(|f| f.id == *id).map_or(-1, |f| f.broker_epoch);
        let member_epochs = members.iter().map(epoch_of).collect();
        self.isr.propose(IsrChange { members, member_epochs, partition_epoch: self.partition_epoch });
    }

    fn lags(&self, follower: &Progress, now: i64) -> bool {
        self.isr.committed().contains(&follower.id)
            && !follower.is_caught_up(self.log_end, now, self.rules.lag_ms)
    }

    fn admit(&self, leader_epoch: i32, partition_epoch: i32) -> Result<(), StaleState> {
        if (leader_epoch, partition_epoch) < (self.leader_epoch, self.partition_epoch) {
            return Err(StaleState {
                offered: leader_epoch,
                offered_partition_epoch: partition_epoch,
                held: self.leader_epoch,
                held_partition_epoch: self.partition_epoch,
            });
        }
        Ok(())
    }

    /// Moves the high watermark to the least log end over those that must hold it; it never goes back on a leader.
    ///
    /// A follower outside the maximal ISR that has caught up holds it too, or a busy leader would run away from a follower that is about to join.
    /// Below `min.insync.replicas` nothing is committed (KIP-966's rule for the last replica standing).
    fn advance(&mut self, now: i64) -> Option<i64> {
        if !self.is_leader() || self.is_under_min_isr() {
            return None;
        }
        let mut least = self.log_end;
        for follower in &self.followers {
            let counts = self.isr.is_maximal_member(follower.id)
                || (follower.log_end != UNKNOWN
                    && follower.is_caught_up(self.log_end, now, self.rules.lag_ms)
                    && follower.log_end >= self.high_watermark);
            if counts {
                least = least.min(follower.log_end);
            }
        }
        (least > self.high_watermark).then(|| {
            self.high_watermark = least;
            least
        })
    }
}
