//! The ways to the other brokers: for each one queue and one connection, on which requests go one after the other, as their order matters.
//!
//! A request is sent again until it is answered or its broker is gone: a broker that misses one would lead or follow what it should not. What is
//! queued for a broker is bounded; one that falls too far behind is told everything anew.

use std::{borrow::Cow, collections::HashMap, time::Duration};

use tokio::{sync::mpsc, task::AbortHandle};
use tracing::{info, warn};
use vltava_client::{ClientError, Connection};
use vltava_cluster::controller::{Broker, Event};

use super::outcomes::Expects;
use crate::control::{orders::Reply, peers::Peers, requests::Told};

/// Requests that may wait for one broker.
const QUEUED: usize = 4096;

/// Answers that may wait for the controller.
const ANSWERED: usize = 256;

/// Whether a request names everything is said from these versions on. A broker that is told it in an older one keeps what it was told before, as in Kafka.
const LEADER_AND_ISR_WITH_TYPE: i16 = 5;
const UPDATE_METADATA_WITH_TYPE: i16 = 8;

/// Between two attempts to reach a broker: at first, and at most.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// See the module.
pub(super) struct Channels {
    peers: Peers,
    open: HashMap<i32, Channel>,
    events: mpsc::Sender<Vec<Event>>,
    /// What the brokers' answers mean.
    pub(super) answers: mpsc::Receiver<Vec<Event>>,
}

struct Channel {
    broker: Broker,
    queue: mpsc::Sender<Outgoing>,
    task: AbortHandle,
}

struct Outgoing {
    told: Told,
    expects: Expects,
}

/// What became of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// It is on its way.
    Queued,
    /// Too much was: everything that was queued is forgotten, and the broker has to be told all.
    Overflowed,
    /// There is no way to that broker.
    NoWay,
}

impl Channels {
    pub(super) fn new(peers: Peers) -> Self {
        let (events, answers) = mpsc::channel(ANSWERED);
        Self { peers, open: HashMap::new(), events, answers }
    }

    /// Opens ways to brokers that have come, or come back; closes those to the ones that have gone. `me` needs none.
    pub(super) fn follow(&mut self, me: i32, live: &[Broker]) {
        let stays = |id: &i32, channel: &Channel| {
            live.iter().any(|broker| broker.id == *id && *broker == channel.broker)
        };
        self.open.retain(|id, channel| stays(id, channel) || channel.close());
        for broker in live.iter().filter(|broker| broker.id != me) {
            if !self.open.contains_key(&broker.id) {
                self.open(broker.clone());
            }
        }
    }

    fn open(&mut self, broker: Broker) {
        let Some(endpoint) = broker.endpoint(&self.peers.listener) else {
            warn!(
                broker = broker.id,
                listener = self.peers.listener,
                "the broker has no endpoint on the listener between brokers: it cannot be told anything"
            );
            return;
        };
        let address = (endpoint.host.clone(), endpoint.port);
        let (queue, queued) = mpsc::channel(QUEUED);
        let way = Way { broker: broker.id, address, peers: self.peers.clone(), connection: None };
        let task = tokio::spawn(way.carry(queued, self.events.clone())).abort_handle();
        self.open.insert(broker.id, Channel { broker, queue, task });
    }

    pub(super) fn send(&mut self, broker: i32, told: Told, expects: Expects) -> Sending {
        let Some(channel) = self.open.get(&broker) else { return Sending::NoWay };
        if channel.queue.try_send(Outgoing { told, expects }).is_ok() {
            return Sending::Queued;
        }
        warn!(broker, queued = QUEUED, "the broker is too far behind: it is told everything anew");
        let registered = channel.broker.clone();
        channel.close();
        self.open(registered);
        Sending::Overflowed
    }
}

impl Channel {
    /// Ends it; `false`, for `retain`.
    fn close(&self) -> bool {
        self.task.abort();
        false
    }
}

impl Drop for Channels {
    fn drop(&mut self) {
        for channel in self.open.values() {
            channel.close();
        }
    }
}

/// The way to one broker.
struct Way {
    broker: i32,
    address: (String, u16),
    peers: Peers,
    connection: Option<Connection>,
}

impl Way {
    async fn carry(mut self, mut queue: mpsc::Receiver<Outgoing>, events: mpsc::Sender<Vec<Event>>) {
        while let Some(Outgoing { told, expects }) = queue.recv().await {
            let reply = self.insist(&told).await;
            let happened = expects.events(self.broker, Some(reply));
            if !happened.is_empty() && events.send(happened).await.is_err() {
                return;
            }
        }
    }

    /// Sends until there is an answer.
    async fn insist(&mut self, told: &Told) -> Reply {
        let mut pause = BACK_OFF.0;
        loop {
            match self.ask(told).await {
                Ok(reply) => {
                    if pause > BACK_OFF.0 {
                        info!(broker = self.broker, "the broker can be told again");
                    }
                    return reply;
                }
                Err(error) => {
                    if pause == BACK_OFF.0 {
                        warn!(broker = self.broker, %error, "the broker cannot be told; trying again");
                    }
                    self.connection = None;
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    async fn ask(&mut self, told: &Told) -> Result<Reply, ClientError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(self.peers.connect(&self.address).await?),
        };
        Ok(match told {
            Told::LeaderAndIsr(request) => {
                let version = self.peers.version(connection, request)?;
                let mut request = Cow::Borrowed(request);
                if version < LEADER_AND_ISR_WITH_TYPE && request.r#type != 0 {
                    request.to_mut().r#type = 0;
                }
                Reply::LeaderAndIsr(connection.ask(&*request, version).await?)
            }
            Told::UpdateMetadata(request) => {
                let version = self.peers.version(connection, request)?;
                let mut request = Cow::Borrowed(request);
                if version < UPDATE_METADATA_WITH_TYPE && request.r#type != 0 {
                    request.to_mut().r#type = 0;
                }
                Reply::UpdateMetadata(connection.ask(&*request, version).await?)
            }
            Told::StopReplica(request) => {
                let version = self.peers.version(connection, request)?;
                Reply::StopReplica(connection.ask(request, version).await?)
            }
        })
    }
}
