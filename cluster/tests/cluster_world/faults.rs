//! What goes wrong.

use vltava_cluster::controller::Write;

use super::{Event, Timer, World, network::Body, node::Process, zookeeper::Request};

impl World {
    /// Something goes wrong, or is put right again.
    pub(crate) fn fault(&mut self) {
        let id = self.lot.draw(self.nodes.len() as u64) as i32;
        let is_up = self.nodes[id as usize].process.is_some();
        match self.lot.draw(13) {
            0..=2 if is_up && self.is_guarded_without(id) => self.crash(id),
            3..=5 if is_up && self.is_guarded_without(id) => self.crash_and_lose(id),
            0..=5 if !is_up => self.start(id),
            6 if is_up && self.is_guarded_without(id) => {
                let ms = 50 + self.lot.draw(1_200) as i64;
                self.pause(id, ms);
            }
            7 if is_up && self.is_guarded_without(id) => {
                let ms = 20 + self.lot.draw(900) as i64;
                self.note(|| format!("{id}: loses its connection to zookeeper for {ms} ms"));
                self.disconnect(id, ms);
            }
            8 if is_up && self.is_guarded_without(id) => {
                if let Some(process) = &self.nodes[id as usize].process {
                    let session = process.keeper.session;
                    self.expire(session);
                    self.disconnect(id, 5);
                }
            }
            9..=10 => {
                let other = (id + 1) % self.nodes.len() as i32;
                let ends = (id.min(other), id.max(other));
                if !self.cut.remove(&ends) {
                    self.cut.insert(ends);
                }
            }
            11 => self.nodes[id as usize].skew += self.lot.draw(3_000) as i64 - 1_000,
            12 => self.nodes[id as usize].log.flush(),
            _ => {}
        }
    }

    /// Whether something may happen to `id`: what a crash cost another that is in the in-sync set, or may be about to join it must be made good by a third. Who loses
    /// the disks of all that are in sync at once has lost what they alone had, whatever the rules.
    fn is_guarded_without(&self, id: i32) -> bool {
        self.nodes.iter().all(|other| other.id == id || !other.has_lost) || self.has_guard_without(id)
    }

    /// Whether another broker that is in sync, and lacks nothing, is well, and has been since the controller last said who is in sync: of two that were
    /// away it cannot tell which has lost something.
    fn has_guard_without(&self, id: i32) -> bool {
        let Some(state) = &self.zookeeper.state else { return false };
        state.state.isr.iter().filter(|other| **other != id).any(|&other| {
            let node = &self.nodes[other as usize];
            let registered = self.zookeeper.registrations.get(&other).map(|(_, epoch)| *epoch);
            node.process.is_some()
                && !node.has_lost
                && node.paused_until <= self.now
                && self.zookeeper.is_well(other)
                && registered.is_some_and(|epoch| epoch < state.modified)
                && !self.may_be_left_out(other)
        })
    }

    /// Whether an in-sync set without `id` is on its way.
    fn may_be_left_out(&self, id: i32) -> bool {
        let on_the_way = self.queue.values().any(|event| match event {
            Event::Zookeeper {
                request: Request::Write { write: Write::UpdateState { state, .. }, .. },
                ..
            } => !state.isr.contains(&id),
            Event::Arrives(message) => match &message.body {
                Body::AlterPartition { proposal, .. } => proposal.isr.iter().all(|(member, _)| *member != id),
                _ => false,
            },
            _ => false,
        });
        let pending = self.nodes.iter().filter_map(|node| node.replica()?.pending_isr());
        on_the_way || pending.into_iter().any(|change| !change.members.contains(&id))
    }

    /// The process is killed; all that it wrote stays.
    fn crash(&mut self, id: i32) {
        self.note(|| format!("{id}: is killed"));
        self.fall_silent(id);
        let node = &mut self.nodes[id as usize];
        node.process = None;
        node.paused_until = 0;
        // It may be back before its session is over.
        let back = 20 + self.lot.draw(if self.lot.0.is_multiple_of(2) { 200 } else { 2_500 }) as i64;
        self.at(self.now + back, Event::Starts { id });
    }

    /// The machine stops: what was not flushed may be lost.
    fn crash_and_lose(&mut self, id: i32) {
        if self.zookeeper.is_in_sync(id) && !self.has_guard_without(id) {
            return;
        }
        self.crash(id);
        let node = &mut self.nodes[id as usize];
        let end = node.log.end();
        if node.log.lose_tail(&mut self.lot) {
            // Fetches on their way may tell of what it has no more.
            node.has_lost = true;
            node.had = node.had.max(end);
        }
        let end = self.nodes[id as usize].log.end();
        self.note(|| format!("{id}: its log ends at {end}"));
    }

    /// Whoever has lost something, and is out of sync, and is known to have started again, can be in sync again only when it has everything.
    pub(crate) fn forgive(&mut self) {
        for id in 0..self.nodes.len() as i32 {
            let node = &self.nodes[id as usize];
            if !node.has_lost || self.zookeeper.is_in_sync(id) {
                continue;
            }
            let Some(process) = &node.process else { continue };
            let Some(&(session, epoch)) = self.zookeeper.registrations.get(&id) else { continue };
            let is_known =
                self.nodes.iter().filter_map(|node| node.process.as_ref()?.office.as_ref()).any(|office| {
                    office.epoch == self.zookeeper.controller_epoch && office.live.get(&id) == Some(&epoch)
                });
            let joins = |event: &Event| match event {
                Event::Zookeeper {
                    request: Request::Write { write: Write::UpdateState { state, .. }, .. },
                    ..
                } => state.isr.contains(&id),
                _ => false,
            };
            let may_join = self.queue.values().any(joins);
            if session == process.keeper.session && is_known && !may_join {
                self.nodes[id as usize].has_lost = false;
                self.nodes[id as usize].had = 0;
            }
        }
    }

    fn pause(&mut self, id: i32, ms: i64) {
        self.note(|| format!("{id}: stands still for {ms} ms"));
        self.fall_silent(id);
        self.nodes[id as usize].paused_until = self.now + ms;
        self.timer(id, ms, Timer::Resume);
    }

    pub(crate) fn resume(&mut self, id: i32) {
        let Some(process) = &self.nodes[id as usize].process else { return };
        if !process.keeper.is_connected {
            return;
        }
        let session = process.keeper.session;
        match self.zookeeper.sessions.get_mut(&session) {
            Some(session) => session.silent_since = None,
            None => self.begin_session(id),
        }
    }

    pub(crate) fn start(&mut self, id: i32) {
        if self.nodes[id as usize].process.is_some() {
            return;
        }
        let session = self.zookeeper.open(id);
        let node = &mut self.nodes[id as usize];
        node.incarnation += 1;
        node.log.recover();
        node.process = Some(Process::new(session));
        self.note(|| format!("{id}: starts"));
        self.ask_zookeeper(id, Request::Register);
        self.timer(id, 1, Timer::Tick);
    }

    /// From now on nothing goes wrong any more, and what was broken works.
    pub(crate) fn heal(&mut self) {
        self.is_healed = true;
        self.cut.clear();
        for id in 0..self.nodes.len() as i32 {
            self.start(id);
        }
    }
}
