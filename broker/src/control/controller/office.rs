//! One term in office: what the machine wants is done, what came of it is told to the machine.

use std::collections::BTreeMap;

use futures_util::{
    StreamExt,
    future::{BoxFuture, FutureExt, ready},
    stream::FuturesUnordered,
};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{info, warn};
use vltava_cluster::controller::{Action, BrokerRequest, Controller, Event, Write};
use vltava_protocol::{
    ErrorCode,
    messages::{AlterPartitionRequest, AlterPartitionResponse},
};
use vltava_settings::broker as keys;
use zookeeper_client as zk;

use super::{
    ControllerStatus, IsrAnswer,
    channels::{Channels, Sending},
    isr_calls::IsrCalls,
    outcomes::Expects,
    reads::{self, Read},
    subjects::{Subject, Subjects},
    writes,
};
use crate::control::{
    Shared,
    orders::{self, Order},
    peers::Peers,
    requests::{self, Ends},
    session::Session,
    shutdown::{Call, Calls, Leaving},
    znodes::Entity,
};

/// What work under way ends with.
enum Ended {
    Read(Subject, Read),
    States(Read),
    Events(Vec<Event>),
}

struct Office<'a> {
    session: &'a Session,
    me: i32,
    status: &'a watch::Sender<ControllerStatus>,
    epoch_version: i32,
    machine: &'a mut Controller,
    orders: &'a mpsc::Sender<Order>,
    channels: Channels,
    isr_calls: IsrCalls,
    /// The listener by which brokers reach each other.
    listener: String,
    subjects: Subjects,
    /// Reads and writes under way; as many as the machine has asked for, and it asks for each znode once.
    work: FuturesUnordered<BoxFuture<'static, Ended>>,
    watches: FuturesUnordered<BoxFuture<'static, (Subject, zk::WatchedEvent)>>,
    resigned: bool,
    /// Brokers that are about to stop, and wait for their leaderships to be moved.
    stopping: Vec<Leaving>,
    /// Unclean elections that the machine had counted and told before.
    counted: u64,
    /// Who lived when it was last read, with broker epochs.
    live: BTreeMap<i32, i64>,
}

/// What a term is built on.
pub(super) struct Term<'a> {
    pub(super) session: &'a Session,
    pub(super) epoch: i32,
    pub(super) epoch_version: i32,
}

/// Governs until the office or the session is lost.
pub(super) async fn govern(
    Term { session, epoch, epoch_version }: Term<'_>,
    machine: &mut Controller,
    shared: &Shared,
    calls: &mut Calls,
) {
    let (me, status) = (shared.broker_id, &shared.status);
    let mut changes = shared.configs.changed_entities();
    let unclean = || Event::UncleanElection {
        topic: None,
        enabled: Some(shared.configs.broker().get(keys::UNCLEAN_LEADER_ELECTION_ENABLE)),
    };
    let peers = Peers::of(&shared.configs.broker(), me);
    let counted = machine.unclean_elections();
    let mut office = Office {
        session,
        me,
        status,
        epoch_version,
        machine,
        orders: &shared.orders,
        listener: peers.listener.clone(),
        channels: Channels::new(peers),
        isr_calls: IsrCalls::default(),
        subjects: Subjects::default(),
        work: FuturesUnordered::new(),
        watches: FuturesUnordered::new(),
        resigned: false,
        stopping: Vec::new(),
        counted,
        live: BTreeMap::new(),
    };
    for subject in [
        Subject::Office,
        Subject::PreferredElection,
        Subject::Reassignment,
        Subject::IsrChanges,
        Subject::LogDirEvents,
    ] {
        office.read(subject);
    }
    office.tell(vec![unclean(), Event::Elected { epoch, epoch_version }]).await;
    let ended = session.ended();
    tokio::pin!(ended);
    while !office.resigned {
        tokio::select! {
            Some(events) = office.channels.answers.recv() => office.tell(events).await,
            Some(done) = office.work.next() => office.finish(done).await,
            Some((subject, event)) = office.watches.next() => {
                // The session's own end is waited for below.
                if event.event_type != zk::EventType::Session {
                    office.subjects.has_fired(&subject);
                    office.read(subject);
                }
            }
            change = changes.recv() => match change {
                Err(broadcast::error::RecvError::Closed) => break,
                Err(broadcast::error::RecvError::Lagged(_)) => office.settings_changed(None, unclean()).await,
                Ok(entity) => office.settings_changed(Some(entity), unclean()).await,
            },
            Some(call) = calls.recv() => match call {
                Call::AlterPartition(request, answer) => office.alter_partition(&request, answer).await,
                Call::ElectUnclean(partitions) => office.tell(vec![Event::ElectUnclean(partitions)]).await,
                Call::Leaving(leaving) => {
                    office.tell(vec![Event::ShuttingDown(leaving.broker)]).await;
                    office.stopping.push(leaving);
                }
            },
            _ = &mut ended => break,
        }
        office.answer_stopping();
        office.report();
    }
}

