//! Taking a topic's znodes away, and never those of another topic that has its name by now.
//!
//! ZooKeeper's transactions check versions, not who made a znode. So what must be gone stays so by [`absent`], which makes a
//! znode and deletes it again in one transaction: it fails where the znode is there. What hangs together goes in one transaction: the topic, its
//! configuration and the request to delete it. Nobody can make the topic again between them, and no later request is dropped for the one obeyed.

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::warn;
use vltava_cluster::controller::{TopicName, WriteOutcome};
use zookeeper_client as zk;

use super::writes::{STATES_AT_ONCE, commit};
use crate::control::{
    session::{PIPELINE, Session, persistent},
    znodes::paths,
};

/// What was found of a topic that is to go.
#[derive(Debug)]
enum Found {
    /// It is there: the version of its znode, what is below it (children after their parents), and whether it has a configuration.
    Whole { version: i32, below: Vec<String>, config: bool },
    /// Its znode is gone, by another's hand or in an attempt of ours whose answer was lost: whether there is a configuration left over.
    Rest { config: bool },
    /// Its name is another's.
    Another,
}

/// Deletes a topic of which `created` is the transaction that made it: what is below its znode first, so that a controller that dies in
/// between is followed by one that goes on.
pub(super) async fn delete_topic(
    session: &Session,
    epoch_version: i32,
    topic: &TopicName,
    created: i64,
) -> WriteOutcome {
    match find(session, topic, created).await {
        Ok(found) => remove(session, epoch_version, topic, &found).await,
        Err(error) => {
            warn!(topic = topic.as_ref(), %error, "the topic's znodes cannot be read");
            WriteOutcome::Unknown
        }
    }
}

/// Drops the request to delete a topic that is not there.
pub(super) async fn clear_request_if_absent(
    session: &Session,
    epoch_version: i32,
    topic: &TopicName,
) -> WriteOutcome {
    let add = |writer: &mut zk::MultiWriter<'_>| {
        absent(writer, &paths::topic(topic))?;
        writer.add_delete(&paths::delete_topic(topic), None)
    };
    match commit(session, epoch_version, add, topic).await {
        // Gone already is well, if that is what the conflict was.
        WriteOutcome::Conflict => match session.read(&paths::delete_topic(topic)).await {
            Ok(None) => WriteOutcome::Done(0),
            _ => WriteOutcome::Conflict,
        },
        outcome => outcome,
    }
}

/// Drops a request to delete a topic if it is still the one of that zxid. ZooKeeper checks no zxids: one that is made between the look and the deletion goes
/// with it, and its topic stays.
pub(super) async fn clear_request_asked_at(
    session: &Session,
    epoch_version: i32,
    topic: &TopicName,
    asked: i64,
) -> WriteOutcome {
    let path = paths::delete_topic(topic);
    match session.read(&path).await {
        Ok(None) => return WriteOutcome::Done(0),
        Ok(Some((_, stat))) if stat.czxid == asked => {}
        Ok(Some(_)) => return WriteOutcome::Conflict,
        Err(_) => return WriteOutcome::Unknown,
    }
    commit(session, epoch_version, |writer| writer.add_delete(&path, None), topic).await
}

async fn find(session: &Session, topic: &TopicName, created: i64) -> Result<Found, zk::Error> {
    let root = paths::topic(topic);
    let node = session.read(&root).await?;
    let config = session.read(&paths::topic_config(topic)).await?.is_some();
    Ok(match node {
        None => Found::Rest { config },
        Some((_, stat)) if stat.czxid != created => Found::Another,
        Some((_, stat)) => {
            Found::Whole { version: stat.version, below: descendants(session, &root).await?, config }
        }
    })
}

