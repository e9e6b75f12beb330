//! A broker's session in ZooKeeper: it registers, stands for election, and begins anew when the session is over. It mirrors the broker's
//! `supervisor`, `registration` and `election`.

use vltava_cluster::controller::{Event as Told, TopicNode, WriteOutcome};

use super::{
    Event, Timer, World,
    flaw::Flaw,
    node::Keeper,
    office::Office,
    zookeeper::{Answer, Request, SESSION_TIMEOUT, Watched},
};

impl World {
    /// Asks ZooKeeper: behind what was asked before.
    pub(crate) fn ask_zookeeper(&mut self, id: i32, request: Request) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        process.keeper.asked.push(request.clone());
        if !process.keeper.is_connected {
            return;
        }
        let (session, connection) = (process.keeper.session, process.keeper.connection);
        let at = self.after_latency(id);
        self.at(at, Event::Zookeeper { id, session, connection, request });
    }

    /// What one connection carries keeps its order.
    fn after_latency(&mut self, id: i32) -> i64 {
        let at = self.now + 1 + self.lot.draw(8) as i64;
        let last = &mut self.zookeeper_line[id as usize];
        *last = (*last).max(at);
        *last
    }

    /// ZooKeeper carries a request out.
    pub(crate) fn carry_out(&mut self, id: i32, session: u64, connection: u64, request: Request) {
        if !self.zookeeper.sessions.contains_key(&session) {
            return;
        }
        self.note(|| format!("zookeeper <- {id}: {request:?}"));
        let answer = match request {
            Request::Register => {
                let told = self.zookeeper.remove_former(session);
                self.tell_watchers(told);
                let (epoch, told) = self.zookeeper.register(session);
                self.tell_watchers(told);
                Answer::Registered { epoch }
            }
            Request::Stand => {
                let (epoch, told) = self.zookeeper.stand(session);
                self.tell_watchers(told);
                epoch.map_or(Answer::Beaten, |epoch| Answer::Elected { epoch })
            }
            Request::ReadBrokers => {
                self.zookeeper.watch(Watched::Brokers, session);
                Answer::Brokers(self.zookeeper.brokers())
            }
            Request::ReadOffice => {
                self.zookeeper.watch(Watched::Office, session);
                Answer::Office { is_mine: self.zookeeper.office == Some(session) }
            }
            Request::ReadTopics => Answer::Topics,
            Request::ReadTopic => Answer::Topic,
            Request::ReadDeletions => Answer::Deletions,
            Request::ReadState => Answer::State(self.zookeeper.state.clone()),
            Request::Write { write, epoch_version } => {
                let outcome = self.zookeeper.write(&write, epoch_version);
                if let WriteOutcome::Done(_) = outcome {
                    self.state_written();
                }
                Answer::Written { write, outcome }
            }
        };
        let keeper = self.nodes[id as usize].process.as_ref().map(|process| &process.keeper);
        if keeper.is_none_or(|keeper| keeper.session != session) {
            return;
        }
        let at = self.after_latency(id);
        let incarnation = self.nodes[id as usize].incarnation;
        self.at(at, Event::Answered { id, incarnation, connection, answer });
    }

    fn tell_watchers(&mut self, told: Vec<(u64, Watched)>) {
        for (session, what) in told {
            let Some(id) = self.zookeeper.sessions.get(&session).map(|session| session.broker) else {
                continue;
            };
            let at = self.after_latency(id);
            let incarnation = self.nodes[id as usize].incarnation;
            self.at(at, Event::Noticed { id, incarnation, session, what });
        }
    }

    /// A watch has fired. It is not lost with a connection: the client asks for it again on the next.
    pub(crate) fn noticed(&mut self, id: i32, session: u64, what: Watched) {
        let Some(process) = &self.nodes[id as usize].process else { return };
        if process.keeper.session != session {
            return;
        }
        match what {
            Watched::Brokers if process.office.is_some() => self.ask_zookeeper(id, Request::ReadBrokers),
            Watched::Brokers => {}
            Watched::Office if process.office.is_some() => self.ask_zookeeper(id, Request::ReadOffice),
            Watched::Office => self.ask_zookeeper(id, Request::Stand),
        }
    }

    pub(crate) fn answered_by_zookeeper(&mut self, id: i32, connection: u64, answer: Answer) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        if process.keeper.connection != connection || !process.keeper.is_connected {
            return;
        }
        process.keeper.asked.remove(0);
        match answer {
            Answer::Registered { epoch } => {
                process.broker_epoch = epoch;
                self.ask_zookeeper(id, Request::Stand);
            }
            Answer::Beaten => {}
            Answer::Elected { epoch } => {
                process.office = Some(Office::new(epoch));
                self.ask_zookeeper(id, Request::ReadOffice);
                self.tell_machine(id, vec![Told::Elected { epoch, epoch_version: epoch }]);
            }
            Answer::Office { is_mine: true } => {}
            Answer::Office { is_mine: false } => self.leave_office(id, true),
            Answer::Brokers(brokers) => self.brokers_read(id, brokers),
            Answer::Topics => self.tell_machine(id, vec![Told::Topics(vec![super::TOPIC.into()])]),
            Answer::Topic => {
                let assignment = self.assignment.clone();
                let node = Some(TopicNode { created: 1, version: 0, assignment });
                self.tell_machine(id, vec![Told::Topic { topic: super::TOPIC.into(), node }]);
            }
            Answer::Deletions => self.tell_machine(id, vec![Told::Deletions(Vec::new())]),
            Answer::State(mut state) => {
                if self.flaw == Some(Flaw::RestartsUnnoticed)
                    && let Some(state) = &mut state
                {
                    state.modified = 0;
                }
                let states = vec![(0, state)];
                self.tell_machine(id, vec![Told::States { topic: super::TOPIC.into(), created: 1, states }]);
            }
            Answer::Written { write, outcome } => {
                self.tell_machine(id, vec![Told::Written { write, outcome }]);
            }
        }
    }

    /// The connection breaks: what was asked may or may not have been carried out.
    pub(crate) fn disconnect(&mut self, id: i32, for_ms: i64) {
        self.fall_silent(id);
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        process.keeper.is_connected = false;
        // Some of what is on its way arrives; nothing of it arrives after the next connection is made.
        process.keeper.connection += 1;
        self.drop_some_on_the_way(id);
        self.timer(id, for_ms, Timer::Connect);
    }

    fn drop_some_on_the_way(&mut self, id: i32) {
        let mut dropped = self.lot.one_in(2);
        let on_the_way: Vec<_> = self
            .queue
            .iter()
            .filter(|(_, event)| matches!(event, Event::Zookeeper { id: of, .. } if *of == id))
            .map(|(key, _)| *key)
            .collect();
        for key in on_the_way {
            let Some(event) = self.queue.remove(&key) else { continue };
            dropped |= self.lot.one_in(2);
            if !dropped && let Event::Zookeeper { id, session, connection, request } = event {
                self.carry_out(id, session, connection, request);
            }
        }
    }

    pub(crate) fn connect(&mut self, id: i32) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        if process.keeper.is_connected {
            return;
        }
        process.keeper.is_connected = true;
        let asked = std::mem::take(&mut process.keeper.asked);
        let session = process.keeper.session;
        if let Some(session) = self.zookeeper.sessions.get_mut(&session) {
            session.silent_since = None;
            for request in asked {
                match request {
                    // Reads are asked again; of a write nothing is known.
                    Request::Write { write, .. } => {
                        self.tell_machine(id, vec![Told::Written { write, outcome: WriteOutcome::Unknown }]);
                    }
                    request => self.ask_zookeeper(id, request),
                }
            }
            return;
        }
        self.begin_session(id);
    }

    /// The session is over: whatever was held in it is, too.
    pub(crate) fn begin_session(&mut self, id: i32) {
        self.leave_office(id, false);
        let session = self.zookeeper.open(id);
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        let connection = process.keeper.connection + 1;
        process.keeper = Keeper { session, connection, is_connected: true, asked: Vec::new() };
        self.note(|| format!("{id}: a new session"));
        self.ask_zookeeper(id, Request::Register);
    }

    pub(crate) fn leave_office(&mut self, id: i32, stands_again: bool) {
        let Some(process) = &mut self.nodes[id as usize].process else { return };
        if process.office.take().is_none() {
            return;
        }
        process.machine.handle(Told::Resigned);
        process.keeper.asked.retain(|request| !matches!(request, Request::Write { .. }) || stands_again);
        if stands_again {
            self.ask_zookeeper(id, Request::Stand);
        }
    }

    /// Nothing is heard of the broker for a while.
    pub(crate) fn fall_silent(&mut self, id: i32) {
        let Some(process) = &self.nodes[id as usize].process else { return };
        let (session, now) = (process.keeper.session, self.now);
        if let Some(silent) = self.zookeeper.sessions.get_mut(&session)
            && silent.silent_since.is_none()
        {
            silent.silent_since = Some(now);
            self.at(now + SESSION_TIMEOUT, Event::Expires { session, since: now });
        }
    }

    pub(crate) fn may_expire(&mut self, session: u64, since: i64) {
        if self.zookeeper.sessions.get(&session).is_some_and(|session| session.silent_since == Some(since)) {
            self.expire(session);
        }
    }

    pub(crate) fn expire(&mut self, session: u64) {
        self.note(|| format!("zookeeper: session {session} expires"));
        let told = self.zookeeper.expire(session);
        self.tell_watchers(told);
    }
}
