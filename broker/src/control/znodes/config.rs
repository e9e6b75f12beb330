//! `/config`: overrides, and the notifications of their changes.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{ZnodeError, from_json, paths, to_json};

/// Whose configuration it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// A topic.
    Topic(String),
    /// One broker, by id.
    Broker(i32),
    /// All brokers: the cluster-wide default, `brokers/<default>`.
    BrokerDefault,
    /// Something else (clients, users, addresses), by its path below `/config`.
    Other(String),
}

impl Entity {
    /// The entity with a path such as `topics/t` or `brokers/0`.
    #[must_use]
    pub fn from_path(path: &str) -> Self {
        match path.split_once('/') {
            Some(("topics", name)) if !name.contains('/') => Self::Topic(name.into()),
            Some(("brokers", "<default>")) => Self::BrokerDefault,
            Some(("brokers", id)) => id.parse().map_or_else(|_| Self::Other(path.into()), Self::Broker),
            _ => Self::Other(path.into()),
        }
    }

    /// Its znode.
    #[must_use]
    pub fn znode(&self) -> String {
        format!("{}/{self}", paths::CONFIG)
    }
}

/// The path below `/config`.
impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(name) => write!(f, "topics/{name}"),
            Self::Broker(id) => write!(f, "brokers/{id}"),
            Self::BrokerDefault => f.write_str("brokers/<default>"),
            Self::Other(path) => f.write_str(path),
        }
    }
}

#[derive(Serialize)]
struct Overrides<'a> {
    version: i32,
    config: &'a BTreeMap<String, String>,
}

/// Reads overrides. An empty znode has none.
///
/// # Errors
/// When it isn't JSON of that shape.
pub fn decode_config(path: &str, data: &[u8]) -> Result<BTreeMap<String, String>, ZnodeError> {
    #[derive(Deserialize)]
    struct Read {
        config: BTreeMap<String, Value>,
    }
    // Tools have written numbers and booleans without quotes.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Number(i64),
        Bool(bool),
    }
    if data.is_empty() {
        return Ok(BTreeMap::new());
    }
    let read: Read = from_json(path, data)?;
    let text = |value| match value {
        Value::Text(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
    };
    Ok(read.config.into_iter().map(|(key, value)| (key, text(value))).collect())
}

/// Writes overrides.
#[must_use]
pub fn encode_config(config: &BTreeMap<String, String>) -> Vec<u8> {
    to_json(&Overrides { version: 1, config })
}

/// A child of `/config/changes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// Whose overrides changed.
    pub entity: Entity,
}

#[derive(Serialize, Deserialize)]
struct Change<'a> {
    version: i32,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    entity_path: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing)]
    entity_type: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing)]
    entity_name: Option<Cow<'a, str>>,
}

/// Reads a notification: version 1 (0.9, 0.10.0) names type and name, version 2 a path, and 0.8 wrote the topic's name alone, quoted.
///
/// # Errors
/// When it isn't one of these.
pub fn decode_config_change(path: &str, data: &[u8]) -> Result<ConfigChange, ZnodeError> {
    if data.starts_with(b"\"") {
        let entity = Entity::Topic(from_json(path, data)?);
        return Ok(ConfigChange { entity });
    }
    let read: Change<'_> = from_json(path, data)?;
    let entity = match (read.entity_path, read.entity_type, read.entity_name) {
        (Some(path), _, _) => Entity::from_path(&path),
        (None, Some(kind), Some(name)) => Entity::from_path(&format!("{kind}/{name}")),
        _ => return Err(ZnodeError::new(path, "it names no entity")),
    };
    Ok(ConfigChange { entity })
}

/// Writes a notification in version 2.
#[must_use]
pub fn encode_config_change(entity: &Entity) -> Vec<u8> {
    let entity_path = Some(entity.to_string().into());
    to_json(&Change { version: 2, entity_path, entity_type: None, entity_name: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_written_as_kafka_writes_them() {
        let golden = r#"{"version":1,"config":{"retention.ms":"3600000"}}"#;
        let read = decode_config("/c", golden.as_bytes()).expect("golden");
        assert_eq!(read, BTreeMap::from([("retention.ms".to_owned(), "3600000".to_owned())]));
        assert_eq!(String::from_utf8_lossy(&encode_config(&read)), golden);
        let unquoted = decode_config("/c", br#"{"version":1,"config":{"a":1,"b":true}}"#).expect("unquoted");
        assert_eq!((unquoted["a"].as_str(), unquoted["b"].as_str()), ("1", "true"));
        assert_eq!(decode_config("/c", b""), Ok(BTreeMap::new()));
        assert!(decode_config("/c", b"[]").is_err());
    }

    #[test]
    fn notifications_of_every_version_are_read() {
        let cases = [
            (r#"{"version":2,"entity_path":"users/alice"}"#, Entity::Other("users/alice".into())),
            (r#"{"version":2,"entity_path":"brokers/0"}"#, Entity::Broker(0)),
            (r#"{"version":2,"entity_path":"brokers/<default>"}"#, Entity::BrokerDefault),
            (r#"{"version":1,"entity_type":"topics","entity_name":"t"}"#, Entity::Topic("t".into())),
            (r#""t""#, Entity::Topic("t".into())),
        ];
        for (text, entity) in cases {
            assert_eq!(decode_config_change("/n", text.as_bytes()), Ok(ConfigChange { entity }), "{text}");
        }
        for text in ["", "{}", r#"{"version":2}"#, "1"] {
            assert!(decode_config_change("/n", text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_notification_is_written_as_3_9_writes_it() {
        let written = encode_config_change(&Entity::Broker(0));
        assert_eq!(String::from_utf8_lossy(&written), r#"{"version":2,"entity_path":"brokers/0"}"#);
        assert_eq!(Entity::BrokerDefault.znode(), "/config/brokers/<default>");
    }
}
