//! A member of a ZooKeeper group: it registers, rebalances after each change, commits, and leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tokio::{runtime::Runtime, task::JoinSet};
use vltava_broker::control::{Session, ZooKeeperAddress, znodes::paths};

use rdkafka::message::BorrowedMessage;

use super::super::{client::ClientProperties, failure::Failure, output, zookeeper};
use super::{
    Membership, Wanted, assignment,
    fetcher::Fetcher,
    registry::{self, Registration},
};

const LOGGER: &str = "kafka.consumer.ZookeeperConsumerConnector";

/// A member of the group.
pub(super) struct Member {
    session: Session,
    address: ZooKeeperAddress,
    client: ClientProperties,
    group: String,
    id: String,
    registration: Registration,
    /// The names of this member's threads; their order is their number.
    threads: Vec<String>,
    /// Which of them each partition is for.
    shares: BTreeMap<(String, i32), usize>,
    with_internal: bool,
    fetcher: Option<Fetcher>,
    changes: Changes,
    commit_every: Option<Duration>,
    next_commit: Instant,
    attempts: u32,
    backoff: Duration,
    safe: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

/// Opens a session for a member.
pub(super) async fn connect(membership: &Membership<'_>) -> Result<Session, Failure> {
    Ok(Session::open(&address(membership)?).await?)
}

fn address(membership: &Membership<'_>) -> Result<ZooKeeperAddress, Failure> {
    Ok(ZooKeeperAddress {
        connect: membership.zookeeper.to_owned(),
        session_timeout: millis(membership.client, "zookeeper.session.timeout.ms", 6_000)?,
        connection_timeout: millis(membership.client, "zookeeper.connection.timeout.ms", 30_000)?,
    })
}

fn millis(client: &ClientProperties, name: &str, default: i64) -> Result<Duration, Failure> {
    Ok(Duration::from_millis(u64::try_from(client.number(name, default)?).unwrap_or_default()))
}

impl Member {
    /// Registers and takes its share.
    pub(super) async fn join(membership: &Membership<'_>, session: Session) -> Result<Self, Failure> {
        let client = membership.client.clone();
        if client.get("partition.assignment.strategy").is_some_and(|strategy| strategy != "range") {
            return Err(Failure::illegal(
                "partition.assignment.strategy: the ZooKeeper consumer knows range only",
            ));
        }
        let group = membership.group.to_owned();
        let every = millis(&client, "auto.commit.interval.ms", 60_000)?;
        let commits =
            !["auto.commit.enable", "enable.auto.commit"].iter().any(|n| client.get(n) == Some("false"));
        let sync = client.number("zookeeper.sync.time.ms", 2_000)?;
        let id = format!("{group}_{}", consumer_id(&client));
        let named = match membership.topics {
            Wanted::Topic(topic) | Wanted::Matching(topic) => topic.starts_with("__"),
            Wanted::NotMatching(_) => false,
        };
        let mut member = Self {
            registration: Registration::of(membership.topics, membership.threads),
            threads: (0..membership.threads).map(|thread| format!("{id}-{thread}")).collect(),
            shares: BTreeMap::new(),
            with_internal: named || client.get("exclude.internal.topics") == Some("false"),
            fetcher: None,
            changes: Changes::default(),
            commit_every: commits.then_some(every),
            next_commit: Instant::now() + every,
            attempts: u32::try_from(client.number("rebalance.max.retries", 4)?).unwrap_or_default(),
            backoff: millis(&client, "rebalance.backoff.ms", sync)?,
            safe: membership.safe.clone(),
            session,
            address: address(membership)?,
            client,
            group,
            id,
        };
        registry::register(&member.session, &member.group, &member.id, &member.registration).await?;
        member.rebalance().await?;
        Ok(member)
    }

    /// Commits, lets go of everything and leaves. The session is still open.
    pub(super) async fn leave(&mut self) -> Result<Session, Failure> {
        self.let_go().await?;
        registry::unregister(&self.session, &self.group, &self.id).await?;
        Ok(self.session.clone())
    }

