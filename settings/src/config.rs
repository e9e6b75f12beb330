//! A broker's configuration: a properties file and overrides, read against the table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::broker;
use crate::definition::{Definition, Effect};
use crate::key::{Key, Setting};
use crate::listeners::{self, Listener, Listeners};
use crate::problem::{Problem, Problems, Warning};
use crate::properties::Properties;
use crate::reason;
use crate::rules;
use crate::table::broker_keys;
use crate::value::Value;
use crate::version::ProtocolVersion;

/// A broker's static configuration, whole and checked.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    /// One value per key of the table, in its order.
    values: Vec<Value>,
    /// What was given: the file and the overrides.
    given: Properties,
    listeners: Listeners,
    /// Keys given for one listener (`listener.name.<name>.<key>`): name in capitals, key, value.
    listener_values: Vec<(String, &'static Definition, Value)>,
    warnings: Vec<Warning>,
}

/// Keys that may be given for one listener alone.
const PER_LISTENER: [&str; 3] = [
    broker::MAX_CONNECTIONS.name(),
    broker::MAX_CONNECTION_CREATION_RATE.name(),
    broker::CONNECTIONS_MAX_REAUTH_MS.name(),
];

const LISTENER_PREFIX: &str = "listener.name.";

impl BrokerConfig {
    /// Reads a properties file's content and overrides, which win, and checks everything.
    ///
    /// # Errors
    ///
    /// All problems at once; each names its key, the value and what is allowed.
    pub fn from_properties(
        properties: &Properties,
        overrides: &Properties,
    ) -> Result<BrokerConfig, Problems> {
        let mut given = properties.clone();
        for (key, value) in overrides.iter() {
            given.set(key, value);
        }
        let mut problems = Vec::new();
        let values = broker_keys().iter().map(|definition| Value::from_literal(definition.default)).collect();
        let mut config = BrokerConfig {
            values,
            given: Properties::default(),
            listeners: Listeners::default(),
            listener_values: Vec::new(),
            warnings: Vec::new(),
        };
        for (key, text) in given.iter() {
            config.take(key, text, &mut problems);
        }
        config.given = given;
        config.join_broker_id(&mut problems);
        config.listeners = listeners::resolve(&config, &mut problems);
        rules::check(&config, &mut problems);
        config.warnings.extend(rules::outweighed(&config));
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    fn take(&mut self, key: &str, text: &str, problems: &mut Vec<Problem>) {
        if let Some(rest) = key.strip_prefix(LISTENER_PREFIX) {
            return self.take_listener_key(key, rest, text, problems);
        }
        let Some(index) = broker_keys().position(key) else {
            // A provider's own keys come with `config.providers`, which is refused; nothing else has free names.
            let nearest = broker_keys().nearest(key);
            return self.warnings.push(Warning::Unknown { key: key.to_owned(), nearest });
        };
        let Some(definition) = broker_keys().find(key) else { return };
        if definition.only_dynamic {
            return self.warnings.push(Warning::NoEffect { key: definition.name, why: reason::ONLY_DYNAMIC });
        }
        match read(key, definition, text) {
            Ok(value) => self.values[index] = value,
            Err(problem) => return problems.push(problem),
        }
        if let Effect::Accepted(why) = definition.effect
            && self.values[index] != Value::from_literal(definition.default)
        {
            self.warnings.push(Warning::NoEffect { key: definition.name, why });
        }
        if let (Some(instead), Effect::Effective) = (definition.instead, definition.effect) {
            self.warnings.push(Warning::Deprecated { key: definition.name, instead });
        }
    }

    fn take_listener_key(&mut self, key: &str, rest: &str, text: &str, problems: &mut Vec<Problem>) {
        let unknown = || Warning::Unknown { key: key.to_owned(), nearest: None };
        let Some((listener, _)) = rest.split_once('.') else { return self.warnings.push(unknown()) };
        match definition_of(key) {
            Some(definition) if definition.name == broker::NUM_NETWORK_THREADS.name() => {
                let (key, why) = (definition.name, reason::SHARED_THREADS);
                self.warnings.push(Warning::NoEffect { key, why });
            }
            Some(definition) if PER_LISTENER.contains(&definition.name) || refuses(definition) => {
                match read(key, definition, text) {
                    Ok(value) => self.listener_values.push((listener.to_uppercase(), definition, value)),
                    Err(problem) => problems.push(problem),
                }
            }
            _ => self.warnings.push(unknown()),
        }
    }

    /// `broker.id` and `node.id` are one setting under two names.
    fn join_broker_id(&mut self, problems: &mut Vec<Problem>) {
        let (old, new) = (broker::BROKER_ID.name(), broker::NODE_ID.name());
        let (Some(old_at), Some(new_at)) = (broker_keys().position(old), broker_keys().position(new)) else {
            return;
        };
        match (self.is_given(old), self.is_given(new)) {
            (false, true) => self.values[old_at] = self.values[new_at].clone(),
            (true, false) => self.values[new_at] = self.values[old_at].clone(),
            (true, true) if self.values[old_at] != self.values[new_at] => {
                let what = format!(
                    "You must set `{new}` to the same value as `{old}`: they are {} and {}",
                    self.get(broker::NODE_ID),
                    self.get(broker::BROKER_ID)
                );
                problems.push(Problem::Rule { key: new, what });
            }
            _ => {}
        }
    }

    /// This configuration with layers of dynamic values over it, the stronger last. Values must have been validated; one that
    /// does not fit is left out.
    pub(crate) fn with_dynamic(&self, layers: &[&BTreeMap<String, String>]) -> BrokerConfig {
        let mut config = self.clone();
        for (name, text) in layers.iter().flat_map(|layer| layer.iter()) {
            if let Some((listener, definition)) = listener_key(name) {
                // Of several values the last is read, which is the strongest layer's.
                config
                    .listener_values
                    .extend(definition.parse(text).map(|value| (listener, definition, value)));
                continue;
            }
            if let (Some(index), Some(definition)) = (broker_keys().position(name), broker_keys().find(name))
                && let Ok(value) = definition.parse(text)
            {
                config.values[index] = value;
            }
        }
        config
    }

    /// The value of a key. A binary search over the names: read once and keep, rather than per request.
    #[must_use]
    pub fn get<T: Setting>(&self, key: Key<T>) -> T::Read<'_> {
        T::read(self.value(key.definition()))
    }

