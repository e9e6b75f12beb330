//! Reading what the controller decides by. Requests go out one after the other without waiting for answers (the client pipelines them); each
//! answer becomes an event.

use std::collections::HashSet;

use futures_util::{StreamExt, stream};
use tracing::error;
use vltava_cluster::controller::{Broker, Event, StateNode, TopicName, TopicNode};
use vltava_settings::{topic, validate_topic_config};
use zookeeper_client as zk;

use super::subjects::Subject;
use crate::control::{
    configs,
    session::{PIPELINE, Session},
    topic_names::validate_name,
    znodes::{self, Entity, ZnodeError, paths},
};

/// What a read brought.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// For the machine.
    pub(super) events: Vec<Event>,
    /// Watches that were set.
    pub(super) watches: Vec<(Subject, zk::OneshotWatcher)>,
    /// Whether `/controller` is another's now.
    pub(super) lost_office: bool,
}

impl Read {
    fn of(event: Event) -> Self {
        Self { events: vec![event], ..Self::default() }
    }
}

/// Lists a directory, watched unless it is already.
async fn list(
    session: &Session,
    path: &'static str,
    subject: Subject,
    watch: bool,
) -> Option<(Vec<String>, Read)> {
    let mut read = Read::default();
    let listed = if watch {
        let listed =
            session.persist(|client| async move { client.list_and_watch_children(path).await }).await;
        listed.map(|(names, watcher)| {
            read.watches.push((subject, watcher));
            names
        })
    } else {
        session.persist(|client| async move { client.list_children(path).await }).await
    };
    match listed {
        Ok(names) => Some((names, read)),
        Err(error) => {
            error!(path, %error, "the controller cannot list");
            None
        }
    }
}

/// `/brokers/ids`: who lives. `watched` are the registrations that have a watch already.
pub(super) async fn brokers(session: Session, watch: bool, watched: HashSet<String>) -> Read {
    let Some((names, mut read)) = list(&session, paths::BROKER_IDS, Subject::Brokers, watch).await else {
        return Read::default();
    };
    let one = |name: String| {
        let (session, watch) = (session.clone(), !watched.contains(&name));
        async move {
            let path = format!("{}/{name}", paths::BROKER_IDS);
            let path = path.as_str();
            let found = if watch {
                let found =
                    session.persist(|client| async move { client.get_and_watch_data(path).await }).await;
                found
                    .map(|(data, stat, watcher)| (data, stat, Some((Subject::Broker(name.clone()), watcher))))
            } else {
                let found = session.persist(|client| async move { client.get_data(path).await }).await;
                found.map(|(data, stat)| (data, stat, None))
            };
            let (data, stat, watcher) = found.ok()?;
            let id = name.parse().ok();
            let broker = match (id, znodes::decode_broker(path, &data)) {
                (Some(id), Ok(found)) => {
                    Some(Broker { id, epoch: stat.czxid, endpoints: found.endpoints, rack: found.rack })
                }
                (_, found) => {
                    let error = found.err().map(|error| error.to_string()).unwrap_or_default();
                    error!(path, error, "a registration makes no sense; the broker is passed over");
                    None
                }
            };
            Some((broker, watcher))
        }
    };
    let found: Vec<_> = stream::iter(names).map(one).buffered(PIPELINE).collect().await;
    let mut brokers = Vec::with_capacity(found.len());
    for (broker, watcher) in found.into_iter().flatten() {
        brokers.extend(broker);
        read.watches.extend(watcher);
    }
    read.events.push(Event::Brokers(brokers));
    read
}

/// `/brokers/topics`.
pub(super) async fn topics(session: Session, watch: bool) -> Read {
    let Some((names, mut read)) = list(&session, paths::TOPICS, Subject::Topics, watch).await else {
        return Read::default();
    };
    read.events.push(Event::Topics(names.into_iter().map(Into::into).collect()));
    read
}

/// `/admin/delete_topics`.
pub(super) async fn deletions(session: Session, watch: bool) -> Read {
    let Some((names, mut read)) = list(&session, paths::DELETE_TOPICS, Subject::Deletions, watch).await
    else {
        return Read::default();
    };
    // When each was asked for: one that is older than the topic was asked of another of that name.
    let one = |name: String| async {
        let found = session.read(&paths::delete_topic(&name)).await;
        (name, found)
    };
    let mut requests = Vec::with_capacity(names.len());
    let mut found = stream::iter(names).map(one).buffered(PIPELINE);
    while let Some((name, found)) = found.next().await {
        match found {
            Ok(Some((_, stat))) => requests.push((name.into(), stat.czxid)),
            // Cleared since the list was read.
            Ok(None) => {}
            Err(error) => error!(topic = name, %error, "a request to delete a topic cannot be read"),
        }
    }
    drop(found);
    read.events.push(Event::Deletions(requests));
    read
}

