//! Fetching of partitions that ZooKeeper says are ours, through librdkafka without its groups.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    time::Duration,
};

use rdkafka::{
    Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    message::BorrowedMessage,
};

use super::super::{
    client::{self, ClientProperties, LoggingContext, exception, is_passing},
    failure::Failure,
    output,
};

/// How long a question about a partition's offsets may take.
const ANSWER: Duration = Duration::from_secs(10);

/// How far consumption of a partition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// The next offset to consume.
    pub(super) next: i64,
    /// What ZooKeeper says, if anything.
    pub(super) committed: Option<i64>,
}

/// The partitions of this member.
pub(super) struct Fetcher {
    consumer: BaseConsumer<LoggingContext>,
    positions: BTreeMap<(String, i32), Position>,
    from_beginning: bool,
}

impl Fetcher {
    /// A fetcher that asks `brokers` where partitions are.
    pub(super) fn new(client: &ClientProperties, brokers: &str) -> Result<Self, Failure> {
        let mut config = client.config()?;
        config.set("bootstrap.servers", brokers);
        // ZooKeeper keeps the offsets; the group's name alone is needed, by the interface.
        config.set("enable.auto.commit", "false");
        config.set("enable.auto.offset.store", "false");
        let from_beginning = config.get("auto.offset.reset") == Some("earliest");
        let consumer =
            config.create_with_context(LoggingContext::default()).map_err(|error| client::refused(&error))?;
        Ok(Self { consumer, positions: BTreeMap::new(), from_beginning })
    }

    /// Stops fetching, and says how far it has come.
    pub(super) fn stop(&mut self) -> Result<BTreeMap<(String, i32), Position>, Failure> {
        self.consumer.unassign().map_err(|error| exception(&error))?;
        Ok(std::mem::take(&mut self.positions))
    }

    /// Fetches these partitions from their committed offsets on; one without begins where `auto.offset.reset` says.
    pub(super) fn start(&mut self, partitions: BTreeMap<(String, i32), Option<i64>>) -> Result<(), Failure> {
        let mut assignment = TopicPartitionList::with_capacity(partitions.len());
        self.positions.clear();
        for ((topic, partition), committed) in partitions {
            let next = self.begin(&topic, partition, committed)?;
            assignment
                .add_partition_offset(&topic, partition, Offset::Offset(next))
                .map_err(|error| exception(&error))?;
            self.positions.insert((topic, partition), Position { next, committed });
        }
        self.consumer.assign(&assignment).map_err(|error| exception(&error))
    }

    fn begin(&self, topic: &str, partition: i32, committed: Option<i64>) -> Result<i64, Failure> {
        if let Some(offset) = committed.filter(|offset| *offset >= 0) {
            return Ok(offset);
        }
        // A topic that was just made has no leader for a moment.
        let deadline = std::time::Instant::now() + ANSWER;
        loop {
            match self.consumer.fetch_watermarks(topic, partition, ANSWER) {
                Ok((low, high)) => return Ok(if self.from_beginning { low } else { high }),
                Err(error) if is_passing(&error) && std::time::Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(exception(&error)),
            }
        }
    }

    /// Waits so long for a record and has it taken. Whether there was one.
    pub(super) fn poll(
        &mut self,
        wait: Duration,
        take: &mut dyn FnMut(&BorrowedMessage<'_>),
    ) -> Result<bool, Failure> {
        match self.consumer.poll(wait) {
            None => Ok(false),
            Some(Ok(message)) => {
                // One of a partition that was let go while it waited belongs to the next owner.
                let Entry::Occupied(mut position) =
                    self.positions.entry((message.topic().to_owned(), message.partition()))
                else {
                    return Ok(false);
                };
                take(&message);
                position.get_mut().next = message.offset() + 1;
                Ok(true)
            }
            Some(Err(error)) if is_passing(&error) => {
                output::log_warning(&error.to_string(), "kafka.consumer.ConsumerFetcherThread");
                Ok(false)
            }
            Some(Err(error)) => Err(exception(&error)),
        }
    }

    /// The partitions whose offset in ZooKeeper is not the next one.
    pub(super) fn uncommitted(&self) -> Vec<(String, i32, i64)> {
        let behind = self.positions.iter().filter(|(_, position)| position.committed != Some(position.next));
        behind.map(|((topic, partition), position)| (topic.clone(), *partition, position.next)).collect()
    }

    /// Notes what has been committed.
    pub(super) fn committed(&mut self, topic: &str, partition: i32, offset: i64) {
        if let Some(position) = self.positions.get_mut(&(topic.to_owned(), partition)) {
            position.committed = Some(offset);
        }
    }

    /// The partitions being fetched.
    pub(super) fn partitions(&self) -> Vec<(String, i32)> {
        self.positions.keys().cloned().collect()
    }
}
