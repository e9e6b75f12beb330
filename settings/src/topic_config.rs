//! A topic's configuration: what its broker says, and its own overrides.

use std::collections::BTreeMap;

use crate::config::BrokerConfig;
use crate::definition::{Definition, Effect};
use crate::key::{Key, Setting};
use crate::problem::Problem;
use crate::table::topic_keys;
use crate::value::{InvalidValue, Value};
use crate::{broker, topic};

/// The most overrides that one topic may have; the table has far fewer keys.
const MAX_OVERRIDES: usize = 1_000;

/// A topic's configuration, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicConfig {
    /// One value per topic key of the table, in its order.
    values: Vec<Value>,
}

impl TopicConfig {
    /// What a topic without overrides has on this broker.
    #[must_use]
    pub fn defaults(broker: &BrokerConfig) -> TopicConfig {
        TopicConfig { values: topic_keys().iter().map(|definition| of_broker(definition, broker)).collect() }
    }

    /// These defaults with a topic's own values over them. A value that does not fit its key, as an old tool may have written to
    /// ZooKeeper, leaves the default and is reported.
    #[must_use]
    pub fn with_overrides(&self, overrides: &BTreeMap<String, String>) -> (TopicConfig, Vec<Problem>) {
        let mut config = self.clone();
        let mut problems = Vec::new();
        for (name, text) in overrides.iter().take(MAX_OVERRIDES) {
            match (topic_keys().position(name), validate_topic_config(name, text)) {
                (Some(index), Ok(value)) => config.values[index] = value,
                (_, Err(problem)) => problems.push(problem),
                (None, Ok(_)) => {}
            }
        }
        (config, problems)
    }

    /// The value of a key. A binary search over the names: read once and keep, rather than per request.
    #[must_use]
    pub fn get<T: Setting>(&self, key: Key<T>) -> T::Read<'_> {
        T::read(self.value(key.definition()))
    }

    /// The untyped value of a topic key.
    #[must_use]
    pub fn value(&self, definition: &Definition) -> &Value {
        topic_keys().position(definition.name).map_or(&Value::Null, |index| &self.values[index])
    }

    /// Whether old segments are deleted by retention.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.get(topic::CLEANUP_POLICY).iter().any(|policy| policy == "delete")
    }

    /// Whether the topic is compacted.
    #[must_use]
    pub fn is_compacted(&self) -> bool {
        self.get(topic::CLEANUP_POLICY).iter().any(|policy| policy == "compact")
    }

    /// How far, in milliseconds, a record's time may lie before the broker's: `message.timestamp.before.max.ms`, or the older
    /// `message.timestamp.difference.max.ms` while the former is not set.
    #[must_use]
    pub fn timestamp_before_max_ms(&self) -> i64 {
        self.timestamp_limit(self.get(topic::MESSAGE_TIMESTAMP_BEFORE_MAX_MS))
    }

    /// How far, in milliseconds, a record's time may lie after the broker's; as [`Self::timestamp_before_max_ms`].
    #[must_use]
    pub fn timestamp_after_max_ms(&self) -> i64 {
        self.timestamp_limit(self.get(topic::MESSAGE_TIMESTAMP_AFTER_MAX_MS))
    }

    fn timestamp_limit(&self, limit: i64) -> i64 {
        if limit == i64::MAX { self.get(topic::MESSAGE_TIMESTAMP_DIFFERENCE_MAX_MS) } else { limit }
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }
}

/// Checks one override of a topic: its name, its type, what is allowed, and that Vltava can do it.
///
/// # Errors
///
/// The key is unknown, the value is wrong, or it asks for something that is not built.
pub fn validate_topic_config(name: &str, text: &str) -> Result<Value, Problem> {
    let Some(definition) = topic_keys().find(name) else {
        return Err(InvalidValue::Unknown { what: "topic", name: name.to_owned() }.into());
    };
    let value = definition.parse(text)?;
    match definition.effect {
        Effect::Refused(why) if value != Value::from_literal(definition.default) => {
            Err(Problem::refused(name, definition, text.trim(), why))
        }
        _ => Ok(value),
    }
}

/// Checks all overrides of a topic, and the rules between them, over what the broker gives it.
///
/// # Errors
///
/// The first problem, in the order of the names.
pub fn validate_topic_configs(
    defaults: &TopicConfig,
    overrides: &BTreeMap<String, String>,
) -> Result<TopicConfig, Problem> {
    for (name, text) in overrides {
        validate_topic_config(name, text)?;
    }
    let (config, _) = defaults.with_overrides(overrides);
    let (min, max) = (config.get(topic::MIN_COMPACTION_LAG_MS), config.get(topic::MAX_COMPACTION_LAG_MS));
    if min > max {
        let what = format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
        );
        return Err(Problem::Rule { key: topic::MIN_COMPACTION_LAG_MS.name(), what });
    }
    Ok(config)
}

/// What a topic key takes from its broker; keys without a broker's key have the table's default.
fn of_broker(definition: &Definition, config: &BrokerConfig) -> Value {
    // Hours and minutes become milliseconds; a negative retention is for ever.
    let in_ms = |value: i32, unit: i64| if value < 0 { -1 } else { i64::from(value) * unit };
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    match definition.name {
        "retention.ms" => Value::Long(config.get(broker::LOG_RETENTION_MS).unwrap_or_else(|| {
            let minutes = config.get(broker::LOG_RETENTION_MINUTES);
            minutes.map_or_else(
                || in_ms(config.get(broker::LOG_RETENTION_HOURS), HOUR),
                |value| in_ms(value, MINUTE),
            )
        })),
        "segment.ms" => Value::Long(
            config
                .get(broker::LOG_ROLL_MS)
                .unwrap_or_else(|| in_ms(config.get(broker::LOG_ROLL_HOURS), HOUR)),
        ),
        "segment.jitter.ms" => Value::Long(
            config
                .get(broker::LOG_ROLL_JITTER_MS)
                .unwrap_or_else(|| in_ms(config.get(broker::LOG_ROLL_JITTER_HOURS), HOUR)),
        ),
        "flush.ms" => Value::Long(
            config
                .get(broker::LOG_FLUSH_INTERVAL_MS)
                .unwrap_or_else(|| config.get(broker::LOG_FLUSH_SCHEDULER_INTERVAL_MS)),
        ),
        _ => match definition.broker_keys.first().and_then(|name| crate::broker_keys().find(name)) {
            Some(broker_key) => config.value(broker_key).clone(),
            None => Value::from_literal(definition.default),
        },
    }
}