async fn remove(session: &Session, epoch_version: i32, topic: &TopicName, found: &Found) -> WriteOutcome {
    let root = paths::topic(topic);
    let version = match found {
        Found::Another => return WriteOutcome::Conflict,
        Found::Rest { .. } => None,
        Found::Whole { version, below, .. } => {
            for chunk in below.rchunks(STATES_AT_ONCE) {
                let add = |writer: &mut zk::MultiWriter<'_>| {
                    writer.add_check_version(&root, *version)?;
                    chunk.iter().rev().try_for_each(|path| writer.add_delete(path, None))
                };
                let outcome = commit(session, epoch_version, add, topic).await;
                if !matches!(outcome, WriteOutcome::Done(_)) {
                    return outcome;
                }
            }
            Some(*version)
        }
    };
    let request = paths::delete_topic(topic);
    let requested = match session.read(&request).await {
        Ok(request) => request.is_some(),
        Err(_) => return WriteOutcome::Unknown,
    };
    let (Found::Whole { config, .. } | Found::Rest { config }) = found else { return WriteOutcome::Conflict };
    let add = |writer: &mut zk::MultiWriter<'_>| {
        match version {
            Some(version) => writer.add_delete(&root, Some(version))?,
            None => absent(writer, &root)?,
        }
        let settings = paths::topic_config(topic);
        if *config {
            writer.add_delete(&settings, None)?;
        } else {
            absent(writer, &settings)?;
        }
        if requested { writer.add_delete(&request, None) } else { Ok(()) }
    };
    commit(session, epoch_version, add, topic).await
}

/// Lets a transaction fail where `path` is there.
fn absent(writer: &mut zk::MultiWriter<'_>, path: &str) -> Result<(), zk::Error> {
    writer.add_create(path, &[], &persistent())?;
    writer.add_delete(path, None)
}

