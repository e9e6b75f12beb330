//! The consumer of Kafka 0.9 and later: a member of a group at the brokers, or a reader of one partition.

use std::time::Duration;

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
};

use super::super::{
    client::{self, LoggingContext, is_passing},
    failure::Failure,
    output,
    signals::Stop,
};
use super::{
    options::{Settings, Start, Topics},
    process::{Ending, Source, process},
    record::Record,
};

/// The topics that a pattern does not mean unless `exclude.internal.topics=false`.
const INTERNAL: &str = "^__consumer_offsets$,^__transaction_state$";

/// Consumes through librdkafka. When this returns, the group has been left and the offsets of what was written are committed.
pub(super) fn consume(settings: &Settings, stop: &Stop) -> Result<Ending, Failure> {
    let mut config = settings.client.config()?;
    // The offset of a record counts as consumed when it has been taken, not when librdkafka has fetched it.
    config.set("enable.auto.offset.store", "false");
    if matches!(settings.topics, Topics::Matching(_))
        && settings.client.get("exclude.internal.topics") != Some("false")
    {
        config.set("topic.blacklist", INTERNAL);
    }
    let consumer: BaseConsumer<LoggingContext> =
        config.create_with_context(LoggingContext).map_err(|error| client::refused(&error))?;
    begin(settings, &consumer).map_err(|error| client::refused(&error))?;
    let mut member = Member { stores: settings.partition.is_none(), consumer };
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
        // Java matches the whole name; a caret makes it a pattern for librdkafka.
        (Topics::Matching(regex) | Topics::NotMatching(regex), _) => {
            consumer.subscribe(&[&format!("^({})$", whole(regex))])
        }
    }
}

/// A pattern as Kafka's tools clean it: commas mean "or", quotes and spaces around it nothing.
fn whole(regex: &str) -> String {
    regex.trim().trim_matches(['"', '\'']).replace(' ', "").replace(',', "|")
}

struct Member {
    consumer: BaseConsumer<LoggingContext>,
    /// Whether offsets are stored, to be committed.
    stores: bool,
}

impl Source for Member {
    fn poll(&mut self, wait: Duration, take: &mut dyn FnMut(&Record<'_>)) -> Result<bool, Failure> {
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

fn exception(error: &KafkaError) -> Failure {
    use rdkafka::error::RDKafkaErrorCode as Code;
    let class = match error.rdkafka_error_code() {
        Some(Code::AutoOffsetReset) => "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
        Some(Code::OffsetOutOfRange) => "org.apache.kafka.clients.consumer.OffsetOutOfRangeException",
        Some(Code::TopicAuthorizationFailed) => "org.apache.kafka.common.errors.TopicAuthorizationException",
        Some(Code::GroupAuthorizationFailed) => "org.apache.kafka.common.errors.GroupAuthorizationException",
        Some(Code::InvalidTopic) => "org.apache.kafka.common.errors.InvalidTopicException",
        _ => "org.apache.kafka.common.KafkaException",
    };
    Failure::new(class, error.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pattern_is_cleaned_as_kafka_cleans_it() {
        assert_eq!(super::whole(" 'a.*, b' "), "a.*|b");
    }
}
