//! Values of `config` maps: what a properties file would say, as string, number or boolean.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One value. YAML writers leave quotes out, so that numbers and booleans come as such; they mean what their text means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigValue {
    /// `true` or `false`.
    Boolean(bool),
    /// A number, such as `3` or `0.5`.
    Number(serde_json::Number),
    /// Anything else.
    Text(String),
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigValue::Boolean(value) => value.fmt(f),
            ConfigValue::Number(value) => value.fmt(f),
            ConfigValue::Text(value) => value.fmt(f),
        }
    }
}

/// A structural schema cannot say "string, number or boolean"; the settings table checks the values.
impl JsonSchema for ConfigValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ConfigValue".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "x-kubernetes-preserve-unknown-fields": true })
    }
}