    /// The value of a key for one listener: its own if it was given one, else the broker's.
    #[must_use]
    pub fn get_for_listener<T: Setting>(&self, key: Key<T>, listener: &str) -> T::Read<'_> {
        let own = self.own_value(key.definition(), listener);
        T::read(own.unwrap_or_else(|| self.value(key.definition())))
    }

    /// The value of a key that one listener was given for itself.
    #[must_use]
    pub fn get_own<T: Setting>(&self, key: Key<T>, listener: &str) -> Option<T::Read<'_>> {
        self.own_value(key.definition(), listener).map(T::read)
    }

    fn own_value(&self, definition: &Definition, listener: &str) -> Option<&Value> {
        let found = self
            .listener_values
            .iter()
            .rfind(|(name, key, _)| name == listener && key.name == definition.name);
        found.map(|(_, _, value)| value)
    }

    /// The untyped value of a broker key.
    #[must_use]
    pub fn value(&self, definition: &Definition) -> &Value {
        broker_keys().position(definition.name).map_or(&Value::Null, |index| &self.values[index])
    }

    /// Whether the file or an override gives the key.
    #[must_use]
    pub fn is_given(&self, name: &str) -> bool {
        self.given.get(name).is_some()
    }

    /// Everything that was given, overrides applied.
    #[must_use]
    pub fn given(&self) -> &Properties {
        &self.given
    }

    /// What the owner should know: unknown keys, keys without effect, deprecated ones. For the log, one line each.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The listeners, in the order given. At least one.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners.all
    }

    /// The name of the listener that brokers use among themselves.
    #[must_use]
    pub fn inter_broker_listener(&self) -> &str {
        &self.listeners.inter_broker
    }

    /// `broker.id`, or `None` if ZooKeeper is to generate one.
    #[must_use]
    pub fn broker_id(&self) -> Option<i32> {
        Some(self.get(broker::BROKER_ID)).filter(|&id| id >= 0)
    }

    /// The log directories: `log.dirs`, else `log.dir`; at least one, none of them twice.
    #[must_use]
    pub fn log_dirs(&self) -> Vec<PathBuf> {
        let text = self.get(broker::LOG_DIRS).unwrap_or_else(|| self.get(broker::LOG_DIR));
        text.split(',').map(str::trim).filter(|dir| !dir.is_empty()).map(PathBuf::from).collect()
    }

    /// `zookeeper.connect`.
    #[must_use]
    pub fn zookeeper_connect(&self) -> &str {
        self.get(broker::ZOOKEEPER_CONNECT).unwrap_or_default()
    }

    /// How long, in milliseconds, the first connection to ZooKeeper may take.
    #[must_use]
    pub fn zookeeper_connection_timeout_ms(&self) -> i32 {
        let session = self.get(broker::ZOOKEEPER_SESSION_TIMEOUT_MS);
        self.get(broker::ZOOKEEPER_CONNECTION_TIMEOUT_MS).unwrap_or(session)
    }

    /// `inter.broker.protocol.version`.
    #[must_use]
    pub fn inter_broker_protocol(&self) -> ProtocolVersion {
        ProtocolVersion::parse(self.get(broker::INTER_BROKER_PROTOCOL_VERSION))
            .unwrap_or(ProtocolVersion::NEWEST)
    }

    /// `max.connections.per.ip.overrides`: an address or host name, and its limit.
    #[must_use]
    pub fn connections_per_ip_overrides(&self) -> Vec<(String, i32)> {
        rules::connection_overrides(self.get(broker::MAX_CONNECTIONS_PER_IP_OVERRIDES)).unwrap_or_default()
    }
}

