//! What a follower does: it agrees with its leader and copies. It mirrors the broker's `fetchers` and `partitions::following`.

use vltava_cluster::replication::{
    Agreement, EpochAndEnd, FollowerState, Replication, Role, Step, truncation,
};

use super::{
    Timer, World,
    flaw::Flaw,
    leading::{Fetched, rules},
    network::{Body, Line, Refused},
};

/// After a fetch that could not be.
const BACK_OFF: i64 = 60;

/// The partition, as the fetcher of one leader follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Followed {
    leader_epoch: i32,
    not_before: i64,
    agreement: Agreement,
}

/// The fetcher of one leader: one question at a time.
#[derive(Debug, Default)]
pub(crate) struct Fetcher {
    pub(crate) followed: Option<Followed>,
    /// The question that has not been answered, and as what the partition was followed then.
    pub(crate) outstanding: Option<(u64, Followed, Asked)>,
}

/// What a Fetch asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) broker_epoch: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) offset: i64,
    pub(crate) last_epoch: i32,
}

impl World {
    pub(crate) fn follow(&mut self, id: i32, state: FollowerState) {
        let node = &mut self.nodes[id as usize];
        let (end, checkpoint) = (node.log.end(), node.log.checkpoint);
        let Some(process) = &mut node.process else { return };
        let (leader, leader_epoch) = (state.leader_id, state.leader_epoch);
        let replica = process.replica.get_or_insert_with(|| Replication::new(id, end, checkpoint, rules()));
        if replica.become_follower(state).is_err() {
            return;
        }
        for (of, fetcher) in &mut process.fetchers {
            if *of != leader {
                fetcher.followed = None;
            }
        }
        if leader >= 0 {
            let fetcher = process.fetchers.entry(leader).or_default();
            if fetcher.followed.is_none_or(|known| known.leader_epoch != leader_epoch) {
                let agreement = Agreement::default();
                fetcher.followed = Some(Followed { leader_epoch, not_before: 0, agreement });
            }
        }
        self.show(id);
        self.wake_produces(id);
        self.wake_fetches(id, true);
        if leader >= 0 {
            self.fetch_round(id, leader);
        }
    }

