//! What a topic may be called, which topics are internal, and what a new one begins with.

use std::collections::BTreeMap;

use vltava_cluster::controller::{PlacementError, place};
use vltava_protocol::ErrorCode;
use vltava_settings::{BrokerConfig, broker as keys};

use crate::{
    Broker,
    control::{AdminError, Snapshot, topic_names::validate_name},
    partitions::{OFFSETS_TOPIC, TRANSACTIONS_TOPIC, is_internal},
};

/// The most partitions that one request may make: each costs files and znodes.
pub(crate) const MAX_NEW_PARTITIONS: usize = 100_000;

/// Checks that partitions find room in what their request may still make of [`MAX_NEW_PARTITIONS`].
pub(crate) fn fits(partitions: usize, room: usize) -> Result<(), AdminError> {
    if partitions <= room {
        return Ok(());
    }
    let message =
        format!("Number of partitions in one request must not be larger than {MAX_NEW_PARTITIONS} together.");
    Err(AdminError::new(ErrorCode::InvalidPartitions, message))
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
    if let Some(other) = snapshot.topic_like(name) {
        let what = format!("Topic '{name}' collides with existing topics: {other}");
        return AdminError::new(ErrorCode::InvalidTopic, what);
    }
    let config = broker.control.configs().broker();
    let new = NewTopic::of(&config, name, snapshot.broker_count());
    match place_new(snapshot, new.partitions, new.replicas) {
        Ok(replicas) => {
            if broker.control.create_in_background(name, replicas, new.overrides)
                && let Some(key) = new.fewer_than
            {
                tracing::warn!(
                    topic = name,
                    replicas = new.replicas,
                    "there are fewer live brokers than {key} asks for by its default: the topic is made with a replica on each. Set {key} to choose"
                );
            }
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

/// What a topic begins with that is made because somebody asked for it.
#[derive(Debug, PartialEq, Eq)]
struct NewTopic {
    partitions: usize,
    replicas: usize,
    overrides: BTreeMap<String, String>,
    /// The key whose default asks for more replicas than there are brokers.
    fewer_than: Option<&'static str>,
}

impl NewTopic {
    /// As Kafka's `AutoTopicCreationManager` makes it; but internal topics have no more replicas than `live` brokers where the owner asked for no
    /// number. Kafka did so until 0.10.2, and its properties files until then do not know the keys; since 0.11 (KIP-115) they set them.
    fn of(config: &BrokerConfig, name: &str, live: usize) -> Self {
        let (partitions, replicas, overrides) = match name {
            OFFSETS_TOPIC => (
                config.get(keys::OFFSETS_TOPIC_NUM_PARTITIONS),
                keys::OFFSETS_TOPIC_REPLICATION_FACTOR,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "producer".to_owned()),
                    ("segment.bytes", config.get(keys::OFFSETS_TOPIC_SEGMENT_BYTES).to_string()),
                ],
            ),
            TRANSACTIONS_TOPIC => (
                config.get(keys::TRANSACTION_STATE_LOG_NUM_PARTITIONS),
                keys::TRANSACTION_STATE_LOG_REPLICATION_FACTOR,
                vec![
                    ("cleanup.policy", "compact".to_owned()),
                    ("compression.type", "uncompressed".to_owned()),
                    ("min.insync.replicas", String::new()),
                    ("segment.bytes", config.get(keys::TRANSACTION_STATE_LOG_SEGMENT_BYTES).to_string()),
                    ("unclean.leader.election.enable", "false".to_owned()),
                ],
            ),
            _ => {
                return Self {
                    partitions: count(config.get(keys::NUM_PARTITIONS)),
                    replicas: count(config.get(keys::DEFAULT_REPLICATION_FACTOR)),
                    overrides: BTreeMap::new(),
                    fewer_than: None,
                };
            }
        };
        let asked = count(config.get(replicas).into());
        let may_be_fewer = !config.is_given(replicas.name()) && asked > live.max(1);
        let fewer_than = may_be_fewer.then_some(replicas.name());
        let replicas = if may_be_fewer { live.max(1) } else { asked };
        let mut overrides: BTreeMap<String, String> =
            overrides.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        if let Some(in_sync) = overrides.get_mut("min.insync.replicas") {
            let key = keys::TRANSACTION_STATE_LOG_MIN_ISR;
            let least = count(config.get(key));
            // Not more than there are, where nobody asked for a number.
            let least = if config.is_given(key.name()) { least } else { least.min(replicas) };
            *in_sync = least.to_string();
        }
        Self { partitions: count(partitions), replicas, overrides, fewer_than }
    }
}

fn count(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_topics_have_no_more_replicas_than_there_are_brokers_unless_they_are_asked_for() {
        let new = |given: &str, name: &str, live: usize| {
            let text = format!("zookeeper.connect=z:1\n{given}");
            let properties = vltava_settings::Properties::parse(&text, "p").expect("properties");
            let config =
                BrokerConfig::from_properties(&properties, &Default::default()).expect("a configuration");
            let new = NewTopic::of(&config, name, live);
            let overrides: Vec<String> =
                new.overrides.iter().map(|(key, value)| format!("{key}={value}")).collect();
            (new.partitions, new.replicas, overrides.join(" "), new.fewer_than.is_some())
        };
        let offsets = "cleanup.policy=compact compression.type=producer segment.bytes=104857600";
        let (factor, in_sync) =
            ("transaction.state.log.replication.factor=", "transaction.state.log.min.isr=");
        let transactions = |in_sync: u8| {
            format!(
                "cleanup.policy=compact compression.type=uncompressed min.insync.replicas={in_sync} segment.bytes=104857600 \
                 unclean.leader.election.enable=false"
            )
        };
        assert_eq!(new("", OFFSETS_TOPIC, 1), (50, 1, offsets.to_owned(), true));
        assert_eq!(new("", OFFSETS_TOPIC, 5), (50, 3, offsets.to_owned(), false));
        assert_eq!(new("offsets.topic.replication.factor=3", OFFSETS_TOPIC, 1).1, 3);
        assert_eq!(new("", TRANSACTIONS_TOPIC, 1), (50, 1, transactions(1), true));
        assert_eq!(new("", TRANSACTIONS_TOPIC, 3), (50, 3, transactions(2), false));
        let given = format!("{factor}1\n{in_sync}2\ntransaction.state.log.num.partitions=7");
        assert_eq!(new(&given, TRANSACTIONS_TOPIC, 3), (7, 1, transactions(2), false));
        assert_eq!(
            new("num.partitions=2\ndefault.replication.factor=3", "t", 1),
            (2, 3, String::new(), false)
        );
    }
}
