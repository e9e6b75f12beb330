//! Configuration that changes while the broker runs (KIP-226): a broker's own dynamic values over those for all brokers over
//! the properties file over the defaults.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::{
    BACKGROUND_THREADS, NUM_IO_THREADS, NUM_RECOVERY_THREADS_PER_DATA_DIR, NUM_REPLICA_FETCHERS,
};
use crate::config::{BrokerConfig, definition_of, listener_key, refuses, same_as_default};
use crate::definition::{Definition, Effect, Scope};
use crate::key::{Key, Setting};
use crate::problem::{Problem, Problems};
use crate::properties::Properties;
use crate::protection::unkept;
use crate::rules;
use crate::topic_config::TopicConfig;
use crate::value::{InvalidValue, Value};

/// Where dynamic values of brokers apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One broker: `/config/brokers/<id>`.
    Broker,
    /// All brokers: `/config/brokers/<default>`.
    Cluster,
}

/// A broker's configuration with everything that has changed since it started.
#[derive(Debug, Clone)]
pub struct DynamicConfig {
    fixed: Arc<BrokerConfig>,
    cluster: BTreeMap<String, String>,
    broker: BTreeMap<String, String>,
    current: Arc<BrokerConfig>,
    topic_defaults: TopicConfig,
}

impl DynamicConfig {
    /// A configuration that has not changed yet.
    #[must_use]
    pub fn new(fixed: Arc<BrokerConfig>) -> DynamicConfig {
        DynamicConfig {
            topic_defaults: TopicConfig::defaults(&fixed),
            current: Arc::clone(&fixed),
            fixed,
            cluster: BTreeMap::new(),
            broker: BTreeMap::new(),
        }
    }

    /// Replaces all values of one level, as a notification of a change brings them. Values that do not fit, as an old tool may
    /// have written to ZooKeeper, are left out and reported, and the others apply. [`Problem::Refused`] is of a value that would protect what stays open.
    pub fn replace(&mut self, level: Level, values: BTreeMap<String, String>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut kept = BTreeMap::new();
        for (name, text) in values {
            let problem = unkept(&self.fixed, &name, &text);
            match problem.map_or_else(|| validate_broker_config(&name, &text, level), Err) {
                Ok(_) => drop(kept.insert(name, text)),
                Err(problem) => problems.push(problem),
            }
        }
        match level {
            Level::Broker => self.broker = kept,
            Level::Cluster => self.cluster = kept,
        }
        self.current = Arc::new(self.fixed.with_dynamic(&[&self.cluster, &self.broker]));
        self.topic_defaults = TopicConfig::defaults(&self.current);
        problems
    }

    /// Checks what the values of one level would become, each and together, without applying them.
    ///
    /// # Errors
    ///
    /// All problems at once.
    pub fn validate(&self, level: Level, values: &BTreeMap<String, String>) -> Result<(), Problems> {
        let mut problems: Vec<Problem> = values
            .iter()
            .filter_map(|(name, text)| validate_broker_config(name, text, level).err())
            .collect();
        if problems.is_empty() {
            let layers = match level {
                Level::Broker => [&self.cluster, values],
                Level::Cluster => [values, &self.broker],
            };
            let after = self.fixed.with_dynamic(&layers);
            rules::check(&after, &mut problems);
            problems.extend(pools(&self.current, &after));
        }
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// The value of a broker key as of now.
    #[must_use]
    pub fn get<T: Setting>(&self, key: Key<T>) -> T::Read<'_> {
        self.current.get(key)
    }

    /// The whole configuration as of now.
    #[must_use]
    pub fn current(&self) -> &Arc<BrokerConfig> {
        &self.current
    }

    /// What a topic without overrides has as of now.
    #[must_use]
    pub fn topic_defaults(&self) -> &TopicConfig {
        &self.topic_defaults
    }

    /// The values in force at one level.
    #[must_use]
    pub fn values(&self, level: Level) -> &BTreeMap<String, String> {
        match level {
            Level::Broker => &self.broker,
            Level::Cluster => &self.cluster,
        }
    }

    /// The properties file's values.
    #[must_use]
    pub fn given(&self) -> &Properties {
        self.fixed.given()
    }
}

/// Pools of threads change by a factor of two at most while the broker runs, so that a slip of the pen cannot stop it
/// (`DynamicThreadPool`).
fn pools<'a>(before: &'a BrokerConfig, after: &'a BrokerConfig) -> impl Iterator<Item = Problem> + 'a {
    const POOLS: [Key<i32>; 4] =
        [NUM_IO_THREADS, NUM_REPLICA_FETCHERS, NUM_RECOVERY_THREADS_PER_DATA_DIR, BACKGROUND_THREADS];
    POOLS.into_iter().filter_map(|pool| {
        let (key, old, new) = (pool.name(), before.get(pool), after.get(pool));
        let bound = match new {
            _ if new == old => return None,
            _ if new < old / 2 => format!("be at least half the current value {old}"),
            _ if new > old.saturating_mul(2) => {
                format!("not be greater than double the current value {old}")
            }
            _ => return None,
        };
        let what =
            format!("Dynamic thread count update validation failed for {key}={new}, value should {bound}");
        Some(Problem::Rule { key, what })
    })
}

/// Checks one dynamic value of a broker.
///
/// # Errors
///
/// The key is unknown or cannot be changed at that level while brokers run, the value is wrong, or it asks for something that is
/// not built.
pub fn validate_broker_config(name: &str, text: &str, level: Level) -> Result<Value, Problem> {
    // For one listener alone there are few keys; of the others those are known that are refused.
    let own = |definition: &&Definition| {
        *name == *definition.name || listener_key(name).is_some() || refuses(definition)
    };
    let Some(definition) = definition_of(name).filter(own) else {
        return Err(InvalidValue::Unknown { what: "broker", name: name.to_owned() }.into());
    };
    let refuse = |what: String| Err(Problem::Rule { key: definition.name, what });
    match (definition.scope, level) {
        (Scope::ReadOnly, _) => {
            return refuse(format!("Cannot update these configs dynamically: Set({name})"));
        }
        (Scope::PerBroker, Level::Cluster) => {
            return refuse(format!("Cannot update these configs at default cluster level: Set({name})"));
        }
        _ => {}
    }
    let value = definition.parse(text)?;
    if definition.by_restart {
        return refuse(format!(
            "{name} cannot be changed while the broker runs: change its properties and restart it"
        ));
    }
    match definition.effect {
        Effect::Refused(why) if !same_as_default(definition, &value) => {
            Err(Problem::refused(name, definition, text.trim(), why))
        }
        _ => Ok(value),
    }
}

/// The keys that count as the same setting in other units, the strongest first; for any other key the key itself
/// (`DynamicBrokerConfig.brokerConfigSynonyms`).
pub(crate) fn synonyms_of(definition: &'static Definition) -> Vec<&'static str> {
    const FAMILIES: [&[&str]; 4] = [
        &["log.roll.ms", "log.roll.hours"],
        &["log.roll.jitter.ms", "log.roll.jitter.hours"],
        &["log.retention.ms", "log.retention.minutes", "log.retention.hours"],
        &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
    ];
    let leads = |family: &&&[&'static str]| match family[0] {
        "log.flush.interval.ms" => definition.name == family[0],
        _ => family.contains(&definition.name),
    };
    FAMILIES.iter().find(leads).map_or_else(|| vec![definition.name], |family| family.to_vec())
}
