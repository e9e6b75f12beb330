//! Writing what the controller decided. Every transaction begins with the check of `/controller_epoch`'s data version: once another controller
//! has been elected, nothing of ours is written any more.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::join_all;
use tracing::{error, warn};
use vltava_cluster::controller::{ClearIf, Event, Write, WriteOutcome};
use zookeeper_client as zk;

use super::deletion;
use crate::control::{
    session::{Session, is_passing, persistent},
    startup::random_id,
    znodes::{self, paths},
};

/// How many states one transaction writes: its size stays far below ZooKeeper's limit of 1 MiB for a request.
pub(super) const STATES_AT_ONCE: usize = 200;

/// Before a write that failed is reported, so that a failure that lasts does not become a hot loop.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Carries out writes that may share a transaction: the states of partitions.
pub(super) async fn states(session: Session, epoch_version: i32, writes: Vec<Write>) -> Vec<Event> {
    make_parents(&session, epoch_version, &writes).await;
    let outcomes = match together(&session, epoch_version, &writes).await {
        Some(outcomes) => outcomes,
        // One of them failed, and so none was written: each for itself.
        None => join_all(writes.iter().map(|write| alone(&session, epoch_version, write))).await,
    };
    if outcomes.iter().any(|outcome| !matches!(outcome, WriteOutcome::Done(_))) {
        tokio::time::sleep(BACK_OFF).await;
    }
    writes.into_iter().zip(outcomes).map(|(write, outcome)| Event::Written { write, outcome }).collect()
}

/// Carries out one write.
pub(super) async fn one(session: Session, epoch_version: i32, write: Write) -> Vec<Event> {
    let outcome = match &write {
        Write::DeleteTopic { topic, created } => {
            deletion::delete_topic(&session, epoch_version, topic, *created).await
        }
        Write::ClearDeletion { topic, only_if: ClearIf::TopicAbsent } => {
            deletion::clear_request_if_absent(&session, epoch_version, topic).await
        }
        Write::ClearDeletion { topic, only_if: ClearIf::Asked(asked) } => {
            deletion::clear_request_asked_at(&session, epoch_version, topic, *asked).await
        }
        Write::ClearDeletion { topic, only_if: ClearIf::Always } => {
            delete(&session, epoch_version, &paths::delete_topic(topic)).await
        }
        Write::ClearPreferredElection => delete(&session, epoch_version, paths::PREFERRED_ELECTION).await,
        Write::ClearReassignment => delete(&session, epoch_version, paths::REASSIGN_PARTITIONS).await,
        Write::SetTopic { .. } | Write::CreateState { .. } | Write::UpdateState { .. } => {
            alone(&session, epoch_version, &write).await
        }
    };
    if !matches!(outcome, WriteOutcome::Done(_)) {
        tokio::time::sleep(BACK_OFF).await;
    }
    vec![Event::Written { write, outcome }]
}

/// A transaction that begins with the fence.
fn fenced(session: &Session, epoch_version: i32) -> Result<zk::MultiWriter<'_>, zk::Error> {
    let mut writer = session.client().new_multi_writer();
    writer.add_check_version(paths::CONTROLLER_EPOCH, epoch_version)?;
    Ok(writer)
}