/// The listener's name, in capitals, and the key of a name such as `listener.name.external.max.connections`, if it is a key that a listener may have
/// for itself and that can change while the broker runs.
pub(crate) fn listener_key(name: &str) -> Option<(String, &'static Definition)> {
    let (listener, key) = name.strip_prefix(LISTENER_PREFIX)?.split_once('.')?;
    let definition = broker_keys().find(key).filter(|definition| PER_LISTENER.contains(&definition.name))?;
    Some((listener.to_uppercase(), definition))
}

/// The key that a name means, which may be given for one listener alone (`listener.name.<name>.<key>`), and of SASL for one mechanism
/// (`listener.name.<name>.<mechanism>.<key>`).
pub(crate) fn definition_of(name: &str) -> Option<&'static Definition> {
    let Some(rest) = name.strip_prefix(LISTENER_PREFIX) else { return broker_keys().find(name) };
    let (_, key) = rest.split_once('.')?;
    broker_keys().find(key).or_else(|| broker_keys().find(key.split_once('.')?.1))
}

pub(crate) fn refuses(definition: &Definition) -> bool {
    matches!(definition.effect, Effect::Refused(_))
}

/// Reads a value and refuses it if the key is refused and the value is not its default. `key` is the name as given, which may
/// carry a listener's prefix.
fn read(key: &str, definition: &Definition, text: &str) -> Result<Value, Problem> {
    let value = definition.parse(text)?;
    match definition.effect {
        Effect::Refused(why) if !same_as_default(definition, &value) => {
            Err(Problem::refused(key, definition, text.trim(), why))
        }
        _ => Ok(value),
    }
}

/// An empty text is how properties files say "nothing".
pub(crate) fn same_as_default(definition: &Definition, value: &Value) -> bool {
    let default = Value::from_literal(definition.default);
    let nothing = match value {
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Password(password) => password.reveal().is_empty(),
        _ => false,
    };
    *value == default || (default == Value::Null && nothing)
}
