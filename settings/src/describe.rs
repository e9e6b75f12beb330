//! DescribeConfigs' answers: value, source and synonyms of every key, as Kafka's `ConfigHelper` gives them.

use std::collections::BTreeMap;

use crate::definition::{Definition, Kind};
use crate::dynamic::{DynamicConfig, Level, synonyms_of};
use crate::table::{broker_keys, topic_keys};
use crate::value::Value;

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// The topic's own.
    Topic,
    /// Set for this broker at run time.
    DynamicBroker,
    /// Set for all brokers at run time.
    DynamicDefaultBroker,
    /// The properties file.
    StaticBroker,
    /// Nobody gave one.
    Default,
}

impl ConfigSource {
    /// The code in DescribeConfigs responses.
    #[must_use]
    pub const fn wire_code(self) -> i8 {
        match self {
            ConfigSource::Topic => 1,
            ConfigSource::DynamicBroker => 2,
            ConfigSource::DynamicDefaultBroker => 3,
            ConfigSource::StaticBroker => 4,
            ConfigSource::Default => 5,
        }
    }
}

/// One value that a key has or would have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    /// The key it was given under.
    pub name: String,
    /// The value; `None` for a sensitive one.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
}

/// One key, described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedConfig {
    /// The key.
    pub name: String,
    /// The value in force; `None` if there is none or it is sensitive.
    pub value: Option<String>,
    /// Whether it can only be changed by a restart.
    pub read_only: bool,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// Whether the value is kept secret.
    pub is_sensitive: bool,
    /// All values, the one in force first.
    pub synonyms: Vec<Synonym>,
    /// The type, if the key is known.
    pub kind: Option<Kind>,
    /// What the key does.
    pub documentation: &'static str,
}

impl DescribedConfig {
    /// Whether nobody gave a value (version 0 of the response asks that).
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.source == ConfigSource::Default
    }
}

impl DynamicConfig {
    /// A topic's keys, sorted by name. `names` chooses; `None` is all.
    #[must_use]
    pub fn describe_topic(
        &self,
        overrides: &BTreeMap<String, String>,
        names: Option<&[&str]>,
    ) -> Vec<DescribedConfig> {
        let (config, _) = self.topic_defaults().with_overrides(overrides);
        let chosen =
            topic_keys().iter().zip(config.values()).filter(|(definition, _)| wanted(definition.name, names));
        let described = chosen.map(|(definition, value)| {
            let mut synonyms = Vec::new();
            if let Some(text) = overrides.get(definition.name) {
                let value = Some(text.clone()).filter(|_| !definition.is_sensitive());
                synonyms.push(Synonym {
                    name: definition.name.to_owned(),
                    value,
                    source: ConfigSource::Topic,
                });
            }
            let broker_key = definition.broker_keys.first().and_then(|name| broker_keys().find(name));
            if let Some(broker_key) = broker_key {
                synonyms.extend(self.synonyms(broker_key));
            }
            described(definition, value, synonyms, false)
        });
        described.collect()
    }

    /// This broker's keys, sorted by name, with unknown keys of its properties file. `names` chooses; `None` is all.
    #[must_use]
    pub fn describe_broker(&self, names: Option<&[&str]>) -> Vec<DescribedConfig> {
        let known =
            broker_keys().iter().filter(|definition| !definition.internal && definition.removed_in.is_none());
        let mut all: Vec<DescribedConfig> = known
            .filter(|definition| wanted(definition.name, names))
            .filter(|definition| !definition.only_dynamic || self.is_set(definition.name))
            .map(|definition| {
                let value = self.current().value(definition);
                described(definition, value, self.synonyms(definition), !definition.is_dynamic())
            })
            .collect();
        // An unknown key may hold a secret of something else: its value is not shown.
        let shown =
            |name: &str| broker_keys().find(name).is_none_or(|definition| definition.removed_in.is_some());
        for (name, text) in self.given().iter().filter(|(name, _)| shown(name) && wanted(name, names)) {
            let definition = broker_keys().find(name);
            let value = definition.map(|_| text.to_owned());
            all.push(DescribedConfig {
                name: name.to_owned(),
                value: value.clone(),
                read_only: true,
                source: ConfigSource::StaticBroker,
                is_sensitive: definition.is_none(),
                synonyms: vec![Synonym { name: name.to_owned(), value, source: ConfigSource::StaticBroker }],
                kind: definition.map(|definition| definition.kind),
                documentation: definition.map_or("", |definition| definition.documentation()),
            });
        }
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    }

    /// Whether the key was set at run time, for this broker or for all.
    fn is_set(&self, name: &str) -> bool {
        [Level::Broker, Level::Cluster].iter().any(|&level| self.values(level).contains_key(name))
    }

    /// The values that were set for all brokers at run time, sorted by name: the description of the unnamed broker.
    #[must_use]
    pub fn describe_cluster(&self, names: Option<&[&str]>) -> Vec<DescribedConfig> {
        let known = self.values(Level::Cluster).keys().filter_map(|name| broker_keys().find(name));
        known
            .filter(|definition| wanted(definition.name, names))
            .map(|definition| {
                let mut synonyms = self.synonyms(definition);
                synonyms.retain(|synonym| synonym.source == ConfigSource::DynamicDefaultBroker);
                let value =
                    definition.parse(&self.values(Level::Cluster)[definition.name]).unwrap_or(Value::Null);
                described(definition, &value, synonyms, !definition.is_dynamic())
            })
            .collect()
    }

    /// All values of a broker key, the strongest first. Those of a synonym that come before the key's own are dropped, as in
    /// Kafka: `log.retention.hours` alone leaves `log.retention.ms` without any.
    fn synonyms(&self, definition: &'static Definition) -> Vec<Synonym> {
        let names = synonyms_of(definition);
        let synonym = |name: &str, value: &str, source| {
            let sensitive = broker_keys().find(name).is_some_and(Definition::is_sensitive);
            Synonym { name: name.to_owned(), value: (!sensitive).then(|| value.to_owned()), source }
        };
        let mut all = Vec::new();
        for (level, source) in [
            (Level::Broker, ConfigSource::DynamicBroker),
            (Level::Cluster, ConfigSource::DynamicDefaultBroker),
        ] {
            let values = self.values(level);
            all.extend(names.iter().filter_map(|&name| Some(synonym(name, values.get(name)?, source))));
        }
        let given = names
            .iter()
            .filter_map(|&name| Some(synonym(name, self.given().get(name)?, ConfigSource::StaticBroker)));
        all.extend(given);
        for name in &names {
            let default = broker_keys()
                .find(name)
                .and_then(|definition| Value::from_literal(definition.default).shown());
            if let Some(default) = default {
                all.push(synonym(name, &default, ConfigSource::Default));
            }
        }
        let own = all.iter().position(|synonym| synonym.name == definition.name).unwrap_or(all.len());
        all.split_off(own)
    }
}

fn wanted(name: &str, names: Option<&[&str]>) -> bool {
    names.is_none_or(|names| names.contains(&name))
}

fn described(
    definition: &Definition,
    value: &Value,
    synonyms: Vec<Synonym>,
    read_only: bool,
) -> DescribedConfig {
    DescribedConfig {
        name: definition.name.to_owned(),
        value: value.shown(),
        read_only,
        source: synonyms.first().map_or(ConfigSource::Default, |first| first.source),
        is_sensitive: definition.is_sensitive(),
        synonyms,
        kind: Some(definition.kind),
        documentation: definition.documentation(),
    }
}