/// One transaction of what `add` adds, behind the fence. All of it is done or nothing.
pub(super) async fn commit(
    session: &Session,
    epoch_version: i32,
    add: impl FnOnce(&mut zk::MultiWriter<'_>) -> Result<(), zk::Error>,
    what: &str,
) -> WriteOutcome {
    let attempt = || -> Result<_, zk::Error> {
        let mut writer = fenced(session, epoch_version)?;
        add(&mut writer)?;
        Ok(writer.commit())
    };
    match attempt() {
        Err(error) => {
            error!(what, %error, "the controller cannot write");
            WriteOutcome::Conflict
        }
        Ok(commit) => match session.measure(commit).await {
            Ok(_) => WriteOutcome::Done(0),
            Err(error) => failed(&error, what),
        },
    }
}

/// Makes the znodes above the states that are to be created. Nothing waits for an answer before the next request goes out; that they are there
/// already is no failure, and any other shows when the state is written.
async fn make_parents(session: &Session, epoch_version: i32, writes: &[Write]) {
    let mut parents = Vec::new();
    let mut topics = BTreeSet::new();
    for write in writes {
        if let Write::CreateState { topic, partition, .. } = write {
            if topics.insert(topic) {
                parents.push(paths::partitions(topic));
            }
            parents.push(paths::partition(topic, *partition));
        }
    }
    let requests: Vec<_> = parents
        .iter()
        .filter_map(|path| {
            let mut writer = fenced(session, epoch_version).ok()?;
            writer.add_create(path, &[], &persistent()).ok()?;
            Some(writer.commit())
        })
        .collect();
    join_all(requests).await;
}

fn add(writer: &mut zk::MultiWriter<'_>, write: &Write) -> Result<(), zk::Error> {
    match write {
        Write::CreateState { topic, partition, state, .. } => {
            writer.add_create(&paths::state(topic, *partition), &znodes::encode_state(state), &persistent())
        }
        Write::UpdateState { topic, partition, state, expected, .. } => writer.add_set_data(
            &paths::state(topic, *partition),
            &znodes::encode_state(state),
            Some(*expected),
        ),
        Write::SetTopic { topic, assignment, expected, .. } => {
            let mut assignment = assignment.clone();
            assignment.topic_id.get_or_insert_with(random_id);
            writer.add_set_data(&paths::topic(topic), &znodes::encode_topic(&assignment), Some(*expected))
        }
        Write::DeleteTopic { .. }
        | Write::ClearDeletion { .. }
        | Write::ClearPreferredElection
        | Write::ClearReassignment => Err(zk::Error::BadArguments(&"deletions are not written with states")),
    }
}

/// All in one transaction; `None` when one of them did not fit what is there.
async fn together(session: &Session, epoch_version: i32, writes: &[Write]) -> Option<Vec<WriteOutcome>> {
    let mut writer = fenced(session, epoch_version).ok()?;
    for write in writes {
        add(&mut writer, write).ok()?;
    }
    match session.measure(writer.commit()).await {
        Ok(results) => Some(results.into_iter().skip(1).map(done).collect()),
        Err(zk::MultiWriteError::OperationFailed { index, .. }) if index > 0 => None,
        Err(error) => Some(vec![failed(&error, "partition states"); writes.len()]),
    }
}

async fn alone(session: &Session, epoch_version: i32, write: &Write) -> WriteOutcome {
    let attempt = || -> Result<_, zk::Error> {
        let mut writer = fenced(session, epoch_version)?;
        add(&mut writer, write)?;
        Ok(writer.commit())
    };
    match attempt() {
        Err(error) => {
            error!(?write, %error, "the controller cannot write");
            WriteOutcome::Conflict
        }
        Ok(commit) => match session.measure(commit).await {
            Ok(mut results) => results.pop().map_or(WriteOutcome::Unknown, done),
            Err(error) => failed(&error, "a state"),
        },
    }
}

fn done(result: zk::MultiWriteResult) -> WriteOutcome {
    match result {
        zk::MultiWriteResult::SetData { stat } => WriteOutcome::Done(stat.version),
        _ => WriteOutcome::Done(0),
    }
}

fn failed(error: &zk::MultiWriteError, what: &str) -> WriteOutcome {
    match error {
        zk::MultiWriteError::OperationFailed {
            index: 0,
            source: zk::Error::BadVersion | zk::Error::NoNode,
        } => WriteOutcome::Fenced,
        zk::MultiWriteError::OperationFailed {
            source: zk::Error::BadVersion | zk::Error::NoNode | zk::Error::NodeExists,
            ..
        } => WriteOutcome::Conflict,
        zk::MultiWriteError::RequestFailed { source } if is_passing(source) => WriteOutcome::Unknown,
        other => {
            warn!(error = %other, what, "a write of the controller failed");
            WriteOutcome::Unknown
        }
    }
}

/// Deletes one znode; that it is gone already is well.
async fn delete(session: &Session, epoch_version: i32, path: &str) -> WriteOutcome {
    let attempt = || -> Result<_, zk::Error> {
        let mut writer = fenced(session, epoch_version)?;
        writer.add_delete(path, None)?;
        Ok(writer.commit())
    };
    let Ok(commit) = attempt() else { return WriteOutcome::Unknown };
    match session.measure(commit).await {
        Ok(_) => WriteOutcome::Done(0),
        Err(zk::MultiWriteError::OperationFailed { index: 1, source: zk::Error::NoNode }) => {
            WriteOutcome::Done(0)
        }
        Err(error) => failed(&error, path),
    }
}