/// One topic's assignment.
pub(super) async fn topic(session: Session, topic: TopicName, watch: bool) -> Read {
    let path = paths::topic(&topic);
    let path = path.as_str();
    let mut watches = Vec::new();
    let found = if watch {
        let found = session.persist(|client| async move { client.get_and_watch_data(path).await }).await;
        found.map(|(data, stat, watcher)| {
            watches.push((Subject::Topic(topic.clone()), watcher));
            (data, stat)
        })
    } else {
        session.persist(|client| async move { client.get_data(path).await }).await
    };
    // Before the topic itself: an election waits for nothing else.
    let own = unclean_event(&session, &topic, found.is_ok()).await;
    let event = match found {
        Ok(_) if let Err(refused) = validate_name(&topic) => {
            error!(path, reason = refused.message, "a topic is passed over: nothing can be named so");
            Event::Unreadable { topic, partition: None }
        }
        Ok((data, stat)) => match znodes::decode_topic(path, &data) {
            Ok(assignment) => {
                let node = TopicNode { created: stat.czxid, version: stat.version, assignment };
                Event::Topic { topic, node: Some(node) }
            }
            Err(error) => {
                error!(%error, "a topic is passed over until its znode changes");
                Event::Unreadable { topic, partition: None }
            }
        },
        Err(zk::Error::NoNode) => Event::Topic { topic, node: None },
        Err(error) => {
            error!(path, %error, "the controller cannot read");
            Event::Unreadable { topic, partition: None }
        }
    };
    Read { watches, events: vec![own, event], ..Read::default() }
}

/// A topic's `unclean.leader.election.enable`.
pub(super) async fn unclean(session: Session, topic: TopicName) -> Read {
    Read::of(unclean_event(&session, &topic, true).await)
}

async fn unclean_event(session: &Session, topic: &TopicName, exists: bool) -> Event {
    let name = topic::UNCLEAN_LEADER_ELECTION_ENABLE.name();
    let mut enabled = None;
    if exists {
        match configs::overrides(session, &Entity::Topic(topic.to_string())).await {
            Ok((overrides, _)) => {
                let value = overrides.get(name).filter(|text| validate_topic_config(name, text).is_ok());
                enabled = value.map(|text| text.trim().eq_ignore_ascii_case("true"));
            }
            // Without it the cautious default holds.
            Err(error) => error!(topic = &**topic, %error, "the topic's configuration cannot be read"),
        }
    }
    Event::UncleanElection { topic: Some(topic.clone()), enabled }
}