    pub(crate) fn stop_replica(&mut self, id: i32) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        for fetcher in process.fetchers.values_mut() {
            fetcher.followed = None;
        }
        if let Some(replica) = &mut process.replica {
            replica.stop();
        }
        self.wake_produces(id);
        self.wake_fetches(id, true);
    }

    /// One round of a fetcher: it makes the logs agree, or fetches.
    pub(crate) fn fetch_round(&mut self, id: i32, leader: i32) {
        let now = self.now;
        let flaw = self.flaw;
        let node = &self.nodes[id as usize];
        let leader_tells = node.leader_tells;
        let Some(process) = &node.process else { return };
        let Some(fetcher) = process.fetchers.get(&leader).filter(|fetcher| fetcher.outstanding.is_none())
        else {
            return;
        };
        let Some(followed) = fetcher.followed else { return };
        if followed.not_before > now {
            self.timer(id, followed.not_before - now, Timer::Fetch { leader });
            return;
        }
        if !self.follows(id, followed.leader_epoch) {
            return self.delay(id, leader, followed.leader_epoch);
        }
        let last_epoch = node.log.latest_epoch();
        let step = match followed.agreement.next(last_epoch, leader_tells) {
            Step::AskForEnd(_) if flaw == Some(Flaw::NoTruncationByEpoch) => Step::CutToHighWatermark,
            // Before the first fetch of an epoch, which alone cuts.
            Step::Fetch
                if flaw == Some(Flaw::NoTruncationByEpoch)
                    && followed.agreement == Agreement::default()
                    && last_epoch.is_some() =>
            {
                Step::CutToHighWatermark
            }
            step => step,
        };
        let leader_epoch = followed.leader_epoch;
        let asked = Asked {
            broker_epoch: process.broker_epoch,
            leader_epoch,
            offset: node.log.end(),
            last_epoch: if leader_tells { last_epoch.unwrap_or(-1) } else { -1 },
        };
        let body = match step {
            Step::Fetch => Body::Fetch(asked),
            Step::AskForEnd(epoch) => Body::AskForEnd { leader_epoch, epoch },
            Step::CutToHighWatermark => {
                let mark = node.replica().map_or(0, Replication::high_watermark);
                self.cut_log(id, mark);
                self.settled(id, leader, leader_epoch, true);
                return self.timer(id, 1, Timer::Fetch { leader });
            }
        };
        let number = self.ask(id, leader, Line::Fetch, body);
        if let Some(fetcher) = self.fetcher(id, leader) {
            fetcher.outstanding = Some((number, followed, asked));
        }
    }

    pub(crate) fn fetched(&mut self, id: i32, leader: i32, number: u64, answer: Result<Fetched, Refused>) {
        let Some((followed, asked)) = self.answered(id, leader, number) else { return };
        let epoch = followed.leader_epoch;
        match answer {
            Err(refused) => self.refused(id, leader, epoch, asked, refused),
            Ok(Fetched { diverging: Some(end), .. }) => self.agree(id, leader, epoch, end, true),
            Ok(Fetched { records, high_watermark, .. }) => {
                self.take(id, leader, epoch, asked.offset, &records, high_watermark);
            }
        }
        self.fetch_round(id, leader);
    }

    pub(crate) fn told_end(
        &mut self,
        id: i32,
        leader: i32,
        number: u64,
        answer: Result<EpochAndEnd, Refused>,
    ) {
        let Some((followed, asked)) = self.answered(id, leader, number) else { return };
        match answer {
            Err(refused) => self.refused(id, leader, followed.leader_epoch, asked, refused),
            Ok(end) => self.agree(id, leader, followed.leader_epoch, end, false),
        }
        self.fetch_round(id, leader);
    }

    /// The connection to the leader is given up.
    pub(crate) fn fetch_given_up(&mut self, id: i32, leader: i32, number: u64) {
        if let Some((followed, _)) = self.answered(id, leader, number) {
            self.delay(id, leader, followed.leader_epoch);
            self.timer(id, BACK_OFF, Timer::Fetch { leader });
        }
    }

    fn answered(&mut self, id: i32, leader: i32, number: u64) -> Option<(Followed, Asked)> {
        let outstanding = &mut self.fetcher(id, leader)?.outstanding;
        let (_, followed, asked) = outstanding.take_if(|(asked, ..)| *asked == number)?;
        Some((followed, asked))
    }

    fn refused(&mut self, id: i32, leader: i32, epoch: i32, asked: Asked, refused: Refused) {
        match refused {
            Refused::Fenced => {
                if let Some(fetcher) = self.fetcher(id, leader) {
                    fetcher.followed.take_if(|followed| followed.leader_epoch == epoch);
                }
            }
            Refused::OutOfRange(end) if end < asked.offset && self.follows(id, epoch) => {
                self.cut_log(id, end);
                self.settled(id, leader, epoch, true);
            }
            Refused::OutOfRange(_) | Refused::NotNow => self.delay(id, leader, epoch),
        }
    }

    /// Cuts the log off where it diverges from the leader's.
    fn agree(&mut self, id: i32, leader: i32, epoch: i32, end: EpochAndEnd, is_told: bool) {
        if !self.follows(id, epoch) {
            return self.delay(id, leader, epoch);
        }
        let node = &self.nodes[id as usize];
        let mark = node.replica().map_or(0, Replication::high_watermark);
        let cut = truncation(end, node.log.end(), mark, |epoch| node.log.end_of_epoch(epoch));
        self.cut_log(id, cut.offset);
        self.settled(id, leader, epoch, is_told || cut.is_final);
    }

    fn take(
        &mut self,
        id: i32,
        leader: i32,
        epoch: i32,
        from: i64,
        records: &[super::replica_log::Record],
        high_watermark: i64,
    ) {
        if !self.follows(id, epoch) || self.nodes[id as usize].log.end() != from {
            return self.delay(id, leader, epoch);
        }
        let node = &mut self.nodes[id as usize];
        for record in records {
            node.log.append(*record);
        }
        let end = node.log.end();
        let Some(replica) = node.process.as_mut().and_then(|process| process.replica.as_mut()) else {
            return;
        };
        let _ = replica.on_append(end, 0);
        let effect = replica.on_leader_high_watermark(high_watermark);
        self.obey_effect(id, effect);
        if let Some(followed) = self.fetcher(id, leader).and_then(|fetcher| fetcher.followed.as_mut())
            && followed.leader_epoch == epoch
        {
            followed.agreement.fetched();
        }
    }

    fn cut_log(&mut self, id: i32, offset: i64) {
        let node = &mut self.nodes[id as usize];
        if offset >= node.log.end() {
            // An epoch without records goes all the same.
            return node.log.truncate(node.log.end());
        }
        if self.zookeeper.is_in_sync(id) && !node.has_lost {
            self.laws.cut(id, offset);
        }
        node.log.truncate(offset);
        if let Some(replica) = node.process.as_mut().and_then(|process| process.replica.as_mut()) {
            let effect = replica.on_truncate(offset);
            self.obey_effect(id, effect);
        }
        self.note(|| format!("{id}: cuts off at {offset}"));
    }

    fn settled(&mut self, id: i32, leader: i32, epoch: i32, is_final: bool) {
        let last = self.nodes[id as usize].log.latest_epoch();
        if let Some(followed) = self.fetcher(id, leader).and_then(|fetcher| fetcher.followed.as_mut())
            && followed.leader_epoch == epoch
        {
            followed.agreement.cut(is_final, last);
        }
    }

    fn delay(&mut self, id: i32, leader: i32, epoch: i32) {
        let until = self.now + BACK_OFF;
        if let Some(followed) = self.fetcher(id, leader).and_then(|fetcher| fetcher.followed.as_mut())
            && followed.leader_epoch == epoch
        {
            followed.not_before = until;
            self.timer(id, BACK_OFF, Timer::Fetch { leader });
        }
    }

    fn fetcher(&mut self, id: i32, leader: i32) -> Option<&mut Fetcher> {
        self.nodes[id as usize].process.as_mut()?.fetchers.get_mut(&leader)
    }

    fn follows(&self, id: i32, leader_epoch: i32) -> bool {
        self.nodes[id as usize].replica().is_some_and(|replica| {
            matches!(replica.role(), Role::Follower { .. }) && replica.leader_epoch() == leader_epoch
        })
    }
}
