//! The consumer of Kafka 0.9 and later: a member of a group at the brokers, or a reader of one partition.

use std::time::Duration;

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};

use super::super::{
    client::{self, LoggingContext, Pattern, exception, is_passing},
    failure::Failure,
    output,
    signals::Stop,
};
use super::{
    options::{Settings, Start, Topics},
    process::{Ending, Source, process},
    record::Record,
};

/// Consumes through librdkafka. When this returns, the group has been left and the offsets of what was written are committed.
pub(super) fn consume(settings: &Settings, stop: &Stop) -> Result<Ending, Failure> {
    let mut config = settings.client.config()?;
    // The offset of a record counts as consumed when it has been taken, not when librdkafka has fetched it.
    config.set("enable.auto.offset.store", "false");
    let pattern = match &settings.topics {
        Topics::One(_) => None,
        Topics::Matching(pattern) | Topics::NotMatching(pattern) => {
            Some(Pattern::new(pattern, &settings.client)?)
        }
    };
    let consumer: BaseConsumer<LoggingContext> =
        config.create_with_context(LoggingContext::default()).map_err(|error| client::refused(&error))?;
    begin(settings, &consumer).map_err(|error| client::refused(&error))?;
    let mut member = Member { stores: settings.partition.is_none(), consumer, pattern };
    let ending = process(settings, stop, &mut member);
    // Dropping the consumer commits what is stored and leaves the group.
    drop(member);
    Ok(ending)
}

fn begin(settings: &Settings, consumer: &BaseConsumer<LoggingContext>) -> Result<(), KafkaError> {
    match (&settings.topics, settings.partition) {
        (Topics::One(topic), Some((partition, start))) => {
            let offset = match start {
                Start::Earliest => Offset::Beginning,
                Start::Latest => Offset::End,
                Start::At(offset) => Offset::Offset(offset),
            };
            let mut assignment = TopicPartitionList::with_capacity(1);
            assignment.add_partition_offset(topic, partition, offset)?;
            consumer.assign(&assignment)
        }
        (Topics::One(topic), None) => consumer.subscribe(&[topic]),
        // Its topics are looked for between records.
        (Topics::Matching(_) | Topics::NotMatching(_), _) => Ok(()),
    }
}

struct Member {
    consumer: BaseConsumer<LoggingContext>,
    /// Whether offsets are stored, to be committed.
    stores: bool,
    pattern: Option<Pattern>,
}

impl Source for Member {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Record<'_>)) -> Result<bool, Failure> {
        if let Some(pattern) = &mut self.pattern {
            match pattern.follow(&self.consumer) {
                Ok(()) => {}
                Err(error) if is_passing(&error) => {
                    output::log_warning(&error.to_string(), "org.apache.kafka.clients.NetworkClient");
                }
                Err(error) => return Err(exception(&error)),
            }
        }
        match self.consumer.poll(wait) {
            None => Ok(false),
            Some(Ok(message)) => {
                take(&Record::of(&message));
                if self.stores {
                    // It fails for a partition that was taken away meanwhile: then it is the next owner's.
                    let _ = self.consumer.store_offset_from_message(&message);
                }
                Ok(true)
            }
            Some(Err(error)) if is_passing(&error) => {
                output::log_warning(&error.to_string(), "org.apache.kafka.clients.NetworkClient");
                Ok(false)
            }
            Some(Err(error)) => Err(exception(&error)),
        }
    }
}