/// States of a topic's partitions.
pub(super) async fn states(session: Session, topic: TopicName, created: i64, partitions: Vec<i32>) -> Read {
    let one = |partition: i32| {
        let (session, path) = (session.clone(), paths::state(&topic, partition));
        async move { (partition, session.read(&path).await, path) }
    };
    let found: Vec<_> = stream::iter(partitions).map(one).buffered(PIPELINE).collect().await;
    let mut read = Read::default();
    let mut states = Vec::with_capacity(found.len());
    for (partition, found, path) in found {
        let decoded = match found {
            Ok(None) => Ok(None),
            Ok(Some((data, stat))) => znodes::decode_state(&path, &data)
                .map(|state| Some(StateNode { state, version: stat.version, modified: stat.mzxid }))
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match decoded {
            Ok(state) => states.push((partition, state)),
            Err(error) => {
                error!(path, error, "a partition is passed over");
                read.events.push(Event::Unreadable { topic: topic.clone(), partition: Some(partition) });
            }
        }
    }
    read.events.push(Event::States { topic, created, states });
    read
}

/// `/isr_change_notification`: reads the notifications and deletes them.
pub(super) async fn isr_changes(session: Session, watch: bool) -> Read {
    let subject = Subject::IsrChanges;
    let decode = znodes::decode_isr_change;
    let (told, mut read) = notifications(&session, paths::ISR_CHANGES, subject, watch, decode).await;
    let changed: Vec<_> = told.into_iter().flatten().map(|(topic, n)| (TopicName::from(topic), n)).collect();
    if !changed.is_empty() {
        read.events.push(Event::IsrChanged(changed));
    }
    read
}

/// `/log_dir_event_notification`: reads the notifications and deletes them.
pub(super) async fn log_dir_events(session: Session, watch: bool) -> Read {
    let subject = Subject::LogDirEvents;
    let decode = znodes::decode_log_dir_event;
    let (brokers, mut read) = notifications(&session, paths::LOG_DIR_EVENTS, subject, watch, decode).await;
    if !brokers.is_empty() {
        read.events.push(Event::LogDirsFailed(brokers));
    }
    read
}

/// What the sequential nodes of a directory say, in their order. They are deleted: what is told here has been read.
async fn notifications<T>(
    session: &Session,
    directory: &'static str,
    subject: Subject,
    watch: bool,
    decode: impl Fn(&str, &[u8]) -> Result<T, ZnodeError>,
) -> (Vec<T>, Read) {
    let Some((mut names, read)) = list(session, directory, subject, watch).await else {
        return (Vec::new(), Read::default());
    };
    names.sort_unstable();
    let mut told = Vec::new();
    for name in names {
        let path = format!("{directory}/{name}");
        let Ok(Some((data, _))) = session.read(&path).await else { continue };
        match decode(&path, &data) {
            Ok(content) => told.push(content),
            Err(error) => error!(%error, "a notification is passed over"),
        }
        let path = path.as_str();
        if let Err(error) = session.persist(|client| async move { client.delete(path, None).await }).await
            && error != zk::Error::NoNode
        {
            error!(path, %error, "a notification cannot be deleted");
        }
    }
    (told, read)
}

/// A znode that an administrator makes, and the controller deletes when it has obeyed.
async fn request(
    session: &Session,
    path: &'static str,
    subject: Subject,
    watch: bool,
) -> (Option<Vec<u8>>, Read) {
    let mut read = Read::default();
    if watch {
        let watched = session.persist(|client| async move { client.check_and_watch_stat(path).await }).await;
        match watched {
            Ok((_, watcher)) => read.watches.push((subject, watcher)),
            Err(error) => error!(path, %error, "the controller cannot watch"),
        }
    }
    let data = session.read(path).await.ok().flatten().map(|(data, _)| data);
    (data, read)
}

/// `/admin/preferred_replica_election`.
pub(super) async fn preferred_election(session: Session, watch: bool) -> Read {
    let (data, mut read) =
        request(&session, paths::PREFERRED_ELECTION, Subject::PreferredElection, watch).await;
    let Some(data) = data else { return read };
    let partitions = znodes::decode_preferred_election(&data).unwrap_or_else(|error| {
        error!(%error, "the request is dropped");
        znodes::PreferredElection(Vec::new())
    });
    let partitions = partitions.0.into_iter().map(|(topic, n)| (topic.into(), n)).collect();
    read.events.push(Event::ElectPreferred(Some(partitions)));
    read
}

/// `/admin/reassign_partitions`.
pub(super) async fn reassignment(session: Session, watch: bool) -> Read {
    let (data, mut read) = request(&session, paths::REASSIGN_PARTITIONS, Subject::Reassignment, watch).await;
    let Some(data) = data else { return read };
    let partitions = znodes::decode_reassignment(&data).unwrap_or_else(|error| {
        error!(%error, "the request is dropped");
        znodes::Reassignment(Vec::new())
    });
    let partitions =
        partitions.0.into_iter().map(|(topic, n, replicas)| (topic.into(), n, replicas)).collect();
    read.events.push(Event::Reassign(partitions));
    read
}

/// `/controller`: whether it is still ours.
pub(super) async fn office(session: Session, watch: bool) -> Read {
    let mut read = Read::default();
    if watch {
        let watched = session
            .persist(|client| async move { client.check_and_watch_stat(paths::CONTROLLER).await })
            .await;
        match watched {
            Ok((_, watcher)) => read.watches.push((Subject::Office, watcher)),
            Err(error) => error!(%error, "the controller cannot watch its office"),
        }
    }
    let found = session.read(paths::CONTROLLER).await;
    read.lost_office = match found {
        Ok(Some((_, stat))) => stat.ephemeral_owner != session.client().session_id().0,
        Ok(None) => true,
        Err(_) => false,
    };
    read
}
