//! What is in `__transaction_state`: names of states, and JSON with the names and in the order of Kafka's.

use serde::Serialize;
use vltava_protocol::transaction_records::{TransactionLogKey, TransactionLogValue};

use super::{era::Era, java_order};

/// Names of the states of a transaction, by their numbers.
const STATES: [&str; 8] = [
    "Empty",
    "Ongoing",
    "PrepareCommit",
    "PrepareAbort",
    "CompleteCommit",
    "CompleteAbort",
    "Dead",
    "PrepareEpochFence",
];

/// The name of a state.
pub(super) fn state(number: i8) -> &'static str {
    usize::try_from(number).ok().and_then(|number| STATES.get(number).copied()).unwrap_or("Unknown")
}

/// The partitions of a transaction, each by its topic and number, as the set in which that era's tools hold them gives them.
pub(super) fn partitions<'a>(value: &'a TransactionLogValue<'_>, era: Era) -> Vec<(&'a str, i32)> {
    let topics = value.transaction_partitions.iter().flatten();
    let mut partitions: Vec<(&str, i32)> =
        topics.flat_map(|topic| topic.partition_ids.iter().map(|id| (&*topic.topic, *id))).collect();
    let hash = |(topic, partition): &(&str, i32)| java_order::partition_hash(topic, *partition);
    match era {
        Era::Old => java_order::sort_flat(&mut partitions, hash),
        Era::New => java_order::sort_hashed(&mut partitions, hash),
    }
    partitions
}

/// A transactional id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Id<'a> {
    transactional_id: &'a str,
}

impl<'a> Id<'a> {
    pub(super) fn of(key: &'a TransactionLogKey<'_>) -> Self {
        Self { transactional_id: &key.transactional_id }
    }
}

/// How far its transaction is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction<'a> {
    producer_id: i64,
    producer_epoch: i16,
    transaction_timeout_ms: i32,
    transaction_status: i8,
    transaction_partitions: Option<Vec<Partitions<'a>>>,
    transaction_last_update_timestamp_ms: i64,
    transaction_start_timestamp_ms: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Partitions<'a> {
    topic: &'a str,
    partition_ids: &'a [i32],
}

impl<'a> Transaction<'a> {
    pub(super) fn of(value: &'a TransactionLogValue<'_>) -> Self {
        let partitions = value.transaction_partitions.as_ref().map(|topics| {
            topics
                .iter()
                .map(|topic| Partitions { topic: &topic.topic, partition_ids: &topic.partition_ids })
                .collect()
        });
        Self {
            producer_id: value.producer_id,
            producer_epoch: value.producer_epoch,
            transaction_timeout_ms: value.transaction_timeout_ms,
            transaction_status: value.transaction_status,
            transaction_partitions: partitions,
            transaction_last_update_timestamp_ms: value.transaction_last_update_timestamp_ms,
            transaction_start_timestamp_ms: value.transaction_start_timestamp_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use vltava_protocol::transaction_records::PartitionsSchema;

    use super::*;

    #[test]
    fn partitions_come_as_scalas_sets_give_them() {
        let topic = |topic: &'static str, partition_ids: &[i32]| PartitionsSchema {
            topic: topic.into(),
            partition_ids: partition_ids.to_vec(),
            ..Default::default()
        };
        let topics =
            vec![topic("t", &[2, 1, 0]), topic("orders", &[0, 1]), topic("a", &[7]), topic("payments", &[3])];
        let value = TransactionLogValue { transaction_partitions: Some(topics), ..Default::default() };
        let named = |era| -> Vec<String> {
            partitions(&value, era).into_iter().map(|(topic, id)| format!("{topic}-{id}")).collect()
        };
        // What `mutable.HashSet[TopicPartition]` of Scala 2.11.11 and 2.13.15 prints.
        let old = ["orders-1", "a-7", "t-1", "payments-3", "t-2", "orders-0", "t-0"];
        assert_eq!(named(Era::Old), old);
        let new = ["payments-3", "t-2", "t-1", "t-0", "orders-0", "orders-1", "a-7"];
        assert_eq!(named(Era::New), new);
    }
}