    /// Attends to the group, waits so long for a record and has it taken. Whether there was one.
    pub(super) fn poll(
        &mut self,
        runtime: &Runtime,
        wait: Duration,
        take: &mut dyn FnMut(&BorrowedMessage<'_>),
    ) -> Result<bool, Failure> {
        runtime.block_on(self.attend())?;
        match &mut self.fetcher {
            Some(fetcher) => fetcher.poll(wait, take),
            None => {
                std::thread::sleep(wait);
                Ok(false)
            }
        }
    }

    /// The number of the thread that a partition is for.
    pub(super) fn thread_of(&self, topic: &str, partition: i32) -> Option<usize> {
        self.shares.get(&(topic.to_owned(), partition)).copied()
    }

    /// What is due: a new session, a rebalance, a commit.
    async fn attend(&mut self) -> Result<(), Failure> {
        match self.attend_to_session().await {
            // Then the next turn begins a new session, and with it everything anew.
            Err(_) if self.session.client().state().is_terminated() => Ok(()),
            outcome => outcome,
        }
    }

    async fn attend_to_session(&mut self) -> Result<(), Failure> {
        if self.session.client().state().is_terminated() {
            self.renew().await?;
        } else if self.changes.happened() {
            self.rebalance().await?;
        }
        if let Some(every) = self.commit_every.filter(|_| Instant::now() >= self.next_commit) {
            self.next_commit = Instant::now() + every;
            self.commit().await?;
        }
        Ok(())
    }

    /// An expired session has taken registration and ownership with it.
    async fn renew(&mut self) -> Result<(), Failure> {
        output::log_warning("the ZooKeeper session has expired; registering again", LOGGER);
        if let Some(fetcher) = &mut self.fetcher {
            fetcher.stop()?;
        }
        self.session = Session::reopen(&self.address).await;
        registry::register(&self.session, &self.group, &self.id, &self.registration).await?;
        self.rebalance().await
    }

    /// Tries until the share is taken: an owner before us may need time to let go.
    async fn rebalance(&mut self) -> Result<(), Failure> {
        for attempt in 0..=self.attempts {
            // Watches are set before anything is read: what changes later raises the flag again.
            self.changes.watch(&self.session, &self.group).await?;
            self.let_go().await?;
            if self.take_share().await? {
                return Ok(());
            }
            if attempt < self.attempts {
                self.changes.wait(self.backoff).await;
            }
        }
        let text = format!("{} can't rebalance after {} retries", self.id, self.attempts);
        Err(Failure::new("kafka.common.ConsumerRebalanceFailedException", text))
    }

    /// Computes this member's partitions and owns them. `false` if one still belongs to somebody else.
    async fn take_share(&mut self) -> Result<bool, Failure> {
        let session = self.session.clone();
        let brokers = zookeeper::brokers(&session).await?;
        if brokers.is_empty() {
            // The watch on brokers brings the next attempt.
            output::log_warning("no brokers found when trying to rebalance.", LOGGER);
            return Ok(true);
        }
        let existing: BTreeSet<String> =
            zookeeper::children(&session, paths::TOPICS).await?.into_iter().collect();
        let consumers = registry::consumers(&session, &self.group, &existing, self.with_internal).await?;
        let (mut share, mut shares) = (BTreeMap::new(), BTreeMap::new());
        for (topic, threads) in &consumers {
            if !self.threads.iter().any(|thread| threads.contains(thread)) {
                continue;
            }
            self.changes.watch_topic(&session, topic).await?;
            let partitions = registry::partitions(&session, topic).await?;
            let mut assigned = assignment::range(&partitions, threads);
            for (number, thread) in self.threads.iter().enumerate() {
                for partition in assigned.remove(thread).unwrap_or_default() {
                    let committed = registry::committed(&session, &self.group, topic, partition).await?;
                    share.insert((topic.clone(), partition), committed);
                    shares.insert((topic.clone(), partition), number);
                }
            }
        }
        let mut taken: Vec<(String, i32)> = Vec::with_capacity(share.len());
        for ((topic, partition), number) in &shares {
            let thread = &self.threads[*number];
            if !registry::own(&session, &self.group, topic, *partition, thread).await? {
                for (topic, partition) in taken {
                    registry::release(&session, &self.group, &topic, partition).await?;
                }
                return Ok(false);
            }
            taken.push((topic.clone(), *partition));
        }
        self.shares = shares;
        self.fetch(share, &registry::addresses(&brokers))
    }

    fn fetch(&mut self, share: BTreeMap<(String, i32), Option<i64>>, brokers: &str) -> Result<bool, Failure> {
        let mut fetcher = match self.fetcher.take() {
            Some(fetcher) => fetcher,
            None => Fetcher::new(&self.client, brokers)?,
        };
        let started = tokio::task::block_in_place(|| fetcher.start(share));
        self.fetcher = Some(fetcher);
        started.map(|()| true)
    }

    /// Stops fetching, commits, and lets go of the partitions.
    async fn let_go(&mut self) -> Result<(), Failure> {
        let Some(fetcher) = &mut self.fetcher else { return Ok(()) };
        let owned = fetcher.partitions();
        let behind = fetcher.uncommitted();
        fetcher.stop()?;
        if self.commit_every.is_some() && self.is_safe() {
            for (topic, partition, next) in behind {
                registry::commit(&self.session, &self.group, &topic, partition, next).await?;
            }
        }
        for (topic, partition) in owned {
            registry::release(&self.session, &self.group, &topic, partition).await?;
        }
        Ok(())
    }

    /// Whether what has been taken may be committed.
    fn is_safe(&self) -> bool {
        self.safe.as_ref().is_none_or(|safe| tokio::task::block_in_place(|| safe()))
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        if !self.is_safe() {
            return Ok(());
        }
        let Some(fetcher) = &mut self.fetcher else { return Ok(()) };
        for (topic, partition, next) in fetcher.uncommitted() {
            registry::commit(&self.session, &self.group, &topic, partition, next).await?;
            fetcher.committed(&topic, partition, next);
        }
        Ok(())
    }
}

/// `consumer.id`, or host, time and eight digits of chance.
fn consumer_id(client: &ClientProperties) -> String {
    if let Some(id) = client.get("consumer.id") {
        return id.to_owned();
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = if host.trim().is_empty() { "localhost" } else { host.trim() };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    format!("{host}-{now}-{:08x}", rand::random::<u32>())
}

/// Whether something that the assignment depends on has changed.
#[derive(Debug, Default)]
struct Changes {
    changed: Arc<AtomicBool>,
    wake: Arc<tokio::sync::Notify>,
    /// The watches of this attempt; they end with it.
    watches: JoinSet<()>,
}

impl Changes {
    fn happened(&self) -> bool {
        self.changed.load(Ordering::Acquire)
    }

    /// Watches members, brokers and topics.
    async fn watch(&mut self, session: &Session, group: &str) -> Result<(), Failure> {
        self.watches = JoinSet::new();
        self.changed.store(false, Ordering::Release);
        for path in [registry::ids(group), paths::BROKER_IDS.to_owned(), paths::TOPICS.to_owned()] {
            let path = path.as_str();
            session.make_path(path).await?;
            let (_, watcher) =
                session.persist(|client| async move { client.list_and_watch_children(path).await }).await?;
            self.note(watcher);
        }
        Ok(())
    }

    /// Watches a topic's partitions, also of one that is not there yet.
    async fn watch_topic(&mut self, session: &Session, topic: &str) -> Result<(), Failure> {
        let path = paths::topic(topic);
        let path = path.as_str();
        let (_, watcher) =
            session.persist(|client| async move { client.check_and_watch_stat(path).await }).await?;
        self.note(watcher);
        Ok(())
    }

    fn note(&mut self, watcher: zookeeper_client::OneshotWatcher) {
        let (changed, wake) = (self.changed.clone(), self.wake.clone());
        self.watches.spawn(async move {
            watcher.changed().await;
            changed.store(true, Ordering::Release);
            wake.notify_one();
        });
    }

    /// Waits for a change, but no longer than `most`.
    async fn wait(&self, most: Duration) {
        let _ = tokio::time::timeout(most, self.wake.notified()).await;
    }
}
