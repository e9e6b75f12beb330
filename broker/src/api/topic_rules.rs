//! What a topic may be called, which topics are internal, and what a new one begins with.

use std::collections::BTreeMap;

use vltava_cluster::controller::{PlacementError, place};
use vltava_protocol::ErrorCode;
use vltava_settings::{BrokerConfig, broker as keys};

use crate::{
    Broker,
    control::{AdminError, Snapshot},
    partitions::{OFFSETS_TOPIC, is_internal},
};

/// The longest name.
const MAX_NAME: usize = 249;

/// The most partitions that one request may make: each costs files and znodes.
pub(crate) const MAX_NEW_PARTITIONS: usize = 100_000;

/// Checks a name, in the words of Kafka's `Topic.validate`.
pub(crate) fn validate_name(name: &str) -> Result<(), AdminError> {
    let invalid = |what: String| Err(AdminError::new(ErrorCode::InvalidTopic, what));
    match name {
        "" => invalid("Topic name is invalid: the empty string is not allowed".into()),
        "." | ".." => invalid("Topic name is invalid: '.' or '..' is not allowed".into()),
        _ if name.len() > MAX_NAME => invalid(format!(
            "Topic name is invalid: the length of '{}' is longer than the max allowed length {MAX_NAME}",
            name.chars().take(MAX_NAME + 1).collect::<String>()
        )),
        _ if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) => {
            invalid(format!(
                "Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            ))
        }
        _ => Ok(()),
    }
}

/// Finds a topic whose metrics could not be told from this one's: names that differ only in '.' and '_'.
pub(crate) fn collision<'a>(name: &str, snapshot: &'a Snapshot) -> Option<&'a str> {
    if !name.contains(['.', '_']) {
        return None;
    }
    let same = |other: &str| {
        other.len() == name.len()
            && other != name
            && other
                .bytes()
                .zip(name.bytes())
                .all(|(a, b)| a == b || (matches!(a, b'.' | b'_') && matches!(b, b'.' | b'_')))
    };
    snapshot.topics().map(|topic| &*topic.name).find(|other| same(other))
}

/// Places the replicas of a new topic over the live brokers.
pub(crate) fn place_new(
    snapshot: &Snapshot,
    partitions: usize,
    factor: usize,
) -> Result<Vec<Vec<i32>>, PlacementError> {
    let brokers: Vec<i32> = snapshot.brokers().map(|broker| broker.id).collect();
    place(&brokers, 0, partitions, factor, (rand::random::<u32>() as usize, rand::random::<u32>() as usize))
}

/// Begins the creation of a topic that a client asked for, as Kafka does: the error says what the client gets meanwhile.
pub(crate) fn auto_create(broker: &Broker, snapshot: &Snapshot, name: &str) -> AdminError {
    if let Err(error) = validate_name(name) {
        return error;
    }
    if let Some(other) = collision(name, snapshot) {
        let what = format!("Topic '{name}' collides with existing topics: {other}");
        return AdminError::new(ErrorCode::InvalidTopic, what);
    }
    let config = broker.control.configs().broker();
    let (partitions, factor, overrides) = new_topic(&config, name);
    match place_new(snapshot, partitions, factor) {
        Ok(replicas) => {
            broker.control.create_in_background(name, replicas, overrides);
            let code = if is_internal(name) {
                ErrorCode::CoordinatorNotAvailable
            } else {
                ErrorCode::LeaderNotAvailable
            };
            AdminError::new(code, "")
        }
        Err(error) if is_internal(name) => {
            tracing::error!(topic = name, %error, "there are fewer live brokers than its replication factor");
            AdminError::new(ErrorCode::CoordinatorNotAvailable, error.to_string())
        }
        Err(error) => AdminError::new(ErrorCode::InvalidReplicationFactor, error.to_string()),
    }
}

/// How many partitions and replicas a topic begins with, and its overrides.
fn new_topic(config: &BrokerConfig, name: &str) -> (usize, usize, BTreeMap<String, String>) {
    let count = |value: i32| usize::try_from(value).unwrap_or(0);
    if name != OFFSETS_TOPIC {
        let factor = config.get(keys::DEFAULT_REPLICATION_FACTOR);
        return (count(config.get(keys::NUM_PARTITIONS)), count(factor), BTreeMap::new());
    }
    let overrides = [
        ("cleanup.policy", "compact".to_owned()),
        ("compression.type", "producer".to_owned()),
        ("segment.bytes", config.get(keys::OFFSETS_TOPIC_SEGMENT_BYTES).to_string()),
    ];
    let factor = i32::from(config.get(keys::OFFSETS_TOPIC_REPLICATION_FACTOR));
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value)).into();
    (count(config.get(keys::OFFSETS_TOPIC_NUM_PARTITIONS)), count(factor), overrides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_in_kafkas_words() {
        for name in ["a", "A.b_c-9", "__consumer_offsets", &"x".repeat(249)] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        let cases = [
            ("", "Topic name is invalid: the empty string is not allowed"),
            ("..", "Topic name is invalid: '.' or '..' is not allowed"),
            (
                "a b",
                "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
            ),
        ];
        for (name, message) in cases {
            let error = validate_name(name).expect_err(name);
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::InvalidTopic, message));
        }
        let long = validate_name(&"x".repeat(250)).expect_err("too long").message;
        assert!(long.ends_with("is longer than the max allowed length 249"), "{long}");
    }
}