/// The paths below a znode, breadth first.
async fn descendants(session: &Session, root: &str) -> Result<Vec<String>, zk::Error> {
    let mut found: Vec<String> = Vec::new();
    let mut level = vec![root.to_owned()];
    while !level.is_empty() {
        let below: Vec<Vec<String>> = stream::iter(std::mem::take(&mut level))
            .map(|path| async move {
                let names = session.children(&path).await?.unwrap_or_default();
                Ok::<_, zk::Error>(names.into_iter().map(|name| format!("{path}/{name}")).collect())
            })
            .buffered(PIPELINE)
            .try_collect()
            .await?;
        level = below.into_iter().flatten().collect();
        found.extend(level.iter().cloned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    use vltava_zookeeper::{Server, ZooKeeperConfig};

    use super::*;
    use crate::control::session::ZooKeeperAddress;

    /// A ZooKeeper with a controller's epoch, and a session in it.
    struct World {
        session: Session,
        _server: Server,
        _data: tempfile::TempDir,
    }

    impl World {
        async fn new() -> World {
            let data = tempfile::tempdir().unwrap();
            let text = format!("dataDir={}\nclientPort=0\ntickTime=100\n", data.path().display());
            let (mut config, _) = ZooKeeperConfig::from_properties(&text).unwrap();
            config.client_address = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let server = Server::start(config).await.unwrap();
            let address = ZooKeeperAddress {
                connect: server.local_addr().to_string(),
                session_timeout: Duration::from_secs(10),
                connection_timeout: Duration::from_secs(10),
            };
            let session = Session::open(&address).await.unwrap();
            for path in [paths::TOPICS, paths::DELETE_TOPICS, "/config/topics", paths::CONTROLLER_EPOCH] {
                session.make_path(path).await.unwrap();
            }
            World { session, _server: server, _data: data }
        }

        /// Makes the topic `t` with two partitions; the transaction that made it.
        async fn make_topic(&self) -> i64 {
            for path in ["/brokers/topics/t/partitions/0/state", "/brokers/topics/t/partitions/1/state"] {
                self.session.make_path(path).await.unwrap();
            }
            self.session.make_path("/config/topics/t").await.unwrap();
            self.session.read("/brokers/topics/t").await.unwrap().unwrap().1.czxid
        }

        async fn request(&self) {
            self.session.make_path("/admin/delete_topics/t").await.unwrap();
        }

        async fn is_there(&self, path: &str) -> bool {
            self.session.read(path).await.unwrap().is_some()
        }

        /// Whether the topic, its configuration and the request to delete it are there.
        async fn there(&self) -> [bool; 3] {
            [
                self.is_there("/brokers/topics/t").await,
                self.is_there("/config/topics/t").await,
                self.is_there("/admin/delete_topics/t").await,
            ]
        }
    }

    fn t() -> TopicName {
        TopicName::from("t")
    }

    #[tokio::test]
    async fn a_topic_goes_with_all_that_is_its_own() {
        let world = World::new().await;
        let created = world.make_topic().await;
        world.request().await;
        assert_eq!(delete_topic(&world.session, 0, &t(), created).await, WriteOutcome::Done(0));
        assert_eq!(world.there().await, [false; 3]);
    }

    #[tokio::test]
    async fn a_topic_that_is_made_again_during_the_deletion_stays_and_so_does_the_request_to_delete_it() {
        let world = World::new().await;
        let created = world.make_topic().await;
        world.request().await;
        assert_eq!(delete_topic(&world.session, 0, &t(), created).await, WriteOutcome::Done(0));
        // The answer was lost, and the deletion is tried again; while it reads, the topic is made again and is to be deleted again.
        let found = find(&world.session, &t(), created).await.unwrap();
        let again = world.make_topic().await;
        world.request().await;
        assert_eq!(remove(&world.session, 0, &t(), &found).await, WriteOutcome::Conflict);
        assert_eq!(world.there().await, [true; 3]);
        assert_eq!(delete_topic(&world.session, 0, &t(), created).await, WriteOutcome::Conflict);
        assert_eq!(clear_request_if_absent(&world.session, 0, &t()).await, WriteOutcome::Conflict);
        assert_eq!(world.there().await, [true; 3]);
        assert!(world.is_there("/brokers/topics/t/partitions/1/state").await);
        assert_eq!(delete_topic(&world.session, 0, &t(), again).await, WriteOutcome::Done(0));
        assert_eq!(world.there().await, [false; 3]);
    }

    #[tokio::test]
    async fn a_topic_that_changed_since_it_was_read_stays() {
        let world = World::new().await;
        let created = world.make_topic().await;
        let found = find(&world.session, &t(), created).await.unwrap();
        world.session.client().set_data("/brokers/topics/t", b"{}", None).await.unwrap();
        assert_eq!(remove(&world.session, 0, &t(), &found).await, WriteOutcome::Conflict);
        assert!(world.is_there("/brokers/topics/t/partitions/0/state").await);
    }

    #[tokio::test]
    async fn a_controller_that_was_followed_by_another_deletes_nothing() {
        let world = World::new().await;
        let created = world.make_topic().await;
        world.request().await;
        world.session.client().set_data(paths::CONTROLLER_EPOCH, b"2", None).await.unwrap();
        assert_eq!(delete_topic(&world.session, 0, &t(), created).await, WriteOutcome::Fenced);
        assert_eq!(world.there().await, [true; 3]);
        assert!(world.is_there("/brokers/topics/t/partitions/0/state").await);
    }

    #[tokio::test]
    async fn what_is_left_of_a_topic_whose_znode_is_gone_goes_too() {
        let world = World::new().await;
        world.session.make_path("/config/topics/t").await.unwrap();
        world.request().await;
        assert_eq!(delete_topic(&world.session, 0, &t(), 1).await, WriteOutcome::Done(0));
        assert_eq!(world.there().await, [false; 3]);
        assert_eq!(clear_request_if_absent(&world.session, 0, &t()).await, WriteOutcome::Done(0));
    }

    #[tokio::test]
    async fn a_request_that_was_made_anew_is_not_cleared_for_the_old_one() {
        let world = World::new().await;
        let path = "/admin/delete_topics/t";
        let asked = || async { world.session.read(path).await.unwrap().unwrap().1.czxid };
        world.request().await;
        let old = asked().await;
        world.session.client().delete(path, None).await.unwrap();
        world.request().await;
        assert_eq!(clear_request_asked_at(&world.session, 0, &t(), old).await, WriteOutcome::Conflict);
        assert!(world.is_there(path).await);
        let new = asked().await;
        assert_eq!(clear_request_asked_at(&world.session, 0, &t(), new).await, WriteOutcome::Done(0));
        assert!(!world.is_there(path).await);
        assert_eq!(clear_request_asked_at(&world.session, 0, &t(), new).await, WriteOutcome::Done(0));
    }
}