impl Office<'_> {
    /// An entity's settings changed; `None` where more changed than are kept, and all are looked at.
    async fn settings_changed(&mut self, entity: Option<Entity>, brokers: Event) {
        match entity {
            Some(Entity::Topic(name)) => return self.read(Subject::Unclean(name.into())),
            Some(_) => {}
            None => {
                for topic in self.subjects.watched_topics() {
                    self.read(Subject::Unclean(topic));
                }
            }
        }
        self.tell(vec![brokers]).await;
    }

    async fn tell(&mut self, events: Vec<Event>) {
        let actions = self.machine.handle_all(events);
        // Before brokers are told who the controller is: whom they send here must not be sent away.
        self.report();
        self.perform(actions).await;
    }

    async fn finish(&mut self, done: Ended) {
        match done {
            Ended::Events(events) => self.tell(events).await,
            Ended::States(read) => self.tell(read.events).await,
            Ended::Read(subject, read) => {
                self.tell_of_brokers(&read.events);
                for (watched, watcher) in read.watches {
                    self.subjects.is_watched_now(watched.clone());
                    self.watches.push(async move { (watched, watcher.changed().await) }.boxed());
                }
                self.resigned |= read.lost_office;
                if self.subjects.has_read(&subject) {
                    self.read(subject);
                }
                self.tell(read.events).await;
            }
        }
    }

    /// One line for each change of who lives, as Kafka's controller writes it.
    fn tell_of_brokers(&mut self, events: &[Event]) {
        for event in events {
            let Event::Brokers(brokers) = event else { continue };
            self.channels.follow(self.me, brokers);
            let live: BTreeMap<i32, i64> = brokers.iter().map(|broker| (broker.id, broker.epoch)).collect();
            let before = std::mem::replace(&mut self.live, live);
            let named = |keep: &dyn Fn(i32, i64) -> bool, of: &BTreeMap<i32, i64>| {
                of.iter().filter(|(id, epoch)| keep(**id, **epoch)).map(|(id, _)| *id).collect::<Vec<_>>()
            };
            let added = named(&|id, _| !before.contains_key(&id), &self.live);
            let deleted = named(&|id, _| !self.live.contains_key(&id), &before);
            let bounced = named(&|id, epoch| before.get(&id).is_some_and(|old| *old != epoch), &self.live);
            if !(added.is_empty() && deleted.is_empty() && bounced.is_empty()) {
                info!(?added, ?deleted, ?bounced, live = ?self.live.keys(), "brokers");
            }
        }
    }

    /// Does what the machine wants. What goes to brokers keeps its order; states that may be written together are.
    async fn perform(&mut self, actions: Vec<Action>) {
        let mut states = Vec::new();
        for action in actions {
            match action {
                Action::ReadBrokers => self.read(Subject::Brokers),
                Action::ReadTopics => self.read(Subject::Topics),
                Action::ReadDeletions => self.read(Subject::Deletions),
                Action::ReadTopic(topic) => self.read(Subject::Topic(topic)),
                Action::ReadStates { topic, created, partitions } => {
                    let read = reads::states(self.session.clone(), topic, created, partitions);
                    self.work.push(read.map(Ended::States).boxed());
                }
                Action::Write(write @ (Write::CreateState { .. } | Write::UpdateState { .. })) => {
                    states.push(write)
                }
                Action::Write(write) => {
                    let write = writes::one(self.session.clone(), self.epoch_version, write);
                    self.work.push(write.map(Ended::Events).boxed());
                }
                Action::Send { broker, request } => self.send(broker, request).await,
                Action::AnswerIsr { ticket, outcome } => self.isr_calls.answered(ticket, outcome),
                Action::Resign => self.resigned = true,
            }
        }
        while !states.is_empty() {
            let rest = states.split_off(states.len().min(writes::STATES_AT_ONCE));
            let chunk = std::mem::replace(&mut states, rest);
            let write = writes::states(self.session.clone(), self.epoch_version, chunk);
            self.work.push(write.map(Ended::Events).boxed());
        }
    }

    fn read(&mut self, subject: Subject) {
        let subject = if let Subject::Broker(_) = subject { Subject::Brokers } else { subject };
        if !self.subjects.want(&subject) {
            return;
        }
        let watch = !self.subjects.is_watched(&subject);
        let session = self.session.clone();
        let read = match subject.clone() {
            Subject::Brokers | Subject::Broker(_) => {
                reads::brokers(session, watch, self.subjects.watched_brokers()).boxed()
            }
            Subject::Topics => reads::topics(session, watch).boxed(),
            Subject::Topic(topic) => reads::topic(session, topic, watch).boxed(),
            Subject::Deletions => reads::deletions(session, watch).boxed(),
            Subject::PreferredElection => reads::preferred_election(session, watch).boxed(),
            Subject::Reassignment => reads::reassignment(session, watch).boxed(),
            Subject::Unclean(topic) => reads::unclean(session, topic).boxed(),
            Subject::IsrChanges => reads::isr_changes(session, watch).boxed(),
            Subject::LogDirEvents => reads::log_dir_events(session, watch).boxed(),
            Subject::Office => reads::office(session, watch).boxed(),
        };
        self.work.push(read.map(move |read| Ended::Read(subject, read)).boxed());
    }

    /// Sends to a broker. This broker takes its orders in process.
    async fn send(&mut self, broker: i32, request: BrokerRequest) {
        let broker_epoch = self.live.get(&broker).copied().unwrap_or(-1);
        let expects = Expects::of(&request);
        let told =
            requests::told(Ends { controller: self.me, broker_epoch, listener: &self.listener }, &request);
        if broker == self.me {
            let Some(answered) = orders::give(self.orders, told).await else {
                self.resigned = true;
                return;
            };
            let outcome = async move { Ended::Events(expects.events(broker, answered.await)) };
            self.work.push(outcome.boxed());
            return;
        }
        match self.channels.send(broker, told, expects) {
            Sending::Queued => {}
            Sending::Overflowed => {
                self.work.push(ready(Ended::Events(vec![Event::Introduce(broker)])).boxed());
            }
            Sending::NoWay => warn!(broker, "there is no way to the broker; a request to it is dropped"),
        }
    }

    /// Puts the questions of an AlterPartition to the machine.
    async fn alter_partition(&mut self, request: &AlterPartitionRequest<'_>, answer: IsrAnswer) {
        let registered = self.live.get(&request.broker_id);
        if registered.is_none_or(|epoch| request.broker_epoch >= 0 && request.broker_epoch != *epoch) {
            let error_code = ErrorCode::StaleBrokerEpoch.into();
            // Who asked may have gone.
            let _ = answer.send(AlterPartitionResponse { error_code, ..Default::default() });
            return;
        }
        let questions = self.isr_calls.begin(request, answer, self.machine.topic_ids());
        self.tell(questions).await;
    }

    /// Answers those of whom nothing is being moved any more.
    fn answer_stopping(&mut self) {
        for call in std::mem::take(&mut self.stopping) {
            let (led, in_flight) = self.machine.replicated_and_led_by(call.broker);
            if in_flight {
                self.stopping.push(call);
            } else {
                // Who asked may have lost patience.
                let _ = call.remaining.send(led);
            }
        }
    }

    fn report(&mut self) {
        let unclean = self.machine.unclean_elections();
        let more = unclean - std::mem::replace(&mut self.counted, unclean);
        let unclean_elections = self.status.borrow().unclean_elections + more;
        let [topics, partitions, offline_partitions, preferred_imbalance, topics_to_delete] =
            self.machine.counts();
        let now = ControllerStatus {
            elsewhere: false,
            active: self.machine.is_active(),
            topics,
            partitions,
            offline_partitions,
            preferred_imbalance,
            topics_to_delete,
            unclean_elections,
        };
        self.status.send_if_modified(|status| std::mem::replace(status, now) != now);
    }
}
