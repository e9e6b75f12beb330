//! A stream from a group at the brokers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer as _, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
};

use super::{LOGGER, options::Topics, target::Target};
use crate::tools::{
    client::{self, ClientProperties, Context, OnRebalance, Pattern, exception, is_passing},
    failure::Failure,
    output,
    signals::Stop,
};

/// The longest single wait for a record.
const TURN: Duration = Duration::from_millis(100);

/// How far the stream has come, and where its records go.
#[derive(Clone)]
struct Progress {
    target: Arc<Target>,
    /// The next offset of each partition since the last commit.
    next: Arc<Mutex<BTreeMap<(String, i32), i64>>>,
}

type Member = BaseConsumer<Context<Progress>>;

impl OnRebalance for Progress {
    /// Before others go on with our partitions they learn how far we were.
    fn before(&self, member: &Member, rebalance: &Rebalance<'_>) {
        if matches!(rebalance, Rebalance::Revoke(_))
            && let Err(failure) = self.commit(member)
        {
            output::log_caused("Failed to commit offsets", LOGGER, failure);
        }
    }
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, i32), i64>> {
        // Each change of the map is one insertion.
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the acknowledgements of all that was read, then commits. After a failure nothing is.
    fn commit(&self, member: &Member) -> Result<(), Failure> {
        if self.lock().is_empty() || !self.target.flush() {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        for ((topic, partition), next) in self.lock().iter() {
            list.add_partition_offset(topic, *partition, Offset::Offset(*next))
                .map_err(|error| exception(&error))?;
        }
        match member.commit(&list, CommitMode::Sync) {
            Ok(()) => {}
            Err(error) if is_of_a_rebalance(&error) => output::log_warning(
                "Failed to commit offsets because the consumer group has rebalanced and assigned partitions to another instance. If you see this \
                 regularly, it could indicate that you need to increase the consumer's session.timeout.ms",
                LOGGER,
            ),
            Err(error) if is_passing(&error) => {
                let text = format!("Failed to commit offsets, which is tried again: {error}");
                output::log_warning(&text, LOGGER);
                return Ok(());
            }
            Err(error) => return Err(exception(&error)),
        }
        self.lock().clear();
        Ok(())
    }
}

fn is_of_a_rebalance(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    matches!(code, Some(Code::IllegalGeneration | Code::UnknownMemberId | Code::RebalanceInProgress))
}

/// Copies until a signal comes or somebody has failed. When this returns, what has arrived is committed and the group left.
pub(super) fn copy(
    client: &ClientProperties,
    topics: &Topics,
    every: Duration,
    target: &Arc<Target>,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut pattern = Pattern::new(&regex(topics), client)?;
    let mut config = client.config()?;
    // Offsets are committed here, or records would be lost.
    config.set("enable.auto.commit", "false");
    let progress = Progress { target: target.clone(), next: Arc::default() };
    let member: Member = config
        .create_with_context(Context::new(progress.clone()))
        .map_err(|error| client::refused(&error))?;
    let copied = copy_all(&member, &mut pattern, &progress, every, stop);
    if copied.is_err() {
        // Whether all have arrived is not known any more.
        target.fail();
    }
    progress.commit(&member).and(copied)
}

fn copy_all(
    member: &Member,
    pattern: &mut Pattern,
    progress: &Progress,
    every: Duration,
    stop: &Stop,
) -> Result<(), Failure> {
    let mut committed = Instant::now();
    while stop.code().is_none() && !progress.target.has_failed() {
        match pattern.follow(member) {
            Ok(()) => {}
            Err(error) if is_passing(&error) => {
                output::log_warning(&error.to_string(), "org.apache.kafka.clients.NetworkClient");
            }
            Err(error) => return Err(exception(&error)),
        }
        match member.poll(TURN) {
            None => {}
            Some(Ok(record)) => {
                progress.target.send(&record);
                let partition = (record.topic().to_owned(), record.partition());
                progress.lock().insert(partition, record.offset() + 1);
            }
            Some(Err(error)) if is_passing(&error) => {
                output::log_warning(&error.to_string(), "org.apache.kafka.clients.NetworkClient");
            }
            Some(Err(error)) => return Err(exception(&error)),
        }
        if committed.elapsed() > every {
            progress.commit(member)?;
            committed = Instant::now();
        }
    }
    Ok(())
}

/// One pattern of whole names for those that are wanted.
fn regex(topics: &Topics) -> String {
    match topics {
        Topics::Matching(pattern) => pattern.clone(),
        Topics::NotMatching(pattern) => format!(r"(?!(?:{pattern})\z).*"),
    }
}
